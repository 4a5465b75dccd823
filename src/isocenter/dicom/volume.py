"""A series to its volume: values in their unit, on a grid that says where they lie."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from isocenter.dicom.files import tags
from isocenter.dicom.files.header import Header
from isocenter.dicom.files.slow import read_dataset
from isocenter.dicom.frames.frame import Frame
from isocenter.dicom.frames.pixels import Picture, is_signed, pictures
from isocenter.dicom.frames.sounded import sounded_mm
from isocenter.dicom.mend import even_out, upright
from isocenter.dicom.series import Series, require_words
from isocenter.errors import FileError, SeriesError
from isocenter.image import Affine, Volume

_QUANTITIES = frozenset({"CT", "MR", "PT", "NM"})
"""Modalities whose values mean something whatever the display does with them: never inverted."""
_DIRECTIONS = {"L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "H": (0, 0, 1), "F": (0, 0, -1)}
_LIMITS = {"i2": (-(1 << 15), (1 << 15) - 1), "i4": (-(1 << 31), (1 << 31) - 1)}


def load(series: Series, *, accept: Collection[str] = ()) -> Volume:
    """Return the volume of a series, its slices in order along their normal, rows and columns as stored.

    Values are rescaled (slope and intercept, frame by frame where they differ) and stay integers where the rescale
    is whole. Padding outside the range of what was measured takes the lowest value measured. In pictures without a
    physical unit MONOCHROME1 is turned so that more is brighter; CT, MR, PET and NM keep their values. Colour comes
    as (3, slice, row, column), where its planes are all equal as grey; the frames of a loop without place (ultrasound)
    as slices, whose step means nothing. The size of a picture's pixels is its PixelSpacing, else that at the detector
    or scanner, in ultrasound that of its regions; where none is stated the volume has no size.
    Reads one picture at a time: memory stays near the size of the volume.

    Args:
        series: From `scan`.
        accept: Words that take a series with a flaw: "tilt" (sheared back onto a right-angled grid), "gaps",
            "duplicates", "uneven", "localiser", "truncated". The message of the error names the one that it needs.

    Raises:
        SeriesError: The verdict is not regular, and its word is not in `accept`.
        FileError: A file changed since the scan, is damaged, or cannot be decoded.
    """
    _check(series, accept)
    voxels = read_voxels(series.frames)
    flat, in_mm = _flat(series.frames[0])
    affine = series.affine or flat
    header = series.frames[0].header
    if voxels.ndim == 3 and series.affine is not None:
        if any(flaw.accept in ("gaps", "uneven") for flaw in series.flaws):
            voxels = even_out(voxels, series.offsets)
        if any(flaw.accept == "tilt" for flaw in series.flaws):
            voxels, affine = upright(voxels, affine)
    return Volume(
        voxels=voxels, affine=affine, unit=_unit(header), modality=series.modality,
        is_planar=series.affine is None and voxels.shape[-3] == 1,
        has_size=series.affine is not None or (in_mm and voxels.shape[-3] == 1),
    )  # fmt: skip


def _check(series: Series, accept: Collection[str]) -> None:
    require_words(accept)
    for flaw in series.flaws:
        if not flaw.accept:
            raise SeriesError(f"Series {series.number} is no volume ({flaw.verdict}). {flaw.reason}")
        if flaw.accept not in accept:
            raise SeriesError(
                f"Series {series.number}: {flaw.verdict}. {flaw.reason} To take it so, accept {flaw.accept!r}."
            )


def read_voxels(frames: Sequence[Frame]) -> npt.NDArray[np.generic]:
    """Return rescaled values of pictures of one size, (slice, row, column) or (3, slice, row, column).

    Raises:
        FileError: A file changed, is damaged, or cannot be decoded.
    """
    first = frames[0].header
    is_colour = first.integer(tags.SAMPLES, 1) == 3 or first.text(tags.PHOTOMETRIC) == "PALETTE COLOR"
    try:
        return _read_colour(frames) if is_colour else _read_grey(frames)
    except MemoryError as error:
        raise FileError("The series needs more memory than there is, or its headers ask for too much.") from error
    except OSError as error:
        raise FileError(f"A file of the series cannot be read ({error.strerror}). Scan the folder again.") from error


def _read_colour(frames: Sequence[Frame]) -> npt.NDArray[np.generic]:
    colours: npt.NDArray[Any] | None = None
    for index, picture in pictures(frames):
        if picture.shape != (*frames[0].shape, 3):
            raise FileError("A colour picture does not decode to three channels. Copy the file again from its source.")
        if colours is None:
            colours = np.empty((3, len(frames), *frames[0].shape), dtype=picture.dtype.newbyteorder("="))
        colours[:, index] = np.moveaxis(picture, -1, 0)
    if colours is None:
        raise FileError("A series holds no picture. Scan the folder again.")
    is_grey = np.array_equal(colours[0], colours[1]) and np.array_equal(colours[0], colours[2])
    return colours[0] if is_grey else colours


def _read_grey(frames: Sequence[Frame]) -> npt.NDArray[np.generic]:
    header = frames[0].header
    inverted, has_padding = _is_inverted(header), tags.PADDING in header.values
    voxels = np.empty((len(frames), *frames[0].shape), dtype=_target(frames))
    padding = _Padding()
    for index, picture in pictures(frames):
        frame = frames[index]
        if picture.shape != frames[0].shape:
            raise FileError("A picture decodes to another size or number of colours than its header says.")
        if tags.MODALITY_LUT in frame.header.values:
            values = _through_table(picture, frame)
            values = -values.astype(np.int64) if inverted else values  # a table has no top of its own to turn around
        else:
            values = _top(header) - picture if inverted else picture
        if voxels.dtype == np.int16 and not _fits(values, frame):
            voxels = voxels.astype(np.int32)
        _rescale(values, frame, out=voxels[index])
        if has_padding:
            padding.note(index, _padded(picture, frame.header), voxels[index])
    padding.fill(voxels)
    return voxels


class _Padding:
    """Voxels where nothing was measured, one bit each, and the range of all others."""

    def __init__(self) -> None:
        self.low, self.high = np.inf, -np.inf
        self.places: list[tuple[int, npt.NDArray[np.uint8]]] = []

    def note(self, index: int, padded: npt.NDArray[np.bool_], values: Picture) -> None:
        if padded.any():
            self.places.append((index, np.packbits(padded)))
            values = values[~padded]
        if values.size:
            self.low, self.high = min(self.low, values.min()), max(self.high, values.max())

    def fill(self, voxels: npt.NDArray[np.generic]) -> None:
        """Give padding the lowest value measured; within the range, or at zero, nobody takes it for anything else."""
        if self.low > self.high:
            return
        for index, bits in self.places:
            where = np.unpackbits(bits, count=voxels[index].size).astype(bool).reshape(voxels[index].shape)
            value = voxels[index][where][0]
            if value != 0 and not self.low <= value <= self.high:
                voxels[index][where] = self.low


def _through_table(picture: Picture, frame: Frame) -> Picture:
    """Return stored values through the file's modality table (PS3.3 C.11.1.1)."""
    item = read_dataset(frame.header.path).ModalityLUTSequence[0]
    count, first = int(item.LUTDescriptor[0]) or 1 << 16, int(item.LUTDescriptor[1])
    entries = item.LUTData
    table = np.frombuffer(entries, "<u2") if isinstance(entries, bytes) else np.asarray(entries)
    if len(table) < count:
        raise FileError("A file's table of values is shorter than it says. Copy it again from its source.")
    return table[np.clip(picture.astype(np.int64) - first, 0, count - 1)]


