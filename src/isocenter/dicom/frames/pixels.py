"""Stored pixels of pictures, straight from the file where they lie uncompressed, else by a decoder."""

import os
import warnings
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from isocenter.dicom.files import tags
from isocenter.dicom.files.header import BIG_ENDIAN, Header
from isocenter.dicom.files.reader import read_header
from isocenter.dicom.files.slow import BROKEN, read_dataset
from isocenter.dicom.files.soundness import frame_bytes
from isocenter.dicom.frames.frame import Frame
from isocenter.errors import FileError

_JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"  # its 12-bit form only GDCM decodes
_HTJ2K = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in (201, 202, 203))

Picture = npt.NDArray[Any]


def pictures(frames: Sequence[Frame]) -> Iterator[tuple[int, Picture]]:
    """Yield (place in `frames`, stored values) of each picture, file by file.

    Stored values are (rows, columns), in colour (rows, columns, 3) as red, green, blue, and good until the next
    are asked for.

    Raises:
        FileError: A file changed since it was scanned, is damaged, or holds a form that no decoder reads.
    """
    for path, group in groupby(enumerate(frames), key=lambda pair: pair[1].header.path):
        wanted = sorted(group, key=lambda pair: pair[1].index)
        header = wanted[0][1].header
        again = read_header(path)
        if again.values != header.values or again.pixels != header.pixels:
            raise FileError("A file of the series has changed since it was scanned. Scan the folder again.")
        places = [place for place, _ in wanted]
        inside = [frame for _, frame in wanted]
        found = _native(header, inside) if _is_plain(header) else _decoded(header, inside)
        yield from zip(places, found, strict=True)


def _is_plain(header: Header) -> bool:
    return (
        header.is_native
        and header.pixels[0] > 0
        and header.integer(tags.SAMPLES, 1) == 1
        and header.integer(tags.BITS_ALLOCATED) in (8, 16, 32)
        and header.text(tags.PHOTOMETRIC) != "PALETTE COLOR"
        # single bytes in big-endian words lie in pairs the other way round (PS3.5 A.3, OW)
        and not (header.syntax == BIG_ENDIAN and header.integer(tags.BITS_ALLOCATED) == 8)
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
    decoder = _by_gdcm if _only_gdcm_decodes(header) else _by_openjpeg if header.syntax in _HTJ2K else _by_pydicom
    decoded = decoder(header, numbers)
    held, picture = -1, np.empty((0, 0))
    for frame in frames:
        number = 0 if frame.tile else frame.index
        if number != held:
            held, picture = number, _next(decoded, header)
        yield _cut(picture, frame)


def _next(decoded: Iterator[Picture], header: Header) -> Picture:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = next(decoded)
    except FileError:
        raise
    except (StopIteration, *BROKEN) as error:
        raise FileError(
            f"A file's pixels cannot be decoded ({type(error).__name__}). Copy it again from its source."
        ) from error
    if picture.shape[:2] != (header.integer(tags.ROWS), header.integer(tags.COLUMNS)):
        raise FileError("A compressed picture has another size than its header says. Copy the file again.")
    return picture


def _only_gdcm_decodes(header: Header) -> bool:
    return header.syntax == _JPEG_EXTENDED and header.integer(tags.BITS_STORED) > 8


def _by_pydicom(header: Header, numbers: Sequence[int]) -> Iterator[Picture]:
    from pydicom.pixels.processing import apply_color_lut
    from pydicom.pixels.utils import iter_pixels
    from pydicom.uid import UID

    dataset = read_dataset(header.path, with_pixels=True)
    if "TransferSyntaxUID" not in dataset.file_meta:
        dataset.ensure_file_meta()
        dataset.file_meta.TransferSyntaxUID = UID(header.syntax)
    is_palette = header.text(tags.PHOTOMETRIC) == "PALETTE COLOR"
    for picture in iter_pixels(dataset, indices=list(numbers)):
        if is_palette:
            colours = apply_color_lut(picture, dataset)
            # 16-bit palettes hold their colour in the upper eight bits (PS3.3 C.7.6.3.1.6)
            yield (colours >> 8).astype(np.uint8) if colours.dtype.itemsize == 2 else colours
        else:
            yield _as_meant(picture, header) if header.integer(tags.SAMPLES, 1) == 1 else picture


def _by_openjpeg(header: Header, numbers: Sequence[int]) -> Iterator[Picture]:
    """Decode high-throughput JPEG 2000, for which pydicom has no plug-in of its own."""
    from openjpeg.utils import decode
    from pydicom.encaps import generate_frames

    frames = generate_frames(
        read_dataset(header.path, with_pixels=True).PixelData, number_of_frames=int(header.number(tags.FRAMES, 1))
    )
    for number, stream in enumerate(frames):
        if number in numbers:
            picture = np.asarray(decode(stream, j2k_format=0))
            yield _as_meant(picture, header) if header.integer(tags.SAMPLES, 1) == 1 else picture


def _as_meant(picture: Picture, header: Header) -> Picture:
    """Return a decoder's words as the numbers that they mean; decoders differ in what they leave in unused bits."""
    if picture.dtype.kind not in "iu" or picture.dtype.itemsize * 8 != header.integer(tags.BITS_ALLOCATED):
        return picture
    native = picture.astype(picture.dtype.newbyteorder("="), copy=False)
    return _meant(native.view(f"u{picture.dtype.itemsize}"), header)


def _by_gdcm(header: Header, numbers: Sequence[int]) -> Iterator[Picture]:
    """Decode a whole file by GDCM: the one decoder for 12-bit JPEG."""
    samples = header.integer(tags.SAMPLES, 1)
    shape = (header.integer(tags.ROWS), header.integer(tags.COLUMNS), *((samples,) if samples > 1 else ()))
    kind = np.dtype(f"{'i' if is_signed(header) else 'u'}{header.integer(tags.BITS_ALLOCATED) // 8}")
    whole = _gdcm_buffer(header.path)
    count = int(np.prod(shape))
    if len(whole) < count * kind.itemsize * (max(numbers) + 1):
        raise FileError("A file's pixels cannot be decoded. Copy it again from its source.")
    for number in numbers:
        yield np.frombuffer(whole, dtype=kind, count=count, offset=number * count * kind.itemsize).reshape(shape)


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
