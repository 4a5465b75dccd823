"""A body of known shape, lying somewhere else, and what makes a registration of it impossible."""

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from isocenter.image import Affine, Volume
from isocenter.processing.registration import Transform
from isocenter.testing.phantom import centred_grid, head

AXES = np.eye(3)[:, ::-1]
SHAPE, STEPS = (52, 62, 56), (4.5, 4.0, 4.0)


def scanned(matrix: np.ndarray | None = None, *, modality: str = "MR", seed: int = 0) -> Volume:
    """Return a head in a scanner that lies as a matrix from the upright head's mm says; both grids look alike."""
    rng = np.random.default_rng(seed)
    upright = centred_grid(AXES, shape=SHAPE, spacing_mm=STEPS, centre=(0, -5, -20))
    lying = upright if matrix is None else Affine(matrix=np.linalg.inv(matrix) @ upright.matrix)
    volume, _ = head().sample(lying, SHAPE, modality=modality, rng=rng)
    return replace(volume, affine=upright)


def turned(degrees: float, shift_mm: tuple[float, float, float]) -> np.ndarray:
    """Return a turn about a slanting axis and a shift, as a matrix."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(np.radians(degrees) * np.array([1, 2, 2]) / 3).as_matrix()
    matrix[:3, 3] = shift_mm
    return matrix


def miss_mm(found: Transform, matrix: np.ndarray) -> float:
    """Return how far a transform lays places of a head from where they truly lie, in the mean."""
    places = np.random.default_rng(3).uniform((-60, -80, -70), (60, 80, 70), (500, 3))
    truly = places @ matrix[:3, :3].T + matrix[:3, 3]
    return float(np.linalg.norm(found.places(places) - truly, axis=1).mean())
