"""A network's answer for a whole image, window by window, in memory that does not grow with the image's height.

Windows overlap; what each says is weighed by how near to its centre a voxel lies, and summed. The sums are held only
for the slab of slices that windows still in flight can reach: slices that no later window touches are handed on and
forgotten. So the sums take classes × patch slices × rows × columns floats, not classes × volume.

Source: overlapping tiles, Ronneberger et al. 2015 (U-Net); Gaussian weights, Isensee et al. 2021 (nnU-Net).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations, product

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from isocenter.errors import PlanError
from isocenter.learning.inference.runtime import autocast
from isocenter.recipe import Plan
from isocenter.recipe.recipe import Precision

Progress = Callable[[int, int], None]

_AXES = {"slice": -3, "row": -2, "column": -1}
# of the patch's edge, nnU-Net's: a face's centre counts 1/3000 of the window's centre, where most context is seen
_SIGMA = 0.125


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiling:
    """How an image is cut into windows.

    Args:
        patch: (slice, row, column) voxels of a window.
        overlap: Share by which neighbours overlap at least, 0 to below 1.
        flips: Axes mirrored, "slice", "row" or "column"; every combination is read and the answers averaged.
        precision: Of the network's arithmetic; sums are float32 always.
        batch: Windows shown to the network at once. One is quickest on a CPU.

    Raises:
        PlanError: A patch or an overlap that cannot be.
    """

    patch: tuple[int, int, int]
    overlap: float = 0.5
    flips: tuple[str, ...] = ()
    precision: Precision = "fp32"
    batch: int = 1

    def __post_init__(self) -> None:
        if min(self.patch) < 1 or not 0 <= self.overlap < 1 or self.batch < 1:
            raise PlanError(
                f"Windows of {self.patch} voxels, overlap {self.overlap}, {self.batch} at once cannot be: "
                "edges and batch are at least 1, the overlap lies in 0 to below 1."
            )

    @classmethod
    def of(cls, plan: Plan, *, batch: int = 1) -> "Tiling":
        """Return the tiling that a plan decided."""
        return cls(patch=plan.patch, overlap=plan.overlap, flips=plan.flips, precision=plan.precision, batch=batch)


def label_volume(
    network: nn.Module,
    image: Tensor,
    *,
    tiling: Tiling,
    classes: int,
    progress: Progress | None = None,
) -> npt.NDArray[np.uint8 | np.uint16]:
    """Return the class of each voxel, (s, r, c), uint8 or, above 256 classes, uint16.

    Args:
        network: (b, channel, *patch) float32 → (b, classes, *patch) scores, on the device of the image or not.
        image: (channel, s, r, c) float32; stays where it is, each window goes to the network's device.
        tiling: How it is cut.
        classes: Background counted.
        progress: Told (windows done, windows in all) after each batch.

    Raises:
        PlanError: The network answers in another shape than it is shown.
    """
    labels = np.empty(tuple(image.shape[1:]), dtype=np.uint8 if classes <= 256 else np.uint16)
    for slices, shares in label_shares(network, image, tiling=tiling, classes=classes, progress=progress):
        # max, not argmax: on a CPU it is five times quicker along the first axis
        labels[slices] = shares.max(dim=0).indices.cpu().numpy().astype(labels.dtype)
    return labels


def label_shares(
    network: nn.Module,
    image: Tensor,
    *,
    tiling: Tiling,
    classes: int,
    progress: Progress | None = None,
) -> Iterator[tuple[slice, Tensor]]:
    """Yield slab by slab, from the first slice on, how much each class is believed at each voxel.

    Args:
        network, image, tiling, classes, progress: As in label_volume.

    Yields:
        Which slices, and their weighed sums (classes, slices, r, c) float32: divided by their sum over classes they
        are probabilities. They are a view that the next slab overwrites.

    Raises:
        PlanError: The network answers in another shape than it is shown.
    """
    size = tuple(int(n) for n in image.shape[1:])
    rows, columns = (starts(size[axis], tiling.patch[axis], overlap=tiling.overlap) for axis in (1, 2))
    layers = starts(size[0], tiling.patch[0], overlap=tiling.overlap)
    places = list(product(rows, columns))
    sums = _Sums(network, tiling=tiling, classes=classes, size=size)
    for turn, layer in enumerate(layers):
        sums.reach(layer)
        for first in range(0, len(places), tiling.batch):
            group = [(layer, row, column) for row, column in places[first : first + tiling.batch]]
            sums.add(group, [_window(image, place, tiling.patch) for place in group])
            if progress is not None:
                progress(turn * len(places) + first + len(group), len(layers) * len(places))
        end = layers[turn + 1] if turn + 1 < len(layers) else size[0]
        yield slice(layer, end), sums.held[:, : end - layer]


def starts(size: int, edge: int, *, overlap: float) -> tuple[int, ...]:
    """Return where windows of an edge start along an axis, evenly spread, overlapping at least by that share."""
    if size <= edge:
        return (0,)
    step = max(1.0, edge * (1.0 - overlap))
    count = int(np.ceil((size - edge) / step)) + 1
    return tuple(round(float(start)) for start in np.linspace(0, size - edge, count))


def nearness(patch: Sequence[int]) -> Tensor:
    """Return the weight of a window's voxels, (s, r, c) float32: a Gaussian around its centre, 1 at most."""
    weight = torch.ones(())
    for edge in patch:
        away = (torch.arange(edge, dtype=torch.float32) - (edge - 1) / 2) / (_SIGMA * edge)
        weight = weight.unsqueeze(-1) * torch.exp(-0.5 * away**2)
    return weight


