"""Every line of text in a picture, as many ways of looking as it takes to miss few."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import uniform_filter

from isocenter.processing.text.line import Line, Picture, Reader

_ENLARGED_BELOW = 1600  # pixels of the longer side; small letters are too small for a detector as they are
_NEIGHBOURHOOD = 31  # pixels over which local contrast is taken
_FLAT = 2.0  # grey levels of noise below which a place is called flat
_SAME = 0.5  # share of the smaller box that two lines of one text share


def find_text(values: npt.NDArray[Any], *, reader: Reader, least: float = 0.0) -> tuple[Line, ...]:
    """Return the lines in a frame, those seen in several ways once.

    Args:
        values: (rows, columns), or (rows, columns, 3); any type.
        reader: Of the table READERS.
        least: Lines read with a lower score are dropped.
    """
    lines = [
        _scaled(line, scale, values.shape)
        for picture, scale in views(values)
        for line in reader.read(picture)
        if line.score >= least
    ]
    return merged(lines)


def views(values: npt.NDArray[Any]) -> Iterator[tuple[Picture, int]]:
    """Yield a frame as a reader may look at it, with how many times it was enlarged.

    First as a whole, from its darkest to its lightest value; then with its local contrast brought out, which shows
    faint letters over bright anatomy.
    """
    scale = 2 if max(values.shape[:2]) < _ENLARGED_BELOW else 1
    whole = grey_or_colour(values)
    yield enlarged(whole, scale), scale
    grey = whole if whole.ndim == 2 else whole.mean(axis=2)
    yield enlarged(_local(grey), scale), scale


def merged(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Return lines, of those that cover each other one: around all of them, with the text of the surest whole one."""
    found: list[Line] = []
    for line in sorted(lines, key=lambda one: (one.is_cut, -one.score)):
        same = next((place for place, other in enumerate(found) if _shared(line, other) > _SAME), None)
        if same is None:
            found.append(line)
        else:
            found[same] = _around(found[same], line)
    return tuple(found)


def enlarged(picture: Picture, scale: int) -> Picture:
    """Return a picture so many times as large, smoothly."""
    if scale == 1:
        return picture
    rows, columns = picture.shape[:2]
    sized = Image.fromarray(picture).resize((columns * scale, rows * scale), Image.Resampling.BICUBIC)
    return np.asarray(sized, np.uint8)


def grey_or_colour(values: npt.NDArray[Any]) -> Picture:
    """Return a frame of any type in 8 bits, from its darkest to its lightest value."""
    low, high = (float(edge) for edge in (values.min(), values.max()))
    spread = max(high - low, 1.0)
    scaled: Picture = ((values.astype(np.float32) - low) * (255.0 / spread)).astype(np.uint8)
    return scaled


def _local(grey: npt.NDArray[Any]) -> Picture:
    """Return a picture whose contrast is everywhere about the same."""
    level = grey.astype(np.float32)
    mean = uniform_filter(level, _NEIGHBOURHOOD)
    spread = np.sqrt(np.maximum(uniform_filter(level * level, _NEIGHBOURHOOD) - mean * mean, _FLAT * _FLAT))
    made: Picture = np.clip(128 + 48 * (level - mean) / spread, 0, 255).astype(np.uint8)
    return made


def _scaled(line: Line, scale: int, shape: Sequence[int]) -> Line:
    return replace(
        line, top=line.top // scale, left=line.left // scale, bottom=min(shape[0], -(-line.bottom // scale)),
        right=min(shape[1], -(-line.right // scale)),
    )  # fmt: skip


def _shared(one: Line, other: Line) -> float:
    """Return which share of the smaller of two boxes lies in both."""
    rows = min(one.bottom, other.bottom) - max(one.top, other.top)
    columns = min(one.right, other.right) - max(one.left, other.left)
    smaller = min(one.area, other.area)
    return rows * columns / smaller if rows > 0 and columns > 0 and smaller else 0.0


def _around(one: Line, other: Line) -> Line:
    return replace(
        one, top=min(one.top, other.top), left=min(one.left, other.left), bottom=max(one.bottom, other.bottom),
        right=max(one.right, other.right), score=max(one.score, other.score),
    )  # fmt: skip
