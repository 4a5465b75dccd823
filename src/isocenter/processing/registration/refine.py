"""A start made exact: the way uphill of mutual information, from a coarse grid to a finer one."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.spatial.transform import Rotation

from isocenter.processing.registration.level import Level
from isocenter.processing.registration.likeness import binned, placed, sampled

Floats = npt.NDArray[np.float64]
Freedom = Literal["shift", "rigid", "affine"]

_BINS = 32
_STEEP = 50.0  # about the curvature of mutual information per mm², which makes the first steps of a fair length
_FEWEST = 200  # places that both volumes cover
_TINY = 1e-12
_TURN = 1e-4  # radians, over which the derivative of a turn is taken


def refine(
    fixed: Level, moving: Level, matrix: Floats, *, points: Floats, freedom: Freedom = "rigid", rounds: int = 60
) -> Floats:
    """Return a transform near a start at which two volumes tell most of each other.

    Args:
        fixed, moving: On grids of one spacing.
        matrix: The start, (4, 4) from LPS mm of the fixed to those of the moving volume.
        points: Places that are compared, (n, 3) in LPS mm of the fixed volume.
        freedom: "shift" moves the start; "rigid" keeps its lengths and angles; "affine" stretches and shears, too.
        rounds: At most.

    Returns:
        (4, 4); the start itself where fewer than 200 places can be compared.

    Source: Mattes et al. 2003, PET-CT image registration in the chest using free-form deformations (the measure and
        its derivative); Byrd et al. 1995 (L-BFGS-B, of scipy).
    """
    centre = points.mean(axis=0)
    arm_mm = float(np.linalg.norm(points - centre, axis=1).mean())
    turning = _Turning(start=matrix, centre=centre, arm_mm=arm_mm, points=points, freedom=freedom)
    measure = Information.of(fixed, moving, points)
    unit = fixed.spacing_mm / 2

    def downhill(steps: Floats) -> tuple[float, Floats]:
        value, slope = measure.at(turning.places(steps * unit))
        return -_STEEP * value, -_STEEP * unit * turning.slope(steps * unit, slope)

    found = minimize(
        downhill, np.zeros(turning.size), jac=True, method="L-BFGS-B",
        options={"maxiter": rounds, "maxfun": 2 * rounds, "ftol": 1e-9, "gtol": 1e-4},
    )  # fmt: skip
    return turning.matrix(found.x * unit)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Turning:
    """A linear transform as a few numbers in mm: shifts, and how far a turn or a stretch moves a place at the rim."""

    start: Floats
    centre: Floats
    arm_mm: float
    points: Floats
    freedom: Freedom

    @property
    def size(self) -> int:
        return {"shift": 3, "rigid": 6, "affine": 12}[self.freedom]

    def _linear(self, steps: Floats) -> Floats:
        if self.freedom == "shift":
            return np.eye(3)
        if self.freedom == "rigid":
            return _turns(steps[3:] / self.arm_mm)
        return np.eye(3) + steps[3:].reshape(3, 3) / self.arm_mm

    def matrix(self, steps: Floats) -> Floats:
        """Return the transform (4, 4)."""
        move = np.eye(4)
        move[:3, :3] = self._linear(steps)
        move[:3, 3] = self.centre - move[:3, :3] @ self.centre + steps[:3]
        return np.asarray(self.start @ move)

    def places(self, steps: Floats) -> Floats:
        """Return where the points come to lie."""
        return placed(self.matrix(steps), self.points)

    def slope(self, steps: Floats, by_place: Floats) -> Floats:
        """Return the derivative by the numbers, from that by each place (n, 3)."""
        pulled = by_place @ self.start[:3, :3]
        if self.freedom == "shift":
            return np.asarray(pulled.sum(axis=0))
        by_linear = pulled.T @ (self.points - self.centre)
        if self.freedom == "affine":
            return np.concatenate([pulled.sum(axis=0), by_linear.ravel() / self.arm_mm])
        nearby = _turns(steps[3:] / self.arm_mm + _TURN * np.concatenate([np.eye(3), -np.eye(3)]))
        each = (nearby[:3] - nearby[3:]) / (2 * _TURN * self.arm_mm)
        return np.concatenate([pulled.sum(axis=0), (each * by_linear).sum(axis=(1, 2))])


def _turns(vectors: Floats) -> Floats:
    """Return turns about vectors, whose lengths are the angles: (3, 3), or (n, 3, 3) of (n, 3)."""
    return np.asarray(Rotation.from_rotvec(vectors).as_matrix())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Information:
    """Mutual information of two volumes, the moving one's grey levels spread by a cubic B-spline."""

    grey: npt.NDArray[np.int64]
    voxels: npt.NDArray[np.float32]
    level: Level

    @classmethod
    def of(cls, fixed: Level, moving: Level, points: Floats) -> "Information":
        """Return the measure of a fixed volume at places (n, 3) against a moving volume."""
        grey = binned(sampled(fixed, points)[0], bins=_BINS)
        return cls(grey=grey, voxels=np.ascontiguousarray(moving.volume.voxels), level=moving)

    def at(self, places: Floats) -> tuple[float, Floats]:
        """Return the measure in nats and its derivative by each place, (n, 3) per mm."""
        slope = np.zeros_like(places)
        value, by_mm, inside = _interpolated(self.voxels, self.level, places)
        if len(value) < _FEWEST:
            return 0.0, slope
        first, weights, by_value = _spread(value)
        grey, width = self.grey[inside], _BINS + 3
        cells = grey * width + first
        spread = [np.bincount(cells + k, weights=weights[k], minlength=_BINS * width) for k in range(4)]
        joint = np.sum(spread, axis=0).reshape(_BINS, width) / len(value)
        apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
        told = np.where(joint > _TINY, np.log(np.maximum(joint, _TINY) / np.maximum(apart, _TINY)), 0.0)
        flat = told.ravel()
        by_grey = sum(by_value[k] * flat[cells + k] for k in range(4)) / len(value)
        slope[inside] = np.asarray(by_grey)[:, None] * by_mm
        return float((joint * told).sum()), slope


