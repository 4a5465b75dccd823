"""Grids to scan a body with: every way to lay three axes, oblique ones, and a tilted gantry."""

from collections.abc import Sequence
from itertools import permutations, product
from math import radians, tan

import numpy as np
import numpy.typing as npt

from isocenter.image import Affine

_STEPS = {"L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "S": (0, 0, 1), "I": (0, 0, -1)}

AXIS_ORIENTATIONS = tuple("".join(letters) for pairs in permutations(("RL", "AP", "IS")) for letters in product(*pairs))
"""All 48 ways to let (slice, row, column) grow along the body's axes, such as "SPL" for an axial stack."""


def axis_grid(
    orientation: str, *, shape: Sequence[int], spacing_mm: Sequence[float], centre: Sequence[float] = (0, 0, 0)
) -> Affine:
    """Return the affine of a grid around a centre whose axes grow towards three letters."""
    directions = np.array([_STEPS[letter] for letter in orientation], dtype=np.float64).T
    return centred_grid(directions, shape=shape, spacing_mm=spacing_mm, centre=centre)


def centred_grid(
    directions: npt.ArrayLike, *, shape: Sequence[int], spacing_mm: Sequence[float], centre: Sequence[float] = (0, 0, 0)
) -> Affine:
    """Return the affine of a grid around a centre.

    Args:
        directions: (3, 3); column k is the unit vector in LPS along which index axis k grows.
        shape: (slices, rows, columns).
        spacing_mm: Step along each of them.
        centre: LPS position of the middle of the grid, in mm.
    """
    start = Affine.from_parts(origin=(0, 0, 0), directions=directions, spacing=spacing_mm)
    middle = start.to_world((np.asarray(shape) - 1) / 2)
    origin = np.asarray(centre, dtype=np.float64) - middle
    return Affine.from_parts(origin=origin.tolist(), directions=directions, spacing=spacing_mm)


def oblique_directions(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return (3, 3) unit vectors at right angles, drawn evenly over all rotations; every other one is mirrored.

    Source: Q of a QR decomposition of a Gaussian matrix, columns signed by R's diagonal
    (Mezzadri 2007, How to generate random matrices from the classical compact groups).
    """
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    return np.asarray(q * np.sign(np.diag(r)))


def tilted(affine: Affine, *, degrees: float) -> Affine:
    """Return the grid of a gantry tilted by an angle: each slice moves along the rows' step as the table moves on."""
    matrix = affine.matrix.copy()
    slice_mm, row_mm, _ = affine.spacing
    matrix[:3, 0] += matrix[:3, 1] / row_mm * slice_mm * tan(radians(degrees))
    return Affine(matrix=matrix)
