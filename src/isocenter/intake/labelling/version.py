"""Readers' answers become part of the next version of a data set; whose they are and what stands stays told."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from isocenter.case import Dataset, Entry, Fact, Outline, Reading, Schema
from isocenter.errors import InputError
from isocenter.image import Label, LabelTable
from isocenter.intake.labelling.asked import AGREED

Facts = Mapping[str, Fact]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is added to a case.

    Args:
        case: Its id.
        reading: What was said beside outlines.
        outline: Outlines as the store keeps them, in the numbers of the version's table.
        facts: Agreed answers, by name.
    """

    case: str
    reading: Reading | None = None
    outline: Outline | None = None
    facts: Facts = field(default_factory=dict)


def grown(table: LabelTable | None, other: LabelTable) -> LabelTable:
    """Return a table with the structures of both; numbers of the first stay, new names keep theirs where it is free."""
    if table is None:
        return other
    names = {label.name for label in table} | {region.name for region in table.regions}
    taken = {label.value for label in table} | ({table.ignore} if table.ignore is not None else set())
    labels = list(table.labels)
    for label in other:
        if label.name not in names:
            value = label.value if label.value not in taken else max(taken) + 1
            labels.append(Label(value=value, name=label.name, code=label.code))
            taken.add(value)
    return replace(table, labels=tuple(labels)) if len(labels) > len(table) else table


def with_answers(
    dataset: Dataset, answers: Iterable[Answer], *, table: LabelTable | None, schema: Schema | None, over: bool = False
) -> Dataset:
    """Return the next version: the same cases and sides, with answers added.

    Args:
        dataset: The version that they are added to.
        answers: Of any number of readers.
        table: With every structure that is outlined now.
        schema: With everything that was asked.
        over: What a reader said before of a case is replaced; else it is refused.

    Raises:
        InputError: A reader has spoken of a case before, or nothing is new.
        NotFoundError: There is no such case.
    """
    by_case: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        by_case[dataset.entry(answer.case).id].append(answer)
    entries = tuple(_with(entry, by_case.get(entry.id, ()), over=over) for entry in dataset.entries)
    new = replace(dataset, entries=entries, table=table, schema=schema)
    if new.id == dataset.id:
        raise InputError(f"Nothing of this is new to data set {dataset.name!r}.")
    return new


def _with(entry: Entry, answers: Sequence[Answer], *, over: bool) -> Entry:
    for answer in answers:
        outlines, readings = entry.outlines, entry.readings
        if answer.outline is not None:
            reader = answer.outline.reader
            if not over and any(one.reader == reader and one != answer.outline for one in outlines):
                raise InputError(_twice(reader, entry.id, "outlined"))
            outlines = _with_outline(outlines, answer.outline)
        if answer.reading is not None:
            reader = answer.reading.reader
            old = next((one for one in readings if one.reader == reader), None)
            is_own = old is not None and answer.reading.how not in AGREED  # what was agreed anew stands alone
            new = _joined(old, answer.reading, entry.id, over=over) if old is not None and is_own else answer.reading
            readings = tuple(new if one is old else one for one in readings) + (() if old is not None else (new,))
        facts = {**entry.facts, **answer.facts}
        entry = replace(entry, outlines=outlines, readings=readings, facts=facts)
    return entry


def _with_outline(outlines: tuple[Outline, ...], new: Outline) -> tuple[Outline, ...]:
    """Return outlines with a reader's new ones; of several consensus the newest stands, of readers still the first."""
    if new.how in AGREED:
        return (new, *(one for one in outlines if one.reader != new.reader))
    if any(one.reader == new.reader for one in outlines):
        return tuple(new if one.reader == new.reader else one for one in outlines)
    return (*outlines, new)


def _joined(old: Reading, new: Reading, case: str, *, over: bool) -> Reading:
    """Return what a reader said at two times, of different things."""
    both = set(old.asked) & set(new.asked)
    before, now = ([seen for seen in one.observations if seen.finding in both] for one in (old, new))
    if not over and before != now:
        raise InputError(_twice(new.reader, case, "read"))
    kept = tuple(one for one in old.observations if one.finding not in new.asked)
    return replace(
        new,
        image=new.image or old.image,
        asked=tuple(dict.fromkeys((*old.asked, *new.asked))),
        observations=(*kept, *new.observations),
        certainty=old.certainty if new.certainty is None else new.certainty,
        seconds=old.seconds if new.seconds is None else new.seconds,
        # who has once seen the others' answers has seen them
        blinded=False if old.blinded is False else new.blinded if new.blinded is not None else old.blinded,
    )


def _twice(reader: str, case: str, done: str) -> str:
    return f"{reader} has {done} case {case} before, and otherwise. Say --over to put this in its place."