def _spread(value: Floats) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
    """Return the first of four bins that a grey level in 0..1 falls into, its shares of them, and their slopes."""
    scaled = np.clip(value, 0.0, 1.0) * (_BINS - 1)
    whole = np.minimum(scaled.astype(np.int64), _BINS - 2)
    t = scaled - whole
    shares = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3]) / 6
    slopes = np.stack([-((1 - t) ** 2), 3 * t**2 - 4 * t, -3 * t**2 + 2 * t + 1, t**2]) / 2
    return whole, shares, slopes * (_BINS - 1)


def _interpolated(
    voxels: npt.NDArray[np.float32], level: Level, places: Floats
) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Return values (k,) and slopes (k, 3) per mm of the places that lie in a volume, and which those are (n,)."""
    index = level.volume.affine.to_index(places)
    last = np.asarray(voxels.shape) - 1
    inside = np.asarray(((index >= 0) & (index <= last)).all(axis=1))
    index = index[inside]
    low = np.minimum(index.astype(np.int64), last - 1)
    s, r, c = (index - low).T
    strides = np.array([voxels.shape[1] * voxels.shape[2], voxels.shape[2], 1])
    base, flat = low @ strides, voxels.ravel()
    v = [flat[base + (n & 4) // 4 * strides[0] + (n & 2) // 2 * strides[1] + (n & 1)] for n in range(8)]
    along_c = [v[n] + c * (v[n + 1] - v[n]) for n in (0, 2, 4, 6)]
    step_c = [v[n + 1] - v[n] for n in (0, 2, 4, 6)]
    along_r = [along_c[n] + r * (along_c[n + 1] - along_c[n]) for n in (0, 2)]
    step_r = [along_c[n + 1] - along_c[n] for n in (0, 2)]
    value = along_r[0] + s * (along_r[1] - along_r[0])
    by_c = [step_c[n] + r * (step_c[n + 1] - step_c[n]) for n in (0, 2)]
    slope = np.stack(
        [along_r[1] - along_r[0], step_r[0] + s * (step_r[1] - step_r[0]), by_c[0] + s * (by_c[1] - by_c[0])], axis=1
    )
    return value, slope @ np.linalg.inv(level.volume.affine.matrix[:3, :3]), inside
