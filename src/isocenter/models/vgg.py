"""VGG with eleven layers, normalised, for pictures and for volumes: plain convolutions, one after another.

The three dense layers of the paper, nine tenths of its weights, are one linear head on the averaged maps here, so
that any size of image fits.

Source: Simonyan and Zisserman 2015 (ICLR), table 1, column A; norms, Ioffe and Szegedy 2015 (ICML); averaging, Lin et
al. 2014 (ICLR), Network in Network.
"""

from torch import nn

from isocenter.models.network import Network
from isocenter.models.parts import Halve, ImageNetwork, Normalised, initialise, rank_of
from isocenter.recipe import Plan

_STAGES = ((1,), (2,), (4, 4), (8, 8), (8, 8))  # channels of each convolution, in units of the width


def build(plan: Plan, *, classes: int) -> ImageNetwork:
    """Return a fresh VGG-11: `plan.width` channels in its first stage (64), and a stage for each halving (5)."""
    rank, inside = rank_of(plan), plan.inputs
    layers: list[nn.Module] = []
    for stage in _STAGES[: plan.depth]:
        for factor in stage:
            layers += [Normalised(inside, factor * plan.width, rank=rank), nn.ReLU(inplace=True)]
            inside = factor * plan.width
        layers.append(Halve("max", rank=rank))
    network = ImageNetwork(nn.Sequential(*layers), found=inside, outputs=classes, rank=rank, dropout=plan.dropout)
    initialise(network)
    return network


NETWORK = Network(build=build, answers="image", dimensions=("2-D", "3-D"), width=64, depth=5)
