"""Accepted flaws mended: uneven slices interpolated, a tilted stack sheared back and laid on right angles."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from isocenter.image import Affine, Volume, resample_volume

Voxels = npt.NDArray[np.generic]


def even_out(voxels: Voxels, offsets: Sequence[float]) -> Voxels:
    """Return slices at every whole step, linearly interpolated between the two that lie around.

    Args:
        voxels: (slice, row, column).
        offsets: Where each slice lies, in steps from the first, rising.
    """
    places = np.asarray(offsets)
    wanted = np.arange(int(np.floor(places[-1] + 0.5)) + 1, dtype=np.float64)
    above = np.clip(np.searchsorted(places, wanted, side="left"), 1, len(places) - 1)
    share = np.clip((wanted - places[above - 1]) / (places[above] - places[above - 1]), 0.0, 1.0)
    evened = np.empty((len(wanted), *voxels.shape[1:]), dtype=voxels.dtype)
    for index, (upper, part) in enumerate(zip(above, share, strict=True)):
        mixed = (1.0 - part) * voxels[upper - 1] + part * voxels[upper]
        evened[index] = np.rint(mixed) if voxels.dtype.kind in "iu" else mixed
    return evened


def upright(voxels: Voxels, affine: Affine) -> tuple[Voxels, Affine]:
    """Return a tilted stack on the right-angled grid that holds all of it; outside lies its lowest value.

    Args:
        voxels: (slice, row, column).
        affine: With the true, slanting step between slices.
    """
    steps = affine.matrix[:3, :3]
    row, column = steps[:, 1] / np.linalg.norm(steps[:, 1]), steps[:, 2] / np.linalg.norm(steps[:, 2])
    normal = np.cross(column, row)
    pitch = float(steps[:, 0] @ normal)
    directions = np.stack([normal, row, column], axis=1)
    spacing = np.asarray([pitch, *affine.spacing[1:]])
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in voxels.shape])).reshape(3, -1).T
    inside = (affine.to_world(corners) - affine.origin) @ directions / spacing
    # cosines of a header carry 1e-6 of noise: it must not add a row
    first, last = np.floor(inside.min(axis=0) + 1e-3), np.ceil(inside.max(axis=0) - 1e-3)
    origin = np.asarray(affine.origin) + directions @ (first * spacing)
    grid = Affine.from_parts(origin=origin.tolist(), directions=directions, spacing=spacing.tolist())
    shape = [int(n) for n in last - first + 1]
    evened = sheared(voxels, affine, grid, shape)
    return evened, grid


def sheared(voxels: Voxels, affine: Affine, grid: Affine, shape: Sequence[int]) -> Voxels:
    """Return a tilted stack's values on a right-angled grid of the same planes, slice by slice."""
    lowest = float(voxels.min())
    filled = np.full(tuple(shape), lowest, dtype=voxels.dtype)
    for index in range(voxels.shape[0]):
        origin = affine.to_world([index, 0, 0])
        plane = Affine.from_parts(origin=origin.tolist(), directions=grid.directions, spacing=grid.spacing)
        one = Volume(voxels=voxels[index : index + 1], affine=plane)
        row = grid.shifted([index, 0, 0])
        moved = resample_volume(one, affine=row, shape=(1, *shape[1:]), fill=lowest).voxels[0]
        filled[index] = np.rint(moved) if voxels.dtype.kind in "iu" else moved
    return filled
