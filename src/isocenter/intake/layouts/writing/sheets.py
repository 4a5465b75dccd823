"""Tables of cases: what is known of each, in cells that the layouts read again."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from isocenter.case import Entry, Fact
from isocenter.errors import FileError, InputError

Cell = str | int | float | None


def units_of(entries: Iterable[Entry], *, columns: Iterable[str]) -> dict[str, str]:
    """Return the facts that are known of any case, in the order of their names, each with its unit.

    Args:
        entries: The cases.
        columns: What columns of the table that are no facts are called.

    Raises:
        InputError: One fact in two units, where a column has one; or one that is called as another column is.
    """
    units: dict[str, str] = {}
    names: set[str] = set()
    for entry in entries:
        for name, fact in entry.facts.items():
            names.add(name)
            if fact.value is not None and units.setdefault(name, fact.unit) != fact.unit:
                raise InputError(
                    f"Fact {name!r} is given in {units[name] or 'no unit'} and in {fact.unit or 'no unit'}. A table's "
                    "column has one unit; bring the cases to one, and ingest them again."
                )
    taken = sorted(set(columns) & {name.lower() for name in names})
    if taken:
        raise InputError(f"A fact is called {taken[0]!r}, as a column of the table is. Give it another name.")
    return {name: units.get(name, "") for name in sorted(names)}


def header_of(name: str, unit: str) -> str:
    """Return a column's header, such as "crp [mg/L]"."""
    return f"{name} [{unit}]" if unit else name


def fact_cells(facts: Mapping[str, Fact], units: Mapping[str, str]) -> dict[str, Cell]:
    """Return header to cell of a case's facts; None where one is missing."""
    return {header_of(name, unit): facts[name].value if name in facts else None for name, unit in units.items()}


def write_table(path: Path, rows: Sequence[Mapping[str, Cell]], *, missing: str = "") -> None:
    """Write rows of the same columns, commas between cells, in .tsv tabulators.

    Raises:
        FileError: The folder cannot be written.
    """
    is_tsv = path.suffix == ".tsv"
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            if is_tsv:  # no quotes there: a tabulator or a line's end inside a cell would make two
                writer = csv.writer(file, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE, quotechar=None)
            else:
                writer = csv.writer(file, lineterminator="\n")
            writer.writerow([_text(name, is_tsv=is_tsv) for name in rows[0]])
            writer.writerows([_text(_cell(one, missing), is_tsv=is_tsv) for one in row.values()] for row in rows)
    except OSError as error:
        raise FileError(f"{path.name} cannot be written: {error.strerror}.") from error


def _cell(value: Cell, missing: str) -> str:
    if value is None or value == "":
        return missing
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _text(cell: str, *, is_tsv: bool) -> str:
    return " ".join(cell.split()) if is_tsv else cell
