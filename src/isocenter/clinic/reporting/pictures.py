"""Which slices are shown: in each plane the one that shows most, and from end to end of what was found."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from isocenter.image import Mask, Volume
from isocenter.pages.figure import PLANES, Box, View, draw_picture, lay
from isocenter.pages.greys import Greys
from isocenter.result.report import Picture, Plane

_MOST = 9  # pictures from end to end: three rows of three
_MARGIN_MM = 20.0  # round the findings: enough to know the neighbourhood
_LEAST_MM = 80.0  # edge of a cropped picture: below it nobody knows where they are
_NEARLY_ALL = 0.85  # of the whole plane's longer edge: a crop that saves less than the rest only cuts off the skin


def draw_overview(volume: Volume, mask: Mask, *, greys: Greys) -> tuple[Picture, ...]:
    """Return of each plane the slice that shows most of what was found, uncropped.

    A planar picture gives one plane as it is stored; where nothing was found, the middle of the volume is shown.

    Raises:
        GridError: The mask lies on another grid.
    """
    planes: tuple[Plane, ...] = ("picture",) if volume.is_planar else tuple(PLANES)
    views = [lay(volume, mask, plane=plane) for plane in planes]
    return tuple(draw_picture(view, _fullest(view), greys=greys) for view in views)


def draw_series(volume: Volume, mask: Mask, *, greys: Greys) -> tuple[Picture, ...]:
    """Return up to nine slices from end to end of what was found, in the plane that the scanner took.

    Each structure's largest slice is among them as long as there is room. Ordered from the head (or the front, or
    the patient's right) on. None for a planar picture, or where nothing was found.

    Raises:
        GridError: The mask lies on another grid.
    """
    if volume.is_planar or not mask.present:
        return ()
    view = lay(volume, mask, plane=_plane_taken(volume))
    box = _box(view)
    chosen = _spread(view.mask)
    if view.plane == "axial":
        chosen = chosen[::-1]  # the way a reader scrolls: from the head down
    return tuple(draw_picture(view, index, greys=greys, box=box) for index in chosen)


def _plane_taken(volume: Volume) -> Plane:
    """Return the plane across the coarsest axis; axial where all are alike."""
    spacing = volume.affine.spacing
    if max(spacing) < 1.1 * min(spacing):
        return "axial"
    letter = volume.affine.orientation[int(np.argmax(spacing))]
    return "axial" if letter in "IS" else "coronal" if letter in "AP" else "sagittal"


def _fullest(view: View) -> int:
    """Return the plane that shows the most structures, and of such planes the one that shows most of them."""
    if not view.mask.present:
        return len(view.mask.labels) // 2
    values = list(view.mask.present)
    shown = [np.bincount(plane.reshape(-1), minlength=values[-1] + 1)[values] for plane in view.mask.labels]
    ranks = [(int((areas > 0).sum()), int(areas.sum())) for areas in shown]
    return ranks.index(max(ranks))


def _counts(labels: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    return np.array([np.count_nonzero(plane) for plane in labels])


def _spread(mask: Mask) -> list[int]:
    """Return up to nine planes: both ends of what was found, each structure's largest, then into the widest gaps."""
    there = np.flatnonzero(_counts(mask.labels))
    largest = [int(np.argmax(_counts(mask.labels == value))) for value in mask.present]
    chosen = list(dict.fromkeys([int(there[0]), int(there[-1]), *largest]))[:_MOST]
    while len(chosen) < min(_MOST, len(there)):
        nearest = np.abs(there[:, None] - np.array(chosen)).min(axis=1)
        chosen.append(int(there[np.argmax(nearest)]))
    return sorted(chosen)


def _box(view: View) -> Box:
    """Return rows and columns round everything found, the same for all planes."""
    found = np.zeros(view.mask.shape[1:], dtype=bool)
    for plane in view.mask.labels:
        found |= plane > 0
    spacing = view.volume.affine.spacing[1:]
    rows, columns = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
    edge_mm = max(_LEAST_MM, *(_edge_mm(ends, mm) for ends, mm in zip((rows, columns), spacing, strict=True)))
    if edge_mm > _NEARLY_ALL * max(count * mm for count, mm in zip(found.shape, spacing, strict=True)):
        return slice(None), slice(None)
    return (
        _part(rows, count=found.shape[0], edge=round(edge_mm / spacing[0])),
        _part(columns, count=found.shape[1], edge=round(edge_mm / spacing[1])),
    )


def _edge_mm(ends: npt.NDArray[np.integer], step_mm: float) -> float:
    return float((ends[-1] - ends[0] + 1) * step_mm + 2 * _MARGIN_MM)


def _part(ends: npt.NDArray[np.integer] | Sequence[int], *, count: int, edge: int) -> slice:
    """Return a stretch of that length round the ends' middle, moved inside 0..count."""
    edge = min(edge, count)
    start = int(np.clip((int(ends[0]) + int(ends[-1]) + 1 - edge) // 2, 0, count - edge))
    return slice(start, start + edge)
