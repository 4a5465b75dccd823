"""How well two sets of boxes agree: matched one to one where they overlap enough.

A box is (2, axes): its low corner and its high one, in mm or voxels, on two or three axes; a set is (boxes, 2, axes).
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from isocenter.errors import InputError
from isocenter.metrics.rows import Array, Column


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """Which box of one set is which of the other.

    Args:
        pairs: (matched, 2) places in the first and in the second set.
        overlaps: (matched,) intersection over union of each pair.
        first, second: Boxes in each set.
    """

    pairs: npt.NDArray[np.int64]
    overlaps: Array
    first: int
    second: int

    @property
    def f1(self) -> float:
        """Return twice the matched pairs over the boxes of both, 0 to 1; nan where neither set has a box."""
        both = self.first + self.second
        return 2 * len(self.pairs) / both if both else math.nan

    @property
    def mean_overlap(self) -> float:
        """Return the mean intersection over union of matched pairs; nan without one. It says nothing of the others."""
        return float(self.overlaps.mean()) if len(self.overlaps) else math.nan


def box_overlaps(first: Column, second: Column) -> Array:
    """Return the intersection over union of each box of one set with each of the other, (first, second), 0 to 1.

    Args:
        first, second: (boxes, 2, axes), in one frame and unit. An empty set may have any shape without an element.

    Raises:
        InputError: Another shape, a corner that is no number, or a box without extent along an axis.
    """
    ours, theirs = _boxes(first), _boxes(second)
    if not len(ours) or not len(theirs):
        return np.zeros((len(ours), len(theirs)))
    if ours.shape[1:] != theirs.shape[1:]:
        raise InputError(f"Boxes of {ours.shape[2]} and of {theirs.shape[2]} axes cannot be compared.")
    low = np.maximum(ours[:, None, 0], theirs[None, :, 0])
    high = np.minimum(ours[:, None, 1], theirs[None, :, 1])
    shared = np.clip(high - low, 0, None).prod(-1)
    sizes = [(one[:, 1] - one[:, 0]).prod(-1) for one in (ours, theirs)]
    return np.asarray(shared / (sizes[0][:, None] + sizes[1] - shared))


def match_boxes(first: Column, second: Column, *, least_overlap: float = 0.5) -> Matching:
    """Return the best matching of two sets of boxes: as many pairs as can be, and of these the greatest overlap.

    Neither set is the truth: exchanging them changes nothing. Of two boxes on one finding one stays unmatched.

    Args:
        first, second: As in `box_overlaps`.
        least_overlap: Intersection over union from which on two boxes may be one finding, above 0; small findings in
            three dimensions want less than 0.5.

    Raises:
        InputError: As of `box_overlaps`, or a least overlap that is not above 0 and at most 1.

    Source: optimal assignment, Crouse 2016, IEEE Trans Aerosp Electron Syst 52:1679; Metrics Reloaded (Maier-Hein et
        al. 2024) on matching by overlap.
    """
    if not 0 < least_overlap <= 1:
        raise InputError(f"The least overlap lies above 0 and at most at 1; {least_overlap:g} does not.")
    overlaps = box_overlaps(first, second)
    # 1e-9: an overlap of just the least counts, whatever rounding makes of it
    near = overlaps >= least_overlap - 1e-9
    # one more pair is worth more than all the overlap that it could cost
    worth = np.where(near, min(overlaps.shape) + 1 + overlaps, 0.0)
    rows, columns = linear_sum_assignment(worth, maximize=True)
    kept = near[rows, columns]
    pairs = np.stack([rows[kept], columns[kept]], axis=1).astype(np.int64)
    return Matching(
        pairs=pairs,
        overlaps=overlaps[pairs[:, 0], pairs[:, 1]],
        first=overlaps.shape[0],
        second=overlaps.shape[1],
    )


def _boxes(boxes: Column) -> Array:
    found = np.asarray(boxes, dtype=np.float64)
    if not found.size:
        return np.empty((0, 2, 3))
    if found.ndim != 3 or found.shape[1] != 2:
        raise InputError(f"Boxes have the shape (boxes, 2, axes): low corner, high corner. This one is {found.shape}.")
    if not np.isfinite(found).all():
        raise InputError("A corner of a box is no finite number.")
    flat = np.flatnonzero((found[:, 1] <= found[:, 0]).any(1))
    if len(flat):
        raise InputError(f"Box {flat[0]} has no extent along an axis; its high corner must lie above its low one.")
    return found
