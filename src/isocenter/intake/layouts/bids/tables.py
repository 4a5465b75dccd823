"""The tables of a BIDS data set: participants, sessions and scans become facts, and days in place of dates."""

import csv
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Any

from isocenter.case import Fact, Side
from isocenter.errors import LayoutError
from isocenter.intake.issue import Issue
from isocenter.intake.layouts.document import load_document
from isocenter.intake.layouts.nifti.patients import identity_in
from isocenter.intake.sides import side_of

Row = Mapping[str, str]

SIDE, FOLD = "split", "fold"
_OURS = ("participant_id", "session_id", "filename", "acq_time", SIDE, FOLD)
_MISSING = ("", "n/a")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{4}|\d{4}/\d{1,2}/\d{1,2}")
_OLDEST = 89  # years: the cap of the specification itself; the few who are older could be told by their age
_SEXES = {"m": "M", "male": "M", "f": "F", "female": "F", "o": "O", "other": "O"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the tables say of subjects and sessions, by their labels.

    Args:
        subjects: Facts of a subject.
        sessions: Facts of a session, by (subject, session).
        days: Days since the subject's first dated session.
        sides: Subject to the side of the split, where a column `split` says one.
        issues: What is amiss in the tables.
    """

    subjects: Mapping[str, Mapping[str, Fact]] = field(default_factory=dict)
    sessions: Mapping[tuple[str, str], Mapping[str, Fact]] = field(default_factory=dict)
    days: Mapping[tuple[str, str], int] = field(default_factory=dict)
    sides: Mapping[str, Side] = field(default_factory=dict)
    issues: tuple[Issue, ...] = ()

    def facts(self, key: tuple[str, str]) -> dict[str, Fact]:
        """Return the facts of a session: its subject's, then its own."""
        return {**self.subjects.get(key[0], {}), **self.sessions.get(key, {})}


def read_tables(folder: Path, keys: Collection[tuple[str, str]]) -> Told:
    """Return what participants.tsv, sessions.tsv and scans.tsv say of the sessions that are there.

    Raises:
        LayoutError: A table cannot be read, lacks its key, names a subject twice, or has a column that bears identity.
    """
    people = _by_key(read_tsv(folder / "participants.tsv"), "participant_id", "sub-", "participants.tsv")
    units = load_document(folder / "participants.json") or {}
    issues = _dated("participants.tsv", list(people.values()))
    there = {subject for subject, _ in keys}
    if people:
        issues += [_nobody(f"sub-{subject}", is_row=subject in people) for subject in sorted(there ^ set(people))]
    sessions: dict[tuple[str, str], Mapping[str, Fact]] = {}
    days: dict[tuple[str, str], int] = {}
    for subject in sorted(there):
        own = sorted(key for key in keys if key[0] == subject)
        path = folder / f"sub-{subject}" / f"sub-{subject}_sessions.tsv"
        rows = _by_key(read_tsv(path), "session_id", "ses-", path.name)
        issues += _dated(path.name, list(rows.values()))
        known = load_document(path.with_suffix(".json")) or load_document(folder / "sessions.json") or {}
        sessions |= {(subject, label): _facts(row, known, rows.values()) for label, row in rows.items()}
        days |= _days({key: _when(folder, key, rows.get(key[1], {})) for key in own})
    return Told(
        subjects={subject: _facts(row, units, people.values()) for subject, row in people.items()},
        sessions=sessions, days=days, issues=tuple(issues),
        sides={subject: side for subject, row in people.items() if (side := side_of(row.get(SIDE, "")))},
    )  # fmt: skip


def read_tsv(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table as BIDS writes it, none where there is no such file.

    Raises:
        LayoutError: It cannot be read, or has a column that bears identity.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="", delimiter="\t", quoting=csv.QUOTE_NONE)
            rows = [{str(key).strip(): str(cell or "").strip() for key, cell in row.items() if key} for row in reader]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LayoutError(f"{path.name} cannot be read as a UTF-8 table ({error}). Save it again as TSV.") from error
    bearing = identity_in(column for column in rows[0] if column not in _OURS) if rows else ""
    if bearing and not path.name.endswith("_dseg.tsv") and path.name != "dseg.tsv":
        raise LayoutError(f"{path.name} has a column of {bearing!r}, which bears identity. Take it out of the file.")
    return rows


def _by_key(rows: Sequence[dict[str, str]], key: str, prefix: str, name: str) -> dict[str, Row]:
    if rows and key not in rows[0]:
        raise LayoutError(f"The first line of {name} must name the columns, {key!r} among them, apart by tabulators.")
    found: dict[str, Row] = {}
    for line, row in enumerate(rows, 2):
        label = row[key].removeprefix(prefix)
        if not label or label in found:
            raise LayoutError(f"{name}, line {line}: a line names one {prefix}… once. Mend that line.")
        found[label] = row
    return found


def _facts(row: Row, said: Mapping[str, Any], rows: Collection[Row]) -> dict[str, Fact]:
    """Return a line's facts; columns of dates are none."""
    names = [name for name in row if name not in _OURS and not _is_dated(name, rows)]
    return {name: _fact(name, row[name], said.get(name)) for name in names}


def _fact(name: str, cell: str, said: object) -> Fact:
    unit = str(said.get("Units") or "") if isinstance(said, Mapping) else ""
    if cell.lower() in _MISSING:
        return Fact(value=None, unit=unit)
    if name.lower() == "age":
        unit, cell = unit or "year", cell.removesuffix("+")
    if name.lower() == "sex":
        return Fact(value=_SEXES.get(cell.lower(), cell))
    try:
        number = float(cell if "_" not in cell else "no number")
    except ValueError:
        return Fact(value=cell, unit=unit)
    if name.lower() == "age" and unit.lower().startswith("year"):
        number = min(number, _OLDEST)
    return Fact(value=number if isfinite(number) else None, unit=unit)


def _is_dated(name: str, rows: Collection[Row]) -> bool:
    return any(_DATE.match(row.get(name, "")) for row in rows)


def _dated(table: str, rows: Sequence[Row]) -> list[Issue]:
    """Return an issue for each column of dates: days that can be told from each other are kept, dates are not."""
    names = [name for name in (rows[0] if rows else ()) if name not in _OURS and _is_dated(name, rows)]
    return [
        Issue(
            check="facts", where=table, figure=f"column {name!r} holds dates and was left out",
            limit="facts without dates", mend="Write days since the first examination instead.", severity="warn",
        )
        for name in names
    ]  # fmt: skip


def _nobody(where: str, *, is_row: bool) -> Issue:
    return Issue(
        check="patients", where=where,
        figure="a line of participants.tsv without images" if is_row else "images without a line in participants.tsv",
        limit="one line for each subject", mend="Add or take out its line; without one it has no facts.",
        severity="warn",
    )  # fmt: skip


def _when(folder: Path, key: tuple[str, str], row: Row) -> datetime | None:
    """Return when a session was: its acq_time, or that of the first of its scans that says one."""
    words = [f"sub-{key[0]}", *([f"ses-{key[1]}"] if key[1] else [])]
    scans = read_tsv(folder.joinpath(*words, f"{'_'.join(words)}_scans.tsv"))
    told = [_time(one.get("acq_time", "")) for one in (row, *scans)]
    return told[0] or min((one for one in told[1:] if one is not None), default=None)


def _time(cell: str) -> datetime | None:
    try:
        return datetime.fromisoformat(cell).replace(tzinfo=None)
    except ValueError:
        return None


def _days(when: Mapping[tuple[str, str], datetime | None]) -> dict[tuple[str, str], int]:
    dates = {key: one.date() for key, one in when.items() if one is not None}
    return {key: (date - min(dates.values())).days for key, date in dates.items()}
