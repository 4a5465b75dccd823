"""The sides of a split: those that a folder states are kept, the others drawn by patient, alike in what is labelled."""

from collections.abc import Iterator, Mapping, Sequence

from isocenter.case import Dataset, Entry, Side, Split, draw_split
from isocenter.intake.issue import Issue
from isocenter.intake.strata import is_labelled, label_names, strata_of

_SIDES: Mapping[str, Side] = {
    "train": "train", "training": "train", "val": "validation", "valid": "validation", "validation": "validation",
    "dev": "validation", "test": "test", "testing": "test", "holdout": "test",
}  # fmt: skip
_FEW = 20  # patients: on fewer, what is chosen on validation, such as an operating point, is chance
_STRICTER: tuple[Side, ...] = ("train", "validation", "test")  # a patient said to be on two is on the later one


def side_of(word: str) -> Side | None:
    """Return the side that a word names, None where it names none."""
    return _SIDES.get(word.strip().lower())


def split_of(entries: Sequence[Entry], *, sides: Mapping[str, Side], seed: int, has_outlines: bool) -> Split | None:
    """Return a split by patient, stratified by what is labelled and by site; None where there are too few to split.

    Args:
        entries: The cases.
        sides: Case to the side that its folder states; test and validation stay so, where they leave somebody to
            learn from.
        seed: Of what is drawn.
        has_outlines: Whether outlines are what is to be learnt.
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
    fixed = _fixed(entries, sides, names)
    left, open_ = len(strata) - len(fixed), 3 - len(set(fixed.values()))
    return draw_split(strata, seed=seed, fixed=fixed if left >= open_ else {})


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


def check_sides(dataset: Dataset, *, sides: Mapping[str, Side]) -> Iterator[Issue]:
    """Yield that stated sides were not kept, as they left nobody to learn from, or are too small to choose on.

    Args:
        dataset: With the split that was made.
        sides: Case to the side that its folder states.
    """
    names = label_names([entry.facts for entry in dataset.entries], has_outlines=dataset.table is not None)
    fixed = _fixed(dataset.entries, sides, names)
    few = sum(side == "validation" for side in fixed.values())
    if dataset.split is None:
        return
    if any(dataset.split.sides[patient] != side for patient, side in fixed.items()):
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
