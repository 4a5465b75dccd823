"""A residual U-Net in three dimensions, compact enough for a CPU.

Source: U-Net, Ronneberger et al. 2015 (MICCAI); residual blocks, He et al. 2016 (CVPR); group normalisation,
Wu and He 2018 (ECCV), which needs no running statistics and is quick on a CPU in channels-last order.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from isocenter.models.ladder import Level, Triple, ladder
from isocenter.recipe import Plan

_MOST_CHANNELS = 320  # wider levels cost memory and have not been worth it in 3-D (nnU-Net's limit too)
_GROUP = 8  # channels normalised together, at least


def build(plan: Plan, *, classes: int) -> "UNet":
    """Return a fresh U-Net for a plan: `plan.depth` halvings, `plan.width` channels at full resolution."""
    levels = ladder(spacing_mm=plan.spacing_mm, patch=plan.patch, depth=plan.depth)
    return UNet(channels=len(plan.channels), classes=classes, width=plan.width, levels=levels)


class UNet(nn.Module):
    """Encoder and decoder of residual blocks, joined at every level.

    Args:
        channels: Of the input.
        classes: Of the output, background counted.
        width: Channels at full resolution; doubled at every level.
        levels: Kernels and strides, the full resolution first.
    """

    def __init__(self, *, channels: int, classes: int, width: int, levels: Sequence[Level]) -> None:
        super().__init__()
        widths = [min(width * 2**place, _MOST_CHANNELS) for place in range(len(levels))]
        entering = [channels, *widths[:-1]]
        self.down = nn.ModuleList(
            Residual(inside, outside, kernel=level.kernel, stride=level.stride)
            for inside, outside, level in zip(entering, widths, levels, strict=True)
        )
        self.up = nn.ModuleList(
            nn.ConvTranspose3d(below, above, kernel_size=level.stride, stride=level.stride)
            for above, below, level in zip(widths, widths[1:], levels[1:], strict=False)
        )
        self.join = nn.ModuleList(
            Residual(2 * here, here, kernel=level.kernel, stride=(1, 1, 1))
            for here, level in zip(widths[:-1], levels, strict=False)
        )
        self.head = nn.Conv3d(widths[0], classes, kernel_size=1)

    def forward(self, images: Tensor) -> Tensor:
        """Return scores (b, classes, s, r, c) of images (b, channel, s, r, c); edges must suit the levels' strides."""
        kept: list[Tensor] = []
        for block in self.down:
            images = block(images)
            kept.append(images)
        for place in reversed(range(len(self.join))):
            images = torch.cat((self.up[place](images), kept[place]), dim=1)
            images = self.join[place](images)
        scores: Tensor = self.head(images)
        return scores


class Residual(nn.Module):
    """Two convolutions around which the input is added back."""

    def __init__(self, inside: int, outside: int, *, kernel: Triple, stride: Triple) -> None:
        super().__init__()
        self.first = _convolution(inside, outside, kernel=kernel, stride=stride)
        self.first_norm = _norm(outside)
        self.second = _convolution(outside, outside, kernel=kernel, stride=(1, 1, 1))
        self.second_norm = _norm(outside)
        same = inside == outside and stride == (1, 1, 1)
        self.skip = nn.Identity() if same else _convolution(inside, outside, kernel=(1, 1, 1), stride=stride)
        self.bend = nn.LeakyReLU(0.01, inplace=True)

    def forward(self, images: Tensor) -> Tensor:
        """Return (b, outside, s', r', c') of (b, inside, s, r, c), each edge divided by its stride."""
        change = self.bend(self.first_norm(self.first(images)))
        change = self.second_norm(self.second(change))
        bent: Tensor = self.bend(change + self.skip(images))
        return bent


def _convolution(inside: int, outside: int, *, kernel: Triple, stride: Triple) -> nn.Conv3d:
    padding = (kernel[0] // 2, kernel[1] // 2, kernel[2] // 2)
    return nn.Conv3d(inside, outside, kernel_size=kernel, stride=stride, padding=padding, bias=False)


def _norm(channels: int) -> nn.GroupNorm:
    groups = max(1, channels // _GROUP)
    return nn.GroupNorm(groups if channels % groups == 0 else 1, channels)
