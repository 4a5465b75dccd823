"""A case becomes a tensor on the network's grid, and the network's answer comes back onto the case's own grid."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from isocenter.errors import InputError
from isocenter.image import Affine, LabelTable, Mask, Volume, resample_mask, resample_volume, spaced
from isocenter.learning.inference.room import require_room
from isocenter.recipe import Channel, Plan, Scaling

# 1 %: over 100 voxels it moves an edge by half a voxel at each end, while resampling blurs every one of them
SAME_SPACING = 0.01
# a case whose darkest value fills more than this is padded or masked; its padding says nothing of its tissue
_PADDED = 0.25
_SLAB_VOXELS = 16_000_000  # of restored labels at once: 64 MB for each float32 array that resampling holds


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """A case as the network sees it: image (plane, s, r, c) float32, and the grid it lies on.

    Args:
        by_pixels: A step of the grid is a pixel, whatever its size: the affine's millimetres mean nothing.
        darkest: What the lowest value of each plane's whole volume is shown as, (plane,), where only its middle is
            here; None else.
    """

    image: Tensor
    affine: Affine
    by_pixels: bool = False
    darkest: Tensor | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of (slices, rows, columns) of the network's grid."""
        s, r, c = self.image.shape[-3:]
        return int(s), int(r), int(c)


def prepare(volumes: Mapping[str, Volume], *, plan: Plan, middle: Sequence[int] | None = None) -> Prepared:
    """Return a case's volumes laid towards the plan's orientation, on its spacing, scaled, stacked by channel.

    The grid is the first channel's box; the other volumes are resampled onto it. A channel in colour is three planes.

    Args:
        volumes: By role.
        plan: That says how.
        middle: At most so many (slices, rows, columns) around the centre; only what they need is resampled, while
            values are scaled by the whole volume. None takes the whole box.

    Raises:
        InputError: A role that the plan asks for is missing, a colour volume where the plan reads grey values, or
            more voxels than there is memory for.
    """
    laid = [laid_volume(volumes, channel, plan=plan) for channel in plan.channels]
    first = laid[0]
    affine, shape = network_grid(first.affine, shape=first.shape, spacing_mm=plan.spacing_mm)
    if middle is not None:
        affine, shape = _middle(affine, shape=shape, most=middle)
    # one channel is resampled and scaled while the others lie there: two copies of it, four bytes a value
    require_room(4 * (plan.inputs + 2 * max(one.colours for one in plan.channels)) * math.prod(shape), shape=shape)
    image = torch.empty((plan.inputs, *shape), dtype=torch.float32)
    darkest = None if middle is None else torch.empty(plan.inputs)
    place = 0
    for channel, volume in zip(plan.channels, laid, strict=True):
        scaling = channel.scaling if middle is None else _measured(volume.voxels, scaling=channel.scaling)
        shown = planes(_on_grid(volume, affine=affine, shape=shape), channel)
        these = slice(place, place + channel.colours)
        image[these] = torch.from_numpy(scaled(shown, scaling=scaling))
        if darkest is not None:
            lowest = np.atleast_1d(volume.voxels.min(axis=(-3, -2, -1)))
            darkest[these] = torch.from_numpy(scaled(lowest, scaling=scaling))
        place += channel.colours
    return Prepared(image=image, affine=affine, by_pixels=not plan.channels[0].has_size, darkest=darkest)


def laid_volume(volumes: Mapping[str, Volume], channel: Channel, *, plan: Plan) -> Volume:
    """Return the volume of a channel, a stack with its axes laid towards the plan's orientation, a picture as stored.

    Where the model has learnt pixel by pixel its affine has steps of 1 mm for pixels.

    Raises:
        InputError: There is none in that role, or one in colour where the channel is grey.
    """
    volume = _channel_volume(volumes, channel)
    if not channel.has_size:
        volume = replace(volume, affine=_by_pixels(volume.affine), has_size=False)
    return volume if volume.is_planar else volume.oriented(plan.orientation)


def planes(volume: Volume, channel: Channel) -> npt.NDArray[np.generic]:
    """Return a volume's values as a channel shows them, (colours, s, r, c): a grey one thrice to one in colour."""
    if volume.channels == channel.colours == 3:
        return volume.voxels
    return np.broadcast_to(volume.voxels, (channel.colours, *volume.shape))


def prepare_mask(mask: Mask, prepared: Prepared) -> Tensor:
    """Return a mask's label values on the prepared grid, (s, r, c) int32."""
    if prepared.by_pixels:
        mask = Mask(labels=mask.labels, affine=_by_pixels(mask.affine), table=mask.table)
    turned = mask.oriented(prepared.affine.orientation)
    if turned.shape != prepared.shape or not _same(turned.affine, prepared.affine, shape=prepared.shape):
        turned = resample_mask(mask, affine=prepared.affine, shape=prepared.shape)
    return torch.from_numpy(turned.labels.astype(np.int32))


def restore(labels: npt.NDArray[np.integer], prepared: Prepared, *, onto: Volume, table: LabelTable) -> Mask:
    """Return label values (s, r, c) on the prepared grid as a mask on a volume's own grid.

    Where the network's grid is the volume's own in another order of axes nothing is interpolated.
    """
    if prepared.by_pixels:
        unsized = replace(onto, affine=_by_pixels(onto.affine))
        found = restore(labels, replace(prepared, by_pixels=False), onto=unsized, table=table)
        return Mask(labels=found.labels, affine=onto.affine, table=table)
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
    known = _measured(values, scaling=scaling)
    np.clip(values, known.low, known.high, out=values)
    values -= np.float32(known.shift)
    values /= np.float32(known.scale if known.scale > 0 else 1.0)
    return values


