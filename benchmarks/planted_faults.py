"""Data you can trust, measure 1: faults planted into real images, found by name; and what is said of clean ones.

usage: python benchmarks/planted_faults.py [--seed 2] [--cases 80] [--trials 5]

Five public sets, a cohort of some 80 cases each: hippocampus (MR, stacks, two structures), BUSI (ultrasound), NIH chest
radiographs, white blood cells (colour, two structures) and nuclei. One fault is planted into one case, the others stay
as they are, and all checks run that `isocenter check` runs. It counts as found where a check that names it says
something of that case that it did not say before. Limits were chosen with seeds 0 and 1; the table is of seed 2: other
cases, other places. What is said of the cohorts as they are is counted too: a stop of a clean case is false.

Then the faults that the public sets have by nature, by name.
"""

import argparse
import csv
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.stats import binomtest

from faults import IMAGES, MASKS, Fault
from isocenter.case import Annotation, Case
from isocenter.errors import InputError
from isocenter.image import Affine, LabelTable, Mask, Volume
from isocenter.intake.issue import Issue, issue_of
from isocenter.intake.layouts.folders import read_folder
from isocenter.intake.quality import check_case
from isocenter.intake.quality.portrait import Portrait, check_portraits, portray
from named_faults import cohort_faults, named_faults

_ROOT = Path(__file__).resolve().parents[1]
SHARED = _ROOT.parent / "shared" / "data"
_FOREIGN = "an image of another set"
_KIND = frozenset({"another kind of image", "pictures alike", "extent", "field of view"})


@dataclass(frozen=True)
class Cohort:
    """Cases of one set, and what they are like."""

    name: str
    cases: tuple[Case, ...]
    portraits: tuple[Portrait, ...]
    table: LabelTable | None

    def issues(self, *, place: int | None = None, case: Case | None = None) -> tuple[Issue, ...]:
        """Return what is said of them, or of them with one in another's place."""
        portraits = list(self.portraits)
        said: list[Issue] = []
        if place is not None and case is not None:
            portraits[place] = portray(case)
            said += check_case(case, table=self.table)
        return (*check_portraits(portraits, name=self.name), *said)


