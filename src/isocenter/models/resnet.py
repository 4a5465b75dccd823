"""Residual networks of 18 and 50 layers, for pictures and for volumes.

Source: He et al. 2016 (CVPR), Deep Residual Learning, table 1; the stride of a bottleneck lies on its 3-voxel
convolution (Goyal et al. 2017, arXiv 1706.02677). In three dimensions each kernel is a cube (Hara et al. 2018, CVPR).
"""

from collections.abc import Sequence

from torch import Tensor, nn

from isocenter.models.network import Network
from isocenter.models.parts import ImageNetwork, Normalised, Rank, initialise, max_pool, rank_of
from isocenter.recipe import Plan

_STEM_HALVINGS = 2  # the first convolution and the pool behind it


def build(plan: Plan, *, classes: int) -> ImageNetwork:
    """Return a fresh ResNet-18: `plan.width` channels in its first stage, and a stage for each halving but one."""
    return resnet(plan, layers=(2, 2, 2, 2), block=Plain, outputs=classes)


def build_50(plan: Plan, *, classes: int) -> ImageNetwork:
    """Return a fresh ResNet-50: `plan.width` channels in its first stage, and a stage for each halving but one."""
    return resnet(plan, layers=(3, 4, 6, 3), block=Bottleneck, outputs=classes)


def resnet(plan: Plan, *, layers: Sequence[int], block: "type[Plain | Bottleneck]", outputs: int) -> ImageNetwork:
    """Return a fresh residual network.

    Args:
        plan: Its width and depth, dropout and input.
        layers: Blocks of each stage; stages that the plan's depth does not reach are left out.
        block: Of what it is made.
        outputs: Scores of an image.
    """
    rank, width = rank_of(plan), plan.width
    stages: list[nn.Module] = [Stem(plan.inputs, width, rank=rank)]
    inside = width
    for place, count in enumerate(layers[: max(1, plan.depth - _STEM_HALVINGS + 1)]):
        middle = width * 2**place
        for turn in range(count):
            stages.append(block(inside, middle, rank=rank, stride=2 if place and not turn else 1))
            inside = middle * block.expansion
    network = ImageNetwork(nn.Sequential(*stages), found=inside, outputs=outputs, rank=rank, dropout=plan.dropout)
    initialise(network)
    return network


class Stem(nn.Sequential):
    """A wide convolution and a pool: a quarter of the grid's edges is left."""

    def __init__(self, inside: int, outside: int, *, rank: Rank) -> None:
        super().__init__(
            Normalised(inside, outside, rank=rank, kernel=7, stride=2),
            nn.ReLU(inplace=True),
            max_pool(rank=rank, stride=2),
        )


class Plain(nn.Module):
    """Two convolutions around which the input is added back."""

    expansion = 1

    def __init__(self, inside: int, middle: int, *, rank: Rank, stride: int) -> None:
        super().__init__()
        self.change = nn.Sequential(
            Normalised(inside, middle, rank=rank, stride=stride),
            nn.ReLU(inplace=True),
            Normalised(middle, middle, rank=rank),
        )
        self.skip = _skip(inside, middle, rank=rank, stride=stride)
        self.bend = nn.ReLU(inplace=True)

    def forward(self, maps: Tensor) -> Tensor:
        """Return (b, middle, …) of (b, inside, …), each edge divided by the stride."""
        bent: Tensor = self.bend(self.change(maps) + self.skip(maps))
        return bent


class Bottleneck(nn.Module):
    """A convolution of 3 voxels between two of 1, around which the input is added back."""

    expansion = 4

    def __init__(self, inside: int, middle: int, *, rank: Rank, stride: int) -> None:
        super().__init__()
        outside = middle * self.expansion
        self.change = nn.Sequential(
            Normalised(inside, middle, rank=rank, kernel=1),
            nn.ReLU(inplace=True),
            Normalised(middle, middle, rank=rank, stride=stride),
            nn.ReLU(inplace=True),
            Normalised(middle, outside, rank=rank, kernel=1),
        )
        self.skip = _skip(inside, outside, rank=rank, stride=stride)
        self.bend = nn.ReLU(inplace=True)

    def forward(self, maps: Tensor) -> Tensor:
        """Return (b, 4 · middle, …) of (b, inside, …), each edge divided by the stride."""
        bent: Tensor = self.bend(self.change(maps) + self.skip(maps))
        return bent


def _skip(inside: int, outside: int, *, rank: Rank, stride: int) -> nn.Module:
    if inside == outside and stride == 1:
        return nn.Identity()
    return Normalised(inside, outside, rank=rank, kernel=1, stride=stride)


NETWORK = Network(build=build, answers="image", dimensions=("2-D", "3-D"), width=64, depth=5)
RESNET50 = Network(build=build_50, answers="image", dimensions=("2-D", "3-D"), width=64, depth=5)
