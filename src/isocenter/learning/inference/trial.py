"""Which way of running a network is quickest on this machine and still says what the reference says.

The reference is torch in float32 with the plan's tiling. A trial reads a part of the image at hand with it, then with
each other way, and takes the quickest whose mask agrees: a Dice of at least 0.999 over everything outlined, and of at
least 0.99 of each structure that is large enough there to tell.
It is kept short beside the reading that it is for, and what it found is remembered.
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from isocenter.errors import MissingExtraError, PlanError
from isocenter.learning.inference.clock import Clock
from isocenter.learning.inference.runtime import Runtime, available, device_of, make_runtime
from isocenter.learning.inference.window import Tiling, cut, label_volume, places

REFERENCE = "torch"
AGREES, AGREES_EACH = 0.999, 0.99  # Dice of all structures, and of each: two readers differ by far more
_TELLING = 1000  # voxels of both masks: of a structure cut to fewer by the part's edge, few voxels would decide
_NOT_WORTH_S = 1.0  # of the whole reading in the reference: what is over so soon is read in it
_LONG_S = 15.0  # from here on converting for OpenVINO, two to four seconds, can pay
_SHARE = 10  # the reference's part of a trial is at most a tenth of the windows of the reading
_OVERLAPS, _BATCHES = (0.25, 0.125), (2, 4)
_LOOKS = 3  # places tried for a part of the image in which there is anything to find


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One way of reading: seconds a window, Dice against the reference, or why it was not taken.

    Args:
        agreement, least: See Agreement.
    """

    runtime: str
    seconds: float = math.nan
    agreement: float = math.nan
    least: float = math.nan
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """How a model is read on a machine.

    Args:
        runtime: A name of RUNTIMES.
        agreement, least: Dice between it, tiling included, and the reference, on the part that was tried, over
            everything outlined and of the worst structure; 1 for the reference itself, nan where it was asked for by
            name and not compared.
        overlap: Of the windows; less than the plan's only where that agreed too.
        batch: Windows shown at once.
        seconds: Of one window in the reference; nan where it was not measured.
        tried: What was measured for it.
        is_thorough: Whether all ways were tried; a short reading tries fewer.
    """

    runtime: str
    agreement: float
    least: float
    overlap: float
    batch: int = 1
    seconds: float = math.nan
    tried: tuple[Tried, ...] = ()
    is_thorough: bool = False

    def covers(self, image: Tensor, *, tiling: Tiling) -> bool:
        """Return whether it was made for a reading as long as an image's, in the plan's tiling, or for any."""
        if self.is_thorough:
            return True
        return _count(image, tiling) * self.seconds < (_LONG_S if self.tried else _NOT_WORTH_S)

    def tiling(self, plan: Tiling) -> Tiling:
        """Return the plan's tiling with the choice's windows."""
        return replace(plan, overlap=self.overlap, batch=self.batch)

    def brief(self) -> dict[str, Any]:
        """Return what a prediction says of it: name, agreement, least, overlap, batch."""
        return {
            "name": self.runtime, "agreement": _known(self.agreement), "least": _known(self.least),
            "overlap": self.overlap, "batch": self.batch,
        }  # fmt: skip

    def to_document(self) -> dict[str, Any]:
        """Return the choice as nested plain JSON values, None for what is not known."""
        return {name: _known(value) for name, value in asdict(self).items() if name != "tried"} | {
            "tried": [{name: _known(value) for name, value in asdict(one).items()} for one in self.tried]
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Choice":
        """Return the choice that `to_document` made.

        Raises:
            KeyError, TypeError: Not such a document.
        """
        tried = tuple(Tried(**{name: _figure(value) for name, value in one.items()}) for one in document["tried"])
        return cls(**({name: _figure(value) for name, value in document.items()} | {"tried": tried}))


def choose(network: nn.Module, image: Tensor, *, tiling: Tiling, classes: int) -> tuple[Choice, Runtime]:
    """Return how an image is best read with a network, by a trial on a part of it, and the network made ready for it.

    Args:
        network: In evaluation mode, on its device.
        image: (channel, s, r, c) float32, on the network's grid.
        tiling: The plan's.
        classes: Background counted.

    Raises:
        PlanError: The network answers in another shape than it is shown.
    """
    shape = (1, int(image.shape[0]), *tiling.patch)
    reference = make_runtime(REFERENCE, network, shape=shape)
    windows = _count(image, tiling)
    each = _seconds(reference, image, tiling=tiling)
    plain = Choice(
        runtime=REFERENCE, agreement=1.0, least=1.0, overlap=tiling.overlap, batch=tiling.batch, seconds=each
    )
    if windows * each < _NOT_WORTH_S:
        return plain, reference
    part, truth = _part(reference, image, tiling=tiling, classes=classes)
    is_long = windows * each >= _LONG_S
    names = [name for name in available(device_of(network))[1:] if is_long or name != "openvino"]
    bench = _Bench(network, part=part, truth=truth, tiling=tiling, classes=classes)
    found = [bench.run(name, shape=shape) for name in names]
    tried = (Tried(runtime=REFERENCE, seconds=each, agreement=1.0, least=1.0), *(one for one, _ in found))
    good = [(one, ready) for one, ready in found if ready is not None and Agreement(one.agreement, one.least).holds]
    best, ready = min(good, key=lambda pair: pair[0].seconds, default=(tried[0], reference))
    if best.seconds >= each:
        best, ready = tried[0], reference
    choice = replace(
        plain, runtime=best.runtime, agreement=best.agreement, least=best.least, tried=tried, is_thorough=is_long
    )
    return (bench.thinned(choice, ready) if is_long else choice), ready


class Agreement(NamedTuple):
    """Dice of two labellings, over all structures that either holds and of the worst one; 1 where there are none."""

    mean: float
    least: float

    @property
    def holds(self) -> bool:
        """Whether the two may stand for one another."""
        return self.mean >= AGREES and self.least >= AGREES_EACH


def agreement(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> Agreement:
    """Return how nearly two labellings of an image say the same, each structure counting alike; 0 is background."""
    found = [2.0 * both / held for both, held in _shared(one, other)]
    return Agreement(sum(found) / len(found), min(found)) if found else Agreement(1.0, 1.0)


def agreement_on_part(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> Agreement:
    """Return how nearly two labellings of a part of an image say the same, each voxel counting alike.

    The part's edge cuts structures down to a few voxels, of which one would decide: they count among all voxels only.
    """
    found = _shared(one, other)
    if not found:
        return Agreement(1.0, 1.0)
    mean = 2.0 * sum(both for both, _ in found) / sum(held for _, held in found)
    return Agreement(mean, min([mean, *(2.0 * both / held for both, held in found if held >= _TELLING)]))


def _shared(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> list[tuple[int, int]]:
    """Return for each structure that either holds how many voxels both give it, and how many they give it together."""
    values = max(int(one.max(initial=0)), int(other.max(initial=0))) + 1
    held = np.bincount(one.ravel(), minlength=values) + np.bincount(other.ravel(), minlength=values)
    both = np.bincount(one[one == other].ravel(), minlength=values)
    return [(int(both[value]), int(held[value])) for value in range(1, values) if held[value]]


class _Bench:
    """A part of an image on which ways of reading are compared."""

    def __init__(
        self, network: nn.Module, *, part: Tensor, truth: npt.NDArray[Any], tiling: Tiling, classes: int
    ) -> None:
        self.network = network
        self.part = part
        self.truth = truth
        self.tiling = tiling
        self.classes = classes

    def run(self, name: str, *, shape: tuple[int, ...]) -> tuple[Tried, Runtime | None]:
        """Return how a runtime did; no runtime where it cannot be had."""
        try:
            ready = make_runtime(name, self.network, shape=shape)
            seconds = _seconds(ready, self.part, tiling=self.tiling)
            found, _ = self.read(ready, self.tiling)
        except (PlanError, MissingExtraError, RuntimeError) as error:  # torch says so of what it cannot do in bfloat16
            return Tried(runtime=name, note=str(error)[:300]), None
        return Tried(runtime=name, seconds=seconds, agreement=found.mean, least=found.least), ready

    def thinned(self, choice: Choice, ready: Runtime) -> Choice:
        """Return a choice with as few windows as still agree, shown in the number that is quickest."""
        for overlap in _OVERLAPS:
            thinner = replace(self.tiling, overlap=overlap)
            if _count(self.part, thinner) >= _count(self.part, replace(self.tiling, overlap=choice.overlap)):
                continue
            found, _ = self.read(ready, thinner)
            if not found.holds:
                break
            choice = replace(choice, overlap=overlap, agreement=found.mean, least=found.least)
        if ready.name == "openvino":  # shown singly in any case
            return choice
        took = {count: self._paced(ready, count) for count in (1, *_BATCHES) if count <= _count(self.part, self.tiling)}
        return replace(choice, batch=min(took, key=lambda count: took[count], default=1))

    def read(self, ready: Runtime, tiling: Tiling) -> tuple[Agreement, float]:
        """Return agreement with the reference, and seconds, of reading the part."""
        began = time.perf_counter()
        labels = label_volume(ready, self.part, tiling=tiling, classes=self.classes)
        return agreement_on_part(labels, self.truth), time.perf_counter() - began

    def _paced(self, ready: Runtime, batch: int) -> float:
        """Return the seconds that the network takes for a window, shown so many at once."""
        where = places(self.part.shape[1:], self.tiling)[:batch]
        windows = torch.stack([cut(self.part, place, patch=self.tiling.patch) for place in where])
        # a batch has to be clearly quicker, since it takes more memory
        return _best(ready, windows, times=2) / batch * (1.0 if batch == 1 else 1.05)


def _part(
    reference: Runtime, image: Tensor, *, tiling: Tiling, classes: int
) -> tuple[Tensor, npt.NDArray[np.uint8 | np.uint16]]:
    """Return a part of the image with something to find in it, and what the reference finds there."""
    windows = _count(image, tiling)
    for part in _candidates(image, tiling=tiling, most=max(1, windows // _SHARE)):
        middle = tuple((int(n) - min(int(n), edge)) // 2 for n, edge in zip(part.shape[1:], tiling.patch, strict=True))
        window = cut(part, (middle[0], middle[1], middle[2]), patch=tiling.patch)
        if bool((reference.scores(window[None]).argmax(dim=1) > 0).any()):
            break
    return part, label_volume(reference, part, tiling=tiling, classes=classes, clock=Clock())


def _candidates(image: Tensor, *, tiling: Tiling, most: int) -> Iterator[Tensor]:
    """Yield parts of an image, the most varied first, each of at most so many windows."""
    edges = list(tiling.patch)
    count = 1
    # of these edges, windows that overlap by a quarter, by an eighth, are two along an axis; by one half three
    times = [1.75, 1.875]
    for axis in sorted(range(3), key=lambda axis: -int(image.shape[1 + axis])):
        wider = int(times[0] * tiling.patch[axis]) if times else 0
        if times and int(image.shape[1 + axis]) >= wider and count * 3 <= most:
            edges[axis], count = wider, count * 3
            del times[0]
    corners = [
        range(0, max(1, int(n) - edge + 1), max(1, edge // 2)) for n, edge in zip(image.shape[1:], edges, strict=True)
    ]
    parts = [
        image[(slice(None), *(slice(a, a + edge) for a, edge in zip(corner, edges, strict=True)))]
        for corner in product(*corners)
    ]
    yield from sorted(parts, key=_variety, reverse=True)[:_LOOKS]


def _variety(part: Tensor) -> float:
    """Return how much neighbouring values differ, on every fourth row and column: edges and texture, not air."""
    thin = part[:, ::4, ::4, ::4]
    return sum(float(thin.diff(dim=axis).abs().sum()) for axis in (1, 2, 3))


def _seconds(runtime: Runtime, image: Tensor, *, tiling: Tiling) -> float:
    """Return the seconds of one window, the better of two after a first one that warms up."""
    middle = [max(0, (int(n) - edge) // 2) for n, edge in zip(image.shape[1:], tiling.patch, strict=True)]
    window = cut(image, (middle[0], middle[1], middle[2]), patch=tiling.patch)[None]
    runtime.scores(window)
    turns: int = 2 ** len(tiling.flips)
    return _best(runtime, window, times=2) * turns


def _best(runtime: Runtime, windows: Tensor, *, times: int) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        float(runtime.scores(windows).flatten()[0])  # an accelerator answers before it is done; a figure waits for it
        took.append(time.perf_counter() - began)
    return min(took)


def _count(image: Tensor, tiling: Tiling) -> int:
    return len(places(image.shape[1:], tiling))


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def _figure(value: Any) -> Any:
    return math.nan if value is None else value


def at_once(name: str, network: nn.Module, *, shape: Sequence[int], tiling: Tiling) -> tuple[Choice, Runtime]:
    """Return the choice of a runtime that was asked for by name, with the plan's own tiling, and it made ready.

    Raises:
        NotFoundError: No such runtime.
        MissingExtraError: It needs a package that is not installed.
        PlanError: The network cannot be run that way.
    """
    ready = make_runtime(name, network, shape=(1, *shape))
    figure = 1.0 if name == REFERENCE else math.nan
    choice = Choice(
        runtime=name, agreement=figure, least=figure, overlap=tiling.overlap, batch=tiling.batch, is_thorough=True
    )
    return choice, ready
