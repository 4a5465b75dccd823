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

_TOUCHING = np.ones((3, 3, 3), dtype=bool)  # voxels that share a corner are one part


def measure(mask: Mask, *, volumes: Sequence[Score]) -> tuple[Finding, ...]:
    """Return a finding for each label and region of the mask's table, also for those of which nothing was outlined.

    Args:
        mask: On the input's own grid.
        volumes: Volume of each structure in ml with its interval, as the prediction states it.

    Raises:
        ProofError: A stated volume is not the mask's: the prediction speaks of another mask.
    """
    stated = {score.label: score for score in volumes if score.unit == "ml"}
    return tuple(_finding(mask, name, stated.get(name)) for name in mask.table.structures)


def _finding(mask: Mask, name: str, stated: Score | None) -> Finding:
    inside = mask.binary(name)
    volume = _agreed(mask, name, int(inside.sum()), stated)
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
        extent_mm=_extent_mm(part, mask.affine),
        slices=(box[0].start + 1, box[0].stop),
        pieces=int(ndimage.label(part, structure=_TOUCHING)[1]),
        is_cut=_is_cut(box, mask.shape),
    )


def _mark(table: LabelTable, name: str) -> tuple[tuple[int, int, int], Code | None]:
    """Return a structure's colour and code; a region bears the colour of its first label and no code."""
    values = table.structures[name]
    label = next(label for label in table if label.value == values[0])
    return label.colour, label.code if label.name == name else None


def _agreed(mask: Mask, name: str, count: int, stated: Score | None) -> Score:
    measured = count * mask.affine.voxel_ml
    if stated is None:
        return Score(name="volume", label=name, value=measured, low=math.nan, high=math.nan, n=1, unit="ml")
    # one voxel, or a thousandth where figures were rounded on their way
    if abs(stated.value - measured) > max(mask.affine.voxel_ml, 1e-3 * measured):
        raise ProofError(
            f"{name}: the prediction states {stated.value:.3f} ml, its mask holds {measured:.3f} ml. "
            "The mask is not the one that the prediction speaks of; predict again."
        )
    return stated


def _extent_mm(inside: npt.NDArray[np.bool_], affine: Affine) -> tuple[float, float, float]:
    """Return the outline's size along the patient's axes, from outer voxel face to outer voxel face."""
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
