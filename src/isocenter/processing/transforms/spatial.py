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
    low, high = (int(end) for end in torch.aminmax(labels))
    # asked one by one where they are near one another, since sorting voxels is slow
    above = range(low + 1, high + 1) if high - low <= _MOST_SHARES else labels.unique()[1:].tolist()
    if len(above) > _MOST_SHARES:
        near = _looked_up(labels[:, None].float(), grid, mode="nearest")
        return _looked_up(images, grid, mode="bilinear"), near[:, 0].round().to(labels.dtype)
    where = {value: labels == value for value in above}
    where = {value: inside for value, inside in where.items() if value == high or inside.any()}
    both = torch.stack([*images.unbind(dim=1), *(inside.to(images) for inside in where.values())], dim=1)
    both = _looked_up(both, grid, mode="bilinear")
    channels = images.shape[1]
    return both[:, :channels].contiguous(), _largest(both[:, channels:], [low, *where]).to(labels.dtype)


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
    """Return where each voxel is looked up, (b, s, r, c, 3) in grid_sample's order (column, row, slice), -1 to 1.

    Along the slices a place is a sum of few terms: the control points' shares, the slice's own coordinate, and one.
    So all places are one matrix product of (s, terms) and (terms, r × c × 3), in the order in memory that is wanted.
    """
    slices, rows, columns = (int(count) for count in images.shape[-3:])
    half_mm = torch.tensor([step * n / 2 for step, n in zip(spacing_mm, (slices, rows, columns), strict=True)])
    # in mm about the centre, where a turn is a turn; back to -1..1, where the rim of the patch lies at 1
    matrix = (drawn.matrix * half_mm / half_mm[:, None]).flip(1)  # columns of the result first
    s, r, c = (_centres(count) for count in (slices, rows, columns))
    plane = r[:, None, None] * matrix[:, None, None, :, 1] + c[:, None] * matrix[:, None, None, :, 2]
    plane = plane + 2 * drawn.shift.flip(1)[:, None, None]
    steep = matrix[:, None, None, :, 0].expand_as(plane)
    along, across = [s[:, None], torch.ones(slices, 1)], [steep[:, None], plane[:, None]]
    if drawn.bend_mm is not None:
        bend = (drawn.bend_mm / half_mm[:, None, None, None]).flip(1)
        points = int(bend.shape[-1])
        along.append(_shares(points, slices))
        across.append(torch.einsum("bkart,ur,vt->bauvk", bend, _shares(points, rows), _shares(points, columns)))
    terms = torch.cat(across, dim=1).flatten(2).to(images.device)
    places = torch.cat(along, dim=1).to(images.device) @ terms
    return places.view(len(images), slices, rows, columns, 3)


def _centres(count: int) -> Tensor:
    """Return the centres of so many voxels that fill -1 to 1."""
    return (torch.arange(count) + 0.5) * 2 / count - 1


def _shares(points: int, count: int) -> Tensor:
    """Return (count, points): how much of each control point reaches each voxel, linearly, ends on ends."""
    return F.interpolate(torch.eye(points)[None], size=count, mode="linear", align_corners=True)[0].T


def _looked_up(images: Tensor, grid: Tensor, *, mode: str) -> Tensor:
    if images.shape[2] == 1:  # a picture: half as many neighbours to look at
        flat = F.grid_sample(
            images[:, :, 0], grid[:, 0, ..., :2], mode=mode, padding_mode="border", align_corners=False
        )
        return flat[:, :, None]
    return F.grid_sample(images, grid, mode=mode, padding_mode="border", align_corners=False)


def _largest(shares: Tensor, values: Sequence[int]) -> Tensor:
    """Return the value whose share (b, values - 1, s, r, c) is the largest; the first value has what the others leave.

    One by one, since torch's argmax over channels takes longer on a CPU than the interpolation.
    """
    most = shares.new_ones(len(shares), *shares.shape[2:])
    chosen = torch.full_like(most, values[0], dtype=torch.int32)
    for share in shares.unbind(dim=1):
        most -= share
    for share, value in zip(shares.unbind(dim=1), values[1:], strict=True):
        chosen.masked_fill_(share > most, value)
        if value != values[-1]:
            most = torch.maximum(most, share)
    return chosen
