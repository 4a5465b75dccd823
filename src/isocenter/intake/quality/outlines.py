"""What an outline is like, in figures: how large, in how many parts, with which holes, whether it follows the image."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_erosion, binary_fill_holes, find_objects, gaussian_gradient_magnitude, label

from isocenter.image import Mask, Volume

_AROUND = 3  # voxels around an outline that are looked at with it
_FRAGMENT = 0.02  # of a structure: smaller parts are called fragments

Bits = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlineFigures:
    """One structure of one case in figures.

    Args:
        where: Case, and its reader where it has several.
        structure: Its name.
        values: Name of a figure to its value.
        centre: Of its voxels, in LPS mm from the middle of the image.
    """

    where: str
    structure: str
    values: Mapping[str, float]
    centre: npt.NDArray[np.float64]


def outlines_of(mask: Mask, volume: Volume, *, where: str) -> list[OutlineFigures]:
    """Return every structure of a mask in figures.

    Args:
        mask: On the volume's grid.
        volume: That was outlined.
        where: What findings call it.
    """
    grey = volume.voxels if volume.voxels.ndim == 3 else volume.voxels.mean(axis=0)
    boxes, found = find_objects(mask.labels), list[OutlineFigures]()
    for one in mask.table:
        box = boxes[one.value - 1] if one.value <= len(boxes) else None
        if box is None:
            continue
        wide = tuple(slice(max(0, side.start - _AROUND), side.stop + _AROUND) for side in box)
        inside = mask.labels[wide] == one.value
        middle = np.argwhere(inside).mean(axis=0) + [side.start for side in wide]
        values = _values(inside, grey[wide].astype(np.float32), volume)
        centre = mask.affine.to_world(middle) - mask.affine.to_world((np.array(mask.shape) - 1) / 2)
        found.append(OutlineFigures(where=where, structure=one.name, values=values, centre=centre))
    return found


def _values(inside: Bits, grey: npt.NDArray[np.float32], volume: Volume) -> dict[str, float]:
    parts = np.bincount(label(inside)[0].ravel())[1:]
    return {
        "size": float(inside.sum() * volume.voxel_size[0]),
        "fragments": float((parts < _FRAGMENT * parts.sum()).sum()),
        "holes": float(1 - inside.sum() / _filled(inside).sum()),
        "gaps": _gaps(inside),
        "corners": _corners(inside),
        "rim": float((inside & ~_worn(inside)).sum() / np.sqrt(inside.sum())),
        "edge": _edge(inside, grey),
        "inside": _contrast(inside, grey),
    }


def _gaps(inside: Bits) -> float:
    """Return the share of slices that show nothing of a structure, between others that do."""
    shown: Bits = np.asarray(inside.any(axis=(1, 2)))
    between = np.logical_or.accumulate(shown) & np.logical_or.accumulate(shown[::-1])[::-1]
    return float((between & ~shown).sum() / between.sum())


def _corners(inside: Bits) -> float:
    """Return how much of the rectangles around it, slice by slice, a structure fills: 1 is a box."""
    sides: tuple[Bits, Bits] = np.asarray(inside.any(axis=2)), np.asarray(inside.any(axis=1))
    spans = [one.shape[1] - np.argmax(one, axis=1) - np.argmax(one[:, ::-1], axis=1) for one in sides]
    around = (spans[0] * spans[1])[inside.any(axis=(1, 2))].sum()
    return float(inside.sum() / around)


def _filled(inside: Bits) -> Bits:
    """Return a structure with its holes filled, slice by slice: an inside that is open in no slice is no inside."""
    return np.stack([binary_fill_holes(one) for one in inside])


def _edge(inside: Bits, grey: npt.NDArray[np.float32]) -> float:
    """Return how steep the image is along the outline, as times of how steep it is around it."""
    rim = inside & ~_worn(inside)
    steep = np.stack([gaussian_gradient_magnitude(one, 1.0) for one in grey])
    around = float(steep.mean())
    return float(steep[rim].mean()) / around if around > 0 else 0.0


def _contrast(inside: Bits, grey: npt.NDArray[np.float32]) -> float:
    """Return how much lighter the inside is than what lies around it, in deviations of both together."""
    outside, deviation = ~inside, float(grey.std())
    if not outside.any() or deviation == 0:
        return 0.0
    return float(grey[inside].mean() - grey[outside].mean()) / deviation


def _worn(inside: Bits) -> Bits:
    return np.stack([binary_erosion(one) for one in inside])
