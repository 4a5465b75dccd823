"""What changed from one version of a data set to another: change by change, as plain values."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Literal, TypeVar

from isocenter.case.case import Fact
from isocenter.case.dataset import Dataset, Entry, Outline

Kind = Literal[
    "added", "removed", "renamed", "patient", "day", "image added", "image removed", "image changed",
    "outline added", "outline removed", "outline changed", "outline noted", "fact", "source", "labels", "terms",
    "left out", "moved", "fold", "seed",
]  # fmt: skip
_NO_SPLIT = ""
_Kept = TypeVar("_Kept")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that is otherwise in the second of two versions.

    Args:
        kind: Of what happened.
        where: Id of the case; the patient, of "moved" and "fold"; empty where the whole version changed.
        what: Which of its things: the role of an image, the reader of an outline, the name of a fact.
        before, after: In words, or by digest; empty where there is none.
    """

    kind: Kind
    where: str = ""
    what: str = ""
    before: str = ""
    after: str = ""


def changes_between(before: Dataset, after: Dataset) -> tuple[Change, ...]:
    """Return what is otherwise in the second of two versions; nothing where their contents are the same.

    A case that went, and one that came with the very same images and patient, are one case under another name.
    """
    old, new = ({entry.id: entry for entry in version.entries} for version in (before, after))
    names = _renamed(old, new)
    came = [id_ for id_ in new if id_ not in old and id_ not in names.values()]
    went = [id_ for id_ in old if id_ not in new and id_ not in names]
    stayed = {id_: names.get(id_, id_) for id_ in old if id_ in new or id_ in names}
    return (
        *(Change(kind="added", where=id_) for id_ in came),
        *(Change(kind="removed", where=id_) for id_ in went),
        *(Change(kind="renamed", where=id_, before=one, after=id_) for one, id_ in names.items()),
        *(change for one, id_ in stayed.items() for change in _of_case(old[one], new[id_])),
        *_of_whole(before, after),
        *_of_split(before, after),
    )  # fmt: skip


def _renamed(old: Mapping[str, Entry], new: Mapping[str, Entry]) -> dict[str, str]:
    """Return old name to new one, of cases that are told by patient and images, where only one can be meant."""
    went, came = (_by_images(one, without=other) for one, other in ((old, new), (new, old)))
    return {ids[0]: came[key][0] for key, ids in went.items() if len(ids) == 1 and len(came.get(key, ())) == 1}


def _by_images(entries: Mapping[str, Entry], *, without: Mapping[str, Entry]) -> dict[object, list[str]]:
    found: dict[object, list[str]] = {}
    for id_, entry in entries.items():
        if id_ not in without:
            found.setdefault((entry.patient, tuple(sorted(entry.volumes.items()))), []).append(id_)
    return found


def _of_case(old: Entry, new: Entry) -> Iterator[Change]:
    id_ = new.id
    if old.patient != new.patient:
        yield Change(kind="patient", where=id_, before=old.patient, after=new.patient)
    if old.day != new.day:
        yield Change(kind="day", where=id_, before=_text(old.day), after=_text(new.day))
    if old.source != new.source:
        yield Change(kind="source", where=id_, before=old.source, after=new.source)
    for role, one, other in _pairs(old.volumes, new.volumes):
        kind: Kind = "image added" if one is None else "image removed" if other is None else "image changed"
        yield Change(kind=kind, where=id_, what=role, before=one or "", after=other or "")
    for name, fact, fact_now in _pairs(old.facts, new.facts):
        yield Change(kind="fact", where=id_, what=name, before=_value(fact), after=_value(fact_now))
    drawn, drawn_now = ({outline.reader: outline for outline in entry.outlines} for entry in (old, new))
    for reader, outline, outline_now in _pairs(drawn, drawn_now):
        yield _redrawn(id_, reader, outline, outline_now)


def _redrawn(case: str, reader: str, old: Outline | None, new: Outline | None) -> Change:
    kind: Kind = "outline added" if old is None else "outline removed" if new is None else "outline changed"
    if old is not None and new is not None and old.digest == new.digest:  # the same lines, said otherwise of
        before, after = (_noted(outline) for outline in (old, new))
        return Change(kind="outline noted", where=case, what=reader, before=before, after=after)
    before, after = (outline.digest if outline else "" for outline in (old, new))
    return Change(kind=kind, where=case, what=reader, before=before, after=after)


def _noted(outline: Outline) -> str:
    made_on = f", made on image {outline.made_on[:12]}" if outline.made_on else ""
    return f"{outline.how}, labels {list(outline.present)}{made_on}"


def _of_whole(before: Dataset, after: Dataset) -> Iterator[Change]:
    if before.table != after.table:
        yield Change(kind="labels", before=_labels(before), after=_labels(after))
    told, told_now = asdict(before.source), asdict(after.source)
    for name, one, other in _pairs(told, told_now):
        yield Change(kind="terms", what=name, before=str(one), after=str(other))
    if before.left_out != after.left_out:
        yield Change(kind="left out", before=str(len(before.left_out)), after=str(len(after.left_out)))


def _of_split(before: Dataset, after: Dataset) -> Iterator[Change]:
    old, new = before.split, after.split
    both = sorted({entry.patient for entry in before.entries} & {entry.patient for entry in after.entries})
    for patient in both:
        one, other = (_NO_SPLIT if split is None else split.sides[patient] for split in (old, new))
        if one != other:
            yield Change(kind="moved", where=patient, before=one, after=other)
    if old is None or new is None:
        return
    for patient in (one for one in both if one in old.folds and one in new.folds):
        if old.folds[patient] != new.folds[patient]:
            fold, fold_now = str(old.folds[patient]), str(new.folds[patient])
            yield Change(kind="fold", where=patient, before=fold, after=fold_now)
    if old.seed != new.seed:
        yield Change(kind="seed", before=str(old.seed), after=str(new.seed))


def _pairs(old: Mapping[str, _Kept], new: Mapping[str, _Kept]) -> Iterator[tuple[str, _Kept | None, _Kept | None]]:
    """Yield name, value before and value after, where these differ; None stands for none."""
    for name in dict.fromkeys((*old, *new)):
        if old.get(name) != new.get(name):
            yield name, old.get(name), new.get(name)


def _value(fact: Fact | None) -> str:
    if fact is None or fact.value is None:
        return ""
    number = f"{fact.value:.10g}" if isinstance(fact.value, float | int) else fact.value
    return f"{number} {fact.unit}".strip()


def _labels(version: Dataset) -> str:
    """Return the table in a line, the ignored value and regions with it; codes and colours are not spelt out."""
    if version.table is None:
        return ""
    told = [f"{label.value} {label.name}" for label in version.table]
    told += [f"{region.name} = {'+'.join(map(str, region.values))}" for region in version.table.regions]
    told += [] if version.table.ignore is None else [f"{version.table.ignore} ignored"]
    return ", ".join(told)


def _text(day: int | None) -> str:
    return "" if day is None else str(day)
