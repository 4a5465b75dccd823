"""What `plan` says that a run will take, beside what it then takes: time and peak memory.

usage: python benchmarks/estimates.py [--out FOLDER]

Runs budgeted in steps or epochs, each planned and then trained by the command line in processes of their own. Time is
that of `train` from its first to its last line; memory is the highest that its process held, as the system counts it.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from classification import SETS, gathered

_ROOT = Path(__file__).resolve().parents[1]
_HIPPOCAMPUS = _ROOT / "examples" / "hippocampus"
RUNS = {
    "hippocampus, 600 steps": ("hippocampus", ("training.steps=600",)),
    "hippocampus, 20 epochs, width 32": ("hippocampus", ("training.epochs=20", "models.width=32")),
    "hippocampus, batch 4, 150 steps": ("hippocampus", ("training.steps=150", "training.batch=4")),
    "hippocampus, dynunet, 100 steps": ("hippocampus", ("training.steps=100", "models.network=dynunet")),
    "pneumonia, 3 epochs": ("kermany", ("tasks.kind=classification", "training.epochs=3")),
    "pneumonia, efficientnet, 60 steps": (
        "kermany",
        ("tasks.kind=classification", "training.steps=60", "models.network=efficientnet"),
    ),
    "breast ultrasound graded, 200 steps": (
        "busi",
        ("tasks.kind=grading", 'tasks.grades=["normal","benign","malignant"]', "training.steps=200"),
    ),
}


def main() -> None:
    """Plan and train every run, and print what was said beside what it took."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--out", type=Path, default=_ROOT / "benchmarks" / "out" / "estimates")
    told = asked.parse_args()
    told.out.mkdir(parents=True, exist_ok=True)
    store = told.out / "store"
    for name in ("hippocampus", "kermany", "busi"):
        if not taken_in(name, store):
            folder = _HIPPOCAMPUS if name == "hippocampus" else pictures(name, told.out)
            asked_isocenter("ingest", str(folder), "--dataset", name, store=store)
    print("| run | time said | time taken | off by | memory said | memory taken | off by |")
    print("|---|---|---|---|---|---|---|")
    for name, (data, settings) in RUNS.items():
        words = ["--data", data, *(word for setting in settings for word in ("--set", setting))]
        said = asked_isocenter("plan", *words, store=store)["plan"]["estimate"]
        began = time.monotonic()
        took = asked_isocenter("train", *words, store=store)
        seconds, memory = time.monotonic() - began, took["memory_bytes"]
        if took["reused"]:
            print(f"| {name} | was run before: remove {store} | | | | | |")
            continue
        print(
            f"| {name} | {said['seconds']:.0f} s | {seconds:.0f} s | {said['seconds'] / seconds - 1:+.0%} | "
            f"{said['memory_bytes'] / 1e9:.2f} GB | {memory / 1e9:.2f} GB | {said['memory_bytes'] / memory - 1:+.0%} |",
            flush=True,
        )


def pictures(name: str, out: Path) -> Path:
    """Return the folder of a set of pictures beside its table."""
    folder = out / f"{name}-pictures"
    if not folder.is_dir():
        gathered(SETS[name], folder)
    return folder


def taken_in(name: str, store: Path) -> bool:
    """Return whether the store has a data set."""
    if not store.exists():
        return False
    return any(row["name"] == name for row in asked_isocenter("datasets", "list", store=store)["rows"])


def asked_isocenter(*words: str, store: Path) -> dict[str, object]:
    """Return the document of a command."""
    environment = os.environ | {"ISOCENTER_STORE": str(store)}
    command = [sys.executable, "-m", "isocenter", *words, "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"isocenter {' '.join(words)}: {done.stdout[-500:]}{done.stderr[-500:]}")
    document: dict[str, object] = json.loads(done.stdout)
    return document


if __name__ == "__main__":
    main()
