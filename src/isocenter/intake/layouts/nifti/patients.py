"""patients.csv beside the images: which cases are of one patient, and what is known of them."""

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

from isocenter.case import Fact
from isocenter.errors import LayoutError

NAME = "patients.csv"
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
    """What a line of patients.csv says of a case."""

    patient: str
    facts: Mapping[str, Fact] = field(default_factory=dict)


def read_patients(folder: Path, *, pseudonym: Callable[[str], str]) -> dict[str, Known] | None:
    """Return case to patient and facts, None where a folder has no patients.csv.

    The columns are `case`, `patient`, and any facts, such as `sex` or `age_years`; an empty cell is a missing fact.

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
        found[case] = Known(patient=pseudonym(patient), facts={name: _fact(cell) for name, cell in cells.items()})
    return found


def _check_columns(columns: list[str]) -> None:
    if not {"case", "patient"} <= set(columns):
        # what stands there is not repeated: without a line of column names it is the first patient's
        raise LayoutError(f"The first line of {NAME} must name the columns, 'case' and 'patient' among them.")
    bearing = [word for word in _IDENTITY if any(word in column.lower() for column in columns)]
    if bearing:
        raise LayoutError(f"{NAME} has a column of {bearing[0]!r}, which bears identity. Take it out of the file.")


def _fact(cell: str) -> Fact:
    if not cell:
        return Fact(value=None)
    try:
        number = float(cell)
    except ValueError:
        return Fact(value=cell)
    return Fact(value=number if isfinite(number) else None)
