"""Where to begin: thousands of turns and shifts looked at coarsely, the likeliest kept."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from isocenter.processing.registration.level import Level
from isocenter.processing.registration.likeness import binned, distance_mm, placed, sampled, shared

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

_BINS = 10
_TURN_STEP, _SHIFT_STEP_MM = 20.0, 16.0  # what a local search on a grid of 8 mm makes good
_NEAR_MM = 30.0  # around the centres of both bodies laid on each other
_ELSEWHERE_MM = 250.0  # between the bodies' centres: such headers speak of two tables, and are not looked at
_LEAST_SHARE = 0.3  # of the places that the other volume must cover


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far the search looks.

    Args:
        turn_deg: The largest turn, about the centre of the fixed body.
        shift_mm: The largest shift against where the headers say that the volumes lie.
    """

    turn_deg: float = 50.0
    shift_mm: float = 70.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Start:
    """A place to begin at: (4, 4) from LPS mm of the fixed to those of the moving volume, and how alike they are."""

    matrix: Floats
    score: float


def search(
    fixed: Level, moving: Level, *, reach: Reach, keep: int, points: Floats, mirror: Floats | None = None
) -> tuple[Start, ...]:
    """Return the likeliest starts, the best first, none near another.

    Args:
        fixed, moving: On a grid of 8 mm or so.
        reach: How far to look.
        keep: How many to return.
        points: Places that are compared, (n, 3) in LPS mm of the fixed volume.
        mirror: (4, 4) in LPS mm of the moving volume, put after every start: a mirror image of it is sought.
    """
    grey = binned(sampled(fixed, points)[0], bins=_BINS)
    after = np.eye(4) if mirror is None else mirror
    offsets = _offsets(fixed, moving, reach=reach, after=after)
    base = offsets.mean(axis=0)
    grid = _Padded.of(moving, (offsets - base) @ after[:3, :3].T)
    found, centre = [], fixed.centre
    turns = Rotation.from_rotvec(np.radians(_ball(reach.turn_deg, _TURN_STEP))).as_matrix()
    for turn in np.asarray(turns, dtype=np.float64):
        matrix: Floats = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = turn, centre - turn @ centre
        scores = grid.scores(placed(after, placed(matrix, points) + base), grey)
        for place in np.argsort(scores)[::-1][:keep]:
            shifted = matrix.copy()
            shifted[:3, 3] += offsets[place]
            found.append(Start(matrix=after @ shifted, score=float(scores[place])))
    return _apart(found, points, keep=keep)


def _offsets(fixed: Level, moving: Level, *, reach: Reach, after: Floats) -> Floats:
    """Return the shifts to look at, around where the headers and where the bodies' centres meet: (n, 3), mm."""
    inverse = np.asarray(np.linalg.inv(after), dtype=np.float64)
    towards = placed(inverse, moving.centre[None])[0] - fixed.centre
    if np.linalg.norm(towards) > _ELSEWHERE_MM:
        return np.asarray(towards + _ball(reach.shift_mm, _SHIFT_STEP_MM))
    return np.concatenate([_ball(reach.shift_mm, _SHIFT_STEP_MM), towards + _ball(_NEAR_MM, _SHIFT_STEP_MM)])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Padded:
    """Grey levels as whole numbers, with so much around them that no shift leads out; what lies outside has its own."""

    levels: npt.NDArray[np.uint8]
    most: Whole
    shifts: Whole
    level: Level

    @classmethod
    def of(cls, level: Level, offsets: Floats) -> "_Padded":
        """Return a volume padded for shifts of so many mm (n, 3); they are rounded to whole voxels."""
        steps = np.rint(offsets @ np.linalg.inv(level.volume.affine.matrix[:3, :3]).T).astype(np.int64)
        most = np.abs(steps).max(axis=0) + 1
        plain = binned(np.clip(level.volume.voxels, 0, 1), bins=_BINS).astype(np.uint8)
        padded = np.pad(plain, [(2 * int(n), 2 * int(n)) for n in most], constant_values=_BINS)
        return cls(levels=padded, most=most, shifts=steps, level=level)

    def scores(self, points: Floats, grey: Whole) -> Floats:
        """Return how alike the volumes are at each shift."""
        shape = np.asarray(self.levels.shape)
        strides = np.array([shape[1] * shape[2], shape[2], 1])
        index = np.rint(self.level.volume.affine.to_index(points)).astype(np.int64)
        near = np.clip(index + 2 * self.most, self.most, shape - 1 - self.most)  # beyond, no shift brings them in
        seen = self.levels.ravel()[(near @ strides)[None] + (self.shifts @ strides)[:, None]]
        first = np.arange(len(self.shifts))[:, None] * (_BINS * (_BINS + 1)) + grey[None] * (_BINS + 1)
        joint = np.bincount((first + seen).ravel(), minlength=len(self.shifts) * _BINS * (_BINS + 1))
        joint = joint.reshape(-1, _BINS, _BINS + 1)[:, :, :_BINS]
        share = joint.sum(axis=(1, 2)) / len(grey)
        return np.asarray(np.where(share >= _LEAST_SHARE, shared(joint) * np.sqrt(share), 0.0))


def _apart(found: Sequence[Start], points: Floats, *, keep: int) -> tuple[Start, ...]:
    """Return the best starts, each further than half a step from those before it."""
    few = points[:: max(1, len(points) // 50)]
    kept: list[Start] = []
    for start in sorted(found, key=lambda one: -one.score):
        if all(distance_mm(start.matrix, one.matrix, few) > _SHIFT_STEP_MM / 2 for one in kept):
            kept.append(start)
        if len(kept) == keep:
            break
    return tuple(kept)


def _ball(radius: float, step: float) -> Floats:
    """Return the points of a face-centred cubic lattice within a ball (n, 3), its centre among them."""
    most = int(np.ceil(radius / step * np.sqrt(2))) + 1
    grid = np.stack(np.meshgrid(*[np.arange(-most, most + 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    grid = grid[grid.sum(axis=1) % 2 == 0] * (step / np.sqrt(2))
    return np.asarray(grid[np.linalg.norm(grid, axis=1) <= radius])
