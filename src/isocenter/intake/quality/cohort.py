"""What only shows when all cases are seen together: too few patients, one image twice, a structure that lacks."""

from collections import defaultdict
from collections.abc import Iterator

from isocenter.case import Dataset, Entry
from isocenter.intake.issue import Issue

_LEAST_PATIENTS = 3  # one for each side of a split


def check_cohort(dataset: Dataset) -> tuple[Issue, ...]:
    """Return what is wrong with a data set as a whole; no image is opened.

    One patient on two sides cannot be written down (see Split), so what is looked for here is one image under two
    names, by the digest of its voxels and grid.
    """
    return (*_size(dataset), *_twice(dataset), *_structures(dataset))


def _size(dataset: Dataset) -> Iterator[Issue]:
    patients = {entry.patient for entry in dataset.entries}
    cases = len(dataset.entries)
    if len(patients) >= _LEAST_PATIENTS:
        return
    if cases == 1:
        figure = "one case only"
    elif len(patients) == 1:
        figure = f"all {cases} cases are of one patient"
    else:
        figure = f"{cases} cases of {len(patients)} patients"
    yield Issue(
        check="patients", where=dataset.name, figure=figure,
        limit=f"at least {_LEAST_PATIENTS} patients, one for each of train, validation and test",
        mend="Add patients, or evaluate on it only; a split by image would test on people seen before.",
    )  # fmt: skip


def _twice(dataset: Dataset) -> Iterator[Issue]:
    """Yield images that stand under several cases; on two sides of the split, or under two patients, they leak."""
    holders: dict[str, dict[str, Entry]] = defaultdict(dict)
    for entry in dataset.entries:
        for digest in entry.volumes.values():
            holders[digest][entry.id] = entry
    for entries in holders.values():
        if len(entries) < 2:
            continue
        sides = sorted({_side(dataset, entry) for entry in entries.values()})
        patients = {entry.patient for entry in entries.values()}
        grave = len(sides) > 1 or len(patients) > 1
        yield Issue(
            check="one image twice", where=", ".join(sorted(entries)),
            figure=f"the same voxels, on the side(s) {', '.join(sides)}, under {len(patients)} patient(s)",
            limit="each image once", mend="Keep one of the cases, or give them one patient in patients.csv.",
            severity="stop" if grave else "warn",
        )  # fmt: skip


def _side(dataset: Dataset, entry: Entry) -> str:
    return "none" if dataset.split is None else dataset.split.sides[entry.patient]


def _structures(dataset: Dataset) -> Iterator[Issue]:
    """Yield structures of the table that no outline holds, or that a whole side of the split lacks."""
    if dataset.table is None:
        return
    sides: dict[str, set[int]] = defaultdict(set)
    for entry in dataset.entries:
        sides[_side(dataset, entry)].update(value for outline in entry.outlines for value in outline.present)
    for label in dataset.table:
        lacking = sorted(side for side, present in sides.items() if label.value not in present)
        if not lacking:
            continue
        nowhere = len(lacking) == len(sides)
        figure = f"{label.name} ({label.value}) is outlined nowhere"
        yield Issue(
            check="structures", where=dataset.name,
            figure=figure if nowhere else f"{figure} on the side(s) {', '.join(lacking)}",
            limit="every structure of the table on every side",
            mend="Take it out of the label table, or add cases that show it.", severity="stop" if nowhere else "warn",
        )  # fmt: skip
