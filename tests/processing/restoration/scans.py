"""Scans of known truth: what the tests of restoration look at."""

import numpy as np

from isocenter.image import Affine, Volume
from isocenter.testing.phantom import axis_grid

SHAPE = (16, 64, 64)


def grid(spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0), shape: tuple[int, int, int] = SHAPE) -> Affine:
    return axis_grid("SPL", shape=shape, spacing_mm=spacing_mm, centre=(3.0, -7.0, 11.0))


def tissue(shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    """Return a round body of 200 with a core of 400 that has a bar of 150, in air of 0; no noise."""
    s, r, c = np.meshgrid(*[np.linspace(-1, 1, n) if n > 1 else np.zeros(1) for n in shape], indexing="ij")
    radius = np.sqrt(0.3 * s**2 + r**2 + c**2)
    voxels = np.zeros(shape, dtype=np.float32)
    voxels[radius < 0.85] = 200
    voxels[radius < 0.6] = 400
    voxels[(np.abs(c - 0.2) < 0.1) & (radius < 0.5)] = 150
    return voxels


def noisy(clean: np.ndarray, sigma: float, *, seed: int = 0) -> np.ndarray:
    return (clean + np.random.default_rng(seed).normal(0, sigma, clean.shape)).astype(np.float32)


def magnitude(clean: np.ndarray, sigma: float, *, seed: int = 0) -> np.ndarray:
    """Return what an MR scanner shows: the length of a complex value with noise in both parts."""
    first, second = np.random.default_rng(seed).normal(0, sigma, (2, *clean.shape))
    return np.hypot(clean + first, second).astype(np.float32)


def scan(
    voxels: np.ndarray,
    *,
    modality: str = "MR",
    unit: str = "1",
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> Volume:
    return Volume(voxels=voxels, affine=grid(spacing_mm, voxels.shape[-3:]), modality=modality, unit=unit)


def picture(voxels: np.ndarray, *, has_size: bool = True) -> Volume:
    """Return a picture of (row, column), or in colour (3, row, column)."""
    stacked = voxels[..., None, :, :]
    affine = grid(shape=stacked.shape[-3:])
    return Volume(voxels=stacked, affine=affine, modality="OT", is_planar=True, has_size=has_size)


def rmse(volume: Volume, clean: np.ndarray) -> float:
    return float(np.sqrt(np.mean((volume.voxels.astype(np.float64) - clean) ** 2)))
