"""Measure 1: mean foreground Dice on the hippocampus after so many minutes, everything from the folder on counted.

usage: python benchmarks/hippocampus.py [--minutes 5 20] [--folds 0 1 2 3 4] [--like-test] [--set KEY=VALUE …]
                                        [--data FOLDER] [--out FOLDER]

With --folds, the 160 learning cases are cut into five folds; a part learns from four of them and reads the fifth: what
is chosen is chosen there. Without, it learns from all 160 and reads the 40 test cases. With --like-test a fold takes as
many steps as the test part of the same minutes took on the quiet machine, however long they take: a busy machine then
changes no figure but its seconds.

Each part is a process of its own, so that the clock runs from its first line: loading torch, reading the folder,
fingerprint, plan, preparing, learning, writing the weights. What it found is kept in OUT; a part that is there is
not measured again, and one that was stopped goes on from its checkpoint with its clock. Reading and scoring the 40
test cases is timed beside it.
"""

import time

BEGAN = time.monotonic()

# Imports below are part of what is timed.
import argparse  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import platform  # noqa: E402
import random  # noqa: E402
import shutil  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

# random.Random(20260101).sample(sorted ids, 40), drawn before anything was looked at; never trained or chosen on
_NUMBERS = (
    "003 004 006 008 019 023 026 035 048 053 070 084 092 094 096 108 138 142 145 154 "
    "164 165 169 171 174 180 181 188 220 252 265 277 295 311 321 322 343 353 367 375"
)
TEST = frozenset(f"hippocampus_{number}" for number in _NUMBERS.split())
FOLDS = 5
_RESERVE_SECONDS = 2.0  # of the budget, kept for the last step and for writing the weights
_ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Measure what was asked, each part in a process of its own, and write the table."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--minutes", type=float, nargs="+", default=[5.0, 20.0])
    asked.add_argument("--data", type=Path, default=_ROOT.parent / "shared" / "data" / "msd_hippocampus")
    asked.add_argument("--out", type=Path, default=_ROOT / "benchmarks" / "out" / "hippocampus")
    asked.add_argument("--part", action="store_true", help="measure here and now, one part")
    asked.add_argument("--folds", type=int, nargs="+", default=[], choices=range(FOLDS), help="of the learning cases")
    asked.add_argument("--like-test", action="store_true", help="as many steps as the test part of these minutes took")
    asked.add_argument("--set", nargs="+", default=[], dest="settings", help="changes to the recipe, for experiments")
    told = asked.parse_args()
    parts = [Part(minutes=minutes, fold=fold) for minutes in told.minutes for fold in told.folds or [None]]
    if told.part:
        measure(parts[0], told)
        return
    for part in parts:
        if not part.result(told.out).is_file():
            command = [sys.executable, __file__, "--part", "--minutes", str(part.minutes), "--out", str(told.out)]
            command += ["--data", str(told.data), *(["--like-test"] if told.like_test else [])]
            command += ["--set", *told.settings] if told.settings else []
            subprocess.run([*command, *(["--folds", str(part.fold)] if part.fold is not None else [])], check=True)
    print(write_table(told.out, parts))


@dataclass(frozen=True)
class Part:
    """One thing to measure: so many minutes, on a fold of the learning cases or on the test cases."""

    minutes: float
    fold: int | None = None

    @property
    def name(self) -> str:
        """Return what its files are called."""
        return f"{self.minutes:g}-minutes" + ("" if self.fold is None else f"-fold-{self.fold}")

    def result(self, out: Path) -> Path:
        """Return where its result is kept."""
        return out / f"{self.name}.json"

    def sides(self, ids: list[str]) -> tuple[list[str], list[str]]:
        """Return the cases to learn from and those to read."""
        learning = sorted(set(ids) - TEST)
        if self.fold is None:
            return learning, sorted(TEST)
        random.Random(20260101).shuffle(learning)  # noqa: S311 (no secret)
        read = set(learning[self.fold :: FOLDS])
        return sorted(set(learning) - read), sorted(read)


