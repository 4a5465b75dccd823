"""Which pictures of many show the same as another: saved again, cut, mirrored or turned, lighter or darker.

First every pair, by 64 numbers a picture: the part of a coarse description that sets the pictures of this data set
apart from each other, once for each way in which a copy may have been cut or turned. Of what is left, the cut is
fitted, and the likeness taken in fine detail.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy.fft import dct

from isocenter.intake.quality.copies.fitting import Boxes, alike, batches, fitted
from isocenter.intake.quality.copies.sketch import EDGE, FINE, SOFT, Floats, averaging, blur

_STARTS = (0.0, 1 / 15, 2 / 15, 0.2)  # of a side, that a cut takes away; more is not looked for
_DIRECTIONS = 64
_WAVES = 12  # of a side: what of the coarse detail of a few pictures is compared
_ENOUGH = 1000  # pictures from which on it can be told in which directions they differ
_SAMPLE = 6000
_TRIED = 1200  # pictures of each side of the pairs by which it is told which are alike beyond chance
_EACH = 20  # pairs a picture that pass the first look in one way
_MOST = 100_000  # and in all
_SURELY = 0.85  # of likeness in the first look: passes, however many do
_KEPT = 3  # of the pictures of which one may be a copy: chance puts 1 in 100 others before it
_PASS = 0.8  # of coarse likeness, before the cut is fitted: of 300 cut radiographs none had less than 0.86
_WHOLE = 0.97  # of a side: a part that keeps more is told as the whole
_ROWS, _COLUMNS = 512, 4096  # of the pairs that are compared at once: what the caches hold

Index = npt.NDArray[np.int64]
Sketches = npt.NDArray[np.uint8]
"""(n, 64, 64)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two pictures that show the same.

    Args:
        first, second: Their places; the second is the first, changed.
        likeness: Correlation of their fine detail, after the change.
        how: The change in words; empty where they lie on each other as they are.
    """

    first: int
    second: int
    likeness: float
    how: str


@dataclass(frozen=True, slots=True)
class _Way:
    """How one picture may have become another: turned as by `_TURNS`, or cut to a part."""

    turn: int = 0
    box: tuple[float, float, float, float] = (0.0, 1.0, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class _Found:
    """Pairs that may be copies: the way from the first to the second, and how alike they are then."""

    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    way: npt.NDArray[np.int64]
    likeness: Floats

    def at(self, places: npt.NDArray[np.integer] | npt.NDArray[np.bool_]) -> "_Found":
        """Return some of them."""
        return _Found(self.first[places], self.second[places], self.way[places], self.likeness[places])


@dataclass(frozen=True, slots=True)
class _Space:
    """What the first look compares by.

    Args:
        axes: (d, 32, 32) weights of a picture's pixels, which take its coarse detail first.
        middle: (d,) of all pictures, along them.
        lengths: (n, 1) of each picture's coarse detail.
    """

    axes: Floats
    middle: Floats
    lengths: Floats


_TURNS: Sequence[tuple[str, Callable[[Sketches], Sketches]]] = (
    ("", lambda many: many),
    ("turned by 90°", lambda many: np.rot90(many, 1, axes=(1, 2))),
    ("turned by 180°", lambda many: np.rot90(many, 2, axes=(1, 2))),
    ("turned by 270°", lambda many: np.rot90(many, 3, axes=(1, 2))),
    ("mirrored", lambda many: many[:, :, ::-1]),
    ("upside down", lambda many: many[:, ::-1]),
    ("mirrored and turned by 90°", lambda many: np.rot90(many[:, :, ::-1], 1, axes=(1, 2))),
    ("mirrored and turned by 270°", lambda many: np.rot90(many[:, :, ::-1], 3, axes=(1, 2))),
)  # fmt: skip
_SPANS = [(start, 1 - end) for start in _STARTS for end in _STARTS if start + end < _STARTS[-1] + 1e-6]
_WAYS = (
    *(_Way(turn) for turn in range(len(_TURNS))),
    *(_Way(box=(*rows, *columns)) for rows, columns in product(_SPANS, _SPANS) if (*rows, *columns) != (0, 1, 0, 1)),
)


def pairs_of(sketches: Sketches, *, limit: float, progress: Callable[[int, int], None] | None = None) -> list[Pair]:
    """Return the pictures that show the same as another; of pictures of which there are many, not every pair.

    Takes some ten seconds for a thousand; from some ten thousand on, time with the square of their number, by estimate
    an hour of one core for a hundred thousand. Memory with their number.

    Args:
        sketches: (n, 64, 64), of each picture.
        limit: Likeness from which on two are taken for the same.
        progress: Called with (ways of changing a picture looked at, ways in all).
    """
    if len(sketches) < 2:
        return []
    found = _second_look(sketches, _first_look(sketches, progress))
    made = []
    for rows in batches(len(found.first)):
        part = found.at(np.arange(len(found.first))[rows])
        likeness, boxes = fitted(_changed(sketches, part), _boxes(part), sketches[part.second])
        made += [
            Pair(first=int(first), second=int(second), likeness=float(value), how=_told(_WAYS[way], box))
            for first, second, way, value, box in zip(
                part.first, part.second, part.way, likeness, boxes, strict=True
            )
            if value >= limit
        ]  # fmt: skip
    return made


def _first_look(sketches: Sketches, progress: Callable[[int, int], None] | None) -> _Found:
    """Return, of each picture, those of which it is likeliest to be a copy."""
    space = _space_of(sketches)
    plain = _projected(sketches, _WAYS[0], space)
    nobody = np.zeros(0, np.int64)
    found = _Found(nobody, nobody, nobody, np.zeros(0, np.float32))
    for number, way in enumerate(_WAYS):
        seen = plain if number == 0 else _projected(sketches, way, space)
        limit = _limit(seen, plain)
        is_same_back = way.box == _WAYS[0].box  # whether the other way round it is a turn too, that is looked at
        near = [
            _Found(first, second, np.full(len(first), number), likeness)
            for first, second, likeness in _above(seen, plain, limit=limit, is_half=is_same_back)
        ]
        found = _best(_joined([found, *near]), _KEPT)
        if progress is not None:
            progress(number + 1, len(_WAYS))
    return found


def _second_look(sketches: Sketches, found: _Found) -> _Found:
    """Return those pairs that are alike by all of their coarse detail too."""
    passed = np.zeros(len(found.first), bool)
    for rows in batches(len(passed)):
        part = found.at(np.arange(len(passed))[rows])
        passed[rows] = alike(_changed(sketches, part), _boxes(part), sketches[part.second], SOFT) >= _PASS
    return found.at(passed)


def _space_of(sketches: Sketches) -> _Space:
    """Return what pictures are compared by: of many, the directions in which they differ, each by its own measure."""
    count = len(sketches)
    detail = np.concatenate([_detail(sketches[start : start + _ROWS]) for start in range(0, count, _ROWS)])
    lengths = np.linalg.norm(detail, axis=1, keepdims=True)
    chosen = np.linspace(0, count - 1, min(count, _SAMPLE)).astype(int)
    coarse = detail[chosen] / np.maximum(lengths[chosen], 1e-6)
    middle = coarse.mean(axis=0) if count >= _DIRECTIONS else np.zeros(FINE * FINE, np.float32)
    if count < _ENOUGH:
        waves = dct(np.eye(FINE, dtype=np.float32), axis=0, norm="ortho")[:_WAVES]
        axes = np.kron(waves, waves)
    else:
        values, vectors = np.linalg.eigh(np.cov(coarse, rowvar=False))
        axes = (vectors[:, -_DIRECTIONS:] / np.sqrt(np.maximum(values[-_DIRECTIONS:], 1e-8))).T
    fine, coarsest = blur(SOFT.finest), blur(SOFT.coarsest)
    flat = np.asarray(axes - axes.mean(axis=1, keepdims=True), np.float32).reshape(-1, FINE, FINE)
    banded = fine.T @ flat @ fine - coarsest.T @ flat @ coarsest
    return _Space(np.asarray(banded, np.float32), np.asarray(axes @ middle, np.float32), lengths)


def _detail(sketches: Sketches) -> Floats:
    """Return (n, 1024) coarse detail of whole pictures."""
    halved = sketches.reshape(-1, FINE, EDGE // FINE, FINE, EDGE // FINE).mean(axis=(2, 4), dtype=np.float32)
    fine, coarse = blur(SOFT.finest), blur(SOFT.coarsest)
    left = (fine @ halved @ fine.T - coarse @ halved @ coarse.T).reshape(len(halved), -1)
    return np.asarray(left - left.mean(axis=1, keepdims=True), np.float32)


def _projected(sketches: Sketches, way: _Way, space: _Space) -> Floats:
    """Return (n, d) pictures, changed in one way, by the directions in which they differ; of length 1.

    Turning aside, everything from the sketch on is linear, and done in one product. Only the length of the detail is
    taken of the whole picture in place of the part, which puts the middle a little wrong.
    """
    first, last = averaging(way.box[::2], way.box[1::2], length=EDGE, parts=FINE)
    weights = (first.T @ space.axes @ last).reshape(len(space.axes), -1).T
    made = np.zeros((len(sketches), len(space.axes)), np.float32)
    for start in range(0, len(sketches), _ROWS):
        rows = slice(start, start + _ROWS)
        turned = _TURNS[way.turn][1](sketches[rows])
        flattened = turned.reshape(len(turned), -1).astype(np.float32)
        seen = flattened @ weights / np.maximum(space.lengths[rows], 1e-6) - space.middle
        seen /= np.maximum(np.linalg.norm(seen, axis=1, keepdims=True), 1e-9)
        made[rows] = np.where(space.lengths[rows] > FINE, seen, 0)  # less is the rounding of an image without detail
    return made


def _limit(seen: Floats, plain: Floats) -> float:
    """Return how alike two are in the first look, when chance makes no more of them so than can be looked at."""
    count = len(seen)
    chosen = np.linspace(0, count - 1, min(count, _TRIED)).astype(int)
    tried = seen[chosen] @ plain[chosen].T
    apart = tried[~np.eye(len(chosen), dtype=bool)]
    share = min(0.5, min(_EACH * count, _MOST) / count**2)
    return min(_SURELY, float(np.quantile(apart, 1 - share)))


def _above(seen: Floats, plain: Floats, *, limit: float, is_half: bool) -> Iterator[tuple[Index, Index, Floats]]:
    """Yield the pairs (first, second, likeness) that are alike, a block at a time; of the lower half where asked."""
    count = len(seen)
    for top in range(0, count, _ROWS):
        stop = top + _ROWS if is_half else count
        for left in range(0, min(stop, count), _COLUMNS):
            block = seen[top : top + _ROWS] @ plain[left : min(left + _COLUMNS, stop)].T
            rows, columns = np.nonzero(block > limit)
            first, second = rows + top, columns + left
            wanted = second < first if is_half else second != first
            yield first[wanted], second[wanted], block[rows, columns][wanted]


def _joined(parts: Sequence[_Found]) -> _Found:
    columns = zip(*((part.first, part.second, part.way, part.likeness) for part in parts), strict=True)
    return _Found(*(np.concatenate(column) for column in columns))


def _best(found: _Found, most: int) -> _Found:
    """Return each pair once, in its best way; and of each picture those of which it is likeliest to be a copy."""
    order = np.lexsort((-found.likeness, found.first, found.second))
    found = found.at(order)
    is_new = np.ones(len(order), bool)
    is_new[1:] = (np.diff(found.first) != 0) | (np.diff(found.second) != 0)
    found = found.at(is_new)
    found = found.at(np.lexsort((-found.likeness, found.second)))
    starts = np.flatnonzero(np.diff(found.second, prepend=-1))
    rank = np.arange(len(found.second)) - np.repeat(starts, np.diff(starts, append=len(found.second)))
    return found.at(rank < most)


def _changed(sketches: Sketches, found: _Found) -> Sketches:
    """Return the first picture of each pair, turned."""
    made = sketches[found.first]
    turns = np.array([way.turn for way in _WAYS])[found.way]
    for turn in np.unique(turns[turns > 0]):
        made[turns == turn] = _TURNS[turn][1](made[turns == turn])
    return made


def _boxes(found: _Found) -> Boxes:
    return np.array([way.box for way in _WAYS])[found.way].reshape(-1, 4)


def _told(way: _Way, box: npt.NDArray[np.float64]) -> str:
    """Return how a picture was changed, in words."""
    height, width = box[1] - box[0], box[3] - box[2]
    cut = f"cut to {height:.0%} × {width:.0%}" if min(height, width) < _WHOLE else ""
    return ", ".join(part for part in (_TURNS[way.turn][0], cut) if part)
