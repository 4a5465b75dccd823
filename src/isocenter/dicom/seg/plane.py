"""One slice in the body, and where it lies in a grid."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from isocenter.image import Affine

PLACE_TOLERANCE_MM = 0.1
"""What the proof of a written object allows; decimal strings alone leave less than 1e-5 mm."""

_STEP_SHARE = (
    0.12  # of the slices' step: a scan counts as regular where no slice lies more than a tenth beside its place
)

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slot:
    """Where a plane lies in a grid.

    Args:
        axes: The grid's index axes along which the plane's (normal, rows, columns) run.
        start: Grid index of the plane's first pixel.
        signs: Whether (rows, columns) grow with the grid's index (1) or against it (-1).
        aside_mm: How far the plane's furthest corner lies from that place within the plane.
        beside_mm: How far along its normal.
        step_mm: Of the grid, along the plane's normal.
    """

    axes: tuple[int, int, int]
    start: tuple[int, int, int]
    signs: tuple[int, int]
    aside_mm: float
    beside_mm: float
    step_mm: float

    @property
    def is_on(self) -> bool:
        """Whether the plane is a slice of the grid: what a header's rounding explains, and no more."""
        beside = max(PLACE_TOLERANCE_MM, _STEP_SHARE * self.step_mm)
        return self.aside_mm <= PLACE_TOLERANCE_MM and self.beside_mm <= beside

    @property
    def off_mm(self) -> float:
        """How far off the plane lies altogether."""
        return float(np.hypot(self.aside_mm, self.beside_mm))

    def window(
        self, grid: npt.NDArray[Scalar], shape: tuple[int, int]
    ) -> tuple[npt.NDArray[Scalar], tuple[slice, slice]]:
        """Return the part of a grid that the plane covers, and which of the plane's pixels lie there.

        Args:
            grid: (slice, row, column).
            shape: (rows, columns) of the plane.

        Returns:
            A view into the grid laid like the plane, (rows, columns), and the slices of the plane that it matches.
        """
        normal, down, across = self.axes
        level = self.start[normal]
        depth = slice(level, level + 1) if 0 <= level < grid.shape[normal] else slice(0, 0)
        rows, row_pixels = _run(self.start[down], self.signs[0], shape[0], grid.shape[down])
        columns, column_pixels = _run(self.start[across], self.signs[1], shape[1], grid.shape[across])
        view = grid.transpose(self.axes)[depth, rows, columns]
        if view.shape[0] == 0:
            return view.reshape(0, 0), (slice(0, 0), slice(0, 0))
        return view[0], (row_pixels, column_pixels)


def _run(start: int, sign: int, count: int, size: int) -> tuple[slice, slice]:
    """Return which of a grid's `size` indices a run of `count` pixels meets, and which pixels those are."""
    first, last = (max(0, -start), min(count, size - start)) if sign > 0 else (max(0, start - size + 1), start + 1)
    last = min(count, last)
    if last <= first:
        return slice(0, 0), slice(0, 0)
    if sign > 0:
        return slice(start + first, start + last), slice(first, last)
    end = start - last
    return slice(start - first, end if end >= 0 else None, -1), slice(first, last)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plane:
    """A slice of (rows, columns) pixels in LPS mm.

    Args:
        origin: Centre of the first pixel (Image Position (Patient)).
        down: From one row to the next.
        across: From one column to the next.
        shape: (rows, columns).
    """

    origin: npt.NDArray[np.float64]
    down: npt.NDArray[np.float64]
    across: npt.NDArray[np.float64]
    shape: tuple[int, int]

    @property
    def normal(self) -> npt.NDArray[np.float64]:
        """Unit vector along which slices follow each other: row cosines x column cosines."""
        normal = np.cross(self.across, self.down)
        return np.asarray(normal / np.linalg.norm(normal))

    @property
    def spacing(self) -> tuple[float, float]:
        """Step from row to row and from column to column, in mm."""
        return float(np.linalg.norm(self.down)), float(np.linalg.norm(self.across))

    def to_world(self, pixels: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return LPS positions in mm, shape (..., 3), of (row, column) indices."""
        index = np.asarray(pixels, dtype=np.float64)
        return np.asarray(self.origin + index[..., :1] * self.down + index[..., 1:] * self.across)

    def slot_on(self, affine: Affine) -> Slot | None:
        """Return where the plane lies in a grid, None where its axes run along none of the grid's."""
        inverse = np.linalg.inv(affine.matrix[:3, :3])
        steps = np.stack([inverse @ self.down, inverse @ self.across])
        down, across = (int(axis) for axis in np.abs(steps).argmax(axis=1))
        if down == across:
            return None
        start = np.rint(affine.to_index(self.origin)).astype(int)
        signs = (int(np.sign(steps[0, down])), int(np.sign(steps[1, across])))
        corners = np.array([(r, c) for r in (0, self.shape[0] - 1) for c in (0, self.shape[1] - 1)])
        places = np.tile(start, (4, 1)).astype(np.float64)
        places[:, down] += signs[0] * corners[:, 0]
        places[:, across] += signs[1] * corners[:, 1]
        off = affine.to_world(places) - self.to_world(corners)
        beside = off @ self.normal
        aside = np.linalg.norm(off - np.outer(beside, self.normal), axis=1)
        a, b, c = (int(n) for n in start)
        normal = 3 - down - across
        return Slot(
            axes=(normal, down, across), start=(a, b, c), signs=signs, step_mm=affine.spacing[normal],
            aside_mm=float(aside.max()), beside_mm=float(np.abs(beside).max()),
        )  # fmt: skip
