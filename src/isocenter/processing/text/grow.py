"""A line made as long as its letters go: where they fade into what lies behind, a reader's box may end too early.

A device writes its letters in one grey level. Where pixels of that level go on beyond an end of a line, as many as
letters have, the line goes on too.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from isocenter.processing.text.line import Line, Picture

_UPRIGHT = 1.3  # times as high as wide, a line runs from top to bottom
_STEP = 0.5  # of a line's height, that it grows by
_MOST = 3  # steps
_ALIKE = 4  # grey levels, of 256, that the letters of a line differ by
_INK = (0.05, 0.4)  # share of a line that letters cover
_CONTRAST = 12  # grey levels between letters and what lies behind
_TAIL = 85  # per cent of a line's pixels that letters are not among


def grown(line: Line, picture: Picture) -> Line:
    """Return a line with what goes on of it at either end.

    Args:
        line: As read.
        picture: It was read in.
    """
    grey = picture if picture.ndim == 2 else picture.mean(axis=2)
    if line.bottom - line.top > _UPRIGHT * (line.right - line.left):
        first, last = _ends(grey.T[line.left : line.right], line.top, line.bottom)
        return replace(line, top=first, bottom=last)
    first, last = _ends(grey[line.top : line.bottom], line.left, line.right)
    return replace(line, left=first, right=last)


def _ends(band: npt.NDArray[np.generic], first: int, last: int) -> tuple[int, int]:
    """Return where the letters between two columns of a band begin and end."""
    values = band.astype(np.float32)
    level = _level(values[:, first:last])
    step, length = max(2, round(_STEP * len(values))), values.shape[1]
    for _ in range(_MOST):
        if not _goes_on(values[:, last : last + step], level):
            break
        last = min(length, last + step)
    for _ in range(_MOST):
        if not _goes_on(values[:, max(0, first - step) : first], level):
            break
        first = max(0, first - step)
    return first, last


def _goes_on(values: npt.NDArray[np.float32], level: float) -> bool:
    if not values.size or abs(level - float(np.median(values))) < _CONTRAST:
        return False
    ink = float((np.abs(values - level) <= _ALIKE).mean())
    return _INK[0] <= ink <= _INK[1]


def _level(values: npt.NDArray[np.float32]) -> float:
    """Return the grey level of letters: the commonest of the lightest pixels, or of the darkest, if that says more."""
    middle = float(np.median(values))
    return max((_commonest(values, sign) for sign in (1, -1)), key=lambda found: found[1] * abs(found[0] - middle))[0]


def _commonest(values: npt.NDArray[np.float32], sign: int) -> tuple[float, float]:
    """Return the level that most of one tail's pixels have, and which share of all has it."""
    signed = sign * values
    tail = signed[signed >= np.percentile(signed, _TAIL)]
    low = float(tail.min())
    counts = np.convolve(np.bincount(np.round(tail - low).astype(int)), np.ones(_ALIKE + 1), "same")
    place = int(np.argmax(counts))
    return sign * (low + place), float(counts[place]) / values.size
