"""A made-up image of the kind that a model reads: for measuring, where nobody has named a real one."""

import numpy as np
import numpy.typing as npt

from isocenter.image import Affine, Volume
from isocenter.recipe import Channel, Plan

_WINDOWS = 2  # along each axis: enough that windows overlap in every direction


def made_up(plan: Plan, *, rng: np.random.Generator) -> dict[str, Volume]:
    """Return one volume a role: a noisy ellipsoid with smaller ones inside, on the plan's own grid.

    A stack is twice the patch along each axis, a picture for a model of whole images as large as the patch.

    Args:
        plan: Whose roles, grid, modality and range of values it has.
        rng: Of the noise.
    """
    whole = plan.goal.answers  # a network that answers for the whole image is shown one patch
    times = 1 if whole else _WINDOWS
    is_planar = plan.dimensions == "2-D"
    shape = tuple(1 if is_planar and axis == 0 else times * edge for axis, edge in enumerate(plan.patch))
    inside = _shapes(shape)
    return {channel.role: _volume(channel, plan, inside=inside, rng=rng) for channel in plan.channels}


def _shapes(shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Return how dense each voxel is, 0 to 1: nothing around, a body, three things in it."""
    lines = [np.linspace(-1, 1, n) if n > 1 else np.zeros(1) for n in shape]
    axes = np.meshgrid(*lines, indexing="ij", sparse=True)
    dense = np.zeros(shape, dtype=np.float32)
    for middle, radius, value in ((0.0, 0.85, 0.4), (-0.3, 0.3, 0.9), (0.25, 0.25, 0.7), (0.45, 0.12, 0.55)):
        away = np.asarray(sum((axis - middle) ** 2 for axis in axes))
        dense[away < radius**2] = value
    return dense


def _volume(channel: Channel, plan: Plan, *, inside: npt.NDArray[np.float32], rng: np.random.Generator) -> Volume:
    is_planar = plan.dimensions == "2-D"
    is_hu = channel.unit == "HU"
    low, high = (-1000.0, 1000.0) if is_hu else (0.0, 255.0)
    values = low + (high - low) * inside + rng.normal(0.0, 0.01 * (high - low), inside.shape) * (inside > 0)
    voxels = np.clip(np.rint(values), low, high).astype(np.int16 if is_hu or not is_planar else np.uint8)
    s, r, c = plan.spacing_mm
    affine = Affine.from_parts(origin=(0, 0, 0), directions=np.eye(3)[:, ::-1], spacing=(1.0 if is_planar else s, r, c))
    if channel.colours == 3:
        voxels = np.stack([voxels] * 3)
    return Volume(voxels=voxels, affine=affine, unit=channel.unit, modality=channel.modality, is_planar=is_planar,
                  has_size=channel.has_size)  # fmt: skip
