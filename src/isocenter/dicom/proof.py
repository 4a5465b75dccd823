"""Is what was written what was found? A segmentation is decoded again and held against its mask.

Nothing of the encoder is used: pydicom unpacks the bits, and each pixel is carried to LPS mm by its own frame's
position, orientation and spacing, without any grid.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from isocenter.dicom.seg.frames import read_segmentation
from isocenter.errors import ProofError
from isocenter.image import Mask
from isocenter.result import Check

CENTROID_LIMIT_MM = 0.1
"""How far a structure's centroid may lie from where it was found: a hundredth of what a reader can see."""

VOLUME_LIMIT_VOXELS = 1
"""By how many voxels a structure's volume may differ."""

_ONE_VOXEL = f"{VOLUME_LIMIT_VOXELS} voxel"


@dataclass(slots=True, eq=False)
class _Tally:
    """How many voxels of each label there are, and the sum of their positions.

    Args:
        counts: (label,) voxels.
        sums: (label, 3) positions summed up.
        agreed: (label,) voxels that the mask has at the same place.
    """

    counts: npt.NDArray[np.int64]
    sums: npt.NDArray[np.float64]
    agreed: npt.NDArray[np.int64]

    def centroid(self, number: int) -> npt.NDArray[np.float64]:
        return np.asarray(self.sums[number] / self.counts[number])


def prove_seg(path: Path, mask: Mask) -> tuple[Check, ...]:
    """Return what was compared: side, centroid, volume and place of each structure, in the table's order.

    Segment n stands for the n-th label of the mask's table.

    Args:
        path: The written object.
        mask: What it was made of.

    Raises:
        FileError: The object cannot be read again.
        ProofError: A structure lies elsewhere, is larger or smaller, or is missing; says by how much.
    """
    written, found = _written(path, mask), _found(mask)
    checks = tuple(check for number in range(len(mask.table)) for check in _checks(mask, number, written, found))
    failed = [f"{check.name}: {check.figure} (limit {check.limit})" for check in checks if not check.held]
    if failed:
        raise ProofError(f"The segmentation as written is not the mask as found. {'; '.join(failed[:6])}.")
    return checks


def _empty(mask: Mask) -> _Tally:
    count = len(mask.table)
    return _Tally(np.zeros(count, dtype=np.int64), np.zeros((count, 3)), np.zeros(count, dtype=np.int64))


def _written(path: Path, mask: Mask) -> _Tally:
    """Return what the object's frames hold, by segment.

    Raises:
        ProofError: More or fewer segments than labels.
    """
    read = read_segmentation(path)
    if len(read.labels) != len(mask.table):
        raise ProofError(f"{len(read.labels)} segments were written for {len(mask.table)} structures.")
    tally = _empty(mask)
    values = [label.value for label in mask.table]
    for frame, pixels in zip(read.frames, read.pixels(), strict=True):
        number = frame.segment - 1
        points = frame.plane.to_world(np.argwhere(pixels))
        tally.counts[number] += len(points)
        tally.sums[number] += points.sum(axis=0)
        tally.agreed[number] += _count_at(mask, points, values[number])
    return tally


def _count_at(mask: Mask, points: npt.NDArray[np.float64], value: int) -> int:
    """Return how many of the points fall on voxels of that label."""
    index = np.rint(mask.affine.to_index(points)).astype(int)
    index = index[((index >= 0) & (index < mask.shape)).all(axis=1)]
    return int(np.count_nonzero(mask.labels[tuple(index.T)] == value))


def _found(mask: Mask) -> _Tally:
    """Return what the mask holds, by label, in one pass over its slices."""
    numbers = np.zeros(65536, dtype=np.intp)
    numbers[[label.value for label in mask.table]] = np.arange(1, len(mask.table) + 1)
    tally = _empty(mask)
    for level, plane in enumerate(mask.labels):
        rows, columns = np.nonzero(plane)
        which = numbers[plane[rows, columns]]
        index = np.stack([np.full_like(rows, level), rows, columns], axis=1)
        points = mask.affine.to_world(index)
        size = len(mask.table) + 1
        tally.counts += np.bincount(which, minlength=size)[1:]
        for axis in range(3):
            tally.sums[:, axis] += np.bincount(which, weights=points[:, axis], minlength=size)[1:]
    return tally


def _checks(mask: Mask, number: int, written: _Tally, found: _Tally) -> list[Check]:
    """Return what is said of one structure; of one that is nowhere, its volume alone."""
    name = mask.table.labels[number].name
    count, wanted_count = int(written.counts[number]), int(found.counts[number])
    more = count - wanted_count
    # a structure of one voxel must not vanish within the limit
    held = abs(more) <= VOLUME_LIMIT_VOXELS and bool(count) == bool(wanted_count)
    checks = [_check(f"{name}: volume", held, f"{more:+d} voxels", _ONE_VOXEL)]
    if not (count and wanted_count):
        return checks
    here, there = written.centroid(number), found.centroid(number)
    off = float(np.linalg.norm(here - there))
    side, wanted = _side(mask, here), _side(mask, there)
    astray = int(written.counts[number] - written.agreed[number])
    return [
        # on the middle itself the last digit decides; what counts is told by the centroid then
        _check(f"{name}: side", side == wanted or off <= CENTROID_LIMIT_MM, side, wanted),
        _check(f"{name}: centroid", off <= CENTROID_LIMIT_MM, f"{off:.3f} mm off", f"{CENTROID_LIMIT_MM} mm"),
        *checks,
        _check(f"{name}: place", astray <= VOLUME_LIMIT_VOXELS, f"{astray} voxels elsewhere", _ONE_VOXEL),
    ]


def _check(name: str, held: bool, figure: str, limit: str) -> Check:
    return Check(name=name, held=held, figure=figure, limit=limit)


def _side(mask: Mask, point: npt.NDArray[np.float64]) -> str:
    """Return on which side of the image's middle a point lies: LPS x grows to the patient's left."""
    middle = mask.affine.to_world((np.asarray(mask.shape) - 1) / 2)
    return "left of the middle" if point[0] > middle[0] else "right of the middle"
