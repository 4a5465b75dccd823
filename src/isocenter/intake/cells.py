"""A CSV or TSV file as lines of named cells, and what its columns are usually called."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Literal

from isocenter.errors import LayoutError

Meaning = Literal["path", "case", "patient", "day", "split", "mask", "pixel_mm"]

USUAL_NAMES: Mapping[Meaning, tuple[str, ...]] = {
    "path": (
        "path", "file", "filename", "filepath", "image", "imagepath", "imagefile", "imagefilename", "imagename",
        "picture", "img", "imgpath", "imageid", "路径", "文件", "文件名", "图像",
    ),
    "case": ("case", "caseid", "病例"),
    "patient": ("patient", "patientid", "subject", "subjectid", "participant", "participantid", "person", "患者"),
    "day": ("day", "date", "studydate", "examdate"),
    "split": ("split", "side", "subset", "partition"),
    "mask": ("mask", "maskpath", "maskfile", "maskfilename", "pathmask", "segmentation"),
    "pixel_mm": ("pixelmm", "pixelspacing", "pixelspacingmm"),
}  # fmt: skip
"""What a column may be called, without case, blanks and marks; an earlier name is preferred."""

TABLE_ENDINGS = (".csv", ".tsv")
Lines = tuple[tuple[int, Mapping[str, str]], ...]

_MISSING = frozenset({"na", "n/a", "nan", "null", "inf", "-inf"})
_ENCODINGS = ("utf-8-sig", "gb18030")  # what is no UTF-8 was most likely saved by a Chinese Excel


def squeezed_name(header: str) -> str:
    """Return a header as USUAL_NAMES writes it: without case, blanks and marks."""
    return re.sub(r"[\W_]+", "", header).lower()


def read_cells(path: Path) -> tuple[list[str], Lines, str]:
    """Return the names of a table's columns, its lines and what parts the cells.

    Returns:
        Names; (number of the line in the file, name to cell), cells that say that nothing is known as ""; the mark.

    Raises:
        LayoutError: It cannot be read, has one name twice, or a line of too many cells.
    """
    rows, mark = read_rows(path)
    headers = [header.strip() for header in rows[0]] if rows else []
    named = [header for header in headers if header]
    twice = next((header for header in named if named.count(header) > 1), None)
    if twice is not None:
        raise LayoutError(f"{path.name} has two columns {twice!r}. Keep one, or give them names of their own.")
    return named, tuple(_lines(path.name, headers, rows)), mark


def _lines(name: str, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[tuple[int, dict[str, str]]]:
    for number, row in enumerate(rows[1:], 2):
        cells = ["" if cell.strip().lower() in _MISSING else cell.strip() for cell in row]
        if not any(cells):
            continue
        if any(cells[len(headers) :]):
            raise LayoutError(f"{name}, line {number}: more cells than columns. Put text with commas into quotes.")
        cells += [""] * (len(headers) - len(cells))
        yield number, {header: cell for header, cell in zip(headers, cells, strict=False) if header}


def read_rows(path: Path) -> tuple[Sequence[Sequence[str]], str]:
    """Return the lines of a CSV or TSV file as they stand, the first one too, and what parts their cells.

    Commas, semicolons or tabs part them, whichever part the first line into most; it is UTF-8 (with or without a
    mark), UTF-16 with one, or GB18030.

    Raises:
        LayoutError: It cannot be read.
    """
    text = _text(path)
    try:
        mark = max("\t;,", key=lambda one: len(next(csv.reader(StringIO(text), delimiter=one), [])))
        return list(csv.reader(StringIO(text), delimiter=mark)), mark
    except csv.Error as error:
        raise LayoutError(f"{path.name} cannot be read as a table ({error}). Save it again as CSV.") from error


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LayoutError(f"{path.name} cannot be read ({error.strerror}). Give yourself permission on it.") from error
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    for encoding in _ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise LayoutError(f"{path.name} is neither UTF-8 nor GB18030. Save it again as CSV in UTF-8.")
