"""A vision transformer, for pictures and for volumes of any size: the image is cut into tokens that look at each other.

It knows nothing of images beforehand, and wants more cases, or weights learnt elsewhere, than the others.

Source: Dosovitskiy et al. 2021 (ICLR), An Image is Worth 16x16 Words; the smallest form, ViT-Ti, of Touvron et al. 2021
(ICML), DeiT. Places by sines and the mean of tokens in place of a class token: Beyer et al. 2022 (arXiv 2205.01580).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from isocenter.models.network import Network
from isocenter.models.parts import ImageNetwork, Rank, rank_of
from isocenter.recipe import Plan

_LAYERS = 12
_HEAD = 64  # channels that one attention head looks at
_WIDEN = 4
_SPREAD = 0.02
_SLOWEST = 10_000.0  # the longest wave of a place's code, in tokens, over 2π


def build(plan: Plan, *, classes: int) -> ImageNetwork:
    """Return a fresh transformer: tokens of 2 ** `plan.depth` voxels a side (16), `plan.width` channels wide (192)."""
    rank = rank_of(plan)
    width = -(-plan.width // _HEAD) * _HEAD if plan.width > _HEAD else plan.width
    body = Transformer(plan.inputs, width, rank=rank, edge=2**plan.depth, dropout=plan.dropout)
    return ImageNetwork(body, found=width, outputs=classes, rank=rank)


class Transformer(nn.Module):
    """Tokens, twelve layers, and a norm.

    Args:
        inside: Channels of the image.
        width: Channels of a token.
        rank: Of the grid.
        edge: Voxels of a token along each axis; images are padded with zeros to a multiple.
        dropout: Share of features left out while learning.
    """

    def __init__(self, inside: int, width: int, *, rank: Rank, edge: int, dropout: float) -> None:
        super().__init__()
        self.cut = (nn.Conv2d if rank == 2 else nn.Conv3d)(inside, width, edge, stride=edge)
        self.layers = nn.Sequential(*(Layer(width, dropout=dropout) for _ in range(_LAYERS)))
        self.norm = nn.LayerNorm(width)
        self.drop = nn.Dropout(dropout)
        self.edge = edge
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=_SPREAD)
                nn.init.zeros_(layer.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Return tokens (b, width, tokens) of images (b, channel, …)."""
        missing = [-count % self.edge for count in reversed(images.shape[2:])]
        if any(missing):
            images = F.pad(images, [edge for after in missing for edge in (0, after)])
        maps = self.cut(images)
        tokens = maps.flatten(2).transpose(1, 2) + places(list(maps.shape[2:]), width=maps.shape[1]).to(maps)
        told: Tensor = self.norm(self.layers(self.drop(tokens)))
        return told.transpose(1, 2)


class Layer(nn.Module):
    """Tokens look at each other, then each thinks for itself; both are added to what it was."""

    def __init__(self, width: int, *, dropout: float) -> None:
        super().__init__()
        self.look = nn.Sequential(nn.LayerNorm(width), Attention(width), nn.Dropout(dropout))
        self.think = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, _WIDEN * width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(_WIDEN * width, width),
            nn.Dropout(dropout),
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """Return (b, tokens, width) of the same shape."""
        tokens = tokens + self.look(tokens)
        thought: Tensor = tokens + self.think(tokens)
        return thought


class Attention(nn.Module):
    """Every token gathers from all tokens, by likeness, in several heads."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.ask = nn.Linear(width, 3 * width)
        self.tell = nn.Linear(width, width)
        self.heads = max(1, width // _HEAD)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return (b, tokens, width) of the same shape."""
        asked = self.ask(tokens).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        gathered = F.scaled_dot_product_attention(asked[0], asked[1], asked[2])
        told: Tensor = self.tell(gathered.transpose(1, 2).flatten(2))
        return told


def places(grid: list[int], *, width: int) -> Tensor:
    """Return the code of each token's place (tokens, width): sines and cosines of its index along each axis."""
    waves = width // (2 * len(grid))
    slowing = _SLOWEST ** -(torch.arange(waves, dtype=torch.float32) / max(1, waves))
    axes = torch.meshgrid(*(torch.arange(count, dtype=torch.float32) for count in grid), indexing="ij")
    turns = [axis.flatten()[:, None] * slowing for axis in axes]
    codes = torch.cat([code for turn in turns for code in (turn.sin(), turn.cos())], dim=1)
    return F.pad(codes, (0, width - codes.shape[1]))


NETWORK = Network(build=build, answers="image", dimensions=("2-D", "3-D"), width=192, depth=4)
