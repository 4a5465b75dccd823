"""A table as somebody saved it: decoded, and parted into cells."""

import csv
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

from isocenter.errors import LayoutError

TABLE_ENDINGS = (".csv", ".tsv")
_ENCODINGS = ("utf-8-sig", "gb18030")  # what is no UTF-8 was most likely saved by a Chinese Excel


def read_cells(path: Path) -> tuple[Sequence[Sequence[str]], str]:
    """Return the lines of a CSV or TSV file, and what parts their cells.

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
