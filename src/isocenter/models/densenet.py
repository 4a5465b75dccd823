"""DenseNet-121, for pictures and for volumes: every layer sees all that the layers before it have found.

Source: Huang et al. 2017 (CVPR), Densely Connected Convolutional Networks, table 1 (DenseNet-BC, k = 32).
"""

import torch
from torch import Tensor, nn

from isocenter.models.network import Network
from isocenter.models.parts import (
    Halve,
    ImageNetwork,
    Normalised,
    Rank,
    batch_norm,
    convolution,
    initialise,
    max_pool,
    rank_of,
)
from isocenter.recipe import Plan

_BLOCKS = (6, 12, 24, 16)
_STEM_HALVINGS = 2
_BOTTLENECK = 4  # channels between a layer's two convolutions, in units of what it adds


def build(plan: Plan, *, classes: int) -> ImageNetwork:
    """Return a fresh DenseNet: `plan.width` channels at first, half as many added by each layer (64 and 32)."""
    rank, inside, growth = rank_of(plan), plan.width, max(1, plan.width // 2)
    layers: list[nn.Module] = [
        Normalised(plan.inputs, inside, rank=rank, kernel=7, stride=2),
        nn.ReLU(inplace=True),
        max_pool(rank=rank, stride=2),
    ]
    for place, count in enumerate(_BLOCKS[: max(1, plan.depth - _STEM_HALVINGS + 1)]):
        if place:
            layers.append(Transition(inside, inside // 2, rank=rank))
            inside //= 2
        for _ in range(count):
            layers.append(Dense(inside, growth, rank=rank))
            inside += growth
    layers += [batch_norm(inside, rank=rank), nn.ReLU(inplace=True)]
    network = ImageNetwork(nn.Sequential(*layers), found=inside, outputs=classes, rank=rank, dropout=plan.dropout)
    initialise(network)
    return network


class Dense(nn.Module):
    """A layer that adds `growth` channels to those that it is given."""

    def __init__(self, inside: int, growth: int, *, rank: Rank) -> None:
        super().__init__()
        middle = _BOTTLENECK * growth
        self.find = nn.Sequential(
            batch_norm(inside, rank=rank),
            nn.ReLU(inplace=True),
            convolution(inside, middle, rank=rank, kernel=1),
            batch_norm(middle, rank=rank),
            nn.ReLU(inplace=True),
            convolution(middle, growth, rank=rank),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Return (b, inside + growth, …) of (b, inside, …)."""
        return torch.cat([maps, self.find(maps)], dim=1)


class Transition(nn.Sequential):
    """Fewer channels on half the grid, between two blocks."""

    def __init__(self, inside: int, outside: int, *, rank: Rank) -> None:
        super().__init__(
            batch_norm(inside, rank=rank),
            nn.ReLU(inplace=True),
            convolution(inside, outside, rank=rank, kernel=1),
            Halve("mean", rank=rank),
        )


NETWORK = Network(build=build, answers="image", dimensions=("2-D", "3-D"), width=64, depth=5)
