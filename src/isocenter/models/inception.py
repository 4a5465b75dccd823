"""Inception, version 1 with norms, for pictures and for volumes: each block looks near, further and far at once.

The two side heads of the paper, which norms have made needless, are left out.

Source: Szegedy et al. 2015 (CVPR), Going Deeper with Convolutions, table 1; norms, Ioffe and Szegedy 2015 (ICML). For
volumes each kernel is a cube, and 5 becomes 3 there: Carreira and Zisserman 2017 (CVPR), I3D.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from isocenter.models.network import Network
from isocenter.models.parts import ImageNetwork, Normalised, Rank, initialise, max_pool, rank_of
from isocenter.recipe import Plan

_PUBLISHED_WIDTH = 64
_STEM_HALVINGS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One row of the paper's table 1: the channels of a block's four branches.

    Args:
        one: Of the branch of one voxel.
        near, far: Of the branches of 3 and of 5 voxels: before the wide kernel, and after it.
        pooled: Of the branch behind the pool.
    """

    one: int
    near: tuple[int, int]
    far: tuple[int, int]
    pooled: int


STAGES = (
    (
        Block(one=64, near=(96, 128), far=(16, 32), pooled=32),
        Block(one=128, near=(128, 192), far=(32, 96), pooled=64),
    ),
    (
        Block(one=192, near=(96, 208), far=(16, 48), pooled=64),
        Block(one=160, near=(112, 224), far=(24, 64), pooled=64),
        Block(one=128, near=(128, 256), far=(24, 64), pooled=64),
        Block(one=112, near=(144, 288), far=(32, 64), pooled=64),
        Block(one=256, near=(160, 320), far=(32, 128), pooled=128),
    ),
    (
        Block(one=256, near=(160, 320), far=(32, 128), pooled=128),
        Block(one=384, near=(192, 384), far=(48, 128), pooled=128),
    ),
)


def build(plan: Plan, *, classes: int) -> ImageNetwork:
    """Return a fresh Inception: all widths in step with `plan.width` (64), a stage for each halving after the third."""
    rank, width = rank_of(plan), plan.width
    inside = _scaled(192, width)
    layers: list[nn.Module] = [
        Seen(plan.inputs, width, rank=rank, kernel=7, stride=2),
        max_pool(rank=rank, stride=2),
        Seen(width, width, rank=rank, kernel=1),
        Seen(width, inside, rank=rank),
        max_pool(rank=rank, stride=2),
    ]
    for place, stage in enumerate(STAGES[: max(1, plan.depth - _STEM_HALVINGS + 1)]):
        if place:
            layers.append(max_pool(rank=rank, stride=2))
        for block in stage:
            mixed = Mixed(inside, block, rank=rank, width=width)
            layers.append(mixed)
            inside = mixed.outside
    network = ImageNetwork(nn.Sequential(*layers), found=inside, outputs=classes, rank=rank, dropout=plan.dropout)
    initialise(network)
    return network


class Seen(nn.Sequential):
    """A convolution, normalised and rectified."""

    def __init__(self, inside: int, outside: int, *, rank: Rank, kernel: int = 3, stride: int = 1) -> None:
        super().__init__(Normalised(inside, outside, rank=rank, kernel=kernel, stride=stride), nn.ReLU(inplace=True))


class Mixed(nn.Module):
    """Four branches side by side, their channels joined."""

    def __init__(self, inside: int, block: Block, *, rank: Rank, width: int) -> None:
        super().__init__()
        one, pooled = _scaled(block.one, width), _scaled(block.pooled, width)
        near, far = ([_scaled(channels, width) for channels in branch] for branch in (block.near, block.far))
        self.branches = nn.ModuleList(
            [
                Seen(inside, one, rank=rank, kernel=1),
                nn.Sequential(Seen(inside, near[0], rank=rank, kernel=1), Seen(near[0], near[1], rank=rank)),
                nn.Sequential(
                    Seen(inside, far[0], rank=rank, kernel=1),
                    Seen(far[0], far[1], rank=rank, kernel=5 if rank == 2 else 3),
                ),
                nn.Sequential(max_pool(rank=rank, stride=1), Seen(inside, pooled, rank=rank, kernel=1)),
            ]
        )
        self.outside = one + near[1] + far[1] + pooled

    def forward(self, maps: Tensor) -> Tensor:
        """Return (b, outside, …) of (b, inside, …)."""
        return torch.cat([branch(maps) for branch in self.branches], dim=1)


def _scaled(channels: int, width: int) -> int:
    return max(1, round(channels * width / _PUBLISHED_WIDTH))


NETWORK = Network(build=build, answers="image", dimensions=("2-D", "3-D"), width=64, depth=5)