class _Sums:
    """Weighed answers for the slices in flight: `held` is (classes, patch slices, r, c), from slice `first` on."""

    def __init__(self, network: nn.Module, *, tiling: Tiling, classes: int, size: Sequence[int]) -> None:
        self.network = network
        self.tiling = tiling
        self.device = next((weights.device for weights in network.parameters()), torch.device("cpu"))
        self.size = tuple(size)
        self.weight = nearness(tiling.patch).to(self.device)
        depth = min(tiling.patch[0], self.size[0])
        self.held = torch.zeros((classes, depth, *self.size[1:]), device=self.device)
        self.first = 0

    def reach(self, layer: int) -> None:
        """Forget the slices before a layer and start as many new ones, class by class to need no second copy."""
        step = layer - self.first
        kept = self.held.shape[1] - step
        for one in self.held:
            if kept > 0:
                one[:kept] = one[step:].clone()
            one[max(kept, 0) :] = 0
        self.first = layer

    @torch.inference_mode()
    def add(self, places: Sequence[tuple[int, int, int]], windows: Sequence[Tensor]) -> None:
        """Show windows to the network and add what it says at their places.

        Raises:
            PlanError: It answers in another shape than it is shown.
        """
        batch = torch.stack(list(windows)).to(self.device, memory_format=torch.channels_last_3d)
        with autocast(self.tiling.precision, device=self.device):
            shares = _believed(self.network, batch, flips=self.tiling.flips)
        if shares.shape != (len(windows), len(self.held), *self.tiling.patch):
            raise PlanError(
                f"The network answers {tuple(shares.shape)} where {len(self.held)} classes of {self.tiling.patch} "
                "voxels are wanted. Its plan or its label table belongs to another network."
            )
        for (_, row, column), share in zip(places, shares, strict=True):
            s, r, c = (min(edge, whole) for edge, whole in zip(self.tiling.patch, self.size, strict=True))
            target = self.held[:, :s, row : row + r, column : column + c]
            target.addcmul_(share[:, :s, :r, :c], self.weight[:s, :r, :c])


def _window(image: Tensor, place: tuple[int, int, int], patch: Sequence[int]) -> Tensor:
    """Return (channel, *patch) of an image; beyond its far faces lies the window's lowest value, as in training."""
    s, r, c = (slice(start, start + edge) for start, edge in zip(place, patch, strict=True))
    window = image[:, s, r, c]
    short = [edge - have for edge, have in zip(patch, window.shape[1:], strict=True)]
    if not any(short):
        return window
    padding = [0, short[2], 0, short[1], 0, short[0]]
    return torch.stack([F.pad(channel, padding, value=float(channel.min())) for channel in window])


def _believed(network: nn.Module, batch: Tensor, *, flips: Sequence[str]) -> Tensor:
    """Return probabilities (b, classes, s, r, c) float32, averaged over all mirrorings."""
    axes = [_AXES[name] for name in flips]
    turns = [turn for count in range(len(axes) + 1) for turn in combinations(axes, count)]

    def seen(turn: tuple[int, ...]) -> Tensor:
        scores = network(batch.flip(turn) if turn else batch)
        # class by class in memory: softmax is five times quicker there than on channels-last answers
        shares = torch.softmax(scores.float().contiguous(), dim=1)
        return shares.flip(turn) if turn else shares

    return reduce(Tensor.add_, map(seen, turns)).div_(len(turns))
