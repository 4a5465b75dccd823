"""What networks that answer once for an image are made of, for pictures (rank 2) and for volumes (rank 3)."""

import math
from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor, nn

from isocenter.errors import PlanError
from isocenter.recipe import Plan

Rank = Literal[2, 3]

_HEAD_SPREAD = 0.01  # first answers near 0, so that the first steps teach the features and not the head to be quiet


class ImageNetwork(nn.Module):
    """Features of an image, averaged over the grid, and a linear head on them.

    Args:
        body: (b, channel, r, c), or of rank 3 (b, channel, s, r, c), to maps (b, found, …).
        found: Features of an image.
        outputs: Scores of an image.
        rank: Of the grid that the body reads.
        dropout: Share of features that the head does without while learning.
    """

    def __init__(self, body: nn.Module, *, found: int, outputs: int, rank: Rank, dropout: float = 0.0) -> None:
        super().__init__()
        self.body = body
        self.drop = nn.Dropout(dropout)
        self.head = small_head(found, outputs)
        self.rank = rank

    def features(self, images: Tensor) -> Tensor:
        """Return what the head sees, (b, found), of images (b, channel, s, r, c).

        Raises:
            PlanError: A network for pictures was shown several slices.
        """
        maps: Tensor = self.body(picture(images) if self.rank == 2 else images)
        return maps.mean(dim=tuple(range(2, maps.dim())))

    def forward(self, images: Tensor) -> Tensor:
        """Return scores (b, outputs) of images (b, channel, s, r, c).

        Raises:
            PlanError: A network for pictures was shown several slices.
        """
        scores: Tensor = self.head(self.drop(self.features(images)))
        return scores


class Normalised(nn.Sequential):
    """A convolution without bias, normalised over the batch."""

    def __init__(
        self, inside: int, outside: int, *, rank: Rank, kernel: int = 3, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__(
            convolution(inside, outside, rank=rank, kernel=kernel, stride=stride, groups=groups),
            batch_norm(outside, rank=rank),
        )


def rank_of(plan: Plan) -> Rank:
    """Return the rank of the grid that a plan's network reads: 3 for volumes, 2 for pictures and single slices."""
    return 3 if plan.dimensions == "3-D" else 2


def picture(images: Tensor) -> Tensor:
    """Return images (b, channel, 1, r, c) as (b, channel, r, c).

    Raises:
        PlanError: There are several slices.
    """
    if images.shape[2] != 1:
        raise PlanError(
            f'A network for pictures was shown {images.shape[2]} slices; models.dimensions = "2.5-D" reads stacks '
            'slice by slice, "3-D" as volumes.'
        )
    return images[:, :, 0]


def small_head(inside: int, outside: int) -> nn.Linear:
    """Return a linear layer whose first answers lie near 0."""
    head = nn.Linear(inside, outside)
    nn.init.normal_(head.weight, std=_HEAD_SPREAD)
    nn.init.zeros_(head.bias)
    return head


def convolution(
    inside: int, outside: int, *, rank: Rank, kernel: int = 3, stride: int = 1, groups: int = 1
) -> nn.Conv2d | nn.Conv3d:
    """Return a convolution without bias that keeps the grid, or divides it by its stride; odd kernels."""
    kind = nn.Conv2d if rank == 2 else nn.Conv3d
    return kind(inside, outside, kernel, stride=stride, padding=kernel // 2, groups=groups, bias=False)


def batch_norm(channels: int, *, rank: Rank) -> nn.BatchNorm2d | nn.BatchNorm3d:
    """Return a norm over the batch; batches of 8 to 32 are what it is good for."""
    return nn.BatchNorm2d(channels) if rank == 2 else nn.BatchNorm3d(channels)


def max_pool(*, rank: Rank, stride: int) -> nn.MaxPool2d | nn.MaxPool3d:
    """Return the largest of 3 neighbours along each axis; works on any grid, one voxel thick too."""
    return (nn.MaxPool2d if rank == 2 else nn.MaxPool3d)(3, stride=stride, padding=1)


class Halve(nn.Module):
    """The mean, or the largest, of 2 voxels along each axis that has 2."""

    def __init__(self, kind: Literal["mean", "max"], *, rank: Rank) -> None:
        super().__init__()
        mean, largest = (nn.functional.avg_pool2d, nn.functional.max_pool2d)
        if rank == 3:
            mean, largest = nn.functional.avg_pool3d, nn.functional.max_pool3d
        self.pool = mean if kind == "mean" else largest

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps (b, channel, …) with each edge halved, rounded down, but never to nothing."""
        return self.pool(maps, [min(2, edge) for edge in maps.shape[2:]])


def initialise(network: nn.Module) -> None:
    """Draw the weights of all convolutions anew, so that signals keep their strength through rectified layers.

    Source: He et al. 2015 (ICCV), Delving Deep into Rectifiers, on outgoing connections as in He et al. 2016.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Conv3d):
            outgoing = layer.out_channels * math.prod(layer.kernel_size) / layer.groups
            nn.init.normal_(layer.weight, std=math.sqrt(2 / outgoing))


def lay_channels_last(network: nn.Module) -> nn.Module:
    """Return a network whose weights lie in memory with their channels last, each in the order of its own rank.

    Convolutions on a CPU, and in half precision on a GPU, are quicker in that order.
    """
    for tensor in _held(network):
        if tensor.dim() in (4, 5):
            order = torch.channels_last if tensor.dim() == 4 else torch.channels_last_3d
            tensor.data = tensor.data.contiguous(memory_format=order)
    return network


def _held(network: nn.Module) -> Iterator[Tensor]:
    yield from network.parameters()
    yield from network.buffers()
