"""The table beside the pictures: found, decoded, parted into cells."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from isocenter.errors import LayoutError
from isocenter.intake.cells import TABLE_ENDINGS, read_cells
from isocenter.intake.layouts.pictures.columns import Columns, path_names, understand
from isocenter.intake.layouts.pictures.places import Places

_LOOKED_AT = 50  # lines whose files are looked for, to see that a table speaks of this folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of pictures.

    Args:
        name: Of its file.
        columns: What its headers mean.
        lines: (number of the line in the file, header to cell), cells that say that nothing is known as "".
        mark: What parts the cells.
    """

    name: str
    columns: Columns
    lines: tuple[tuple[int, Mapping[str, str]], ...]
    mark: str = ","


def find_table(folder: Path, *, mapped: Mapping[str, str], places: Places, strict: bool = False) -> Table | None:
    """Return the table whose paths lead to files of the folder, None where there is none.

    Args:
        folder: It lies directly in it.
        mapped: Ours to theirs, for headers of other names.
        places: The files of the folder.
        strict: Tells why a table cannot be used, where none can.

    Raises:
        LayoutError: Two tables that speak of files; with `strict`, also a table that cannot be read or has no paths.
    """
    fitting, refused = _tables(folder, mapped=mapped, places=places)
    if len(fitting) > 1:
        raise LayoutError(
            f"Several tables name pictures of this folder: {', '.join(fitting)}. Join them into one, with a column "
            "'split' where they stand for training and testing, or take the others out."
        )
    if strict and not fitting and refused:
        raise LayoutError(" ".join(refused.values()))
    return next(iter(fitting.values()), None)


def unused_tables(folder: Path, *, mapped: Mapping[str, str], places: Places) -> dict[str, str]:
    """Return the name of each table that cannot be used, and why."""
    return _tables(folder, mapped=mapped, places=places)[1]


def _tables(folder: Path, *, mapped: Mapping[str, str], places: Places) -> tuple[dict[str, Table], dict[str, str]]:
    """Return the tables that speak of the folder's files, and why others do not, by name."""
    fitting: dict[str, Table] = {}
    refused: dict[str, str] = {}
    for path in sorted(path for path in folder.iterdir() if path.suffix.lower() in TABLE_ENDINGS and path.is_file()):
        if path.name.startswith("."):
            continue
        try:
            table = read_table(path, mapped=mapped)
        except LayoutError as error:
            refused[path.name] = str(error)
            continue
        if any(_leads_somewhere(table, places)):
            fitting[path.name] = table
        else:
            refused[path.name] = f"{path.name}: none of its first {_LOOKED_AT} paths leads to a file of this folder."
    return fitting, refused


def read_table(path: Path, *, mapped: Mapping[str, str]) -> Table:
    """Return a CSV or TSV file as a table.

    Commas, semicolons or tabs part its cells, whichever part the first line into most; it is UTF-8 (with or without
    a mark), UTF-16 with one, or GB18030.

    Raises:
        LayoutError: It cannot be read, has no column of paths, one name twice, or a line of too many cells.
    """
    named, lines, mark = read_cells(path)
    columns = understand(named, mapped=mapped)
    if not columns.paths:
        # headers are not repeated in full: without a first line of names they are the first patient's values
        raise LayoutError(
            f"{path.name} has no column of paths. Its first line must name the columns, one of them {path_names()}; "
            "or say which with --columns path=THEIRS."
        )
    return Table(name=path.name, columns=columns, lines=lines, mark=mark)


def _leads_somewhere(table: Table, places: Places) -> Iterator[bool]:
    for header in table.columns.paths.values():
        for _, cells in islice(table.lines, _LOOKED_AT):
            yield bool(cells[header]) and places.find(cells[header]).path is not None
