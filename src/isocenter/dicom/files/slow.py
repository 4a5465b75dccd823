"""Headers that our own walk does not understand, read by pydicom: big endian, deflated, no preamble, broken VRs."""

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.errors import BytesLengthException, InvalidDicomError

from isocenter.dicom.files import tags
from isocenter.dicom.files.header import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT, UNDEFINED, Header
from isocenter.errors import FileError

_ENVELOPED = bytes.fromhex("06092a864886f70d010703")  # RFC 5652 enveloped-data, as in PS3.15 secure DICOM files
# everything that pydicom was seen to raise on damaged bytes
BROKEN = (
    InvalidDicomError, EOFError, OSError, ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError,
    MemoryError, RecursionError, NotImplementedError, RuntimeError, struct.error, zlib.error, BytesLengthException,
)  # fmt: skip


@contextmanager
def quietly() -> Iterator[None]:
    """Keep pydicom's warnings off the screen: they quote values, and a value may be a name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def read_dataset(path: Path, *, with_pixels: bool = False) -> pydicom.Dataset:
    """Return a file as pydicom's data set, also without preamble or meta header.

    Raises:
        FileError: No DICOM file, encrypted, or damaged beyond reading.
    """
    try:
        with quietly():
            return pydicom.dcmread(path, stop_before_pixels=not with_pixels, force=True)
    except PermissionError as error:
        raise FileError("A file cannot be read (no permission). Give it read permission, or leave it out.") from error
    except BROKEN as error:
        raise FileError(f"A DICOM file is damaged ({type(error).__name__}). Copy it again from its source.") from error


def read_with_pydicom(path: Path) -> Header:
    """Return the header of a file that only pydicom understands.

    Raises:
        FileError: No DICOM file, encrypted, or damaged beyond reading.
    """
    if _is_enveloped(path):
        raise FileError("A file is encrypted as a whole (PS3.15 secure DICOM). Decrypt it with the sender's key first.")
    dataset = read_dataset(path)
    try:
        with quietly():
            values = _raw_values(dataset)
    except BROKEN as error:
        raise FileError(f"A DICOM file is damaged ({type(error).__name__}). Copy it again from its source.") from error
    if tags.SOP_CLASS not in values and tags.MODALITY not in values:
        raise FileError("No DICOM file: it names neither an object class nor a modality.")
    implicit, little = dataset.original_encoding
    syntax = values.get(tags.TRANSFER_SYNTAX, b"").decode("ascii", "replace").strip(" \0")
    guessed = (IMPLICIT if implicit else EXPLICIT) if little is not False else BIG_ENDIAN
    return Header(
        path=path, syntax=syntax or guessed, values=values, is_little=little is not False,
        pixels=_pixels(path, is_deflated=syntax == DEFLATED), size=path.stat().st_size,
    )  # fmt: skip


def _pixels(path: Path, *, is_deflated: bool) -> tuple[int, int]:
    """Return (offset, length) of the pixel element as in `Header`; offset -1 where it lies in a deflated stream."""
    try:
        with quietly():
            found = pydicom.dcmread(path, force=True, specific_tags=sorted(tags.PIXELS))
            element = next((found.get_item(tag) for tag in sorted(tags.PIXELS) if tag in found), None)
    except BROKEN:
        return 0, 0
    if not isinstance(element, RawDataElement):
        return 0, 0
    length = -1 if element.length == UNDEFINED else element.length
    return -1 if is_deflated else element.value_tell, length


def _raw_values(dataset: pydicom.Dataset) -> dict[int, bytes]:
    """Return the bytes of the wanted elements; pydicom keeps them raw until someone asks for a value."""
    values: dict[int, bytes] = {}
    parts: list[pydicom.Dataset] = [dataset]
    if isinstance(getattr(dataset, "file_meta", None), pydicom.Dataset):
        parts.append(dataset.file_meta)
    for part in parts:
        for tag in tags.WANTED.intersection(map(int, part.keys())):
            element = part.get_item(tag)
            if isinstance(element, RawDataElement) and isinstance(element.value, bytes):
                values[tag] = element.value
            elif getattr(element, "VR", "") == "SQ":
                values[tag] = b"sequence"
            else:
                values[tag] = _as_text(element)
    return values


def _as_text(element: object) -> bytes:
    value = getattr(element, "value", None)
    if value is None:
        return b""
    many = value if isinstance(value, list | tuple | pydicom.multival.MultiValue) else [value]
    return "\\".join(str(one) for one in many).encode("latin-1", "replace")


def _is_enveloped(path: Path) -> bool:
    """Return whether a file is a secure DICOM file, encrypted as a whole (PS3.15 annex B, RFC 5652)."""
    with path.open("rb") as file:
        return _ENVELOPED in file.read(64)