def _is_inverted(header: Header) -> bool:
    return header.text(tags.PHOTOMETRIC) == "MONOCHROME1" and header.text(tags.MODALITY) not in _QUANTITIES


def _top(header: Header) -> int:
    """Return what stored values are turned around: highest plus lowest possible."""
    return -1 if is_signed(header) else (1 << (header.integer(tags.BITS_STORED) or 16)) - 1


def _stored_range(header: Header) -> tuple[int, int]:
    bits = header.integer(tags.BITS_STORED) or header.integer(tags.BITS_ALLOCATED)
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if is_signed(header) else (0, (1 << bits) - 1)


def _target(frames: Sequence[Frame]) -> np.dtype[np.generic]:
    """Return the smallest type for what the headers allow; int16 is tried where only the topmost values overrun it."""
    if any(tags.MODALITY_LUT in frame.header.values for frame in frames):
        return np.dtype(np.int32)
    scales = {(*frame.rescale, *_stored_range(frame.header)) for frame in frames}
    if not all(float(slope).is_integer() and float(intercept).is_integer() for slope, intercept, _, _ in scales):
        return np.dtype(np.float32)
    ends = [slope * end + intercept for slope, intercept, low, high in scales for end in (low, high)]
    size = frames[0].header.integer(tags.BITS_ALLOCATED) // 8
    if all(scale[:2] == (1.0, 0.0) for scale in scales) and len({low < 0 for _, _, low, _ in scales}) == 1:
        return np.dtype(f"{'i' if min(ends) < 0 else 'u'}{size}")
    if size == 2 and all(slope == 1 for slope, _, _, _ in scales):
        return np.dtype(np.int16)
    for kind, (least, most) in _LIMITS.items():
        if least <= min(ends) and max(ends) <= most:
            return np.dtype(kind)
    return np.dtype(np.float32)


