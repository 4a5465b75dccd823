"""Networks of the package monai, as they are published there, fitted to a plan.

Source: DynUNet, the network of nnU-Net (Isensee et al. 2021, Nature Methods 18:203); SegResNet, Myronenko 2019
(BrainLes 2018), without its side branch.
"""

import math
from collections.abc import Sequence

from monai.networks.nets.dynunet import DynUNet
from monai.networks.nets.segresnet import SegResNet
from torch import Tensor, nn
from torch.nn import functional as F

from isocenter.errors import PlanError
from isocenter.models.ladder import Level, Triple, divisor, ladder
from isocenter.models.network import Network
from isocenter.models.parts import Rank, picture, rank_of
from isocenter.recipe import Plan

_MOST_CHANNELS = 320
_FEWEST_LEVELS = 3  # that a DynUNet is made of
_SEGRES_BLOCKS = (1, 2, 2, 4)
_GROUPS = 8


def build_dynunet(plan: Plan, *, classes: int) -> "Fitted":
    """Return a fresh DynUNet on the levels of the plan's ladder, `plan.width` channels at full resolution."""
    rank = rank_of(plan)
    levels = list(ladder(spacing_mm=plan.spacing_mm, patch=plan.patch, depth=plan.depth))
    levels += [Level(kernel=levels[-1].kernel, stride=(1, 1, 1))] * (_FEWEST_LEVELS - len(levels))
    strides = [level.stride[-rank:] for level in levels]
    network = DynUNet(
        spatial_dims=rank,
        in_channels=plan.inputs,
        out_channels=classes,
        kernel_size=[level.kernel[-rank:] for level in levels],
        strides=strides,
        upsample_kernel_size=strides[1:],
        filters=[min(plan.width * 2**place, _MOST_CHANNELS) for place in range(len(levels))],
        dropout=plan.dropout or None,
        norm_name=("INSTANCE", {"affine": True}),
    )
    return Fitted(Levels(network), rank=rank, multiple=divisor(levels))


def build_segresnet(plan: Plan, *, classes: int) -> "Fitted":
    """Return a fresh SegResNet of `plan.depth` halvings, three at most, `plan.width` channels at full resolution."""
    rank, halvings = rank_of(plan), min(plan.depth, len(_SEGRES_BLOCKS) - 1)
    network = SegResNet(
        spatial_dims=rank,
        init_filters=plan.width,
        in_channels=plan.inputs,
        out_channels=classes,
        dropout_prob=plan.dropout or None,
        norm=("GROUP", {"num_groups": math.gcd(plan.width, _GROUPS)}),
        blocks_down=_SEGRES_BLOCKS[: halvings + 1],
        blocks_up=(1,) * halvings,
    )
    edge = 2**halvings
    return Fitted(network, rank=rank, multiple=(edge, edge, edge))


class Levels(nn.Module):
    """A DynUNet whose weights are held once: MONAI's own holds them a second time, nested, which cannot be saved."""

    def __init__(self, network: DynUNet) -> None:
        super().__init__()
        self.first = network.input_block
        self.down = nn.ModuleList([*network.downsamples, network.bottleneck])
        self.up = network.upsamples
        self.head = network.output_block

    def forward(self, images: Tensor) -> Tensor:
        """Return scores (b, classes, …) of images (b, channel, …)."""
        kept = [self.first(images)]
        for block in self.down:
            kept.append(block(kept[-1]))
        joined = kept.pop()
        for block in self.up:
            joined = block(joined, kept.pop())
        scores: Tensor = self.head(joined)
        return scores


class Fitted(nn.Module):
    """A network that wants certain edges, on images of any: they are padded with zeros, and answers cut back.

    Args:
        network: (b, channel, r, c), or of rank 3 (b, channel, s, r, c), to (b, classes, …) on the same grid.
        rank: Of that grid.
        multiple: What its edges (slice, row, column) are multiples of.
        least: The shortest edges that it can be shown.
        fixed: The only grid that it reads, where its places are learnt.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        rank: Rank,
        multiple: Triple,
        least: Triple = (1, 1, 1),
        fixed: Triple | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.rank = rank
        self.multiple = multiple
        self.least = least
        self.fixed = fixed

    def forward(self, images: Tensor) -> Tensor:
        """Return scores (b, classes, s, r, c) of images (b, channel, s, r, c).

        Raises:
            PlanError: A network for pictures was shown several slices, or one that reads a single grid another.
        """
        grid = picture(images) if self.rank == 2 else images
        edges = grid.shape[2:]
        wanted = padded(edges, multiple=self.multiple, least=self.least)
        if self.fixed is not None and wanted != self.fixed[-self.rank :]:
            raise PlanError(
                f"This network reads windows of {self.fixed} voxels, as it was trained on; not of {wanted}."
            )
        missing = [after - before for after, before in zip(wanted, edges, strict=True)]
        if any(missing):
            grid = F.pad(grid, [edge for after in reversed(missing) for edge in (0, after)])
        scores: Tensor = self.network(grid)
        for axis, edge in enumerate(edges, start=2):
            scores = scores.narrow(axis, 0, edge)
        return scores.unsqueeze(2) if self.rank == 2 else scores


def padded(edges: Sequence[int], *, multiple: Triple, least: Triple) -> tuple[int, ...]:
    """Return edges, of the last axes of (slice, row, column), rounded up to what a network can be shown."""
    rows = zip(reversed(edges), reversed(multiple), reversed(least), strict=False)
    return tuple(-(-max(edge, shortest) // step) * step for edge, step, shortest in rows)[::-1]


DYNUNET = Network(build=build_dynunet, answers="voxels", dimensions=("2-D", "3-D"), multiple=0)
SEGRESNET = Network(build=build_segresnet, answers="voxels", dimensions=("2-D", "3-D"), multiple=8, width=16, depth=3)
