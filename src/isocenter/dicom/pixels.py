"""Stored pixels of pictures, straight from the file where they lie uncompressed, else by a decoder."""

import os
import warnings
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from isocenter.dicom import tags
from isocenter.dicom.frame import Frame
from isocenter.dicom.header import BIG_ENDIAN, DEFLATED, Header, read_header
from isocenter.dicom.judge import frame_bytes
from isocenter.dicom.slow import BROKEN, read_dataset
from isocenter.errors import FileError

Picture = npt.NDArray[Any]


def pictures(frames: Sequence[Frame]) -> Iterator[Picture]:
    """Yield the stored values of each picture: (rows, columns), in colour (rows, columns, 3) as red, green, blue.

    The array is good until the next one is asked for.

    Raises:
        FileError: A file changed since it was scanned, is damaged, or holds a form that no decoder reads.
    """
    for path, group in groupby(frames, key=lambda frame: frame.header.path):
        wanted = list(group)
        header = wanted[0].header
        again = read_header(path)
        if again.values != header.values or again.pixels != header.pixels:
            raise FileError("A file of the series has changed since it was scanned. Scan the folder again.")
        yield from _native(header, wanted) if _is_plain(header) else _decoded(header, wanted)


def _is_plain(header: Header) -> bool:
    return (
        header.is_native
        and header.pixels[0] > 0
        and header.integer(tags.SAMPLES, 1) == 1
        and header.integer(tags.BITS_ALLOCATED) in (8, 16, 32)
        and header.text(tags.PHOTOMETRIC) != "PALETTE COLOR"
    )


def _native(header: Header, frames: Sequence[Frame]) -> Iterator[Picture]:
    """Read pictures at their place in the file."""
    order = ">" if header.syntax == BIG_ENDIAN else "<"
    dtype = np.dtype(f"{order}u{header.integer(tags.BITS_ALLOCATED) // 8}")
    size = frame_bytes(header)
    rows, columns = header.integer(tags.ROWS), header.integer(tags.COLUMNS)
    raw = bytearray(size)
    buffer = np.frombuffer(raw, dtype=dtype).reshape(rows, columns)
    held = -1
    with header.path.open("rb", buffering=0) as file:
        for frame in frames:
            number = 0 if frame.tile else frame.index
            if number != held:
                file.seek(header.pixels[0] + number * size)
                if file.readinto(raw) < size:
                    raise FileError("A file ends before its pixels do. Copy it again from its source.")
            held = number
            yield _cut(_meant(buffer, header), frame)


def _meant(stored: Picture, header: Header) -> Picture:
    """Return stored words as the numbers that they mean: unused bits dropped, the sign carried (PS3.5 8.1.1)."""
    allocated = header.integer(tags.BITS_ALLOCATED)
    bits = min(header.integer(tags.BITS_STORED) or allocated, allocated)
    high = header.integer(tags.HIGH_BIT) or bits - 1
    native = stored.astype(stored.dtype.newbyteorder("="), copy=False)
    if bits == allocated:
        return native.view(f"i{allocated // 8}") if is_signed(header) else native
    moved = native >> (high + 1 - bits) if bits <= high < allocated else native
    if not is_signed(header):
        top = (1 << bits) - 1
        return moved & top if int(moved.max()) > top else moved
    spare = allocated - bits
    return (moved << spare).view(f"i{allocated // 8}") >> spare


def is_signed(header: Header) -> bool:
    """Return whether stored values are two's complement."""
    return header.integer(tags.SIGNED) == 1


def _cut(picture: Picture, frame: Frame) -> Picture:
    if frame.tile is None:
        return picture
    row, column = frame.tile
    return picture[row : row + frame.shape[0], column : column + frame.shape[1]]


def _decoded(header: Header, frames: Sequence[Frame]) -> Iterator[Picture]:
    """Decode pictures by pydicom's plug-ins, and by GDCM where those do not know the form."""
    numbers = sorted({0 if frame.tile else frame.index for frame in frames})
    try:
        found = dict(zip(numbers, _by_pydicom(header, numbers), strict=True))
    except BROKEN as error:
        found = _by_gdcm(header, numbers, why=type(error).__name__)
    for frame in frames:
        picture = found[0 if frame.tile else frame.index]
        if picture.shape[:2] != (header.integer(tags.ROWS), header.integer(tags.COLUMNS)):
            raise FileError("A compressed picture has another size than its header says. Copy the file again.")
        yield _cut(picture, frame)


def _by_pydicom(header: Header, numbers: Sequence[int]) -> list[Picture]:
    from pydicom.pixels.processing import apply_color_lut
    from pydicom.pixels.utils import iter_pixels
    from pydicom.uid import UID

    dataset = read_dataset(header.path, with_pixels=True)
    if not getattr(dataset, "file_meta", None) or "TransferSyntaxUID" not in dataset.file_meta:
        dataset.ensure_file_meta()
        dataset.file_meta.TransferSyntaxUID = UID(header.syntax)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = list(iter_pixels(dataset, indices=list(numbers)))
        if header.text(tags.PHOTOMETRIC) == "PALETTE COLOR":
            found = [_eight_bits(apply_color_lut(picture, dataset)) for picture in found]
    if header.integer(tags.SAMPLES, 1) == 1 and header.text(tags.PHOTOMETRIC) != "PALETTE COLOR":
        found = [_meant(picture.view(f"u{picture.dtype.itemsize}"), header) if _same_size(picture, header) else picture
                 for picture in found]  # fmt: skip
    return found


def _same_size(picture: Picture, header: Header) -> bool:
    return bool(picture.dtype.kind in "iu" and picture.dtype.itemsize * 8 == header.integer(tags.BITS_ALLOCATED))


def _eight_bits(picture: Picture) -> Picture:
    """Return colours of a 16-bit palette with their upper eight bits."""
    return (picture >> 8).astype(np.uint8) if picture.dtype.itemsize == 2 else picture


def _by_gdcm(header: Header, numbers: Sequence[int], *, why: str) -> dict[int, Picture]:
    """Decode a whole file by GDCM: the one decoder for 12-bit JPEG."""
    if header.syntax == DEFLATED or not header.values.get(tags.ROWS):
        raise FileError(f"A file's pixels cannot be decoded ({why}). Copy it again from its source.")
    whole = _gdcm_buffer(header.path)
    samples = header.integer(tags.SAMPLES, 1)
    shape = (header.integer(tags.ROWS), header.integer(tags.COLUMNS), *((samples,) if samples > 1 else ()))
    kind = f"{'i' if is_signed(header) else 'u'}{max(1, header.integer(tags.BITS_ALLOCATED) // 8)}"
    count = int(np.prod(shape))
    values = np.frombuffer(whole, dtype=kind) if len(whole) % np.dtype(kind).itemsize == 0 else np.empty(0, kind)
    if values.size < count * (max(numbers) + 1):
        raise FileError(f"A file's pixels cannot be decoded ({why}). Copy it again from its source.")
    return {number: values[number * count : (number + 1) * count].reshape(shape) for number in numbers}


def _gdcm_buffer(path: Path) -> bytes:
    import gdcm

    reader = gdcm.ImageReader()
    reader.SetFileName(os.fspath(path))
    gdcm.Trace.WarningOff()
    gdcm.Trace.ErrorOff()
    if not reader.Read():
        return b""
    buffer = reader.GetImage().GetBuffer()
    return bytes(buffer.encode("utf-8", errors="surrogateescape"))
