"""A network's answer for a whole image, window by window, in memory that does not grow with classes × image.

Windows overlap; what each says is weighed by how near to its centre a voxel lies, and summed (see blend). The sums
are held only for the planes that windows still in flight can reach: planes that no later window touches become
labels and are forgotten.

A window that holds one value everywhere gets one answer wherever it lies, so the network is asked once.

Source: overlapping tiles, Ronneberger et al. 2015 (U-Net); Gaussian weights, Isensee et al. 2021 (nnU-Net).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations, pairwise, product
from math import prod

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from isocenter.errors import PlanError
from isocenter.learning.inference.blend import Sums, bell, nearness
from isocenter.learning.inference.clock import Clock
from isocenter.learning.inference.runtime import Runtime, as_it_stands
from isocenter.recipe import Plan
from isocenter.recipe.recipe import Precision

__all__ = ["Progress", "Tiling", "cut", "label_shares", "label_volume", "nearness", "places", "starts"]

Progress = Callable[[int, int], None]
Place = tuple[int, int, int]

_AXES = {"slice": -3, "row": -2, "column": -1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiling:
    """How an image is cut into windows.

    Args:
        patch: (slice, row, column) voxels of a window.
        overlap: Share by which neighbours overlap at least, 0 to below 1.
        flips: Axes mirrored, "slice", "row" or "column"; every combination is read and the scores averaged.
        precision: Of the arithmetic of a network that no runtime was made of; sums are float32 always.
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
    network: nn.Module | Runtime,
    image: Tensor,
    *,
    tiling: Tiling,
    classes: int,
    progress: Progress | None = None,
    clock: Clock | None = None,
) -> npt.NDArray[np.uint8 | np.uint16]:
    """Return the class of each voxel, (s, r, c), uint8 or, above 256 classes, uint16.

    Memory: the labels, and classes × patch edge × plane floats, whose planes lie across the axis (slices or rows)
    that makes this least.

    Args:
        network: In a runtime; or as it stands, with float32 windows on its own device.
        image: (channel, s, r, c) float32; stays where it is, each window goes to the network's device.
        tiling: How it is cut.
        classes: Background counted.
        progress: Told (windows done, windows in all).
        clock: Told what "network", "blend" and "label" take.

    Raises:
        PlanError: The network answers in another shape than it is shown.
    """
    labels = np.empty(tuple(image.shape[1:]), dtype=np.uint8 if classes <= 256 else np.uint16)
    axis = 1 if _held(tiling, labels.shape, axis=1) < _held(tiling, labels.shape, axis=0) else 0
    across = labels.swapaxes(0, axis)
    clock = clock or Clock()
    for plane, sums in _Sweep(network, image, tiling=tiling, classes=classes, axis=axis).planes(progress, clock):
        with clock.stage("label"):
            # max, not argmax: on a CPU it is quicker
            across[plane] = sums.max(dim=-1).indices.cpu().numpy()
    return labels


def label_shares(
    network: nn.Module | Runtime,
    image: Tensor,
    *,
    tiling: Tiling,
    classes: int,
    progress: Progress | None = None,
) -> Iterator[tuple[int, Tensor]]:
    """Yield slice by slice, from the first on, how much each class is believed at each voxel.

    Args:
        network, image, tiling, classes, progress: As in label_volume.

    Yields:
        Which slice, and its probabilities (classes, r, c) float32, which sum to 1 over classes.

    Raises:
        PlanError: The network answers in another shape than it is shown.
    """
    size = image.shape[1:]
    slices, rows, columns = (
        _weights(count, edge, overlap=tiling.overlap) for count, edge in zip(size, tiling.patch, strict=True)
    )
    in_plane = (rows[:, None] * columns)[..., None]
    for number, sums in _Sweep(network, image, tiling=tiling, classes=classes, axis=0).planes(progress, Clock()):
        scores = sums / (slices[number] * in_plane).to(sums.device)
        yield number, torch.softmax(scores, dim=-1).permute(2, 0, 1)


def starts(size: int, edge: int, *, overlap: float) -> tuple[int, ...]:
    """Return where windows of an edge start along an axis: step by step, overlapping by that share or a little more.

    The last one lies against the far face, as MONAI lays it, so that the same network gives the same mask in both.
    """
    step = max(1, int(edge * (1.0 - overlap)))
    return (*range(0, size - edge, step), max(0, size - edge))


def places(size: Sequence[int], tiling: Tiling) -> list[Place]:
    """Return where every window of an image starts, (slice, row, column), the first axis slowest."""
    slices, rows, columns = (
        starts(int(count), edge, overlap=tiling.overlap) for count, edge in zip(size, tiling.patch, strict=True)
    )
    return list(product(slices, rows, columns))


def cut(image: Tensor, place: Place, *, patch: Sequence[int]) -> Tensor:
    """Return (channel, *patch) of an image; beyond its far faces lies the window's lowest value, as in training."""
    s, r, c = (slice(start, start + edge) for start, edge in zip(place, patch, strict=True))
    window = image[:, s, r, c]
    short = [edge - have for edge, have in zip(patch, window.shape[1:], strict=True)]
    if not any(short):
        return window
    padding = [0, short[2], 0, short[1], 0, short[0]]
    return torch.stack([F.pad(channel, padding, value=float(channel.min())) for channel in window])


