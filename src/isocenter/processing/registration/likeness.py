"""How much the grey levels of one volume say about those of another at the same places."""

import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates

from isocenter.processing.registration.level import Level

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


def likeness(points: Floats, fixed: Level, moving: Level, matrix: Floats, *, bins: int = 24) -> tuple[float, float]:
    """Return how much a volume says about another, 0..1, and the share of places that both cover.

    Args:
        points: (n, 3), LPS mm of the fixed volume.
        fixed, moving: Both volumes.
        matrix: (4, 4) from LPS mm of the fixed to those of the moving volume.
        bins: Of grey levels.
    """
    here, _ = sampled(fixed, points)
    there, inside = sampled(moving, placed(matrix, points))
    if not inside.any():
        return 0.0, 0.0
    cells = binned(here[inside], bins=bins) * bins + binned(there[inside], bins=bins)
    joint = np.bincount(cells, minlength=bins * bins).reshape(1, bins, bins)
    return float(shared(joint)[0]), float(inside.mean())


def shared(joint: Whole) -> Floats:
    """Return the mutual information of joint histograms (n, bins, bins) by the root of both entropies: 0..1.

    What chance alone leaves between so few values is taken off.

    Source: Strehl and Ghosh 2002 (the norm); Miller 1955 (the bias of an entropy).
    """
    total = np.maximum(joint.sum(axis=(1, 2)), 1)
    one, other = (_entropy(joint.sum(axis=axis), total) for axis in (2, 1))
    both = _entropy(joint.reshape(len(joint), -1), total)
    norm = np.sqrt(np.maximum(one * other, 1e-12))
    return np.asarray(np.where(np.minimum(one, other) > 1e-3, (one + other - both) / norm, 0.0))


def _entropy(counts: Whole, total: Whole) -> Floats:
    plain = np.log(total) - (counts * np.log(np.maximum(counts, 1))).sum(axis=1) / total
    return np.asarray(plain + ((counts > 0).sum(axis=1) - 1) / (2 * total))


def binned(values: npt.ArrayLike, *, bins: int) -> Whole:
    """Return grey levels in 0..1 as whole numbers 0..bins-1."""
    return np.asarray(np.minimum(np.asarray(values) * bins, bins - 1), dtype=np.int64)


def sampled(level: Level, points: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return the grey levels of a volume at places in LPS mm (n, 3), linearly interpolated, and which lie in it."""
    index = level.volume.affine.to_index(points)
    last = np.asarray(level.volume.shape) - 1
    inside = np.asarray(((index >= -0.5) & (index <= last + 0.5)).all(axis=1))
    return map_coordinates(level.volume.voxels, index.T, order=1, mode="nearest", output=np.float64), inside


def placed(matrix: Floats, points: Floats) -> Floats:
    """Return places (n, 3) moved by a (4, 4) matrix."""
    return np.asarray(points @ matrix[:3, :3].T + matrix[:3, 3])


def distance_mm(first: Floats, second: Floats, points: Floats) -> float:
    """Return how far apart two transforms lay the same places (n, 3), in mm, in the mean over the places."""
    return float(np.linalg.norm(placed(first, points) - placed(second, points), axis=1).mean())
