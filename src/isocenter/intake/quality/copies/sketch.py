"""An image in 64 × 64 shades, small enough that those of a hundred thousand are held, and what two are compared by."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from isocenter.errors import InputError

EDGE = 64  # pixels of a picture's sketch
DEPTH = 16  # voxels of a stack's: as many bytes
FINE = 32  # pixels of what is compared

Sketch = npt.NDArray[np.uint8]
"""(64, 64) of a picture, (16, 16, 16) of a stack; 0 to 255 are the middle 98 % of its values."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Band:
    """Which detail is compared.

    Args:
        finest: Deviation, in pixels of 32, of the Gaussian that takes finer detail away; 0 for none.
        coarsest: And of the one that is subtracted: shading, and what is alike in all images of one kind.
    """

    finest: float
    coarsest: float


SHARP = Band(0.0, 2.0)  # a picture saved again keeps 0.99 of correlation in it, two of two people reach 0.87
SOFT = Band(1.5, 4.0)  # bears that two images lie 1 pixel of 32 apart


def sketch_of(grey: npt.NDArray[Any], low: float, high: float, *, is_stack: bool = False) -> Sketch:
    """Return an image's sketch.

    Args:
        grey: (slice, row, column); of a picture one slice.
        low, high: What becomes 0 and 255.
        is_stack: It is no picture.
    """
    made = grey.astype(np.float32) if is_stack else grey[0].astype(np.float32)
    made = ((made - np.float32(low)) * np.float32(255 / max(high - low, 1e-12))).clip(0, 255)
    for axis, length in enumerate(made.shape):
        weights = averaging(np.zeros(1), np.ones(1), length=length, parts=DEPTH if is_stack else EDGE)[0]
        made = np.moveaxis(np.tensordot(weights, made, axes=(1, axis)), 0, axis)
    return np.round(made).astype(np.uint8)


def averaging(start: npt.ArrayLike, stop: npt.ArrayLike, *, length: int, parts: int) -> Floats:
    """Return (n, parts, length) weights of the means over equal parts of a stretch of an axis.

    Args:
        start, stop: (n,) ends of the stretches, as shares of the axis, 0 to 1.
        length: Pixels of the axis.
        parts: Means that are taken of it.
    """
    first, last = np.atleast_1d(start), np.atleast_1d(stop)
    edges = (first[:, None] + (last - first)[:, None] * np.linspace(0, 1, parts + 1)) * length
    cells = np.arange(length)
    covered = np.minimum(edges[:, 1:, None], cells + 1) - np.maximum(edges[:, :-1, None], cells)
    weights = covered.clip(0)
    return np.asarray(weights / weights.sum(axis=2, keepdims=True).clip(1e-9), np.float32)


@cache
def blur(sigma: float, parts: int = FINE) -> Floats:
    """Return (parts, parts), the matrix by which an axis is blurred."""
    return np.asarray(gaussian_filter1d(np.eye(parts), sigma, axis=0) if sigma else np.eye(parts), np.float32)


def described(pictures: Floats, band: Band) -> Floats:
    """Return (n, 1024) what pictures are compared by: of length 1, or 0 where there is no detail.

    Args:
        pictures: (n, 32, 32).
        band: The detail.
    """
    fine, coarse = blur(band.finest), blur(band.coarsest)
    left = np.asarray(fine @ pictures @ fine.T - coarse @ pictures @ coarse.T, np.float32)
    return unit(left.reshape(len(pictures), FINE * FINE))


def unit(rows: Floats, *, least: float = 1.0) -> Floats:
    """Return rows, less their means, of length 1; those with less to them than some rounding are 0."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.asarray(
        np.where(length > least * rows.shape[1] ** 0.5, centred / np.maximum(length, 1e-9), 0), np.float32
    )


def cut(sketches: npt.NDArray[np.generic], boxes: npt.NDArray[np.float64]) -> Floats:
    """Return (n, 32, 32), a part of each sketch.

    Args:
        sketches: (n, 64, 64).
        boxes: (n, 4) first row, last row, first column, last column, as shares of the sides.

    Raises:
        InputError: They are not as many.
    """
    if len(sketches) != len(boxes):
        raise InputError(f"{len(sketches)} sketches and {len(boxes)} boxes; each has one.")
    rows = averaging(boxes[:, 0], boxes[:, 1], length=EDGE, parts=FINE)
    columns = averaging(boxes[:, 2], boxes[:, 3], length=EDGE, parts=FINE)
    return np.asarray(rows @ sketches.astype(np.float32) @ columns.transpose(0, 2, 1), np.float32)
