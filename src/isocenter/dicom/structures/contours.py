"""Closed contours as pixels."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt


def fill_contours(contours: Iterable[npt.NDArray[np.float64]], shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Return which pixels, bool (row, column), have their centre inside an odd number of contours.

    A contour within a contour is a hole, and one within that is filled again: the even-odd rule, as radiotherapy
    structure sets mean it (PS3.3 C.8.8.6.3, inner and outer contours). Of two outlines that share an edge each
    pixel falls to one.

    Args:
        contours: Each (points, 2): (row, column) indices, closed from the last point to the first. Pixel centres lie
            at whole numbers.
        shape: (rows, columns).
    """
    # One toggle where an edge crosses a row: every pixel to the right of it changes sides.
    toggles = np.zeros((shape[0], shape[1] + 1), dtype=np.int32)
    # one drawn twice is one: some planning systems store it so, and it would take itself away
    for contour in {contour.round(6).tobytes(): contour for contour in contours}.values():
        rows, columns = _crossings(contour, shape)
        np.add.at(toggles, (rows, columns), 1)
    return np.asarray(toggles.cumsum(axis=1)[:, :-1] % 2 == 1)


def _crossings(contour: npt.NDArray[np.float64], shape: tuple[int, int]) -> tuple[npt.NDArray[np.intp], ...]:
    """Return the row, and the first column at or right of it, of each crossing of an edge with a row of centres."""
    start, end = contour, np.roll(contour, -1, axis=0)
    upper, lower = np.minimum(start[:, 0], end[:, 0]), np.maximum(start[:, 0], end[:, 0])
    # an edge takes its upper end and leaves its lower one, so that a corner counts once
    first = np.clip(np.ceil(upper), 0, shape[0]).astype(np.intp)
    last = np.clip(np.ceil(lower), 0, shape[0]).astype(np.intp)
    count = np.maximum(0, last - first)
    edge = np.repeat(np.arange(len(contour)), count)
    rows = first[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
    run, rise = end[edge, 1] - start[edge, 1], end[edge, 0] - start[edge, 0]
    crossing = start[edge, 1] + (rows - start[edge, 0]) * run / rise
    return rows, np.clip(np.ceil(crossing), 0, shape[1]).astype(np.intp)
