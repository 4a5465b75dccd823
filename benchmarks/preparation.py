"""Measure 4 of preparation: what each step of restoration does to what a network finds, against none, pair by pair.

usage: python benchmarks/preparation.py [hippocampus] [cells] [--arms none n4 …] [--steps N] [--seeds 0 1]
                                        [--data FOLDER] [--out FOLDER]

Two sets: the hippocampus (MSD Task04; 160 cases to learn from, the 40 of benchmarks/hippocampus.py to be read), and
white blood cells of two laboratories (learnt from those of the first, read in those of the second). Each line is a
training with one step and everything else alike: the same cases, seeds and number of optimiser steps. Shown is the
mean Dice of the structures, and how far it lies from that without any step, case by case, with a 95 % interval by case.

Each training is a process of its own; one that has its result is not run again, one that was stopped goes on. A step
that refuses the images has a line that says so.
"""

import argparse
import csv
import json
import math
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hippocampus import TEST

_ROOT = Path(__file__).resolve().parents[1]
_OUT = _ROOT / "benchmarks" / "out" / "preparation"
_ALL = '[{{step = "{step}", within = "all"}}]'
# what is learnt and read where there is air to tell the body by, and no size in colour: each step as it would be asked
_GREY = {
    "none": "[]",
    **{step: f'["{step}"]' for step in (
        "median", "curvature", "nlm", "tv", "n4", "clahe", "match", "nyul", "unit", "symmetric", "percentiles",
        "zscore",
    )},
    "resample to 0.8 mm": '[{step = "resample", spacing_mm = [0.8, 0.8, 0.8]}]',
    "crop to 40 mm": '[{step = "crop_centre", size_mm = [40.0, 40.0, 40.0]}]',
    "n4, nyul": '["n4", "nyul"]',
    "curvature, n4, nyul": '["curvature", "n4", "nyul"]',
}  # fmt: skip
_COLOUR = {
    "none": "[]",
    **{
        step: f'["{step}"]' for step in ("median", "curvature", "nlm", "tv", "clahe", "unit", "symmetric", "n4", "nyul")
    },
    "percentiles": _ALL.format(step="percentiles"),
    "zscore": _ALL.format(step="zscore"),
    "curvature, percentiles": '["curvature", {step = "percentiles", within = "all"}]',
}


@dataclass(frozen=True)
class Study:
    """A set: how many optimiser steps a training takes, the recipe that it begins with, and its lines."""

    steps: int
    recipe: Path | None
    arms: Mapping[str, str]


STUDIES = {
    "hippocampus": Study(steps=1000, recipe=None, arms=_GREY),
    "cells": Study(steps=1000, recipe=_ROOT / "examples/recipes/white-blood-cells-outlines.toml", arms=_COLOUR),
}


def main() -> None:
    """Run what was asked, each training in a process of its own, and print the tables."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("studies", nargs="*", metavar="SET", help=f"of {', '.join(STUDIES)}; default: both")
    asked.add_argument("--arms", nargs="+", default=[], help="lines to run; default: all of the set")
    asked.add_argument("--steps", type=int, default=0, help="optimiser steps of each training; default: the set's")
    asked.add_argument("--seeds", type=int, nargs="+", default=[0])
    asked.add_argument("--data", type=Path, default=_ROOT.parent / "shared" / "data")
    asked.add_argument("--out", type=Path, default=_OUT)
    asked.add_argument("--part", action="store_true", help="run one training here and now")
    told = asked.parse_args()
    if not told.data.is_dir():
        raise SystemExit("The public sets do not lie beside the project; nothing was run.")
    told.out.mkdir(parents=True, exist_ok=True)
    for name in told.studies or list(STUDIES):
        steps = told.steps or STUDIES[name].steps
        arms = ["none", *(arm for arm in told.arms or STUDIES[name].arms if arm != "none")]
        for arm in told.arms if told.part else arms:
            for seed in told.seeds:
                kept = result(told.out, name, arm, steps=steps, seed=seed)
                if told.part:
                    kept.write_text(json.dumps(run(name, arm, told, steps=steps, seed=seed)), encoding="utf-8")
                elif not kept.is_file():
                    words = ["--part", "--arms", arm, "--steps", str(steps), "--seeds", str(seed)]
                    words += ["--data", str(told.data), "--out", str(told.out)]
                    subprocess.run([sys.executable, __file__, name, *words], check=True)
        if not told.part:
            print(table(name, arms, told.out, steps=steps, seeds=told.seeds))


def result(out: Path, name: str, arm: str, *, steps: int, seed: int) -> Path:
    """Return where the result of a training is kept."""
    word = "".join(letter if letter.isalnum() else "-" for letter in arm)
    return out / f"{name}-{word}-{steps}-{seed}.json"


def run(name: str, arm: str, told: argparse.Namespace, *, steps: int, seed: int) -> dict[str, object]:
    """Return what the model of one training finds in the cases that are read, case by case."""
    from isocenter import pipeline
    from isocenter.errors import InputError

    study, store = STUDIES[name], taken(name, told.out, data=told.data)
    changes = (f"training.steps={steps}", f"training.seed={seed}", f"restoration.steps={study.arms[arm]}")
    try:
        trained = pipeline.train(study.recipe, data="learning", set_=changes, store=store)
        found = pipeline.evaluate(trained.model, data="reading", store=store)
    except InputError as error:
        return {"refused": str(error)}
    rows = [row for row in found.rows if row["measure"] == "dice" and row["value"] is not None]
    cases: dict[str, list[float]] = {}
    for row in rows:
        cases.setdefault(str(row["case"]), []).append(float(row["value"]))
    return {"seconds": trained.seconds, "cases": {case: sum(each) / len(each) for case, each in cases.items()}}


def taken(name: str, out: Path, *, data: Path) -> Path:
    """Return the store with a study's two data sets, taken in where they are not yet."""
    from isocenter import pipeline

    store = out / f"{name}-store"
    if not (out / f"{name}-taken").is_file():
        shutil.rmtree(store, ignore_errors=True)
        for side in ("learning", "reading"):
            folder = out / f"{name}-{side}"
            shutil.rmtree(folder, ignore_errors=True)
            {"hippocampus": hippocampus, "cells": cells}[name](folder, data=data, side=side)
            accept = () if name == "hippocampus" else ("empty-masks",)
            pipeline.ingest(folder, dataset=side, accept=accept, store=store)
        (out / f"{name}-taken").touch()
    return store


