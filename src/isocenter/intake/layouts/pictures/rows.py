"""What will be a case: its files, patient, side and facts, before any of them is opened."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from isocenter.case import Fact, Side
from isocenter.errors import LayoutError
from isocenter.intake.issue import Issue
from isocenter.intake.layouts.folder import name_in
from isocenter.intake.layouts.pictures.facts import facts_of
from isocenter.intake.layouts.pictures.places import Place, Places
from isocenter.intake.layouts.pictures.table import Table
from isocenter.intake.sides import side_of

_DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d.%m.%Y")
_UNSAFE = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A case to be.

    Args:
        where: What a message calls it: its first file, relative to the folder, or as the table writes it.
        patient: As the table writes it; "" where nobody said.
        volumes: Role to what its cell leads to.
        masks: Reader to the files of that reader's label image; several are joined.
        spacing_mm: Between rows and between columns, where the table says it.
    """

    id: str
    where: str
    patient: str = ""
    volumes: Mapping[str, Place] = field(default_factory=dict)
    masks: Mapping[str, tuple[Place, ...]] = field(default_factory=dict)
    facts: Mapping[str, Fact] = field(default_factory=dict)
    day: int | None = None
    side: Side | None = None
    spacing_mm: tuple[float, float] | None = None


def safe_ids(names: Sequence[str]) -> list[str]:
    """Return a word for each path that is safe in a file name; what all paths begin with is left out."""
    parts = [name.split("/") for name in names]
    shared = 0
    while parts and all(len(part) > shared + 1 and part[shared] == parts[0][shared] for part in parts):
        shared += 1
    words = [_UNSAFE.sub("-", "_".join(part[shared:])).strip("-.") or "case" for part in parts]
    taken: dict[str, None] = {}  # in order
    for word in words:
        numbered, number = word, 1
        while numbered in taken:
            number += 1
            numbered = f"{word}-{number}"
        taken[numbered] = None
    return list(taken)


def read_rows(table: Table, places: Places) -> tuple[list[Row], list[Issue]]:
    """Return a row for each line of a table, and what is wrong with the table as a whole.

    Raises:
        LayoutError: A cell that cannot be: a side, a day, or the size of a pixel.
    """
    lines, issues = _once(table, places)
    columns = table.columns
    facts, more = facts_of(table, [cells for _, cells in lines])
    issues += more
    rows = []
    days = _days(table, lines)
    for place, (number, cells) in enumerate(lines):
        volumes = {role: places.find(cells[header]) for role, header in columns.paths.items() if cells[header]}
        issues += _outside(table, number, volumes.values())
        masks = {
            reader: (places.find(cells[header], is_mask=True),)
            for reader, header in columns.masks.items() if cells[header]
        }  # fmt: skip
        issues += _outside(table, number, (one for found in masks.values() for one in found))
        first = next((header for header in columns.paths.values() if cells[header]), "")
        rows.append(Row(
            id="", where=_where(volumes, cells.get(first, ""), places) or f"{table.name}, line {number}",
            patient=_cell(table, cells, "patient"), volumes=volumes, masks=masks, facts=facts[place],
            day=days[place], side=_side(table, number, cells), spacing_mm=_spacing(table, number, cells),
        ))  # fmt: skip
    return _named(table, rows, [cells for _, cells in lines], issues), issues


def _cell(table: Table, cells: Mapping[str, str], meaning: str) -> str:
    header = table.columns.known.get(meaning)
    return "" if header is None else cells[header]


def _where(volumes: Mapping[str, Place], cell: str, places: Places) -> str:
    first = next(iter(volumes.values()), None)
    return cell if first is None or first.path is None else name_in(first.path, places.folder)


