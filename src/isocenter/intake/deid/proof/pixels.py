"""Pixels looked at once more: by another reader, in other crops and contrasts than those of the first look."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import numpy as np
import numpy.typing as npt

from isocenter.intake.deid.identity import Identity
from isocenter.intake.deid.words import cleaned
from isocenter.processing.text.find import enlarged
from isocenter.processing.text.line import Line, Picture, Reader

_LEAST_READ = 0.6  # below it a second reader has mostly seen anatomy
_LEAST_LETTERS = 4
_ALIKE = 0.75  # of a word of the header and a word read, letter by letter
_OVERLAP = 48  # pixels that crops share, so that no line falls between two
_CROP_ABOVE = 700  # pixels of a side from which on it is cut in two


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What can still be read in a picture.

    Args:
        names: Lines that are, or nearly are, what the header said of somebody.
        others: Lines that say something else.
    """

    names: tuple[Line, ...]
    others: tuple[Line, ...]


def look_again(picture: npt.NDArray[Any], *, reader: Reader, identity: Identity) -> Left:
    """Return what a second reader can still read.

    Args:
        picture: (rows, columns), or (rows, columns, 3), as shown, after blanking.
        reader: Another one than that which found what was blanked.
        identity: Whom the header named.
    """
    lines = [line for view in _views(picture) for line in reader.read(view) if _is_read(line)]
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
    return line.score >= _LEAST_READ and sum(letter.isalnum() for letter in line.text) >= _LEAST_LETTERS


def _views(picture: npt.NDArray[Any]) -> Iterator[Picture]:
    """Yield crops of a picture, enlarged, dark on light as print is: whole, and its lightest tenth by itself."""
    grey = picture.mean(axis=2) if picture.ndim == 3 else picture
    for crop in _crops(grey.astype(np.float32)):
        low, tenth, high = (float(one) for one in (crop.min(), np.percentile(crop, 90), crop.max()))
        if high > low:
            yield enlarged(_printed(crop, low, high), 2)
        if tenth > low and high > tenth:
            yield enlarged(_printed(crop, tenth, high), 2)


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
