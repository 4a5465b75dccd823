"""A smooth displacement: cubic B-splines on a coarse mesh of control points."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

Floats = npt.NDArray[np.float64]

_CHUNK = 200_000  # places at once: 64 weights each


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spline:
    """Displacements in LPS mm.

    Args:
        origin: LPS mm of the first control point.
        step_mm: Between control points, along x, y and z.
        controls: (x, y, z, 3); beyond the mesh the displacement fades to 0.

    Source: Rueckert et al. 1999, Nonrigid registration using free-form deformations.
    """

    origin: Floats
    step_mm: float
    controls: Floats

    @classmethod
    def over(cls, points: Floats, *, step_mm: float) -> Self:
        """Return a spline without displacement, whose mesh covers places (n, 3) with a control point to spare."""
        low, high = points.min(axis=0) - 2 * step_mm, points.max(axis=0) + 2 * step_mm
        shape = np.ceil((high - low) / step_mm).astype(int) + 1
        return cls(origin=low, step_mm=step_mm, controls=np.zeros((*shape, 3)))

    def displacement(self, points: Floats) -> Floats:
        """Return the displacement of places (n, 3), in mm."""
        flat = self.controls.reshape(-1, 3)
        parts = [self.weights(points[first : first + _CHUNK]) @ flat for first in range(0, len(points), _CHUNK)]
        return np.concatenate(parts) if parts else np.zeros_like(points)

    def slope(self, points: Floats) -> Floats:
        """Return the derivative of the displacement (component) by the place (axis): (n, 3, 3)."""
        flat = self.controls.reshape(-1, 3)
        along = [self.weights(points, by=axis) @ flat for axis in range(3)]
        return np.stack(along, axis=-1)

    def weights(self, points: Floats, *, by: int | None = None) -> csr_array:
        """Return how much each control point counts at each place: sparse (n, control points).

        Args:
            points: (n, 3), LPS mm.
            by: The axis of which the derivative per mm is taken; None takes none.
        """
        shape = np.asarray(self.controls.shape[:3])
        at = (points - self.origin) / self.step_mm
        whole = np.floor(at).astype(np.int64)
        each = [_cubic(at[:, a] - whole[:, a], slope=a == by) / (self.step_mm if a == by else 1.0) for a in range(3)]
        around = whole[:, None, :] + np.arange(-1, 3)[None, :, None]  # (n, 4, axis)
        each = [np.where((around[..., a] >= 0) & (around[..., a] < shape[a]), each[a], 0.0) for a in range(3)]
        near = np.clip(around, 0, shape - 1)
        weight = each[0][:, :, None, None] * each[1][:, None, :, None] * each[2][:, None, None, :]
        x, y, z = near[..., 0], near[..., 1], near[..., 2]
        column = (x[:, :, None, None] * shape[1] + y[:, None, :, None]) * shape[2] + z[:, None, None, :]
        rows = np.arange(0, 64 * len(points) + 1, 64)
        return csr_array((weight.ravel(), column.ravel(), rows), shape=(len(points), int(shape.prod())))


def _cubic(t: Floats, *, slope: bool) -> Floats:
    """Return the weights of the four control points around a place, (n, 4), or their slopes."""
    if slope:
        parts: Sequence[Floats] = (-((1 - t) ** 2) / 2, (3 * t**2 - 4 * t) / 2, (-3 * t**2 + 2 * t + 1) / 2, t**2 / 2)
    else:
        parts = ((1 - t) ** 3 / 6, (3 * t**3 - 6 * t**2 + 4) / 6, (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6, t**3 / 6)
    return np.stack(parts, axis=1)
