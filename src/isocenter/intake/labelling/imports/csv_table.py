"""Readers' answers as a table: a line for each case and reader, or for each finding of theirs."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from isocenter.case import WHOLE, Asked, Entry, Level, Observation, Reading, Schema
from isocenter.errors import InputError, LayoutError
from isocenter.intake.cells import Lines, read_cells
from isocenter.intake.issue import Issue, issue_of
from isocenter.intake.labelling.said import Heard, Said, Wanted, homeless
from isocenter.intake.nameless import require_no_identity
from isocenter.intake.steady import steady
from isocenter.plugins import did_you_mean

OWN = ("case", "reader", "finding", "certainty", "minutes", "blinded", "image", "box")
"""Columns with a meaning of their own; all others are levels."""

_DIGITS = 8  # of an image's digest that are enough to know it by
_NONE = ("none", "-", "")
_YES, _NO = ("yes", "1", "true"), ("no", "0", "false")


def read_csv(path: Path, wanted: Wanted) -> Heard:
    """Return what the lines of a table say.

    Raises:
        InputError: No column of cases, a column that bears identity, or one that the schema does not ask for.
    """
    if path.is_dir():
        raise LayoutError(f"{path.name!r} is a folder; name the table itself.")
    with steady(path, name=path.name) as digest:
        headers, lines, _ = read_cells(path)
    if "case" not in headers:
        raise LayoutError(f"{path.name} has no column 'case'. Its columns: case, reader, finding, and what was asked.")
    levels = [header for header in headers if header not in OWN]
    for header in levels:
        require_no_identity(header)
    schema = wanted.schema_with(partial(schema_of, lines, levels, name=path.stem))
    known = {level.name for asked in schema.findings for level in asked.levels}
    strange = [header for header in levels if header not in known]
    if strange:
        raise LayoutError(f"{path.name}: nobody asks for {strange[0]!r}. {did_you_mean(strange[0], sorted(known))}")
    said = _said(path.name, lines, schema, wanted, {path.name: digest})
    return Heard(form="csv", schema=schema, said=said)


def schema_of(lines: Lines, levels: Sequence[str], *, name: str) -> Schema:
    """Return the schema that a table shows by itself: numbers where all are, else words without an order."""
    rows = [cells for _, cells in lines]
    kinds = sorted({row.get("finding", "") for row in rows if row.get("finding", "").lower() not in _NONE})
    if not kinds:
        found = tuple(_shown(level, [row[level] for row in rows]) for level in levels)
        return Schema(name=name, findings=(Asked(name=WHOLE, levels=found),), is_stated=False)
    per_case = Counter((row["case"], row.get("reader", ""), row.get("finding", "")) for row in rows)
    several = {finding for (_, _, finding), count in per_case.items() if count > 1}
    findings = []
    for kind in kinds:
        of_kind = {level: [row[level] for row in rows if row.get("finding") == kind] for level in levels}
        shown = tuple(_shown(level, cells) for level, cells in of_kind.items() if any(cells))
        findings.append(Asked(name=kind, levels=shown, several=kind in several))
    return Schema(name=name, findings=tuple(findings), is_stated=False)


def _shown(level: str, cells: Sequence[str]) -> Level:
    words = tuple(sorted({cell for cell in cells if cell}))
    try:
        for word in words:
            float(word)
    except ValueError:
        return Level(name=level, form="classes", words=words)
    return Level(name=level, form="number")


def _said(name: str, lines: Lines, schema: Schema, wanted: Wanted, files: Mapping[str, str]) -> Iterator[Said | Issue]:
    grouped: dict[tuple[str, str], list[tuple[int, Mapping[str, str]]]] = defaultdict(list)
    for number, cells in lines:
        grouped[cells["case"], cells.get("reader", "")].append((number, cells))
    for (case, reader), rows in grouped.items():
        where = f"{name}, line {rows[0][0]}"
        entry = wanted.case_of(case)
        if entry is None:
            yield homeless(where)
            continue
        try:
            reading = reading_of([row for _, row in rows], schema, entry, reader=wanted.named(reader))
        except InputError as error:
            yield issue_of(error, where=where)
            continue
        if reading is not None:
            yield Said(case=entry.id, reading=reading, files=files)


def reading_of(rows: Sequence[Mapping[str, str]], schema: Schema, entry: Entry, *, reader: str) -> Reading | None:
    """Return the reading that the lines of one reader on one case make; None where they say nothing.

    Args:
        rows: Name of the column to cell.
        schema: What was asked; a cell that is empty was not answered.
        entry: The case.
        reader: Who.

    Raises:
        InputError: A word or number that the schema does not know, or a finding twice that a case shows once.
    """
    if not any(cell for row in rows for name, cell in row.items() if name not in ("case", "reader", "image", "number")):
        return None
    observations = []
    for asked in schema.findings:
        mine = rows[:1] if asked.is_whole else [row for row in rows if _is(asked, row.get("finding", ""))]
        if len(mine) > 1 and not asked.several:
            raise InputError(f"{asked.name} stands twice; a case shows it once, unless the schema says several.")
        observations += [_observed(asked, row) for row in mine]
    told = {row.get("finding", "") for row in rows} - {""}
    for word in sorted(word for word in told if word.lower() not in _NONE):
        schema.finding(word)
    first = rows[0]
    return Reading(
        reader=reader, image=_image(first.get("image", ""), entry), observations=tuple(observations),
        # an empty cell is no answer; "none", or another finding, says that this one is not there
        asked=tuple(one.name for one in schema.findings if one.is_whole or told),
        certainty=_number(first, "certainty"), blinded=_flag(first.get("blinded", "")),
        seconds=None if _number(first, "minutes") is None else 60 * (_number(first, "minutes") or 0.0),
    )  # fmt: skip


def _is(asked: Asked, word: str) -> bool:
    return word.strip().lower() == asked.name.lower()


def _observed(asked: Asked, row: Mapping[str, str]) -> Observation:
    levels = {level.name: level.read(row[level.name]) for level in asked.levels if row.get(level.name)}
    return Observation(finding=asked.name, levels=levels, box=None if asked.is_whole else _box(row.get("box", "")))


def _box(cell: str) -> tuple[tuple[float, float, float], tuple[float, float, float]] | None:
    if not cell:
        return None
    try:
        s, r, c, s2, r2, c2 = map(float, cell.split())
    except ValueError as error:
        raise InputError(
            f"The box is {cell!r}; six numbers are wanted: slice, row, column of its low and of its high corner."
        ) from error
    return (s, r, c), (s2, r2, c2)


def _image(cell: str, entry: Entry) -> str:
    """Return the digest of the image that was read, which need not be written in full."""
    own = next(iter(entry.volumes.values()))
    return own if len(cell) >= _DIGITS and own.startswith(cell) else cell


def _number(row: Mapping[str, str], name: str) -> float | None:
    cell = row.get(name, "")
    try:
        return float(cell) if cell else None
    except ValueError as error:
        raise InputError(f"{name} is {cell!r}, and a number is wanted.") from error


def _flag(cell: str) -> bool | None:
    if cell and cell.lower() not in (*_YES, *_NO):
        raise InputError(f"blinded is {cell!r}; yes or no is wanted.")
    return cell.lower() in _YES if cell else None
