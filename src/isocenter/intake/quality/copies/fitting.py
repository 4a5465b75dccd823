"""How well one picture lies on a part of another, once that part is fitted."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from isocenter.intake.quality.copies.sketch import SHARP, SOFT, Band, Floats, cut, described

_ALL = (0.0, 1.0, 0.0, 1.0)
_STEPS = 3  # by coarse detail, which finds the way from further off; and by fine detail then
_HOPEFUL = 0.93  # of coarse likeness after its steps: less comes to nothing in fine detail
_NUDGE = 0.01  # of a side, by which each edge is moved to see what changes
_STRIDE = 0.06  # of a side, that an edge moves at most in a step
_LEAST = 0.7  # of a side, that a part has
_DAMPING = 1e-3
_BATCH = 256

Boxes = npt.NDArray[np.float64]
"""(n, 4) first row, last row, first column, last column, as shares of the sides."""


def alike(pictures: npt.NDArray[np.generic], boxes: Boxes, others: npt.NDArray[np.generic], band: Band) -> Floats:
    """Return (n,) the correlation of parts of pictures with other pictures.

    Args:
        pictures, others: (n, 64, 64) sketches.
        boxes: The parts of the first.
        band: The detail that counts.
    """
    whole = cut(others, np.tile(_ALL, (len(others), 1)))
    return np.asarray((described(cut(pictures, boxes), band) * described(whole, band)).sum(axis=1))


def fitted(pictures: npt.NDArray[np.generic], boxes: Boxes, others: npt.NDArray[np.generic]) -> tuple[Floats, Boxes]:
    """Return (n,) the correlation of fine detail where it is highest, and the parts where it is.

    Args:
        pictures, others: (n, 64, 64) sketches.
        boxes: Where to begin: within a pixel or two of 32.

    Source: Lucas and Kanade 1981, the difference of two images drives their alignment; here four edges are moved.
    """
    shown = cut(others, np.tile(_ALL, (len(others), 1)))
    now = boxes
    for _ in range(_STEPS):
        now = _moved(pictures, now, described(shown, SOFT), SOFT)
    coarse = (described(cut(pictures, now), SOFT) * described(shown, SOFT)).sum(axis=1)
    left = np.flatnonzero(coarse > _HOPEFUL)
    likeness, where = _likeness(pictures, boxes, shown), boxes.copy()
    for _ in range(_STEPS + 1):
        fine = _likeness(pictures[left], now[left], shown[left])
        better = left[fine > likeness[left]]
        where[better] = now[better]
        likeness[left] = np.maximum(likeness[left], fine)
        now[left] = _moved(pictures[left], now[left], described(shown[left], SHARP), SHARP)
    return likeness, where


def _likeness(pictures: npt.NDArray[np.generic], boxes: Boxes, shown: Floats) -> Floats:
    return np.asarray((described(cut(pictures, boxes), SHARP) * described(shown, SHARP)).sum(axis=1))


def _moved(pictures: npt.NDArray[np.generic], boxes: Boxes, aims: Floats, band: Band) -> Boxes:
    """Return boxes one step nearer to where their pictures lie on the aims."""
    here = described(cut(pictures, boxes), band)
    nudges = [np.where(boxes[:, edge] > 0.5, -_NUDGE, _NUDGE) for edge in range(4)]
    slopes = np.stack(
        [
            (described(cut(pictures, _shifted(boxes, edge, nudge)), band) - here) / nudge[:, None]
            for edge, nudge in enumerate(nudges)
        ],
        axis=2,
    )
    square = slopes.transpose(0, 2, 1) @ slopes
    damped = square + np.eye(4) * (_DAMPING * square.trace(axis1=1, axis2=2)[:, None, None] + 1e-6)
    pull = slopes.transpose(0, 2, 1) @ (aims - here)[:, :, None]
    step = np.linalg.solve(damped, pull)[:, :, 0].clip(-_STRIDE, _STRIDE)
    return _within(boxes + step)


def _shifted(boxes: Boxes, edge: int, by: npt.NDArray[np.float64]) -> Boxes:
    made = boxes.copy()
    made[:, edge] += by
    return made


def _within(boxes: Boxes) -> Boxes:
    """Return boxes that lie in the picture and keep some of it."""
    first = boxes[:, ::2].clip(0, 1 - _LEAST)
    last = np.maximum(boxes[:, 1::2].clip(0, 1), first + _LEAST)
    return np.stack([first[:, 0], last[:, 0], first[:, 1], last[:, 1]], axis=1)


def batches(count: int) -> Iterator[slice]:
    """Yield stretches of so many rows as fit into the caches."""
    for start in range(0, count, _BATCH):
        yield slice(start, start + _BATCH)
