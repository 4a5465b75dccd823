"""Pixels looked at once more: by another reader, and in other crops and contrasts than those of the first look."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import grey_opening

from isocenter.intake.deid.identity import Identity
from isocenter.intake.deid.words import cleaned
from isocenter.processing.text.find import enlarged
from isocenter.processing.text.line import Line, Picture, Reader

_LEAST_READ = 0.6  # below it a second reader has mostly seen anatomy
_LEAST_LETTERS = 4
_STROKES = "一丨十"  # what a reader makes of an edge
_ALIKE = 0.75  # of a word of the header and a word read, letter by letter
_OVERLAP = 48  # pixels that crops share, so that no line falls between two
_CROP_ABOVE = 700  # pixels of a side from which on it is cut in two
_STROKE = 15  # pixels: what is narrower stands out
_LEAST_RELIEF = 40.0  # grey levels, of 256, that are shown as white at least
_ENLARGED_BELOW = 1600  # pixels of the longer side

Views = Callable[[npt.NDArray[np.float32]], Iterator[Picture]]


@dataclass(frozen=True, slots=True)
class Eye:
    """A reader, and how it is shown a picture.

    Args:
        reader: Of processing.text.READERS.
        views: From a grey frame (rows, columns) to what the reader looks at.
    """

    reader: Reader
    views: Views


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What can still be read in a picture.

    Args:
        names: Lines that are, or nearly are, what the header said of somebody.
        others: Lines that say something else.
    """

    names: tuple[Line, ...]
    others: tuple[Line, ...]


def look_again(picture: npt.NDArray[Any], *, eyes: Sequence[Eye], identity: Identity) -> Left:
    """Return what can still be read.

    Args:
        picture: (rows, columns), or (rows, columns, 3), as shown, after blanking.
        eyes: Each looks.
        identity: Whom the header named.
    """
    grey = (picture.mean(axis=2) if picture.ndim == 3 else picture).astype(np.float32)
    lines = [line for eye in eyes for view in eye.views(grey) for line in eye.reader.read(view) if _is_read(line)]
    names = tuple(line for line in lines if is_like(line.text, identity))
    others = (line for line in lines if line not in names and cleaned(line.text) != line.text.strip())
    return Left(names=names, others=tuple(others))


def is_like(text: str, identity: Identity) -> bool:
    """Return whether a text as read holds, or nearly holds, a word of an identity."""
    if identity.is_met_in(text):
        return True
    words = text.casefold().split()
    known = [one.casefold() for one in identity.searched if len(one) >= _LEAST_LETTERS]
    return any(_alike(word, one) for word in words if len(word) >= _LEAST_LETTERS for one in known)


def _alike(word: str, one: str) -> bool:
    matcher = SequenceMatcher(None, word, one, autojunk=False)
    return matcher.quick_ratio() >= _ALIKE and matcher.ratio() >= _ALIKE


def _is_read(line: Line) -> bool:
    return line.score >= _LEAST_READ and sum(map(_letters, line.text.split())) >= _LEAST_LETTERS


def _letters(word: str) -> int:
    """Return how much a word says: two letters of Chinese are as much as four of Latin, strokes alone nothing."""
    letters = [letter for letter in word if letter.isalnum() and letter not in _STROKES]
    return sum(1 if letter.isascii() or len(letters) == 1 else 2 for letter in letters)


def printed(grey: npt.NDArray[np.float32]) -> Iterator[Picture]:
    """Yield crops of a frame, enlarged, dark on light as print is: whole, and its lightest tenth by itself."""
    for crop in _crops(grey):
        low, tenth, high = (float(one) for one in (crop.min(), np.percentile(crop, 90), crop.max()))
        if high > low:
            yield enlarged(_printed(crop, low, high), 2)
        if tenth > low and high > tenth:
            yield enlarged(_printed(crop, tenth, high), 2)


def relief(grey: npt.NDArray[np.float32]) -> Iterator[Picture]:
    """Yield a frame as what is lighter than its surroundings, and narrow as strokes of letters are."""
    shown = (grey - grey.min()) * (255.0 / max(1.0, float(np.ptp(grey))))
    out = shown - grey_opening(shown, (_STROKE, _STROKE))
    white = max(_LEAST_RELIEF, float(np.percentile(out, 99.5)))
    made = (255 - np.clip(out * (255.0 / white), 0, 255)).astype(np.uint8)
    yield enlarged(made, 2 if max(grey.shape) < _ENLARGED_BELOW else 1)


def _printed(crop: npt.NDArray[Any], low: float, high: float) -> Picture:
    made: Picture = (255 - np.clip((crop - low) * (255.0 / (high - low)), 0, 255)).astype(np.uint8)
    return made


def _crops(grey: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
    rows, columns = grey.shape
    for top, bottom in _halves(rows):
        for left, right in _halves(columns):
            yield grey[top:bottom, left:right]


def _halves(length: int) -> tuple[tuple[int, int], ...]:
    if length <= _CROP_ABOVE:
        return ((0, length),)
    middle = length // 2
    return ((0, middle + _OVERLAP), (middle - _OVERLAP, length))