class _Sweep:
    """One image read layer by layer along an axis."""

    def __init__(self, network: nn.Module | Runtime, image: Tensor, *, tiling: Tiling, classes: int, axis: int) -> None:
        ready = network if isinstance(network, Runtime) else as_it_stands(network, precision=tiling.precision)
        self.runtime: Runtime = ready
        self.image = image
        self.tiling = tiling
        self.shape = (classes, *tiling.patch)
        self.axis = axis
        self.sums = Sums(tiling.patch, image.shape[1:], classes=classes, axis=axis, device=self.runtime.device)
        self._plain: tuple[tuple[float, ...], Tensor] | None = None

    def planes(self, progress: Progress | None, clock: Clock) -> Iterator[tuple[int, Tensor]]:
        """Yield each plane along the axis: its number, and its sums (…, classes), a view that later ones overwrite."""
        by_layer: dict[int, list[Place]] = {}
        for place in places(self.image.shape[1:], self.tiling):
            by_layer.setdefault(place[self.axis], []).append(place)
        layers = [*by_layer, int(self.image.shape[1 + self.axis])]
        done, of = 0, sum(map(len, by_layer.values()))
        for layer, following in pairwise(layers):
            with clock.stage("blend"):
                self.sums.reach(layer)
            for count in self._read(by_layer[layer], clock):
                done += count
                if progress is not None:
                    progress(done, of)
            yield from self.sums.planes(following)

    def _read(self, layer: Sequence[Place], clock: Clock) -> Iterator[int]:
        """Read the windows of a layer; yield how many were done at once."""
        waiting: list[tuple[Place, Tensor]] = []
        for place in layer:
            window = cut(self.image, place, patch=self.tiling.patch)
            values = _only_values(window)
            if values is not None:
                self._add([place], self._answer_to_plain(values, window, clock), clock)
                yield 1
                continue
            waiting.append((place, window))
            if len(waiting) == self.tiling.batch:
                yield self._flush(waiting, clock)
        if waiting:
            yield self._flush(waiting, clock)

    def _flush(self, waiting: list[tuple[Place, Tensor]], clock: Clock) -> int:
        scores = self._ask([window for _, window in waiting], clock)
        self._add([place for place, _ in waiting], scores, clock)
        count = len(waiting)
        waiting.clear()
        return count

    def _answer_to_plain(self, values: tuple[float, ...], window: Tensor, clock: Clock) -> Tensor:
        """Return the answer to a window of one value a channel; the last one is kept."""
        if self._plain is None or self._plain[0] != values:
            self._plain = (values, self._ask([window], clock).clone())
        return self._plain[1]

    def _ask(self, windows: Sequence[Tensor], clock: Clock) -> Tensor:
        with clock.stage("network"):
            scores = seen(self.runtime, torch.stack(list(windows)), flips=self.tiling.flips)
        if scores.shape != (len(windows), *self.shape):
            raise PlanError(
                f"The network answers {tuple(scores.shape)} where {self.shape[0]} classes of {self.tiling.patch} "
                "voxels are wanted. Its plan or its label table belongs to another network."
            )
        return scores

    def _add(self, where: Sequence[Place], scores: Tensor, clock: Clock) -> None:
        with clock.stage("blend"), torch.inference_mode():
            for place, one in zip(where, scores, strict=True):
                self.sums.add(place, one)


def seen(runtime: Runtime, windows: Tensor, *, flips: Sequence[str]) -> Tensor:
    """Return scores (b, classes, s, r, c), averaged over all mirrorings."""
    axes = [_AXES[name] for name in flips]
    turns = [turn for count in range(1, len(axes) + 1) for turn in combinations(axes, count)]
    first = runtime.scores(windows)
    if not turns:
        return first
    # one answer may overwrite the one before, so each is summed before the next is asked for
    mirrored = (runtime.scores(windows.flip(turn)).flip(turn) for turn in turns)
    with torch.inference_mode():
        return reduce(lambda sum_, one: sum_.add_(one), mirrored, first.float().clone()).div_(1 + len(turns))


def _only_values(window: Tensor) -> tuple[float, ...] | None:
    """Return the value of each channel of a window that holds no other; None where one channel varies."""
    lowest, highest = window.flatten(1).aminmax(dim=1)
    return tuple(lowest.tolist()) if torch.equal(lowest, highest) else None


def _held(tiling: Tiling, size: Sequence[int], *, axis: int) -> int:
    """Return how many voxels' sums are held where planes lie across an axis."""
    return min(tiling.patch[axis], size[axis]) * prod(size) // size[axis]


def _weights(count: int, edge: int, *, overlap: float) -> Tensor:
    """Return the summed weights of all windows along one axis, (count,) float32."""
    whole = torch.zeros(count)
    for start in starts(count, edge, overlap=overlap):
        reach = min(edge, count - start)
        whole[start : start + reach] += bell(edge)[:reach]
    return whole