def _named(table: Table, rows: list[Row], cells: Sequence[Mapping[str, str]], issues: list[Issue]) -> list[Row]:
    """Return the rows with their ids: the column `case`, else their path without its ending."""
    said = [_cell(table, one, "case") for one in cells]
    for name, count in Counter(filter(None, said)).items():
        if count > 1:
            issues.append(Issue(
                check="listing", where=f"{table.name}: case {name}", figure=f"named by {count} lines",
                limit="one line a case",
                mend="Give each line a case of its own (pictures of one person share their `patient`), or put further "
                "pictures of the case into columns path_ROLE.",
            ))  # fmt: skip
    stems = [re.sub(r"(\.nii)?\.[A-Za-z][A-Za-z0-9]{1,4}$", "", row.where) for row in rows]
    ids = safe_ids([name or stem for name, stem in zip(said, stems, strict=True)])
    return [replace(row, id=id_) for row, id_ in zip(rows, ids, strict=True)]


def _once(table: Table, places: Places) -> tuple[list[tuple[int, Mapping[str, str]]], list[Issue]]:
    """Return the lines, each file once; a line that says the same again is passed over, one that differs stops."""
    kept: dict[object, tuple[int, Mapping[str, str]]] = {}
    issues: list[Issue] = []
    for number, cells in table.lines:
        paths = tuple(places.find(cells[header]).path or cells[header] for header in table.columns.paths.values())
        key: object = paths if any(paths) else number
        first = kept.setdefault(key, (number, cells))
        if first[0] == number:
            continue
        is_same = first[1] == cells
        issues.append(Issue(
            check="listing", where=f"{table.name}, line {number}",
            figure=f"names the file of line {first[0]} again{'' if is_same else ' and says something else of it'}",
            limit="each file once", mend="Keep one of the lines.", severity="warn" if is_same else "stop",
        ))  # fmt: skip
    return list(kept.values()), issues


def _outside(table: Table, number: int, found: Iterable[Place]) -> Iterator[Issue]:
    for place in found:
        if place.is_outside:
            yield Issue(
                check="listing", where=f"{table.name}, line {number}", figure="a path that leads out of the folder",
                limit="files inside the folder", mend="Put the file into the folder, and write its path from there on.",
            )  # fmt: skip


def _side(table: Table, number: int, cells: Mapping[str, str]) -> Side | None:
    word = _cell(table, cells, "split")
    side = side_of(word)
    if word and side is None:
        raise LayoutError(f"{table.name}, line {number}: {word!r} is no side; write train, validation or test.")
    return side


def _spacing(table: Table, number: int, cells: Mapping[str, str]) -> tuple[float, float] | None:
    words = [word for word in re.split(r"[\s×x;\\]+", _cell(table, cells, "pixel_mm").strip("[]() ")) if word]
    if not words:
        return None
    try:
        sizes = [float(word.rstrip(",").replace(",", ".")) for word in words]
    except ValueError:
        sizes = []
    if len(sizes) not in (1, 2) or not all(1e-5 < size < 1e3 for size in sizes):
        raise LayoutError(
            f"{table.name}, line {number}: the size of a pixel is one number in mm, or two, between rows and between "
            "columns, such as 0.143 or 0.15x0.14."
        )
    return sizes[0], sizes[-1]


def _days(table: Table, lines: Sequence[tuple[int, Mapping[str, str]]]) -> list[int | None]:
    """Return days since each patient's first one: dates are turned into them, and do not come into the store."""
    first: dict[str, int] = defaultdict(lambda: 1 << 62)
    told: list[tuple[str, int | None]] = []
    is_dated = False
    for number, cells in lines:
        word, patient = _cell(table, cells, "day"), _cell(table, cells, "patient") or f"line {number}"
        day = _day(word)
        if word and day is None:
            raise LayoutError(f"{table.name}, line {number}: a day is a whole number, or a date such as 2024-03-01.")
        is_dated |= isinstance(day, date)
        if is_dated and isinstance(day, int):
            raise LayoutError(f"{table.name}, line {number}: a number of days among dates. Write one or the other.")
        count = day.toordinal() if isinstance(day, date) else day
        told.append((patient, count))
        first[patient] = min(first[patient], 1 << 62 if count is None else count)
    return [None if day is None else day - (first[patient] if is_dated else 0) for patient, day in told]


def _day(word: str) -> int | date | None:
    for form in _DAYS if word else ():
        try:
            return datetime.strptime(word[:10], form).date()
        except ValueError:
            continue
    try:
        return int(float(word)) if word else None
    except (ValueError, OverflowError):
        return None
