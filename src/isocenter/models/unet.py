"""A residual U-Net in three dimensions, compact enough for a CPU.

Most of a U-Net's time goes into full resolution, where there is least to understand. So that level has one convolution
on the way down and one on the way up, levels are joined by addition, and residual blocks begin one halving below.

Source: U-Net, Ronneberger et al. 2015 (MICCAI); residual blocks, He et al. 2016 (CVPR); joining by addition,
Chaurasia and Culurciello 2017 (LinkNet); instance normalisation, Ulyanov et al. 2016 (arXiv 1607.08022).
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from isocenter.models.ladder import Level, Triple, ladder
from isocenter.models.network import Network
from isocenter.recipe import Plan

_MOST_CHANNELS = 320  # wider levels cost memory and have not been worth it in 3-D (nnU-Net's limit too)
LEAST_VARIANCE = 1e-5


def build(plan: Plan, *, classes: int) -> "UNet":
    """Return a fresh U-Net for a plan: `plan.depth` halvings, `plan.width` channels at full resolution."""
    levels = ladder(spacing_mm=plan.spacing_mm, patch=plan.patch, depth=plan.depth)
    return UNet(channels=plan.inputs, classes=classes, width=plan.width, levels=levels, dropout=plan.dropout)


class UNet(nn.Module):
    """Encoder and decoder, joined at every level.

    Args:
        channels: Of the input.
        classes: Of the output, background counted.
        width: Channels at full resolution; doubled at every level.
        levels: Kernels and strides, the full resolution first.
        dropout: Share of the deepest level's channels left out while learning.
    """

    def __init__(
        self, *, channels: int, classes: int, width: int, levels: Sequence[Level], dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.thin = nn.Dropout3d(dropout)
        top, below = levels[0], levels[1:]
        widths = [min(width * 2**place, _MOST_CHANNELS) for place in range(len(levels))]
        self.down = nn.ModuleList([Convolution(channels, widths[0], kernel=top.kernel)])
        self.up = nn.ModuleList()
        self.join = nn.ModuleList([Convolution(widths[0], widths[0], kernel=top.kernel)])
        for fine, coarse, level in zip(widths, widths[1:], below, strict=False):
            self.down.append(Residual(fine, coarse, kernel=level.kernel, stride=level.stride))
            self.up.append(nn.ConvTranspose3d(coarse, fine, kernel_size=level.stride, stride=level.stride))
        for here, level in zip(widths[1:-1], below, strict=False):
            self.join.append(Residual(here, here, kernel=level.kernel))
        self.head = nn.Conv3d(widths[0], classes, kernel_size=1)

    def forward(self, images: Tensor) -> Tensor:
        """Return scores (b, classes, s, r, c) of images (b, channel, s, r, c); edges must suit the levels' strides."""
        kept: list[Tensor] = []
        for block in self.down:
            images = block(images)
            kept.append(images)
        images = self.thin(images)
        for place in reversed(range(len(self.up))):
            images = self.join[place](self.up[place](images) + kept[place])
        scores: Tensor = self.head(images)
        return scores


class Convolution(nn.Module):
    """A convolution, normalised and bent."""

    def __init__(self, inside: int, outside: int, *, kernel: Triple, stride: Triple = (1, 1, 1)) -> None:
        super().__init__()
        self.weigh = _convolution(inside, outside, kernel=kernel, stride=stride)
        self.norm = InstanceNorm(outside)
        self.bend = nn.LeakyReLU(0.01, inplace=True)

    def forward(self, images: Tensor) -> Tensor:
        """Return (b, outside, s', r', c') of (b, inside, s, r, c), each edge divided by its stride."""
        bent: Tensor = self.bend(self.norm(self.weigh(images)))
        return bent


class Residual(nn.Module):
    """Two convolutions around which the input is added back."""

    def __init__(self, inside: int, outside: int, *, kernel: Triple, stride: Triple = (1, 1, 1)) -> None:
        super().__init__()
        self.first = Convolution(inside, outside, kernel=kernel, stride=stride)
        self.second = _convolution(outside, outside, kernel=kernel, stride=(1, 1, 1))
        self.norm = InstanceNorm(outside)
        same = inside == outside and stride == (1, 1, 1)
        self.skip = nn.Identity() if same else _convolution(inside, outside, kernel=(1, 1, 1), stride=stride)
        self.bend = nn.LeakyReLU(0.01, inplace=True)

    def forward(self, images: Tensor) -> Tensor:
        """Return (b, outside, s', r', c') of (b, inside, s, r, c), each edge divided by its stride."""
        change = self.norm(self.second(self.first(images)))
        bent: Tensor = self.bend(change + self.skip(images))
        return bent


class InstanceNorm(nn.Module):
    """Each channel of each member of a batch brought to mean 0 and spread 1, then scaled and shifted as learnt."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, images: Tensor) -> Tensor:
        """Return (b, channel, s, r, c) of the same shape."""
        if len(images) > 1:
            return F.instance_norm(images, weight=self.weight, bias=self.bias, eps=LEAST_VARIANCE)
        # a batch of one is its own instance, and torch's batch norm is a third faster in channels-last order
        return F.batch_norm(
            images, None, None, weight=self.weight, bias=self.bias, training=True, momentum=0.0, eps=LEAST_VARIANCE
        )


def _convolution(inside: int, outside: int, *, kernel: Triple, stride: Triple) -> nn.Conv3d:
    padding = (kernel[0] // 2, kernel[1] // 2, kernel[2] // 2)
    return nn.Conv3d(inside, outside, kernel_size=kernel, stride=stride, padding=padding, bias=False)


NETWORK = Network(build=build, answers="voxels", dimensions=("2-D", "3-D"), multiple=0)
