"""Outlining by transformers, from the package monai: UNETR and SwinUNETR, as published there, fitted to a plan.

Source: UNETR, Hatamizadeh et al. 2022 (WACV); SwinUNETR, Hatamizadeh et al. 2022 (BrainLes 2021).
"""

from importlib.util import find_spec

from monai.networks.nets.swin_unetr import SwinUNETR
from monai.networks.nets.unetr import UNETR
from torch import nn

from isocenter.models.borrowed import Fitted, padded
from isocenter.models.network import Network
from isocenter.models.parts import rank_of
from isocenter.recipe import Plan

if find_spec("einops") is None:  # MONAI's transformers need it and do not bring it: said before they are built
    raise ModuleNotFoundError("MONAI's transformers need einops.", name="einops")

_TOKEN = 16  # voxels a side
_HEAD, _HIDDEN = 64, 48  # channels of an attention head; of a token, in units of the width (16: 768, as published)
_TOKENS, _LEAST = (_TOKEN, _TOKEN, _TOKEN), (1, 2 * _TOKEN, 2 * _TOKEN)
_SWIN_EDGE, _SWIN_STEP = 32, 12


def build_unetr(plan: Plan, *, classes: int) -> Fitted:
    """Return a fresh UNETR: `plan.width` channels at full resolution (16), its tokens 48 times as wide.

    It reads windows of the plan's patch, padded to multiples of 16, rows and columns at least 32, and no others: its
    places are learnt.
    """
    rank, width = rank_of(plan), -(-plan.width // 4) * 4
    size = padded(plan.patch, multiple=_TOKENS, least=_LEAST)
    hidden = _HIDDEN * width
    network = UNETR(
        in_channels=plan.inputs,
        out_channels=classes,
        img_size=size[-rank:],
        feature_size=width,
        hidden_size=hidden,
        mlp_dim=4 * hidden,
        num_heads=hidden // _HEAD,
        dropout_rate=plan.dropout,
        spatial_dims=rank,
    )
    for block in network.vit.blocks:
        block.norm_cross_attn = nn.Identity()  # looks at a second image, which there is not: never reached by learning
    return Fitted(network, rank=rank, multiple=_TOKENS, least=_LEAST, fixed=(size[0], size[1], size[2]))


def build_swinunetr(plan: Plan, *, classes: int) -> Fitted:
    """Return a fresh SwinUNETR: `plan.width` channels at full resolution, rounded up to a multiple of 12 (24)."""
    rank = rank_of(plan)
    network = SwinUNETR(
        in_channels=plan.inputs,
        out_channels=classes,
        feature_size=-(-plan.width // _SWIN_STEP) * _SWIN_STEP,
        drop_rate=plan.dropout,
        spatial_dims=rank,
    )
    # at 32 its coarsest grid is one voxel, whose spread the norm cannot measure
    least = (1, 2 * _SWIN_EDGE, 2 * _SWIN_EDGE)
    return Fitted(network, rank=rank, multiple=(_SWIN_EDGE, _SWIN_EDGE, _SWIN_EDGE), least=least)


NETWORK = Network(
    build=build_unetr, answers="voxels", dimensions=("2-D", "3-D"), multiple=_TOKEN, width=16, depth=4, fixed=True
)
SWINUNETR = Network(
    build=build_swinunetr, answers="voxels", dimensions=("2-D", "3-D"), multiple=_SWIN_EDGE, width=24, depth=5
)
