"""A network for pictures as a reader of stacks, slice by slice ("2.5-D"), in memory that does not grow with the stack.

Each slice is shown with its neighbours as further channels. Scores of slices become one answer of the stack either by
their mean, as suits a number, or by their log-mean-exp, as suits findings: a lesion that one slice shows is not
diluted by forty that do not, and yet every slice is taught, which the plain maximum would not do.

Source: log-mean-exp pooling, Pinheiro and Collobert 2015 (CVPR), From Image-level to Pixel-level Labeling.
"""

import math
from collections.abc import Callable
from typing import Literal, cast

import torch
from torch import Tensor, nn

Pooling = Literal["mean", "peaks"]

_AT_ONCE = 16  # slices: more are no quicker on a CPU, and their maps would fill its memory


class StackOfSlices(nn.Module):
    """A network for pictures, asked once for each slice.

    Args:
        reader: (n, channel · (2 · neighbours + 1), 1, r, c) to (n, classes, 1, r, c), or to (n, outputs) scores.
            Channels are those of the first neighbour, then those of the next.
        neighbours: Slices on either side that a slice is shown with; beyond the ends the last slice is repeated.
        pooling: How scores of slices become one of the stack; None where the reader answers for every voxel.
    """

    def __init__(self, reader: nn.Module, *, neighbours: int, pooling: Pooling | None) -> None:
        super().__init__()
        self.reader = reader
        self.neighbours = neighbours
        self.pooling = pooling

    def forward(self, images: Tensor) -> Tensor:
        """Return (b, classes, s, r, c), or (b, outputs), of images (b, channel, s, r, c).

        One answer for a whole stack leaves out slices that show nothing, so that padding does not change it.
        """
        if self.pooling is None:
            every = torch.ones(len(images), images.shape[2], dtype=torch.bool, device=images.device)
            scores = self._read(images, every)
            voxels: Tensor = scores.squeeze(2).unflatten(0, (len(images), -1)).transpose(1, 2)
            return voxels
        shown = slices_shown(images)
        pieces = self._read(images, shown).split(shown.sum(dim=1).tolist())
        return torch.stack([pool(piece, self.pooling) for piece in pieces])

    def features(self, images: Tensor) -> Tensor:
        """Return the mean (b, n) over slices of the features that the reader's head sees.

        Only readers that answer for whole images have such.
        """
        shown = slices_shown(images)
        features = cast("Callable[[Tensor], Tensor]", self.reader.features)
        found = in_chunks(features, images, shown=shown, neighbours=self.neighbours)
        return torch.stack([piece.mean(dim=0) for piece in found.split(shown.sum(dim=1).tolist())])

    def _read(self, images: Tensor, shown: Tensor) -> Tensor:
        return in_chunks(self.reader, images, shown=shown, neighbours=self.neighbours)


def pool(scores: Tensor, pooling: Pooling) -> Tensor:
    """Return one score (outputs,) of those of slices (s, outputs): their mean, or their log-mean-exp."""
    if pooling == "mean":
        return scores.mean(dim=0)
    return scores.logsumexp(dim=0) - math.log(len(scores))


def slices_shown(images: Tensor) -> Tensor:
    """Return which slices (b, s) of images (b, channel, s, r, c) show anything: padding is one value in each channel.

    Of a stack that shows nothing at all, the first slice counts.
    """
    shown = (images.amax(dim=(3, 4)) != images.amin(dim=(3, 4))).any(dim=1)
    shown[:, 0] |= ~shown.any(dim=1)
    return shown


def in_chunks(read: Callable[[Tensor], Tensor], images: Tensor, *, shown: Tensor, neighbours: int = 0) -> Tensor:
    """Return what a network says of each shown slice (n, …), stack after stack.

    While nothing is learnt, some slices at a time are read, so that long stacks take no more memory than short ones.

    Args:
        read: (n, channel · (2 · neighbours + 1), 1, r, c) to (n, …).
        images: (b, channel, s, r, c).
        shown: (b, s), which slices are read.
        neighbours: Slices on either side that a slice is shown with, taken from between the first and the last shown.
    """
    members, places = shown.nonzero(as_tuple=True)
    order = torch.arange(shown.shape[1], device=shown.device)
    first = torch.where(shown, order, shown.shape[1]).amin(dim=1)
    last = torch.where(shown, order, -1).amax(dim=1)
    around = places[:, None] + torch.arange(-neighbours, neighbours + 1, device=shown.device)
    around = around.clamp(first[members][:, None], last[members][:, None])
    stacks = images.transpose(1, 2)
    at_once = len(members) if torch.is_grad_enabled() else _AT_ONCE
    answers = [
        read(stacks[here[:, None], there].flatten(1, 2)[:, :, None])
        for here, there in zip(members.split(at_once), around.split(at_once), strict=True)
    ]
    return torch.cat(answers)