def measure(part: Part, told: argparse.Namespace) -> None:
    """Learn for so many minutes, then read the other cases, and keep what was found."""
    from isocenter.intake.layouts.folders import read_folder
    from isocenter.learning.training import Cases, decide, fingerprint, fit
    from isocenter.recipe import Plan, read_recipe

    data, out, settings = told.data, told.out, told.settings
    found = read_folder(data, pseudonym=lambda word: word)
    kept = {draft.id: draft for draft in found.drafts}
    if len(kept) != 200 or not set(kept) >= TEST or found.table is None:
        raise SystemExit(f"{data} is not the set of 200 cases: {len(kept)} found.")
    learning, reading = part.sides(list(kept))
    learnt = [lambda draft=kept[name]: draft.open().case for name in learning]
    folder = out / part.name
    folder.mkdir(parents=True, exist_ok=True)
    obeyed = folder / "plan.json"
    if obeyed.is_file():
        plan = Plan.from_document(json.loads(obeyed.read_text(encoding="utf-8")))
    else:
        seen = fingerprint((load() for load in learnt), table=found.table)
        left = part.minutes - (time.monotonic() - BEGAN + _RESERVE_SECONDS) / 60
        budget = {"steps": steps_of_test(part, out)} if told.like_test else {"minutes": left}
        recipe = read_recipe(None, settings=settings).with_budget(**budget)
        plan = decide(recipe, seen, dataset="hippocampus-160", table=found.table)
        obeyed.write_text(json.dumps(plan.to_document(), indent=1), encoding="utf-8")
    before = time.monotonic() - BEGAN
    said = Telling(folder / "log.txt")
    fitted = fit(plan, Cases(train=learnt, validation=[], table=found.table), folder=folder / "run", report=said.tell)
    counted = before + fitted.seconds
    began = time.monotonic()
    scores = score(folder, plan=plan, weights=fitted.weights, cases=[kept[name] for name in reading])
    result = {
        "minutes": part.minutes,
        "fold": part.fold,
        "settings": settings,
        "counted_seconds": round(counted, 1),
        "steps": fitted.steps,
        "test_seconds": round(time.monotonic() - began, 1),
        "machine": f"{len(os.sched_getaffinity(0))} cores, {processor()}",
        "scores": [one.to_json() for one in scores],
    }
    part.result(out).write_text(json.dumps(result, indent=1), encoding="utf-8")
    said.say(json.dumps(result))


def steps_of_test(part: Part, out: Path) -> int:
    """Return how many steps the test part of the same minutes took."""
    return int(json.loads(Part(minutes=part.minutes).result(out).read_text(encoding="utf-8"))["steps"])


def score(folder: Path, *, plan: Any, weights: Path, cases: list[Any]) -> tuple[Any, ...]:
    """Return the scores on the test cases, read as `predict` reads them."""
    from isocenter.learning.inference.evaluate import evaluate
    from isocenter.learning.inference.predict import Reader
    from isocenter.models.model import Description, write_model

    opened = [draft.open().case for draft in cases]
    table = opened[0].annotations[0].mask.table
    shutil.rmtree(folder / "model", ignore_errors=True)
    description = Description(plan=plan, table=table, dataset=plan.dataset)
    model = write_model(folder / "model", weights=weights, description=description, card="A benchmark's model.\n")
    return evaluate(Reader(model), opened, table=table, tolerance_mm=1.0).scores


class Telling:
    """Writes how a run goes to a file, one line every ten seconds."""

    def __init__(self, path: Path) -> None:
        """Write to a path, after what is there."""
        self._path, self._last = path, 0.0

    def tell(self, moment: Any) -> None:
        """Write a moment of the run."""
        if moment.notice or time.monotonic() - self._last > 10:
            self._last = time.monotonic()
            self.say(
                f"{moment.stage} {moment.step}/{moment.steps}, {moment.seconds:.0f} s and {moment.seconds_left:.0f} s "
                f"to go, "
                f"loss {moment.loss:.4f}, rate {moment.rate:.2e} {moment.notice}"
            )

    def say(self, words: str) -> None:
        """Write a line."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%H:%M:%S')} {words}\n")


def processor() -> str:
    """Return what the machine calls its processor."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text(encoding="utf-8").splitlines() if about.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def write_table(out: Path, parts: list[Part]) -> str:
    """Write the results as a Markdown table into results.md, and return it."""
    from isocenter.result import Score

    rows = [
        "| part | counted | steps | Dice, mean | anterior | posterior | NSD 1 mm, mean | HD95, mean |",
        "|---|---|---|---|---|---|---|---|",
    ]
    machine = ""
    for part in parts:
        result = json.loads(part.result(out).read_text(encoding="utf-8"))
        machine = result["machine"]
        scores = {(one["name"], one["label"]): str(Score.from_json(one)) for one in result["scores"]}
        wanted = [("dice", "mean"), ("dice", "anterior"), ("dice", "posterior"), ("nsd", "mean"), ("hd95", "mean")]
        figures = " | ".join(scores[key] for key in wanted)
        rows.append(f"| {part.name} | {result['counted_seconds']} s | {result['steps']} | {figures} |")
    table = "\n".join([*rows, "", f"On {machine}. Intervals: 95 %, bootstrap by case.", ""])
    (out / "results.md").write_text(table, encoding="utf-8")
    return table


if __name__ == "__main__":
    main()