def main() -> None:
    """Plant, look and count."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seed", type=int, default=2)
    asked.add_argument("--cases", type=int, default=80)
    asked.add_argument("--trials", type=int, default=5)
    asked.add_argument("--named", action=argparse.BooleanOptionalAction, default=True, help="those by nature too")
    asked.add_argument("--out", type=Path, default=_ROOT / "benchmarks" / "out" / "planted-faults")
    told = asked.parse_args()
    if not SHARED.is_dir():
        raise SystemExit("The public sets do not lie beside the project; nothing was measured.")
    began = time.monotonic()
    rng = np.random.default_rng(told.seed)
    cohorts = [_cohort(name, load, rng, told.cases) for name, load in SETS.items()]
    rows: dict[str, list[tuple[str, bool, frozenset[str]]]] = defaultdict(list)
    for number, cohort in enumerate(cohorts):
        foreign = cohorts[(number + 1) % len(cohorts)]
        for name, is_found, by in _planted(cohort, foreign, rng, told.trials):
            rows[name].append((cohort.name, is_found, by))
        print(f"{cohort.name}: {time.monotonic() - began:.0f} s", flush=True)
    for name, is_found, by in cohort_faults(rng, told.trials):
        rows[name].append(("cohorts", is_found, by))
    table = [_row(name, found) for name, found in rows.items()]
    clean = [_clean(cohort) for cohort in cohorts]
    named = list(named_faults()) if told.named else []
    print(f"\n{len(table)} kinds of faults, {time.monotonic() - began:.0f} s")
    told.out.mkdir(parents=True, exist_ok=True)
    document = {"seed": told.seed, "faults": table, "clean": clean, "named": named}
    (told.out / f"seed-{told.seed}.json").write_text(json.dumps(document, indent=1, ensure_ascii=False), "utf-8")


def _planted(
    cohort: Cohort, foreign: Cohort, rng: np.random.Generator, trials: int
) -> Iterator[tuple[str, bool, frozenset[str]]]:
    """Yield (kind, whether it was found, by which checks) of every fault that these cases can have."""
    before = Counter((issue.check, issue.where) for issue in cohort.issues())
    first = cohort.cases[0]
    kinds = [fault for fault in (*IMAGES, *MASKS) if _can_have(first, fault)]
    other = Fault(_FOREIGN, _KIND, lambda image, rng: image)
    for fault in (*kinds, other):
        for place in rng.choice(len(cohort.cases), trials, replace=False):
            case = cohort.cases[place]
            try:
                if fault is other:
                    made = replace(case, volumes=foreign.cases[place].volumes, annotations=())
                else:
                    made = _with(case, fault, rng)
                after = Counter((one.check, one.where) for one in cohort.issues(place=int(place), case=made))
            except InputError as error:
                after = Counter([(issue_of(error, where=case.id).check, case.id)])
            new = frozenset(check for check, where in after - before if where.startswith((case.id, cohort.name)))
            yield fault.name, bool(new & fault.told), new & fault.told or frozenset(f"({one})" for one in new)


def _can_have(case: Case, fault: Fault) -> bool:
    is_stack, has_mask = not case.volumes["image"].is_planar, bool(case.annotations)
    has_two = has_mask and len(case.annotations[0].mask.table) > 1
    return {
        "image": True, "placed": not has_mask or is_stack, "stack": is_stack, "mask": has_mask,
        "two": has_two, "stack mask": is_stack and has_mask,
    }[fault.of]  # fmt: skip


def _with(case: Case, fault: Fault, rng: np.random.Generator) -> Case:
    """Return a case with a fault."""
    volume = case.volumes["image"]
    if fault in MASKS:
        mask = case.annotations[0].mask
        labels = np.ascontiguousarray(fault.plant(mask.labels.astype(int), rng)).astype(np.uint8)
        return replace(case, annotations=(replace(case.annotations[0], mask=replace(mask, labels=labels)),))
    voxels = fault.plant(volume.voxels.astype(np.float32), rng)
    deep = fault.name in ("a thousand times", "32768 added", "a voxel without a number")
    if volume.voxels.dtype == np.uint8 and not deep:
        voxels = np.round(voxels).clip(0, 255).astype(np.uint8)
    made = replace(volume, voxels=np.ascontiguousarray(voxels))
    is_whole = made.shape == volume.shape
    return replace(case, volumes={"image": made}, annotations=case.annotations if is_whole else ())


def _row(name: str, found: Sequence[tuple[str, bool, frozenset[str]]]) -> dict[str, object]:
    count = sum(is_found for _, is_found, _ in found)
    interval = binomtest(count, len(found)).proportion_ci(method="exact")
    by = Counter(check for _, _, checks in found for check in checks)
    missed = Counter(where for where, is_found, _ in found if not is_found)
    print(
        f"| {name} | {count} of {len(found)} | {count / len(found):.2f} [{interval.low:.2f}, {interval.high:.2f}] | "
        f"{', '.join(check for check, _ in by.most_common(3))} | "
        f"{', '.join(f'{where} {times}' for where, times in missed.items())} |", flush=True
    )  # fmt: skip
    return {"fault": name, "found": count, "planted": len(found), "by": dict(by), "missed": dict(missed)}


def _clean(cohort: Cohort) -> dict[str, object]:
    """Print and return what is said of cases as they are."""
    issues = [
        *cohort.issues(), *(issue for case in cohort.cases for issue in check_case(case, table=cohort.table)),
    ]  # fmt: skip
    told = {"cohort": cohort.name, "cases": len(cohort.cases)}
    for severity in ("stop", "warn"):
        mine = [issue for issue in issues if issue.severity == severity]
        cases = {case.id for case in cohort.cases if any(issue.where.startswith(case.id) for issue in mine)}
        interval = binomtest(len(cases), len(cohort.cases)).proportion_ci(method="exact")
        checks = Counter(issue.check for issue in mine)
        told[severity] = {"cases": len(cases), "checks": dict(checks), "low": interval.low, "high": interval.high}
        print(f"clean: {cohort.name}: {severity} {len(cases)} of {len(cohort.cases)} "
              f"[{interval.low:.3f}, {interval.high:.3f}] {dict(checks)}")  # fmt: skip
    return told


def _cohort(
    name: str, load: Callable[[np.random.Generator, int], Iterable[Case]], rng: np.random.Generator, count: int
) -> Cohort:
    cases = tuple(load(rng, count))
    table = cases[0].annotations[0].mask.table if cases[0].annotations else None
    return Cohort(name, cases, tuple(portray(case) for case in cases), table)


def _of_folder(folder: str, *, unit: bool = False) -> Callable[[np.random.Generator, int], Iterable[Case]]:
    def load(rng: np.random.Generator, count: int) -> list[Case]:
        found = read_folder(SHARED / folder, pseudonym=lambda word: word)
        drafts = [found.drafts[place] for place in rng.permutation(len(found.drafts))]
        cases = list[Case]()
        for draft in drafts:
            case = draft.open().case
            is_scaled = unit and float(np.percentile(case.volumes["image"].voxels, 99)) > 5000  # a fault by nature
            if not is_scaled:
                cases.append(case)
            if len(cases) == count:
                break
        return cases

    return load


def _pictures(name: str, volume: Path, labels: np.ndarray, table: LabelTable) -> Case:
    shown = np.asarray(Image.open(volume))
    voxels = shown[..., :3].transpose(2, 0, 1)[:, None] if shown.ndim == 3 else shown[None]
    affine = Affine(matrix=np.eye(4))
    mask = Mask(labels=labels.astype(np.uint8)[None], affine=affine, table=table)
    image = Volume(voxels=voxels, affine=affine, is_planar=True, has_size=False)
    return Case(id=name, patient=name, volumes={"image": image}, annotations=(Annotation(reader="r", mask=mask),))


def _cells(rng: np.random.Generator, count: int) -> Iterator[Case]:
    names = [path.stem for path in sorted((SHARED / "wbc_two_sites" / "site1").glob("[0-9][0-9][0-9].png"))]
    for name in rng.permutation(names)[:count]:
        path = SHARED / "wbc_two_sites" / "site1" / f"{name}.png"
        shown = np.asarray(Image.open(path.with_name(f"{name}_mask.png")))
        shown = shown if shown.ndim == 2 else shown[..., 0]
        yield _pictures(
            f"cell_{name}", path, (shown > 64).astype(int) + (shown > 192), LabelTable.of("cell", "nucleus")
        )


def _nuclei(rng: np.random.Generator, count: int) -> Iterator[Case]:
    with (SHARED / "dsb2018_nuclei" / "index.csv").open(encoding="utf-8") as sheet:
        names = [row["id"] for row in csv.DictReader(sheet) if row["type"] == "fluorescence"]
    for name in rng.permutation(sorted(names))[:count]:
        [labels] = (SHARED / "dsb2018_nuclei" / "labels").glob(f"{name}*")
        path = SHARED / "dsb2018_nuclei" / "images" / f"{name}.png"
        yield _pictures(f"nuclei_{name}", path, np.asarray(Image.open(labels)) > 0, LabelTable.of("nuclei"))


SETS: dict[str, Callable[[np.random.Generator, int], Iterable[Case]]] = {
    "hippocampus": _of_folder("msd_hippocampus", unit=True), "busi": _of_folder("busi"), "nih": _of_folder("cxr_nih"),
    "cells": _cells, "nuclei": _nuclei,
}  # fmt: skip

if __name__ == "__main__":
    main()