def _measured(values: npt.NDArray[np.generic], *, scaling: Scaling) -> Scaling:
    """Return a scaling whose figures are known: one that goes by each case is measured on these values."""
    if scaling.kind != "zscore":
        return scaling
    tissue = tissue_values(values)
    low, high = (float(limit) for limit in np.percentile(tissue, (scaling.low, scaling.high)))
    tissue = np.clip(tissue, low, high)
    shift, scale = float(tissue.mean(dtype=np.float64)), float(tissue.std(dtype=np.float64))
    return Scaling(kind="unit", low=low, high=high, shift=shift, scale=scale)


def tissue_values(values: npt.NDArray[np.generic], *, most: int = 2_000_000) -> npt.NDArray[np.float32]:
    """Return the values to measure an image by, at most about `most`, evenly taken; padding left out."""
    flat = values.reshape(-1)[:: max(1, values.size // most)].astype(np.float32, copy=False)
    inside = flat[flat > flat.min()]
    return inside if 0 < inside.size < (1 - _PADDED) * flat.size else flat


def _on_grid(volume: Volume, *, affine: Affine, shape: Sequence[int]) -> Volume:
    if volume.shape == tuple(shape) and _same(volume.affine, affine, shape=shape):
        return volume
    corners = np.array(np.meshgrid(*[(0, count - 1) for count in shape])).reshape(3, -1).T
    index = volume.affine.to_index(affine.to_world(corners))
    if (index.max(axis=0) < -0.5).any() or (index.min(axis=0) > np.asarray(volume.shape) - 0.5).any():
        raise InputError(
            "Two volumes that are read together show different places of the body: they do not overlap. Register them, "
            "or give the series of one examination."
        )
    low, high = _touched(volume.affine, volume.shape, grid=affine, shape=shape)
    s, r, c = (slice(start, stop) for start, stop in zip(low, high, strict=True))
    part, moved = volume.voxels[..., s, r, c], volume.affine.shifted(low.tolist())

    def resampled(whole: npt.NDArray[np.generic], within: npt.NDArray[np.generic]) -> Volume:
        one = replace(volume, voxels=within, affine=moved)
        return resample_volume(one, affine=affine, shape=shape, fill=float(whole.min()))

    if volume.channels == 1:
        return resampled(volume.voxels, part)
    each = [resampled(whole, within) for whole, within in zip(volume.voxels, part, strict=True)]
    return replace(each[0], voxels=np.stack([one.voxels for one in each]))


def _by_pixels(affine: Affine) -> Affine:
    return Affine.from_parts(origin=(0.0, 0.0, 0.0), directions=affine.directions, spacing=(1.0, 1.0, 1.0))


def _same(one: Affine, other: Affine, *, shape: Sequence[int]) -> bool:
    # a twentieth of a voxel moves no outline that can be seen
    return one.is_close(other, shape=shape, tolerance_mm=0.05 * min(other.spacing))


def _middle(affine: Affine, *, shape: Sequence[int], most: Sequence[int]) -> tuple[Affine, tuple[int, ...]]:
    """Return the grid of at most so many voxels around the centre of another."""
    counts = tuple(min(have, want) for have, want in zip(shape, most, strict=True))
    first = [(have - count) // 2 for have, count in zip(shape, counts, strict=True)]
    return affine.shifted(first), counts


def _within(mask: Mask, grid: Affine, *, shape: Sequence[int]) -> Mask:
    """Return the part of a mask that a grid's box touches, so that a slab costs what a slab holds."""
    low, high = _touched(mask.affine, mask.shape, grid=grid, shape=shape)
    part = mask.labels[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
    return Mask(labels=part, affine=mask.affine.shifted(low.tolist()), table=mask.table)


def _touched(
    affine: Affine, of: Sequence[int], *, grid: Affine, shape: Sequence[int]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return from which to which index (excluded) a grid of shape `of` is looked at by another grid's box."""
    # two voxels for the interpolation, four steps of the grid for the blur where it is coarser than what it samples
    wider = 2 + 4 * math.ceil(max(grid.spacing) / min(affine.spacing))
    corners = np.array(np.meshgrid(*[(-0.5, count - 0.5) for count in shape])).reshape(3, -1).T
    index = affine.to_index(grid.to_world(corners))
    low = np.clip(np.floor(index.min(axis=0)).astype(np.int64) - wider, 0, np.array(of) - 1)
    high = np.clip(np.ceil(index.max(axis=0)).astype(np.int64) + wider + 1, low + 1, of)
    return low, high


def _channel_volume(volumes: Mapping[str, Volume], channel: Channel) -> Volume:
    volume = volumes.get(channel.role)
    if volume is None:
        raise InputError(
            f"The network wants a volume in the role {channel.role!r}; this case has {', '.join(sorted(volumes))}. "
            "Give the case that volume, or train on the roles that every case has (tasks.volumes)."
        )
    if volume.channels > channel.colours:
        raise InputError(
            f"The volume in the role {channel.role!r} is in colour; the network reads one grey value a pixel there."
        )
    return volume
