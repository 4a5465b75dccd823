"""Readings as lines of a table, in the form that `label import` reads."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from isocenter.case import Entry, Observation, Reading, Schema
from isocenter.errors import FileError

TABLE = "labels.csv"


def columns_of(schema: Schema | None, *, key: Sequence[str] = ("case", "reader")) -> list[str]:
    """Return the columns of a table of readings: whose they are, what was asked, how the reading went."""
    findings = () if schema is None else schema.findings
    levels = dict.fromkeys(level.name for asked in findings for level in asked.levels)
    marks = ["finding"] if any(not asked.is_whole for asked in findings) else []
    boxes = ["box"] if marks else []
    return [*key, *marks, *levels, *boxes, "certainty", "minutes", "blinded", "image"]


def rows_of(entry: Entry, reading: Reading, schema: Schema | None) -> list[dict[str, str]]:
    """Return a reading as lines: one for each finding, at least one; what holds for the case stands in the first."""
    whole = [one for one in reading.observations if schema is not None and schema.finding(one.finding).is_whole]
    marks = [one for one in reading.observations if one not in whole]
    if not marks and any(schema is not None and not schema.finding(name).is_whole for name in reading.asked):
        marks = [Observation(finding="none")]
    rows = [_of(one) for one in marks] or [{}]
    rows[0] |= {
        "certainty": _plain(reading.certainty), "image": reading.image[:16],
        "minutes": _plain(None if reading.seconds is None else round(reading.seconds / 60, 4)),
        "blinded": "" if reading.blinded is None else "yes" if reading.blinded else "no",
        **{name: _plain(value) for one in whole for name, value in one.levels.items()},
    }  # fmt: skip
    return [{"case": entry.id, "reader": reading.reader, **row} for row in rows]


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> None:
    """Write lines as CSV in UTF-8, which spreadsheets know by its mark.

    Raises:
        FileError: The folder cannot be written, or the disk is full.
    """
    try:
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(columns), restval="", extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)
    except OSError as error:
        raise FileError(f"{path.name} cannot be written: {error.strerror}.") from error


def _of(mark: Observation) -> dict[str, str]:
    box = "" if mark.box is None else " ".join(f"{edge:.6g}" for corner in mark.box for edge in corner)
    return {"finding": mark.finding, **{name: _plain(value) for name, value in mark.levels.items()}, "box": box}


def _plain(value: float | str | None) -> str:
    return "" if value is None else value if isinstance(value, str) else f"{value:.12g}"
