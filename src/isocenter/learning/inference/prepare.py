"""A case becomes a tensor on the network's grid, and the network's answer comes back onto the case's own grid."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from isocenter.errors import InputError
from isocenter.image import Affine, LabelTable, Mask, Volume, resample_mask, resample_volume, spaced
from isocenter.recipe import Plan, Scaling

# 1 %: over 100 voxels it moves an edge by half a voxel at each end, while resampling blurs every one of them
SAME_SPACING = 0.01
# a case whose darkest value fills more than this is padded or masked; its padding says nothing of its tissue
_PADDED = 0.25
_SLAB_VOXELS = 16_000_000  # of restored labels at once: 64 MB for each float32 array that resampling holds


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """A case as the network sees it: image (channel, s, r, c) float32, and the grid it lies on."""

    image: Tensor
    affine: Affine

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of (slices, rows, columns) of the network's grid."""
        s, r, c = self.image.shape[-3:]
        return int(s), int(r), int(c)


def prepare(volumes: Mapping[str, Volume], *, plan: Plan) -> Prepared:
    """Return a case's volumes laid towards the plan's orientation, on its spacing, scaled, stacked by channel.

    The grid is the first channel's box; the other volumes are resampled onto it.

    Raises:
        InputError: A role that the plan asks for is missing, or a colour volume.
    """
    first = _channel_volume(volumes, plan.channels[0].role).oriented(plan.orientation)
    affine, shape = network_grid(first.affine, shape=first.shape, spacing_mm=plan.spacing_mm)
    image = torch.empty((len(plan.channels), *shape), dtype=torch.float32)
    for place, channel in enumerate(plan.channels):
        volume = _channel_volume(volumes, channel.role).oriented(plan.orientation)
        values = scaled(_on_grid(volume, affine=affine, shape=shape), scaling=channel.scaling)
        image[place] = torch.from_numpy(values)
    return Prepared(image=image, affine=affine)


def prepare_mask(mask: Mask, prepared: Prepared) -> Tensor:
    """Return a mask's label values on the prepared grid, (s, r, c) int32."""
    turned = mask.oriented(prepared.affine.orientation)
    if turned.shape != prepared.shape or not _same(turned.affine, prepared.affine, shape=prepared.shape):
        turned = resample_mask(mask, affine=prepared.affine, shape=prepared.shape)
    return torch.from_numpy(turned.labels.astype(np.int32))


def restore(labels: npt.NDArray[np.integer], prepared: Prepared, *, onto: Volume, table: LabelTable) -> Mask:
    """Return label values (s, r, c) on the prepared grid as a mask on a volume's own grid.

    Where the network's grid is the volume's own in another order of axes nothing is interpolated.
    """
    mask = Mask(labels=labels, affine=prepared.affine, table=table)
    turned = mask.oriented(onto.affine.orientation)
    if turned.shape == onto.shape and _same(turned.affine, onto.affine, shape=onto.shape):
        return Mask(labels=turned.labels, affine=onto.affine, table=table)
    whole = np.zeros(onto.shape, dtype=mask.labels.dtype)
    thick = max(1, _SLAB_VOXELS // (onto.shape[1] * onto.shape[2]))
    for first in range(0, onto.shape[0], thick):
        count = min(thick, onto.shape[0] - first)
        grid = onto.affine.shifted((first, 0, 0))
        slab = resample_mask(_within(mask, grid, shape=(count, *onto.shape[1:])), affine=grid,
                             shape=(count, *onto.shape[1:]))  # fmt: skip
        whole[first : first + count] = slab.labels
    return Mask(labels=whole, affine=onto.affine, table=table)


def network_grid(
    affine: Affine, *, shape: Sequence[int], spacing_mm: Sequence[float]
) -> tuple[Affine, tuple[int, ...]]:
    """Return the grid on which a case of that grid is shown to a network; its own where the spacing agrees to 1 %."""
    if np.allclose(affine.spacing, spacing_mm, rtol=SAME_SPACING, atol=0.0):
        return affine, tuple(shape)
    return spaced(affine, shape=shape, spacing_mm=spacing_mm)


def scaled(voxels: npt.NDArray[np.generic], *, scaling: Scaling) -> npt.NDArray[np.float32]:
    """Return values as the network sees them: clipped, shifted, divided; float32, a new array."""
    values = voxels.astype(np.float32)
    low, high, shift, scale = scaling.low, scaling.high, scaling.shift, scaling.scale
    if scaling.kind == "zscore":
        tissue = tissue_values(values)
        low, high = (float(limit) for limit in np.percentile(tissue, (scaling.low, scaling.high)))
        tissue = np.clip(tissue, low, high)
        shift, scale = float(tissue.mean(dtype=np.float64)), float(tissue.std(dtype=np.float64))
    np.clip(values, low, high, out=values)
    values -= np.float32(shift)
    values /= np.float32(scale if scale > 0 else 1.0)
    return values


def tissue_values(values: npt.NDArray[np.float32], *, most: int = 2_000_000) -> npt.NDArray[np.float32]:
    """Return the values to measure an image by, at most about `most`, evenly taken; padding left out."""
    flat = values.reshape(-1)[:: max(1, values.size // most)]
    inside = flat[flat > flat.min()]
    return inside if 0 < inside.size < (1 - _PADDED) * flat.size else flat


def _on_grid(volume: Volume, *, affine: Affine, shape: Sequence[int]) -> npt.NDArray[np.generic]:
    if volume.shape == tuple(shape) and _same(volume.affine, affine, shape=shape):
        return volume.voxels
    corners = np.array(np.meshgrid(*[(0, count - 1) for count in shape])).reshape(3, -1).T
    index = volume.affine.to_index(affine.to_world(corners))
    if (index.max(axis=0) < -0.5).any() or (index.min(axis=0) > np.asarray(volume.shape) - 0.5).any():
        raise InputError(
            "Two volumes that are read together show different places of the body: they do not overlap. Register them, "
            "or give the series of one examination."
        )
    return resample_volume(volume, affine=affine, shape=shape).voxels


def _same(one: Affine, other: Affine, *, shape: Sequence[int]) -> bool:
    # a twentieth of a voxel moves no outline that can be seen
    return one.is_close(other, shape=shape, tolerance_mm=0.05 * min(other.spacing))


def _within(mask: Mask, grid: Affine, *, shape: Sequence[int]) -> Mask:
    """Return the part of a mask that a grid's box touches, so that a slab costs what a slab holds."""
    # two voxels for the interpolation, four steps of the grid for the blur where it is coarser than the mask
    wider = 2 + 4 * math.ceil(max(grid.spacing) / min(mask.affine.spacing))
    corners = np.array(np.meshgrid(*[(-0.5, count - 0.5) for count in shape])).reshape(3, -1).T
    index = mask.affine.to_index(grid.to_world(corners))
    low = np.clip(np.floor(index.min(axis=0)).astype(int) - wider, 0, np.array(mask.shape) - 1)
    high = np.clip(np.ceil(index.max(axis=0)).astype(int) + wider + 1, low + 1, mask.shape)
    part = mask.labels[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
    return Mask(labels=part, affine=mask.affine.shifted(low.tolist()), table=mask.table)


def _channel_volume(volumes: Mapping[str, Volume], role: str) -> Volume:
    volume = volumes.get(role)
    if volume is None:
        raise InputError(
            f"The network wants a volume in the role {role!r}; this case has {', '.join(sorted(volumes))}. "
            "Give the case that volume, or train on the roles that every case has (tasks.volumes)."
        )
    if volume.channels != 1:
        raise InputError(f"The volume in the role {role!r} is in colour; segmentation reads grey values.")
    return volume
