"""What only shows when all cases are seen together: too few patients, one image twice, a structure that lacks."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from isocenter.case import Dataset, Entry
from isocenter.intake.issue import Issue
from isocenter.intake.quality.made_on import check_made_on
from isocenter.intake.strata import kinds_of, label_names

_LEAST_PATIENTS = 3  # one for each side of a split
_MOST_CLASSES = 20
_PATIENTS_IN = {
    "pictures": "the column 'patient' of the table",
    "bids": "one folder sub-… with a session each",
    "dicom": "the archive, by patient ID",
}
"""Where a layout says whose a case is; the others say it in patients.csv."""


def check_cohort(dataset: Dataset) -> tuple[Issue, ...]:
    """Return what is wrong with a data set as a whole; no image is opened.

    One patient on two sides cannot be written down (see Split), so what is looked for here is one image under two
    names, by the digest of its voxels and grid.
    """
    return (
        *_size(dataset), *_twice(dataset), *_structures(dataset), *check_answers(dataset), *check_made_on(dataset),
    )  # fmt: skip


def check_leaks(dataset: Dataset) -> Iterator[Issue]:
    """Yield, counted, that images stand under several patients or on several sides; check_cohort names each."""
    count = sum(issue.severity == "stop" for issue in _twice(dataset))
    if count:
        yield Issue(
            check="one image twice", where=dataset.name,
            figure=f"{count} image(s) stand under several patients, sides of the split or labels",
            limit="each image once", severity="warn",
            mend=f"`isocenter check {dataset.name}` names them. Keep one of each, or give them one patient.",
        )  # fmt: skip


def check_answers(dataset: Dataset) -> Iterator[Issue]:
    """Yield classes that cannot be learnt or tested: of one case only, or of cases that are all on the test side."""
    facts = [entry.facts for entry in dataset.entries]
    for name in label_names(facts, has_outlines=dataset.table is not None):
        counts = kinds_of(facts, name)
        if len(counts) > max(_MOST_CLASSES, len(facts) // 4):
            continue  # a number, or as good as one
        if len(counts) == 1:
            yield _class(dataset, f"{name}: every case is {next(iter(counts))!r}", "two classes", "Add other cases.")
            continue
        once = sorted(kind for kind, count in counts.items() if count == 1)
        if once:
            yield _class(
                dataset, f"{name}: {', '.join(once[:8])} occurs in one case only", "cases of each class on every side",
                "Add cases of it, join it with another class, or take it out: nothing can be learnt from one.",
            )  # fmt: skip
        if dataset.split is None:
            continue
        learnt = kinds_of([entry.facts for entry in dataset.entries if _side(dataset, entry) != "test"], name)
        unseen = sorted(kind for kind in counts if kind not in learnt and kind not in once)
        if unseen:
            yield _class(
                dataset, f"{name}: {', '.join(unseen[:8])} occurs on the test side only", "all classes are learnt",
                "Give the learning sides cases of it; a model cannot answer what it never saw.",
            )  # fmt: skip


def _class(dataset: Dataset, figure: str, limit: str, mend: str) -> Issue:
    return Issue(check="classes", where=dataset.name, figure=figure, limit=limit, mend=mend, severity="warn")


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
    """Yield images that stand under several cases; under two patients or sides they leak, under two labels they lie."""
    names = label_names([entry.facts for entry in dataset.entries], has_outlines=dataset.table is not None)
    holders: dict[str, dict[str, Entry]] = defaultdict(dict)
    where = _PATIENTS_IN.get(dataset.source.layout, "patients.csv")
    for entry in dataset.entries:
        for digest in entry.volumes.values():
            holders[digest][entry.id] = entry
    for entries in holders.values():
        if len(entries) < 2:
            continue
        sides = sorted({_side(dataset, entry) for entry in entries.values()})
        patients = {entry.patient for entry in entries.values()}
        labels = labels_of(entries.values(), names)
        grave = len(sides) > 1 or len(patients) > 1 or len(labels) > 1
        yield Issue(
            check="one image, two labels" if len(labels) > 1 else "one image twice", where=", ".join(sorted(entries)),
            figure=f"the same voxels, on the side(s) {', '.join(sides)}, under {len(patients)} patient(s)"
            + (f", with the labels {', '.join(labels)}" if len(labels) > 1 else ""),
            limit="each image once", mend=f"Keep one of the cases, or give them one patient in {where}.",
            severity="stop" if grave else "warn",
        )  # fmt: skip


def labels_of(entries: Iterable[Entry], names: Sequence[str]) -> list[str]:
    """Return what cases are said to show, by the facts that say so; each once, unknown ones left away."""
    told = (tuple(str(one.facts[name].value) for name in names if name in one.facts) for one in entries)
    return sorted({" ".join(kinds) for kinds in told} - {""})


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
