"""A line of text in a picture."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
"""(rows, columns), or (rows, columns, 3) in red, green, blue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Where a line stands, and what it says.

    Args:
        top, left, bottom, right: In pixels; bottom and right not included.
        text: As read; empty where something was seen and not read.
        score: How sure the reader is, 0 to 1.
        is_cut: It may go on beyond what the reader was shown, so that its text is not all that stands there.
    """

    top: int
    left: int
    bottom: int
    right: int
    text: str = ""
    score: float = 0.0
    is_cut: bool = False

    @property
    def area(self) -> int:
        """Pixels inside."""
        return max(0, self.bottom - self.top) * max(0, self.right - self.left)


class Reader(Protocol):
    """Finds and reads text in a picture."""

    def read(self, picture: Picture) -> tuple[Line, ...]:
        """Return the lines in a picture, in no order."""
