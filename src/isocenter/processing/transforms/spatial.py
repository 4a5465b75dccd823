"""Turn, scale, shift and bend in one interpolation; labels stay labels."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from isocenter.processing.transforms.draw import Drawn

_MOST_SHARES = 16  # labels up to this many are interpolated as shares; more would cost memory, so nearest then


def moved(
    images: Tensor, labels: Tensor | None, *, drawn: Drawn, spacing_mm: Sequence[float]
) -> tuple[Tensor, Tensor | None]:
    """Return images (b, channel, s, r, c) and labels (b, s, r, c) looked up at the drawn places.

    Outside the patch the rim's value stands, in images and labels alike. A label goes where its linearly
    interpolated share is the largest, so outlines stay smooth; no new values come up.
    """
    identity = torch.eye(3).expand_as(drawn.matrix)
    if drawn.bend_mm is None and torch.equal(drawn.matrix, identity) and not drawn.shift.any():
        return images, labels
    grid = _places(images, drawn=drawn, spacing_mm=spacing_mm)
    if labels is None:
        return _looked_up(images, grid, mode="bilinear"), None
    values = labels.unique()
    if len(values) > _MOST_SHARES:
        near = _looked_up(labels[:, None].float(), grid, mode="nearest")
        return _looked_up(images, grid, mode="bilinear"), near[:, 0].round().to(labels.dtype)
    shares = (labels[:, None] == values[1:].view(1, -1, 1, 1, 1)).to(images)
    both = _looked_up(torch.cat((images, shares), dim=1), grid, mode="bilinear")
    channels = images.shape[1]
    return both[:, :channels].contiguous(), _largest(both[:, channels:], values)


def flipped(images: Tensor, labels: Tensor | None, *, drawn: Drawn) -> tuple[Tensor, Tensor | None]:
    """Return the batch with each member mirrored along its drawn axes; exact, nothing is interpolated."""
    if not drawn.mirror.any():
        return images, labels
    images, labels = images.clone(), None if labels is None else labels.clone()
    for member, mirror in enumerate(drawn.mirror):
        axes = [int(axis) for axis in mirror.nonzero()]
        images[member] = images[member].flip([axis + 1 for axis in axes])
        if labels is not None:
            labels[member] = labels[member].flip(axes)
    return images, labels


def _places(images: Tensor, *, drawn: Drawn, spacing_mm: Sequence[float]) -> Tensor:
    """Return where each voxel is looked up, (b, s, r, c, 3) in grid_sample's order (column, row, slice), -1 to 1."""
    shape = images.shape[-3:]
    half_mm = images.new_tensor([step * count / 2 for step, count in zip(spacing_mm, shape, strict=True)])
    axes = [(torch.arange(count, device=images.device) + 0.5) * 2 / count - 1 for count in shape]
    unit = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)
    # in mm about the centre, where a turn is a turn; back to -1..1, where the rim of the patch lies at 1
    matrix = drawn.matrix.to(images.device) * half_mm / half_mm[:, None]
    place = torch.einsum("bij,srcj->bsrci", matrix, unit) + 2 * drawn.shift.to(images.device)[:, None, None, None]
    if drawn.bend_mm is not None:
        bend = drawn.bend_mm.to(images.device) / half_mm[:, None, None, None]
        smooth = F.interpolate(bend, size=tuple(shape), mode="trilinear", align_corners=True)
        place = place + smooth.permute(0, 2, 3, 4, 1)
    return place.flip(-1)


def _looked_up(images: Tensor, grid: Tensor, *, mode: str) -> Tensor:
    return F.grid_sample(images, grid, mode=mode, padding_mode="border", align_corners=False)


def _largest(shares: Tensor, values: Tensor) -> Tensor:
    """Return the value whose share (b, values - 1, s, r, c) is the largest; the first value has what the others leave.

    One by one, since torch's argmax over channels takes longer on a CPU than the interpolation.
    """
    most = 1 - shares.sum(dim=1)
    chosen = values[0].expand(most.shape).clone()
    for share, value in zip(shares.unbind(dim=1), values[1:], strict=True):
        chosen[share > most] = value
        most = torch.maximum(most, share)
    return chosen
