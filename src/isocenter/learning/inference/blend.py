"""What windows say, weighed and summed, for those planes only that windows still in flight can reach.

Scores are summed as the network gives them, not as probabilities: that is as accurate (nnU-Net does so), and spares
an exponential for each class of each voxel of each window. Classes lie innermost in memory, which is how
channels-last networks answer; planes lie in a ring, so that none is ever moved.
"""

from collections.abc import Iterator, Sequence
from math import prod

import torch
from torch import Tensor

# of the patch's edge, nnU-Net's: a face's centre counts 1/3000 of the window's centre, where most context is seen
_SIGMA = 0.125
_NEAR = 2**20  # numbers weighed at once, 4 MB: they stay in the cache (whole windows take five times as long)


def nearness(patch: Sequence[int]) -> Tensor:
    """Return the weight of a window's voxels, (s, r, c) float32: a Gaussian around its centre, 1 at most."""
    weight = torch.ones(())
    for edge in patch:
        weight = weight.unsqueeze(-1) * bell(edge)
    return weight


def bell(edge: int) -> Tensor:
    """Return the weights along one axis of a window, float32."""
    away = (torch.arange(edge, dtype=torch.float32) - (edge - 1) / 2) / (_SIGMA * edge)
    return torch.exp(-0.5 * away**2)


class Sums:
    """Weighed scores of the planes in flight along one axis.

    Args:
        patch: (slice, row, column) voxels of a window.
        size: (slices, rows, columns) of the image.
        classes: Background counted.
        axis: 0 or 1: along which planes are finished one after the other.
        device: Where the sums are held: classes × patch edge along the axis × plane floats.
    """

    def __init__(
        self, patch: Sequence[int], size: Sequence[int], *, classes: int, axis: int, device: torch.device
    ) -> None:
        self.order = (axis, *(other for other in range(3) if other != axis))
        edges = [min(patch[place], size[place]) for place in self.order]
        along, down, across = (
            bell(patch[place])[:edge].to(device) for place, edge in zip(self.order, edges, strict=True)
        )
        self.edges = tuple(edges)
        self._along = along[:, None, None, None]
        self._plane = (down[:, None] * across)[..., None].expand(-1, -1, classes).contiguous()
        self._held = torch.zeros((edges[0], size[self.order[1]], size[self.order[2]], classes), device=device)
        self._first = 0
        thick = max(1, _NEAR // prod(self._plane.shape)) if device.type == "cpu" else edges[0]
        self._room = torch.empty((thick, *self._plane.shape), device=device)

    def reach(self, layer: int) -> None:
        """Forget the planes before a layer of windows, and start as many new ones."""
        for plane in range(self._first, layer):
            self._held[plane % len(self._held)] = 0
        self._first = layer

    def add(self, place: Sequence[int], scores: Tensor) -> None:
        """Add what a window says.

        Args:
            place: Where it starts, (slice, row, column); along the axis it is the layer reached.
            scores: (classes, *patch); beyond the image's far faces they are left out.
        """
        layer, row, column = (place[axis] for axis in self.order)
        depth, rows, columns = self.edges
        answer = scores.permute(*(axis + 1 for axis in self.order), 0)[:depth, :rows, :columns]
        for first, count in self._stacks(layer, depth):
            ring = (layer + first) % len(self._held)
            room = self._room[:count]
            room.copy_(answer[first : first + count])
            room.mul_(self._plane)
            target = self._held[ring : ring + count, row : row + rows, column : column + columns]
            target.addcmul_(room, self._along[first : first + count])

    def planes(self, end: int) -> Iterator[tuple[int, Tensor]]:
        """Yield each plane from the layer reached to an end: its number, and its sums (…, classes), a view."""
        for plane in range(self._first, end):
            yield plane, self._held[plane % len(self._held)]

    def _stacks(self, layer: int, depth: int) -> Iterator[tuple[int, int]]:
        """Yield first plane and count of stacks that fit the room and do not run over the ring's end."""
        first = 0
        while first < depth:
            to_end = len(self._held) - (layer + first) % len(self._held)
            count = min(len(self._room), depth - first, to_end)
            yield first, count
            first += count
