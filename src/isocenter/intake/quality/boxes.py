"""Boxes that nothing can be learnt from: without an area, or off the image."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from isocenter.intake.issue import Issue

_MEND = "Draw the box anew, or take it out."


def check_boxes(
    boxes: npt.NDArray[np.floating] | Sequence[Sequence[float]], shape: tuple[int, int], *, where: str
) -> Iterator[Issue]:
    """Yield what is wrong with the boxes of one picture.

    Args:
        boxes: (n, 4) first row, first column, last row, last column, in pixels.
        shape: Rows and columns of the picture.
        where: What findings call it.
    """
    rows, columns = shape
    for number, (top, left, bottom, right) in enumerate(np.asarray(boxes, np.float64).reshape(-1, 4), 1):
        told = f"box {number}: rows {top:g} to {bottom:g}, columns {left:g} to {right:g}"
        if not (bottom > top and right > left):
            yield Issue(
                check="empty box", where=where, figure=told, limit="a box with an area", mend=_MEND, severity="warn"
            )
        elif top < 0 or left < 0 or bottom > rows or right > columns:
            yield Issue(
                check="box off the image", where=where, figure=told, limit=f"within {rows} × {columns} pixels",
                mend=_MEND, severity="warn",
            )  # fmt: skip
