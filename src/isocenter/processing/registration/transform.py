"""Where each place of one volume lies in another: a matrix, and where asked for a bend on top."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isocenter.errors import GridError
from isocenter.processing.registration.spline import Spline

Floats = npt.NDArray[np.float64]

_ROUNDS = 60  # of the way back through a bend
_CLOSE_MM = 1e-3
_SLACK = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Transform:
    """From places of the fixed volume to places of the moving one, both in LPS mm.

    Args:
        matrix: (4, 4), applied last.
        bends: Each adds its displacement to a place before the matrix is applied; empty for a linear transform.

    Raises:
        GridError: The matrix is no (4, 4) one of full rank, or mirrors.
    """

    matrix: Floats
    bends: tuple[Spline, ...] = ()

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, dtype=np.float64)
        if matrix.shape != (4, 4) or not np.isfinite(matrix).all() or not np.allclose(matrix[3], (0, 0, 0, 1)):
            raise GridError("A transform is a finite (4, 4) matrix whose last row is 0, 0, 0, 1.")
        if np.linalg.det(matrix[:3, :3]) < _SLACK:
            raise GridError(
                "A transform of a body neither flattens nor mirrors it; the determinant of this one is not above 0."
            )
        matrix.setflags(write=False)
        object.__setattr__(self, "matrix", matrix)

    def displaced(self, points: Floats) -> Floats:
        """Return how far the bends shift places (n, 3), in mm."""
        return sum((bend.displacement(points) for bend in self.bends), np.zeros_like(points))

    def places(self, points: Floats) -> Floats:
        """Return where places of the fixed volume (n, 3) lie in the moving one."""
        moved = points + self.displaced(points)
        return np.asarray(moved @ self.matrix[:3, :3].T + self.matrix[:3, 3])

    def back(self, points: Floats) -> Floats:
        """Return where places of the moving volume (n, 3) lie in the fixed one; found step by step where it bends.

        Source: Chen et al. 2008, A simple fixed-point approach to invert a deformation field.
        """
        straight = (points - self.matrix[:3, 3]) @ np.linalg.inv(self.matrix[:3, :3]).T
        found = straight
        for _ in range(_ROUNDS if self.bends else 0):
            nearer = straight - self.displaced(found)
            moved = float(np.abs(nearer - found).max())
            found = nearer
            if moved < _CLOSE_MM:
                break
        return np.asarray(found)

    def jacobian(self, points: Floats) -> Floats:
        """Return by what factor the volume around places (n, 3) changes; 0 or less where the transform folds."""
        slopes = sum((bend.slope(points) for bend in self.bends), np.zeros((len(points), 3, 3)))
        return np.asarray(np.linalg.det(self.matrix[:3, :3] @ (np.eye(3) + slopes)))
