"""A series to its volume: values in their unit, on a grid that says where they lie."""

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from isocenter.dicom import tags
from isocenter.dicom.frame import Frame
from isocenter.dicom.header import Header
from isocenter.dicom.mend import even_out, upright
from isocenter.dicom.pixels import Picture, is_signed, pictures
from isocenter.dicom.series import Series
from isocenter.errors import FileError, SeriesError
from isocenter.image import Affine, Volume

_QUANTITIES = frozenset({"CT", "MR", "PT", "NM"})
"""Modalities whose values mean something whatever the display does with them: never inverted."""
_DIRECTIONS = {"L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "H": (0, 0, 1), "F": (0, 0, -1)}
_LIMITS = {"i2": (-(1 << 15), (1 << 15) - 1), "i4": (-(1 << 31), (1 << 31) - 1)}


def load(series: Series, *, accept: Collection[str] = ()) -> Volume:
    """Return the volume of a series, its slices in order along their normal, rows and columns as stored.

    Values are rescaled (slope and intercept, frame by frame where they differ) and stay integers where the rescale
    is whole. Padded voxels take the lowest value measured. In pictures without a physical unit MONOCHROME1 is
    turned so that more is brighter; CT, MR, PET and NM keep their values. Colour comes as (3, slice, row, column).
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
    affine = series.affine or _flat(series.frames[0])
    header = series.frames[0].header
    if voxels.ndim == 3 and series.affine is not None:
        if any(flaw.accept in ("gaps", "uneven") for flaw in series.flaws):
            voxels = even_out(voxels, series.offsets)
        if any(flaw.accept == "tilt" for flaw in series.flaws):
            voxels, affine = upright(voxels, affine)
    return Volume(
        voxels=voxels, affine=affine, unit=_unit(header), modality=series.modality,
        is_planar=series.affine is None and voxels.shape[-3] == 1,
    )  # fmt: skip


def _check(series: Series, accept: Collection[str]) -> None:
    known = {"tilt", "gaps", "duplicates", "uneven", "localiser", "truncated"}
    unknown = sorted(set(accept) - known)
    if unknown:
        raise SeriesError(f"Nothing is called {unknown[0]!r} among what can be accepted: {', '.join(sorted(known))}.")
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
    try:
        if first.integer(tags.SAMPLES, 1) == 3 or first.text(tags.PHOTOMETRIC) == "PALETTE COLOR":
            colours = np.empty((3, len(frames), *frames[0].shape), dtype=np.uint8)
            for index, picture in enumerate(pictures(frames)):
                colours[:, index] = np.moveaxis(_byte(picture), -1, 0)
            return colours
        return _read_grey(frames)
    except OSError as error:
        raise FileError(f"A file of the series cannot be read ({error.strerror}). Scan the folder again.") from error


def _byte(picture: Picture) -> Picture:
    if picture.ndim != 3 or picture.shape[-1] != 3:
        raise FileError("A colour picture does not decode to three channels. Copy the file again from its source.")
    return picture if picture.dtype == np.uint8 else (picture >> 8).astype(np.uint8)


def _read_grey(frames: Sequence[Frame]) -> npt.NDArray[np.generic]:
    inverted = _is_inverted(frames[0].header)
    voxels = np.empty((len(frames), *frames[0].shape), dtype=_target(frames))
    padded: list[tuple[int, npt.NDArray[np.intp]]] = []
    lowest = np.inf
    for index, (frame, picture) in enumerate(zip(frames, pictures(frames), strict=True)):
        padding = _padding(picture, frame.header)
        values = _top(frame.header) - picture if inverted else picture
        if voxels.dtype == np.int16 and not _fits(values, frame):
            voxels = voxels.astype(np.int32)
        _rescale(values, frame, out=voxels[index])
        if padding is not None:
            padded.append((index, np.flatnonzero(padding)))
            if not padding.all():
                lowest = min(lowest, voxels[index][~padding].min())
        elif len(padded) or _has_padding(frame.header):
            lowest = min(lowest, voxels[index].min())
    for index, places in padded:
        if np.isfinite(lowest):
            voxels[index].reshape(-1)[places] = lowest
    return voxels


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
    slopes, intercepts = {f.rescale[0] for f in frames}, {f.rescale[1] for f in frames}
    if not all(float(value).is_integer() for value in slopes | intercepts):
        return np.dtype(np.float32)
    header = frames[0].header
    low, high = _stored_range(header)
    if slopes == {1.0} and intercepts == {0.0}:
        size = header.integer(tags.BITS_ALLOCATED) // 8 or 1
        return np.dtype(f"{'i' if is_signed(header) else 'u'}{size}")
    ends = [slope * end + intercept for slope in slopes for intercept in intercepts for end in (low, high)]
    if slopes == {1.0} and header.integer(tags.BITS_ALLOCATED) == 16:
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


def _has_padding(header: Header) -> bool:
    return tags.PADDING in header.values


def _padding(picture: Picture, header: Header) -> npt.NDArray[np.bool_] | None:
    """Return where nothing was measured, by the header's padding value and its limit (PS3.3 C.7.5.1.1.2)."""
    if not _has_padding(header):
        return None
    value = _signed(header.integer(tags.PADDING), header)
    limit = _signed(header.integer(tags.PADDING_LIMIT, header.integer(tags.PADDING)), header)
    found = (picture >= min(value, limit)) & (picture <= max(value, limit)) if limit != value else picture == value
    return found if found.any() else None


def _signed(value: int, header: Header) -> int:
    return value - (1 << 16) if is_signed(header) and value >= 1 << 15 else value


def _unit(header: Header) -> str:
    modality, kind = header.text(tags.MODALITY), header.text(tags.RESCALE_TYPE).upper()
    if modality == "CT" and kind in ("", "HU"):
        return "HU"
    if modality == "PT" and header.text(tags.PET_UNITS).upper() == "BQML":
        return "Bq/ml"
    return "1"


def _flat(frame: Frame) -> Affine:
    """Return the grid of a picture without place: millimetres of the detector, turned by what the header says."""
    named = [_DIRECTIONS.get(part[:1]) for part in frame.header.texts(tags.PATIENT_ORIENTATION)]
    column, row = (named[0], named[1]) if len(named) == 2 and named[0] and named[1] else ((1, 0, 0), (0, 1, 0))
    if not np.any(np.cross(column, row)):
        column, row = (1, 0, 0), (0, 1, 0)
    between_rows, between_columns = frame.spacing or (1.0, 1.0)
    return Affine.from_parts(
        origin=(0.0, 0.0, 0.0),
        directions=np.stack([np.cross(column, row), row, column], axis=1),
        spacing=(1.0, between_rows, between_columns),
    )
