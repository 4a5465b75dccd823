"""Whole images as tensors of one size: what a network is shown that answers once for all of it."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from isocenter.errors import InputError
from isocenter.image import Volume
from isocenter.learning.inference.prepare import prepare, scaled
from isocenter.recipe import Channel, Plan


def bring(volumes: Mapping[str, Volume], *, plan: Plan) -> Tensor:
    """Return a case's images as the network sees them: (plan.inputs, *plan.patch) float32, scaled.

    A picture keeps its aspect, by the size of its pixels where that is known, and is laid into the middle; a stack is
    cut or filled around its centre on the plan's spacing, and what is cut off is never resampled. What is filled is the
    darkest value, as outside a window in reading. A grey picture is shown three times where the plan is for colour.

    Args:
        volumes: By role; further ones are passed over.
        plan: Of a network that answers for whole images.

    Raises:
        InputError: A role is missing, a picture is in colour and the plan is for grey, or pictures and stacks are
            mixed up.
    """
    if plan.dimensions != "2-D":
        _require_stack(volumes, plan)
        prepared = prepare(volumes, plan=plan, middle=plan.patch)
        return _centred(prepared.image, size=plan.patch, fill=prepared.darkest)
    return torch.cat([_picture(volumes, channel, plan=plan) for channel in plan.channels])


def _picture(volumes: Mapping[str, Volume], channel: Channel, *, plan: Plan) -> Tensor:
    """Return one channel's planes (colours, 1, r, c)."""
    volume = volumes.get(channel.role)
    if volume is None:
        raise InputError(
            f"The network wants a picture in the role {channel.role!r}; this case has {', '.join(sorted(volumes))}."
        )
    if volume.shape[0] != 1:
        raise InputError(
            f"The network reads single pictures; the volume {channel.role!r} has {volume.shape[0]} slices. "
            "Give one slice of it, or learn from stacks."
        )
    if volume.channels > channel.colours:
        raise InputError(
            f"The picture {channel.role!r} is in colour; the network has learnt from grey ones only. Give a grey one."
        )
    _, rows, columns = plan.patch
    planes = torch.from_numpy(volume.voxels.reshape(volume.channels, *volume.shape[1:]).astype("float32"))
    size = _fitting(volume, rows=rows, columns=columns, is_sized=channel.has_size and volume.has_size)
    small = F.interpolate(planes[None], size=size, mode="bilinear", antialias=True, align_corners=False)[0]
    # the colours of a picture are scaled as one, so that their balance stays
    values = torch.from_numpy(scaled(small.numpy(), scaling=channel.scaling))
    return _centred(values[:, None], size=plan.patch).expand(channel.colours, *plan.patch)


def _fitting(volume: Volume, *, rows: int, columns: int, is_sized: bool) -> tuple[int, int]:
    """Return the rows and columns that a picture takes within a frame, its aspect in mm kept, or in pixels."""
    _, row_mm, column_mm = volume.affine.spacing if is_sized else (1.0, 1.0, 1.0)
    height, width = volume.shape[1] * row_mm, volume.shape[2] * column_mm
    share = min(rows / height, columns / width)
    return min(rows, max(1, round(height * share))), min(columns, max(1, round(width * share)))


def _centred(image: Tensor, *, size: tuple[int, int, int], fill: Tensor | None = None) -> Tensor:
    """Return the middle of planes (p, s, r, c) in another size, filled with a value a plane, else with its lowest."""
    if tuple(image.shape[1:]) == size:
        return image
    lowest = image.amin(dim=(1, 2, 3), keepdim=True) if fill is None else fill[:, None, None, None]
    whole = lowest.expand(len(image), *size).clone()
    take, put = [slice(None)], [slice(None)]
    for have, want in zip(image.shape[1:], size, strict=True):
        count = min(have, want)
        take.append(slice((have - count) // 2, (have - count) // 2 + count))
        put.append(slice((want - count) // 2, (want - count) // 2 + count))
    whole[tuple(put)] = image[tuple(take)]
    return whole


def _require_stack(volumes: Mapping[str, Volume], plan: Plan) -> None:
    for role in plan.roles:
        if role in volumes and volumes[role].is_planar:
            raise InputError(f"The network reads stacks of slices; {role!r} is a picture of one slice.")
