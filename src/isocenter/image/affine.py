"""Where voxels lie in the body: index (slice, row, column) to LPS millimetres."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from isocenter.errors import GridError

FloatArray = npt.NDArray[np.float64]

_LETTERS = (("R", "L"), ("A", "P"), ("I", "S"))  # (towards minus, towards plus) along x, y, z in LPS


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Affine:
    """A (4, 4) float64 matrix from voxel index (slice, row, column) to LPS millimetres.

    LPS: x grows to the patient's left, y to the back, z to the head (DICOM PS3.3 C.7.6.2.1.1).

    Raises:
        GridError: The matrix is not (4, 4), not finite, flat or singular.
    """

    matrix: FloatArray

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, dtype=np.float64)
        if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
            raise GridError(f"An affine is a finite (4, 4) matrix; this one has shape {matrix.shape}.")
        if not np.allclose(matrix[3], (0, 0, 0, 1)):
            raise GridError("The last row of an affine is (0, 0, 0, 1); this one is a projection.")
        steps = np.linalg.norm(matrix[:3, :3], axis=0)
        # 1e-6: the volume of a voxel against the box of its edges; below it two axes are one line
        if (steps < 1e-9).any() or abs(np.linalg.det(matrix[:3, :3])) < 1e-6 * steps.prod():
            raise GridError(f"Two voxel axes coincide or have no length: steps of {steps.round(6).tolist()} mm.")
        matrix.setflags(write=False)
        object.__setattr__(self, "matrix", matrix)

    @classmethod
    def from_parts(cls, *, origin: Sequence[float], directions: npt.ArrayLike, spacing: Sequence[float]) -> Self:
        """Return the affine of a grid.

        Args:
            origin: LPS position of the centre of voxel (0, 0, 0), in mm.
            directions: (3, 3); column k is the unit vector in LPS along which index axis k grows.
            spacing: Step along (slice, row, column), in mm.

        Raises:
            GridError: The parts make a flat or singular matrix.
        """
        matrix = np.eye(4)
        matrix[:3, :3] = np.asarray(directions, dtype=np.float64) * np.asarray(spacing, dtype=np.float64)
        matrix[:3, 3] = origin
        return cls(matrix=matrix)

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Step along (slice, row, column), in mm."""
        a, b, c = np.linalg.norm(self.matrix[:3, :3], axis=0)
        return float(a), float(b), float(c)

    @property
    def origin(self) -> tuple[float, float, float]:
        """LPS position of the centre of voxel (0, 0, 0), in mm."""
        x, y, z = self.matrix[:3, 3]
        return float(x), float(y), float(z)

    @property
    def directions(self) -> FloatArray:
        """(3, 3) unit vectors as columns, one per index axis."""
        return np.asarray(self.matrix[:3, :3] / np.asarray(self.spacing))

    @property
    def orientation(self) -> str:
        """Three letters: where (slice, row, column) grow towards, such as "SPL" for an axial stack."""
        matched = self._axes()
        return "".join(_LETTERS[world][int(self.matrix[world, index] > 0)] for index, world in enumerate(matched))

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel in millilitres."""
        return float(abs(np.linalg.det(self.matrix[:3, :3]))) / 1000.0

    @property
    def is_sheared(self) -> bool:
        """Whether the axes are not at right angles (a tilted gantry leaves such a grid)."""
        gram = self.directions.T @ self.directions
        # 1e-3: 0.06 degrees; NIfTI's float32 headers alone leave up to 1e-4
        return bool(np.abs(gram - np.eye(3)).max() > 1e-3)

    def to_world(self, index: npt.ArrayLike) -> FloatArray:
        """Return LPS positions in mm, shape (..., 3), of voxel indices (slice, row, column)."""
        points = np.asarray(index, dtype=np.float64)
        return np.asarray(points @ self.matrix[:3, :3].T + self.matrix[:3, 3])

    def to_index(self, position: npt.ArrayLike) -> FloatArray:
        """Return fractional indices (slice, row, column), shape (..., 3), of LPS positions in mm."""
        points = np.asarray(position, dtype=np.float64) - self.matrix[:3, 3]
        return np.asarray(points @ np.linalg.inv(self.matrix[:3, :3]).T)

    def shifted(self, index: Sequence[float]) -> "Affine":
        """Return the affine of the same grid counted from another voxel (crop, pad)."""
        matrix = self.matrix.copy()
        matrix[:3, 3] = self.to_world(index)
        return Affine(matrix=matrix)

    def is_close(self, other: "Affine", *, shape: Sequence[int], tolerance_mm: float = 1e-2) -> bool:
        """Return whether no corner of a grid of that shape lies further off than the tolerance."""
        corners = np.array(np.meshgrid(*[(0, n - 1) for n in shape])).reshape(3, -1).T
        off = np.linalg.norm(self.to_world(corners) - other.to_world(corners), axis=1)
        return bool(off.max() <= tolerance_mm)

    def permutation_to(self, orientation: str) -> tuple[tuple[int, int, int], tuple[bool, bool, bool]]:
        """Return how to lay the index axes so that they grow towards the given letters.

        Args:
            orientation: Three letters such as "SPL", one of each pair R/L, A/P, I/S.

        Returns:
            The order of the present axes, and for each of the new axes whether it runs backwards.

        Raises:
            GridError: The letters name one direction twice, or none.
        """
        wanted = [next((w for w, pair in enumerate(_LETTERS) if letter in pair), -1) for letter in orientation]
        if sorted(wanted) != [0, 1, 2]:
            raise GridError(f"{orientation!r} is no orientation: one letter each of R/L, A/P and I/S.")
        matched = self._axes()
        order = [matched.index(world) for world in wanted]
        present = self.orientation
        flips = [present[index] != letter for index, letter in zip(order, orientation, strict=True)]
        return (order[0], order[1], order[2]), (flips[0], flips[1], flips[2])

    def _axes(self) -> list[int]:
        """Return for each index axis the world axis it runs along, each world axis once (oblique: best fit)."""
        weight = np.abs(self.directions)
        best: list[int] = []
        orders = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
        fit = [sum(weight[world, index] for index, world in enumerate(order)) for order in orders]
        best.extend(orders[int(np.argmax(fit))])
        return best
