"""The sides of a split: those that a folder states are kept, the others drawn by patient, alike in what is labelled."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from isocenter.case import Dataset, Entry, Frozen, Side, Split, draw_split
from isocenter.intake.issue import Issue
from isocenter.intake.strata import is_labelled, label_names, strata_of

_SIDES: Mapping[str, Side] = {
    "train": "train", "training": "train", "val": "validation", "valid": "validation", "validation": "validation",
    "dev": "validation", "test": "test", "testing": "test", "holdout": "test",
}  # fmt: skip
_FEW = 20  # patients: on fewer, what is chosen on validation, such as an operating point, is chance
_NAMED = 8  # frozen patients that a message spells out; more are counted
_STRICTER: tuple[Side, ...] = ("train", "validation", "test")  # a patient said to be on two is on the later one


def side_of(word: str) -> Side | None:
    """Return the side that a word names, None where it names none."""
    return _SIDES.get(word.strip().lower())


def split_of(
    entries: Sequence[Entry],
    *,
    sides: Mapping[str, Side],
    seed: int,
    has_outlines: bool,
    frozen: Collection[str] = (),
) -> Split | None:
    """Return a split by patient, stratified by what is labelled and by site; None where there are too few to split.

    Args:
        entries: The cases.
        sides: Case to the side that its folder states; test and validation stay so, where they leave somebody to
            learn from.
        seed: Of what is drawn.
        has_outlines: Whether outlines are what is to be learnt.
        frozen: Patients who never train anything again: they are on the test side, whatever is stated or drawn.
    """
    facts = [entry.facts for entry in entries]
    names = label_names(facts, has_outlines=has_outlines)
    strata: dict[str, str] = {}
    for entry, stratum in zip(entries, strata_of(facts, names), strict=True):
        present = {value for outline in entry.outlines for value in outline.present}
        site = entry.facts.get("site") or entry.facts.get("scanner")
        told = f"{sorted(present)} {site.value if site else ''}{stratum}"
        strata[entry.patient] = max(strata.get(entry.patient, ""), told)
    if len(strata) < 3:  # one patient a side is the least
        return None
    if set(strata) <= set(frozen):
        return Split(sides=dict.fromkeys(sorted(strata), "test"), folds={}, seed=seed)
    fixed = {patient: side for patient, side in _fixed(entries, sides, names).items() if patient not in frozen}
    placed: dict[str, Side] = {**fixed, **dict.fromkeys(frozen, "test")}
    left, open_ = len(strata) - len(placed), 3 - len(set(placed.values()))
    return draw_split(strata, seed=seed, fixed=fixed if left >= open_ else {}, tested=frozen)


def _fixed(entries: Sequence[Entry], sides: Mapping[str, Side], names: Sequence[str]) -> dict[str, Side]:
    """Return patient to side, of those who are on validation or test with a case that somebody has judged."""
    found: dict[str, Side] = {}
    for entry in entries:
        if not (entry.outlines or is_labelled(entry.facts, names)):
            continue
        stated: Side = sides.get(entry.id, "train")
        known: Side = found.get(entry.patient, "train")
        found[entry.patient] = max(stated, known, key=_STRICTER.index)
    return {patient: side for patient, side in found.items() if side != "train"}


def check_sides(dataset: Dataset, *, sides: Mapping[str, Side], frozen: Collection[Frozen] = ()) -> Iterator[Issue]:
    """Yield that stated sides were not kept, as they left nobody to learn from, or are too small to choose on.

    Args:
        dataset: With the split that was made.
        sides: Case to the side that its folder states.
        frozen: Its patients who are on the test side for good; that is told too.
    """
    if frozen and dataset.split is not None:
        yield _told(dataset, frozen)
    names = label_names([entry.facts for entry in dataset.entries], has_outlines=dataset.table is not None)
    fixed = _fixed(dataset.entries, sides, names)
    few = sum(side == "validation" for side in fixed.values())
    if dataset.split is None:
        return
    known = {one.patient for one in frozen}
    if any(dataset.split.sides[patient] != side for patient, side in fixed.items() if patient not in known):
        yield Issue(
            check="sides", where=dataset.name,
            figure="the stated sides leave nobody to learn from; all were drawn anew",
            limit="patients that are neither test nor validation", severity="warn",
            mend="Nothing where a model is to learn from them; to score one on all of them, evaluate it on this set.",
        )  # fmt: skip
    elif 0 < few < min(_FEW, len(dataset.split.folds) // 10):
        yield Issue(
            check="sides", where=dataset.name, figure=f"{few} patients on the stated validation side, of "
            f"{len(dataset.split.folds)} to learn from", limit=f"{_FEW} patients, or one in ten", severity="warn",
            mend="Call them train, and a validation side is drawn: on so few, what is chosen is chance.",
        )  # fmt: skip


def names_of(frozen: Collection[Frozen]) -> str:
    """Return who was frozen, in a clause that names the first of them, and how they are known."""
    of = ", ".join(sorted({one.dataset for one in frozen}))
    listed = ", ".join(one.patient for one in list(frozen)[:_NAMED])
    more = f" and {len(frozen) - _NAMED} more" if len(frozen) > _NAMED else ""
    seen = sum(one.sign == "image" for one in frozen)
    told = f"; {seen} of them known by an image, under another name" if seen else ""
    return f"{len(frozen)} patient(s) frozen with the test side of {of}: {listed}{more}{told}"


def _told(dataset: Dataset, frozen: Collection[Frozen]) -> Issue:
    return Issue(
        check="frozen", where=dataset.name, figure=names_of(frozen), limit="on the test side for good", severity="warn",
        mend="Nothing: they stand there. If it is other people who are called alike, name them apart in the folder.",
    )  # fmt: skip
