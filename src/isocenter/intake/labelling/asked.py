"""Readers' answers as tables, cases by readers: what was asked of them, and of which patients."""

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from isocenter.case import Asked, Entry, Level, Reading, Schema
from isocenter.image import Mask
from isocenter.intake.issue import Issue
from isocenter.intake.labelling.patterns import Array

AGREED = ("consensus", "adjudicated")
"""How answers came about that are no reader's own."""

_FEW = 2  # cases of a reader, below which nothing can be said of them


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Opened:
    """Readers' own outlines of one case.

    Args:
        masks: Reader to mask.
        has_size: Whether anybody has stated how large a voxel is.
    """

    masks: Mapping[str, Mask]
    has_size: bool


Opener = Callable[[Entry], Opened]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ratings:
    """One question, as every reader answered it.

    Args:
        label: What was asked: a finding, or a finding and its level ("nodule.size"), or a level of the case.
        level: Which one; None for whether a finding is there.
        readers: Names of the columns.
        cases, patients: Of the rows.
        table: (cases, readers), classes and grades by their number; nan: not asked, or not answered.
    """

    label: str
    level: Level | None
    readers: tuple[str, ...]
    cases: tuple[str, ...]
    patients: tuple[str, ...]
    table: Array

    @property
    def is_number(self) -> bool:
        """Whether answers are measured, not chosen."""
        return self.level is not None and self.level.form == "number"

    def words(self) -> tuple[str, ...]:
        """Return what the numbers of classes and grades mean."""
        return ("no", "yes") if self.level is None else self.level.words


def own_readings(entry: Entry, *, readers: Collection[str] = ()) -> dict[str, Reading]:
    """Return reader to reading, of readers who read this image themselves; all of them where none is named."""
    image = next(iter(entry.volumes.values()))
    return {
        one.reader: one for one in entry.readings
        if one.how not in AGREED and one.image in ("", image) and (not readers or one.reader in readers)
    }  # fmt: skip


def ratings_of(entries: Sequence[Entry], schema: Schema | None, *, readers: Collection[str] = ()) -> Iterator[Ratings]:
    """Yield every question that can be laid out case by case: all but the levels of findings that stand several times.

    Args:
        entries: Of a version.
        schema: What was asked.
        readers: Whose answers are wanted; all where none is named.
    """
    own = [own_readings(entry, readers=readers) for entry in entries]
    names = tuple(sorted({name for one in own for name in one}))
    for asked in () if schema is None else schema.findings:
        if not asked.is_whole:
            yield _ratings(entries, own, names, asked.name, None, partial(_is_there, asked))
        for level in () if asked.several else asked.levels:
            label = level.name if asked.is_whole else f"{asked.name}.{level.name}"
            yield _ratings(entries, own, names, label, level, partial(_answer, asked, level))


def _ratings(
    entries: Sequence[Entry], own: Sequence[dict[str, Reading]], names: tuple[str, ...], label: str,
    level: Level | None, value: Callable[[Reading], float],
) -> Ratings:  # fmt: skip
    rows = [[value(one[name]) if name in one else math.nan for name in names] for one in own]
    table = np.array(rows, dtype=np.float64).reshape(len(entries), len(names))
    return Ratings(
        label=label, level=level, readers=names, table=table, cases=tuple(entry.id for entry in entries),
        patients=tuple(entry.patient for entry in entries),
    )  # fmt: skip


def _is_there(asked: Asked, reading: Reading) -> float:
    return float(bool(reading.seen(asked.name))) if asked.name in reading.asked else math.nan


def _answer(asked: Asked, level: Level, reading: Reading) -> float:
    seen = reading.seen(asked.name)
    return level.number(seen[0].levels.get(level.name)) if seen else math.nan


def doubts(entries: Sequence[Entry], *, readers: Collection[str] = ()) -> Iterator[Issue]:
    """Yield what must be known of readings before anything is made of them.

    Args:
        entries: Of a version.
        readers: Whose readings are looked at; all where none is named.
    """
    cases: dict[str, int] = {}
    unblinded: dict[str, int] = {}
    other: dict[str, int] = {}
    for entry in entries:
        image = next(iter(entry.volumes.values()))
        for one in entry.readings:
            if one.how in AGREED or (readers and one.reader not in readers):
                continue
            cases[one.reader] = cases.get(one.reader, 0) + 1
            unblinded[one.reader] = unblinded.get(one.reader, 0) + (one.blinded is False)
            other[one.reader] = other.get(one.reader, 0) + (one.image not in ("", image))
    for reader, count in sorted(cases.items()):
        if count < _FEW:
            yield _issue(reader, "readings", f"{count} case read", f"{_FEW} or more", "Have this reader read more.")
        if unblinded[reader]:
            yield _issue(
                reader, "blinding", f"{unblinded[reader]} of {count} cases read with others' answers in sight",
                "readers who do not see each other's answers",
                "Agreement of such readers is too high; have the cases read blindly with `isocenter label read`.",
            )  # fmt: skip
        if other[reader]:
            yield _issue(
                reader, "version of the image", f"{other[reader]} cases were read on another version of the image",
                "readings of the images in this version", "They are left out; have these cases read again.",
            )  # fmt: skip


def _issue(where: str, check: str, figure: str, limit: str, mend: str) -> Issue:
    return Issue(check=check, where=where, figure=figure, limit=limit, mend=mend, severity="warn")