def _fits(values: Picture, frame: Frame) -> bool:
    least, most = _LIMITS["i2"]
    low, high = int(values.min()), int(values.max())
    ends = (low * frame.rescale[0] + frame.rescale[1], high * frame.rescale[0] + frame.rescale[1])
    return least <= min(ends) and max(ends) <= most


def _rescale(values: Picture, frame: Frame, *, out: Picture) -> None:
    slope, intercept = frame.rescale
    if out.dtype.kind == "f":
        np.multiply(values, slope, out=out, dtype=np.float64, casting="unsafe")
        out += np.asarray(intercept, dtype=out.dtype)
    elif slope == 1 and intercept == 0:
        out[...] = values
    elif slope == 1:
        # wraps around in two's complement, and back: the result was found to fit
        np.add(values.astype(out.dtype, copy=False), np.asarray(int(intercept)).astype(out.dtype), out=out)
    else:
        out[...] = values.astype(np.int64) * int(slope) + int(intercept)


def _padded(picture: Picture, header: Header) -> npt.NDArray[np.bool_]:
    """Return where nothing was measured, by the header's padding value and its limit (PS3.3 C.7.5.1.1.2)."""
    value = _signed(header.integer(tags.PADDING), header)
    limit = _signed(header.integer(tags.PADDING_LIMIT, header.integer(tags.PADDING)), header)
    if limit == value:
        return np.asarray(picture == value)
    return np.asarray((picture >= min(value, limit)) & (picture <= max(value, limit)))


def _signed(value: int, header: Header) -> int:
    return value - (1 << 16) if is_signed(header) and value >= 1 << 15 else value


def _unit(header: Header) -> str:
    modality, kind = header.text(tags.MODALITY), header.text(tags.RESCALE_TYPE).upper()
    is_scaled = tags.INTERCEPT in header.values or tags.SHARED_GROUPS in header.values
    if modality == "CT" and kind in ("", "HU") and is_scaled:
        return "HU"
    if modality == "PT" and header.text(tags.PET_UNITS).upper() == "BQML":
        return "Bq/ml"
    return "1"


def _flat(frame: Frame) -> tuple[Affine, bool]:
    """Return the grid of a picture without place, turned by what the header says, and whether its steps are mm."""
    named = [_DIRECTIONS.get(part[:1]) for part in frame.header.texts(tags.PATIENT_ORIENTATION)]
    column, row = (named[0], named[1]) if len(named) == 2 and named[0] and named[1] else ((1, 0, 0), (0, 1, 0))
    if not np.any(np.cross(column, row)):
        column, row = (1, 0, 0), (0, 1, 0)
    sounded = None if frame.spacing and frame.in_mm else sounded_mm(frame.header)
    between_rows, between_columns = sounded or frame.spacing or (1.0, 1.0)
    affine = Affine.from_parts(
        origin=(0.0, 0.0, 0.0),
        directions=np.stack([np.cross(column, row), row, column], axis=1),
        spacing=(1.0, between_rows, between_columns),
    )
    return affine, sounded is not None or (frame.spacing is not None and frame.in_mm)
