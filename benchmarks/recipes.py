"""The example recipes, each run once as it stands, on public sets; the scores on the test side as Markdown.

usage: python benchmarks/recipes.py [NAME …] [--out FOLDER]

The two recipes that benchmarks/classification.py measures are not repeated here. Each recipe is a process of its own;
one that has its result is not run again.
"""

import argparse
import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from classification import SETS, gathered

_ROOT = Path(__file__).resolve().parents[1]
_SHARED = _ROOT.parent / "shared" / "data"
_OUT = _ROOT / "benchmarks" / "out" / "recipes"
_KINDS = {"1": "neutrophil", "2": "lymphocyte", "3": "monocyte", "4": "eosinophil", "5": "basophil"}
# of each task, the measures that its line shows
_SHOWN = {"auc", "balanced_accuracy", "quadratic_kappa", "off_by_one", "dice", "nsd"}


def ultrasound(folder: Path) -> Path:
    """Gather the pictures of BUSI; a quarter of the groups of near duplicates is test."""
    gathered(SETS["busi"], folder)
    return folder


def cells(folder: Path) -> Path:
    """Gather the smears of both laboratories in one table, with their outlines."""
    aside = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    rows = []
    for number in ("1", "2"):
        shutil.copytree(_SHARED / "wbc_two_sites" / f"site{number}", aside / f"site{number}")
        with (_SHARED / "wbc_two_sites" / f"labels_site{number}.csv").open(encoding="utf-8", newline="") as file:
            told = list(csv.reader(file))[1:]
        for name, kind in told:
            path = f"site{number}/{int(name):03d}"
            rows.append((f"{path}.png", f"{path}_mask.png", _KINDS[kind], number))
    write(aside / "labels.csv", [("path", "mask", "label", "site"), *rows])
    (aside / "labels.json").write_text(json.dumps({"cytoplasm": 128, "nucleus": 255}), encoding="utf-8")
    aside.rename(folder)
    return folder


def hippocampus(_folder: Path) -> Path:
    """Return the sample that lies beside its recipe."""
    return _ROOT / "examples" / "hippocampus"


def write(path: Path, rows: Iterable[Iterable[str]]) -> None:
    """Write a table."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


RUNS: dict[str, tuple[str, str, Callable[[Path], Path]]] = {
    "hippocampus": ("hippocampus/recipe.toml", "msd", hippocampus),
    "breast-ultrasound-grade": ("recipes/breast-ultrasound-grade.toml", "pictures", ultrasound),
    "white-blood-cells": ("recipes/white-blood-cells.toml", "pictures", cells),
    "white-blood-cells-outlines": ("recipes/white-blood-cells-outlines.toml", "pictures", cells),
}


def main() -> None:
    """Run what was asked, each recipe in a process of its own, and print the lines."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(RUNS)}")
    asked.add_argument("--out", type=Path, default=_OUT)
    asked.add_argument("--part", action="store_true", help="run here and now")
    told = asked.parse_args()
    names = told.names or list(RUNS)
    if not _SHARED.is_dir():
        raise SystemExit("The public sets do not lie beside the project; nothing was run.")
    told.out.mkdir(parents=True, exist_ok=True)
    for name in names:
        kept = told.out / f"{name}.json"
        if told.part:
            kept.write_text(json.dumps(run(name, told.out)), encoding="utf-8")
        elif not kept.is_file():
            subprocess.run([sys.executable, __file__, name, "--part", "--out", str(told.out)], check=True)
    if not told.part:
        print("\n".join(line(name, told.out) for name in names))


def run(name: str, out: Path) -> object:
    """Return what `evaluate` says after a recipe was run."""
    from isocenter import pipeline

    recipe, layout, gather = RUNS[name]
    folder = out / gather.__name__
    source = folder if folder.is_dir() else gather(folder)
    store = out / f"{name}-store"
    taken = pipeline.ingest(source, dataset=name, as_=layout, store=store)
    model = pipeline.train(_ROOT / "examples" / recipe, data=taken.dataset.id, store=store).model
    return pipeline.evaluate(model, data=taken.dataset.id, store=store).to_json()


def line(name: str, out: Path) -> str:
    """Return a recipe's scores in a line."""
    found = json.loads((out / f"{name}.json").read_bytes())
    scores = (
        f"{score['name']} {score['label']} {score['value']:.3f} [{score['low']:.3f}, {score['high']:.3f}]"
        for score in found["scores"]
        if score["name"] in _SHOWN and score["value"] is not None
    )
    return f"{name} ({found['cases']} cases): {'; '.join(scores)}"


if __name__ == "__main__":
    main()
