"""What lies in a folder that is to be de-identified: every file, and of which kind it is, by its content."""

import os
import struct
import zlib
from pathlib import Path
from typing import Literal

from isocenter.errors import FileError
from isocenter.intake.cells import TABLE_ENDINGS

Kind = Literal["dicom", "dicomdir", "png", "jpeg", "tiff", "nifti", "table", "other"]

_STARTS: tuple[tuple[bytes, Kind], ...] = (
    (b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpeg"),
    (b"II*\0", "tiff"), (b"MM\0*", "tiff"), (b"II+\0", "tiff"), (b"MM\0+", "tiff"),
)  # fmt: skip
_NIFTI_HEADS = (348, 540)
_DIRECTORY = b"1.2.840.10008.1.3.10"
_LOOKED_AT = 1024
# a data set without preamble begins with a low group, in either byte order
_LOW_GROUPS = frozenset({b"\x02\x00", b"\x08\x00", b"\x00\x08"})


def files_in(root: Path) -> tuple[Path, ...]:
    """Return every file below a folder, or the one file, by name; links are followed to files, never to folders.

    Raises:
        FileError: There is nothing, or a folder may not be read.
    """
    root = Path(root)
    if root.is_file():
        return (root,)
    if not root.is_dir():
        raise FileError(f"There is no folder {root}.")

    def refuse(error: OSError) -> None:
        raise FileError(
            f"A folder below {root} may not be read ({error.strerror}). Give it read permission."
        ) from error

    found = [Path(folder) / name for folder, _, names in os.walk(root, onerror=refuse) for name in names]
    return tuple(sorted(path for path in found if path.is_file()))


def kind_of(path: Path) -> Kind:
    """Return of which kind a file is, whatever its name; that one is a table, its name alone tells.

    Raises:
        FileError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_LOOKED_AT)
    except OSError as error:
        raise FileError(f"A file cannot be read ({error.strerror}). Copy it again from its source.") from error
    if head[128:132] == b"DICM":
        return "dicomdir" if _DIRECTORY in head else "dicom"
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if _is_nifti(head):
        return "nifti"
    if head[:2] in _LOW_GROUPS and len(head) > 132:
        return "dicom"
    return "table" if path.suffix.lower() in TABLE_ENDINGS else "other"


def _is_nifti(head: bytes) -> bool:
    if head.startswith(b"\x1f\x8b"):
        try:
            head = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, _LOOKED_AT)
        except zlib.error:
            return False
    if len(head) < 4:
        return False
    return any(struct.unpack_from(f"{sign}i", head)[0] in _NIFTI_HEADS for sign in "<>")
