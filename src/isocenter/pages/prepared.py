"""A prepared data set as a page: what each step changed, and pictures before and after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from isocenter.image import Volume
from isocenter.pages.figure import PLANES
from isocenter.pages.html import render, save, uri
from isocenter.pages.sheet import contact_sheet
from isocenter.pages.words import say

Frame = npt.NDArray[Any]

_EDGE = 240  # pixels of a square of the sheet
_ENDS = (0.5, 99.5)  # percentiles of all frames of a sheet that are black and white
_SQUARE = 0.01  # of a step: pixels that are no further from square are shown as they are


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureRow:
    """One figure of one step over all cases."""

    role: str
    step: str
    figure: str
    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedPage:
    """What the page tells.

    Args:
        name, version, origin: Of the new version, and the id of the one that it was made from.
        cases, lost: How many there are, and how many have lost a structure.
        rows: What each step changed.
        pairs: By role, frames before and after: see frames.
    """

    name: str
    version: str
    origin: str
    cases: int
    lost: int
    rows: tuple[FigureRow, ...]
    pairs: Mapping[str, Sequence[tuple[Frame, Frame]]]


def write_prepared(page: PreparedPage, path: Path, *, lang: str) -> None:
    """Write the page as one HTML file; it appears whole or not at all.

    Raises:
        NotFoundError: No such language.
        StoreError: The folder cannot be written to, or the disk is full.
    """
    sheets = [
        {"role": role, "shown": len(pairs), "before": _sheet([one for one, _ in pairs]),
         "after": _sheet([other for _, other in pairs])}
        for role, pairs in page.pairs.items()
    ]  # fmt: skip
    title = f"{say('restored.kicker', lang=lang)} {page.name}"
    values = {"page": page, "sheets": sheets, "title": title}
    save(render(Path(__file__).with_name("prepared.html"), values, lang=lang), path)


def frames(before: Volume, after: Volume) -> tuple[Frame, Frame]:
    """Return one slice of a volume before and after, (row, column) or (row, column, 3), its pixels square.

    It is the slice through the middle of the volume after, as it lies in the body; a stack is shown as an axial plane.
    """
    if after.is_planar:
        return _flat(before, 0), _flat(after, 0)
    one, other = (volume.oriented(PLANES["axial"]) for volume in (before, after))
    middle = (np.asarray(other.shape) - 1) / 2
    place = int(np.rint(one.affine.to_index(other.affine.to_world(np.floor(middle))))[0])
    return _flat(one, int(np.clip(place, 0, one.shape[0] - 1))), _flat(other, int(middle[0]))


def _flat(volume: Volume, index: int) -> Frame:
    plane = np.asarray(volume.voxels[..., index, :, :], dtype=np.float32)
    plane = np.moveaxis(plane, 0, -1) if volume.channels == 3 else plane
    _, row_mm, column_mm = volume.affine.spacing
    if not volume.has_size or abs(row_mm / column_mm - 1) <= _SQUARE:
        return plane
    finest = min(row_mm, column_mm)
    zoom = (row_mm / finest, column_mm / finest, *(1,) * (plane.ndim - 2))
    return np.asarray(ndimage.zoom(plane, zoom, order=1))


def _sheet(shown: Sequence[Frame]) -> str:
    low, high = np.percentile(np.concatenate([frame.reshape(-1) for frame in shown]), _ENDS)
    large = [_enlarged(frame) for frame in shown]
    return uri(contact_sheet(large, columns=4, edge=_EDGE, span=(float(low), float(high))))


def _enlarged(frame: Frame) -> Frame:
    """Return a small frame with each pixel as a square of several: nothing is smoothed that a step has left rough."""
    times = max(1, _EDGE // max(frame.shape[:2]))
    return frame.repeat(times, axis=0).repeat(times, axis=1)
