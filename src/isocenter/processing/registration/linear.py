"""Rigid and affine registration: many starts, the likeliest made exact, level by level."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isocenter.processing.registration.level import Level
from isocenter.processing.registration.likeness import distance_mm, likeness
from isocenter.processing.registration.refine import Freedom, refine
from isocenter.processing.registration.search import Reach, search

Floats = npt.NDArray[np.float64]

_STARTS, _FINALISTS, _MIRRORED = 12, 3, 2
_SEARCHED = 1200  # places that starts are compared at, of the first level's
_POINTS = (2400, 8000, 20_000)  # places compared on each level, of which more make no result more exact
_ROUNDS = (40, 60, 60)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """A transform, and how well the volumes agree under it.

    Args:
        matrix: (4, 4) from LPS mm of the fixed to those of the moving volume.
        likeness: 0..1, on the grid of 4 mm.
        share: Of the fixed body and its rim that the moving volume covers.
    """

    matrix: Floats
    likeness: float
    share: float

    @property
    def worth(self) -> float:
        """What fits are ranked by: a likeness that few places tell of counts less."""
        return float(self.likeness * np.sqrt(self.share))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pair:
    """Two volumes on the same levels, 8, 4 and 2 mm, and the places that are compared on each."""

    fixed: tuple[Level, ...]
    moving: tuple[Level, ...]
    points: tuple[Floats, ...]

    @classmethod
    def of(cls, fixed: Sequence[Level], moving: Sequence[Level], *, rng: np.random.Generator) -> "Pair":
        """Return a pair, its places drawn."""
        points = tuple(level.points(most, rng=rng) for level, most in zip(fixed, _POINTS, strict=True))
        return cls(fixed=tuple(fixed), moving=tuple(moving), points=points)

    def fit(self, matrix: Floats, *, freedom: Freedom = "rigid", since: int = 0, to: int = 2) -> Fit:
        """Return where a start leads, from one level to another (0 is the coarsest)."""
        for level in range(since, to + 1):
            matrix = refine(
                self.fixed[level], self.moving[level], matrix, points=self.points[level], freedom=freedom,
                rounds=_ROUNDS[level],
            )  # fmt: skip
        alike, share = likeness(self.points[1], self.fixed[1], self.moving[1], matrix)
        return Fit(matrix=matrix, likeness=alike, share=share)

    def search(self, *, reach: Reach) -> tuple[Fit, ...]:
        """Return where the likeliest starts lead on the coarsest level, the best first."""
        starts = search(*self._coarsest, reach=reach, keep=_STARTS, points=self.points[0][::2])
        return _ranked(self.fit(start.matrix, to=0) for start in starts)

    def mirrored(self, *, reach: Reach) -> Fit:
        """Return the best fit of the moving volume's mirror images, on the grid of 4 mm."""
        centre, fits = self.moving[0].centre, []
        for axis in range(3):
            mirror = np.eye(4)
            mirror[axis, axis], mirror[axis, 3] = -1.0, 2 * centre[axis]
            starts = search(*self._coarsest, reach=reach, keep=_MIRRORED, points=self.points[0][::4], mirror=mirror)
            fits += [self.fit(start.matrix, to=0) for start in starts]
        best = _ranked(fits)[0]
        return max(best, self.fit(best.matrix, since=1, to=1), key=lambda fit: fit.worth)

    def finish(self, fits: Sequence[Fit], *, freedom: Freedom) -> Fit:
        """Return the best transform on the finest level, of those that the search found."""
        few = self.points[0][::20]
        apart: list[Fit] = []
        for fit in fits:
            if all(distance_mm(fit.matrix, other.matrix, few) > self.fixed[0].spacing_mm for other in apart):
                apart.append(fit)
        best = _ranked(self.fit(fit.matrix, since=1, to=1) for fit in apart[:_FINALISTS])[0]
        if freedom == "affine":
            best = self.fit(best.matrix, freedom="affine", since=0, to=1)
        return self.fit(best.matrix, freedom=freedom, since=2)

    def turned(self, *, rng: np.random.Generator) -> "Pair":
        """Return the same pair the other way round."""
        return Pair.of(self.moving, self.fixed, rng=rng)

    @property
    def _coarsest(self) -> tuple[Level, Level]:
        return self.fixed[0], self.moving[0]


def _ranked(fits: Iterable[Fit]) -> tuple[Fit, ...]:
    return tuple(sorted(fits, key=lambda fit: -fit.worth))
