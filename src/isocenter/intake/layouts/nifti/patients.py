"""patients.csv beside the images: which cases are of one patient, and what is known of them."""

import csv
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

from isocenter.case import Fact
from isocenter.errors import LayoutError

NAME = "patients.csv"
DAY = "day"
_UNIT = re.compile(r"(?P<name>.+?)\s*\[(?P<unit>[^\]]*)\]")  # "crp [mg/L]"
# columns whose names hold one of these bear identity
_IDENTITY = (
    "name",
    "birth",
    "dob",
    "address",
    "phone",
    "email",
    "mrn",
    "accession",
    "姓名",
    "生日",
    "出生",
    "电话",
    "地址",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a line of patients.csv says of a case; `day` counts from the patient's first examination."""

    patient: str
    facts: Mapping[str, Fact] = field(default_factory=dict)
    day: int | None = None


def read_patients(folder: Path, *, pseudonym: Callable[[str], str]) -> dict[str, Known] | None:
    """Return case to patient and facts, None where a folder has no patients.csv.

    The columns are `case`, `patient`, `day`, and any facts, such as `sex` or `crp [mg/L]`; an empty cell is a missing
    fact.

    Raises:
        LayoutError: It cannot be read, lacks a column, names a case twice, or has a column that bears identity.
    """
    path = folder / NAME
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            rows, columns = list(reader), [column.strip() for column in reader.fieldnames or ()]
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LayoutError(f"{NAME} cannot be read as a UTF-8 table ({error}). Save it again as CSV.") from error
    _check_columns(columns)
    found: dict[str, Known] = {}
    for line, row in enumerate(rows, 2):
        cells = {str(column).strip(): str(cell or "").strip() for column, cell in row.items() if column is not None}
        case, patient = cells.pop("case"), cells.pop("patient")
        if not case or not patient or case in found:
            raise LayoutError(f"{NAME}, line {line}: a line names one case, once, and its patient. Mend that line.")
        day = _day(cells.pop(DAY, ""), line)
        facts = dict(_named(name, cell) for name, cell in cells.items())
        found[case] = Known(patient=pseudonym(patient), facts=facts, day=day)
    return found


def identity_in(columns: Iterable[str]) -> str:
    """Return the word that shows that a column bears identity, "" where none does."""
    names = [column.lower() for column in columns]
    return next((word for word in _IDENTITY if any(word in name for name in names)), "")


def _check_columns(columns: list[str]) -> None:
    if not {"case", "patient"} <= set(columns):
        # what stands there is not repeated: without a line of column names it is the first patient's
        raise LayoutError(f"The first line of {NAME} must name the columns, 'case' and 'patient' among them.")
    bearing = identity_in(columns)
    if bearing:
        raise LayoutError(f"{NAME} has a column of {bearing!r}, which bears identity. Take it out of the file.")


def _day(cell: str, line: int) -> int | None:
    if not cell:
        return None
    if not cell.isdigit():
        raise LayoutError(f"{NAME}, line {line}: {DAY!r} counts days since the patient's first examination, from 0.")
    return int(cell)


def _named(column: str, cell: str) -> tuple[str, Fact]:
    """Return a fact by its name, with the unit that its column bears in brackets."""
    parts = _UNIT.fullmatch(column)
    name, unit = (parts["name"], parts["unit"]) if parts else (column, "")
    if not cell:
        return name, Fact(value=None, unit=unit)
    try:
        number = float(cell)
    except ValueError:
        return name, Fact(value=cell, unit=unit)
    return name, Fact(value=number if isfinite(number) else None, unit=unit)