def hippocampus(folder: Path, *, data: Path, side: str) -> None:
    """Gather the cases of one side in the MSD layout."""
    source = data / "msd_hippocampus"
    told = json.loads((source / "dataset.json").read_text(encoding="utf-8"))
    kept = []
    for pair in told["training"]:
        name = Path(pair["image"]).name
        if not (source / "imagesTr" / name).is_file():
            continue
        if (name.removesuffix(".nii.gz") in TEST) == (side == "reading"):
            kept.append(pair)
            for part in ("imagesTr", "labelsTr"):
                (folder / part).mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source / part / name, folder / part / name)
    (folder / "dataset.json").write_text(json.dumps({**told, "training": kept, "test": []}), encoding="utf-8")


def cells(folder: Path, *, data: Path, side: str) -> None:
    """Gather the smears of one laboratory, with their outlines."""
    site = "site1" if side == "learning" else "site2"
    shutil.copytree(data / "wbc_two_sites" / site, folder / site)
    masks = sorted((folder / site).glob("*_mask.png"))
    rows = [(f"{site}/{mask.name.removesuffix('_mask.png')}.png", f"{site}/{mask.name}") for mask in masks]
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("path", "mask"), *rows])
    (folder / "labels.json").write_text(json.dumps({"cytoplasm": 128, "nucleus": 255}), encoding="utf-8")


def table(name: str, arms: list[str], out: Path, *, steps: int, seeds: list[int]) -> str:
    """Return the lines of a set, each against none, as Markdown."""
    lines = [
        f"{name}: {steps} steps, seeds {', '.join(map(str, seeds))}",
        "",
        "| steps of restoration | mean Dice | against none, case by case | training |",
        "|---|---|---|---|",
    ]
    none = [kept(out, name, "none", steps=steps, seed=seed) for seed in seeds]
    for arm in arms:
        found = [kept(out, name, arm, steps=steps, seed=seed) for seed in seeds]
        lines.append(f"| {arm} | {line(found, none, is_none=arm == 'none')} |")
    return "\n".join([*lines, ""])


def kept(out: Path, name: str, arm: str, *, steps: int, seed: int) -> dict[str, object]:
    """Return the result of a training."""
    found: dict[str, object] = json.loads(result(out, name, arm, steps=steps, seed=seed).read_bytes())
    return found


def line(found: list[dict[str, object]], none: list[dict[str, object]], *, is_none: bool) -> str:
    """Return what one line says: the mean, and the mean difference with its interval by case, seeds averaged."""
    from isocenter.metrics.interval import bootstrap

    refused = next((one["refused"] for one in found if "refused" in one), None)
    if refused is not None:
        return f"refused | {refused} | "
    ours, theirs = averaged(found), averaged(none)
    whole = bootstrap({case: [value] for case, value in ours.items()}, name="dice", label="")
    apart = bootstrap({case: [ours[case] - theirs[case]] for case in ours}, name="difference", label="")
    seconds = sum(float(str(one["seconds"])) for one in found) / len(found)
    against = "" if is_none else f"{apart.value:+.4f} [{apart.low:+.4f}, {apart.high:+.4f}]"
    return f"{whole.value:.4f} [{whole.low:.4f}, {whole.high:.4f}] (n = {whole.n}) | {against} | {seconds:.0f} s"


def averaged(found: list[dict[str, object]]) -> dict[str, float]:
    """Return each case's figure, the mean over seeds; a case that any of them does not know is left out."""
    each = [one["cases"] for one in found if isinstance(one["cases"], dict)]
    cases = set.intersection(*(set(one) for one in each))
    return {case: math.fsum(one[case] for one in each) / len(each) for case in sorted(cases)}


if __name__ == "__main__":
    main()
