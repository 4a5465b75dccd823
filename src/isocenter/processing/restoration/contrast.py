"""Contrast made even within each slice, without noise blown up."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from isocenter.errors import RecipeError
from isocenter.image import Volume
from isocenter.processing.restoration.restored import Restored, span_of

Floats = npt.NDArray[np.float32]

_BINS = 256  # between which values are interpolated, so that no steps come up
_HALVINGS = 20  # of where histograms are cut; to a millionth


def clahe(volume: Volume, *, limit: float = 2.0, tiles: int = 8) -> Restored:
    """Return a volume whose slices have even contrast all over, on the range that it had.

    Every slice is cut into tiles; a value becomes its rank in the tiles around it. All slices are ranked between the
    lowest and the highest value of the whole volume, so that they stay comparable: put a window before it, where a few
    voxels are far off. In colour the lightest channel is ranked and the others keep their share of it. HU are no HU
    after it.

    Args:
        volume: Grey or in colour.
        limit: How many times steeper than a straight line a value's curve may become; 1 changes nothing.
        tiles: Along rows and along columns.

    Raises:
        InputError: A constant image.
        RecipeError: A limit below 1, no tile, or more of them than there are rows or columns.

    Source: Zuiderveld 1994, Contrast limited adaptive histogram equalization (the cut is sought as in
        Pizer et al. 1987). Ours, since scikit-image stretches each slice to its own range.
    """
    low, high = span_of(volume, step="clahe")
    if limit < 1 or not 1 <= tiles <= min(volume.shape[1:]):
        raise RecipeError(f"clahe takes a limit of 1 or more and tiles of a pixel or more: {limit = }, {tiles = }.")
    before = volume.voxels if volume.channels == 1 else volume.voxels.max(axis=0)
    after = np.empty(before.shape, dtype=np.float32)
    for place, plane in enumerate(before):
        rank = (plane.astype(np.float32) - np.float32(low)) / np.float32(high - low)
        after[place] = _ranked(rank, limit=limit, tiles=tiles) * np.float32(high - low) + np.float32(low)
    said = {
        "low": low,
        "high": high,
        "contrast_before": float(before.std(dtype=np.float64)),
        "contrast_after": float(after.std(dtype=np.float64)),
    }
    unit = "1" if volume.unit == "HU" else volume.unit
    return Restored(volume=replace(volume, voxels=_recoloured(volume, after), unit=unit), said=said)


def _recoloured(volume: Volume, after: Floats) -> Floats:
    """Return the channels in their old proportion under a new lightest one."""
    if volume.channels == 1:
        return after
    before = volume.voxels.max(axis=0).astype(np.float32)
    gain = np.divide(after, before, out=np.ones_like(after), where=before > 0)
    return np.asarray(volume.voxels * gain, dtype=np.float32)


def _ranked(plane: Floats, *, limit: float, tiles: int) -> Floats:
    """Return a slice (row, column) of values from 0 to 1 by their ranks in the four tiles around each."""
    curves = _curves(plane, limit=limit, tiles=tiles)
    step = np.minimum((plane * _BINS).astype(np.intp), _BINS - 1)
    part = plane * _BINS - step
    (up, down, below), (left, right, aside) = (_between(count, tiles) for count in plane.shape)
    ranked = np.zeros_like(plane)
    for row, weight in ((up, 1 - below), (down, below)):
        for column, share in ((left, 1 - aside), (right, aside)):
            start = curves[row[:, None], column, step]
            rank = start + (curves[row[:, None], column, step + 1] - start) * part
            ranked += weight[:, None] * share * rank
    return np.clip(ranked, 0, 1)


def _curves(plane: Floats, *, limit: float, tiles: int) -> Floats:
    """Return (tile row, tile column, bins + 1): which share of a tile lies below each value, never too steep."""
    rows, columns = (np.arange(count) * tiles // count for count in plane.shape)
    tile = rows[:, None] * tiles + columns
    step = np.minimum((plane * _BINS).astype(np.intp), _BINS - 1)
    counts = np.bincount((tile * _BINS + step).ravel(), minlength=tiles * tiles * _BINS).reshape(tiles, tiles, _BINS)
    shares = counts / counts.sum(axis=-1, keepdims=True)
    clipped = _clipped(shares, most=limit / _BINS)
    curves = np.zeros((tiles, tiles, _BINS + 1), dtype=np.float32)
    np.cumsum(clipped, axis=-1, out=curves[..., 1:])
    return curves


def _clipped(shares: npt.NDArray[np.float64], *, most: float) -> npt.NDArray[np.float64]:
    """Return histograms cut off and what was cut spread evenly, so that no bin holds more than `most` after it."""
    low, high = np.zeros_like(shares[..., :1]), np.full_like(shares[..., :1], most)
    for _ in range(_HALVINGS):
        cut = (low + high) / 2
        is_above = cut + (1 - np.minimum(shares, cut).sum(axis=-1, keepdims=True)) / _BINS > most
        low, high = np.where(is_above, low, cut), np.where(is_above, cut, high)
    kept = np.minimum(shares, low)
    return np.asarray(kept + (1 - kept.sum(axis=-1, keepdims=True)) / _BINS)


def _between(count: int, tiles: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Floats]:
    """Return of each pixel along an axis: the tiles whose centres lie before and after it, and how near the latter."""
    place = np.clip((np.arange(count) + 0.5) * tiles / count - 0.5, 0, tiles - 1)
    before = np.floor(place).astype(np.intp)
    return before, np.minimum(before + 1, tiles - 1), (place - before).astype(np.float32)
