"""From a mask to findings: size, place and parts of each structure."""

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from isocenter.errors import ProofError
from isocenter.image import Affine, Code, LabelTable, Mask
from isocenter.result.report import Finding
from isocenter.result.score import Score

_OF_PICTURES = ("mm²", "pixels")  # units of a structure's size in a picture, which has no third axis
_UNKNOWN = ("pixels", "voxels")  # where nobody knows how large one is
_TOUCHING = np.ones((3, 3, 3), dtype=bool)  # voxels that share a corner are one part


def measure(
    mask: Mask, *, volumes: Sequence[Score], voxel_size: tuple[float, str] | None = None
) -> tuple[Finding, ...]:
    """Return a finding for each label and region of the mask's table, also for those of which nothing was outlined.

    Args:
        mask: On the input's own grid.
        volumes: Size of each structure with its interval, as the prediction states it: in ml, of a picture in mm².
        voxel_size: How much one voxel is, and in which unit (see Volume.voxel_size); None takes the mask's ml.

    Raises:
        ProofError: A stated volume is not the mask's: the prediction speaks of another mask.
    """
    each, unit = (mask.affine.voxel_ml, "ml") if voxel_size is None else voxel_size
    stated = {score.label: score for score in volumes if score.unit == unit}
    return tuple(_finding(mask, name, stated.get(name), voxel_size=(each, unit)) for name in mask.table.structures)


def _finding(mask: Mask, name: str, stated: Score | None, *, voxel_size: tuple[float, str]) -> Finding:
    inside = mask.binary(name)
    volume = _agreed(name, int(inside.sum()), stated, voxel_size=voxel_size)
    colour, code = _mark(mask.table, name)
    boxes = ndimage.find_objects(inside.view(np.uint8))
    if not boxes:
        return Finding(structure=name, colour=colour, code=code, volume=volume)
    box = boxes[0]
    part = inside[box]
    return Finding(
        structure=name,
        colour=colour,
        code=code,
        volume=volume,
        extent=_extent(part, mask.affine, is_planar=voxel_size[1] in _OF_PICTURES),
        extent_unit=voxel_size[1] if voxel_size[1] in _UNKNOWN else "mm",
        slices=(box[0].start + 1, box[0].stop),
        pieces=int(ndimage.label(part, structure=_TOUCHING)[1]),
        is_cut=_is_cut(box, mask.shape),
    )


def _mark(table: LabelTable, name: str) -> tuple[tuple[int, int, int], Code | None]:
    """Return a structure's colour and code; a region bears the colour of its first label and no code."""
    values = table.structures[name]
    label = next(label for label in table if label.value == values[0])
    return label.colour, label.code if label.name == name else None


def _agreed(name: str, count: int, stated: Score | None, *, voxel_size: tuple[float, str]) -> Score:
    each, unit = voxel_size
    measured = count * each
    if stated is None:
        return Score(name="volume", label=name, value=measured, low=math.nan, high=math.nan, n=1, unit=unit)
    # one voxel, or a thousandth where figures were rounded on their way
    if abs(stated.value - measured) > max(each, 1e-3 * measured):
        raise ProofError(
            f"{name}: the prediction states {stated.value:.3f} {unit}, its mask holds {measured:.3f} {unit}. "
            "The mask is not the one that the prediction speaks of; predict again."
        )
    return stated


def _extent(inside: npt.NDArray[np.bool_], affine: Affine, *, is_planar: bool) -> tuple[float, ...]:
    """Return the outline's size from outer voxel face to outer voxel face.

    Along the patient's axes; of a picture (across, down), since its sides may not be the patient's.
    """
    if is_planar:
        down, across = (np.flatnonzero(inside.any(axis=axes)) for axes in ((0, 2), (0, 1)))
        _, row_mm, column_mm = affine.spacing
        return float((across[-1] - across[0] + 1) * column_mm), float((down[-1] - down[0] + 1) * row_mm)
    steps = affine.matrix[:3, :3]
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for index, plane in enumerate(inside):
        rows, columns = np.nonzero(plane)
        if rows.size:
            places = np.stack([np.full(rows.size, index), rows, columns]).T @ steps.T
            low, high = np.minimum(low, places.min(axis=0)), np.maximum(high, places.max(axis=0))
    x, y, z = high - low + np.abs(steps).sum(axis=1)
    return float(x), float(y), float(z)


def _is_cut(box: tuple[slice, slice, slice], shape: tuple[int, int, int]) -> bool:
    """Return whether a box reaches the image's edge along an axis of more than one slice."""
    return any(size > 1 and (part.start == 0 or part.stop == size) for part, size in zip(box, shape, strict=True))


def overlaps(table: LabelTable) -> bool:
    """Return whether volumes of the table's structures must not be added, since some contain others."""
    sets = [set(values) for values in table.structures.values()]
    return any(a & b for a, b in combinations(sets, 2))
