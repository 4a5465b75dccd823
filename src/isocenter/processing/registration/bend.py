"""Deformable registration: control points are moved until the volumes tell most of each other, and stay smooth."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from isocenter.processing.registration.likeness import placed
from isocenter.processing.registration.linear import Pair
from isocenter.processing.registration.refine import Information
from isocenter.processing.registration.spline import Spline
from isocenter.processing.registration.transform import Transform

Floats = npt.NDArray[np.float64]

MESHES_MM = (48.0, 24.0)
_ROUNDS = 60
_STIFF = 2e-3  # of a mm² of second difference between control points, against a nat of information
_STEEP = 2000.0  # what the sum is multiplied by, which makes the first steps of a fair length


def bend(pair: Pair, matrix: Floats) -> Transform:
    """Return a linear transform with a smooth bend on top, found on the grid of 4 mm.

    Args:
        pair: Both volumes; the places of its finest level are compared.
        matrix: (4, 4), of the linear registration; it stays.

    Source: Rueckert et al. 1999 (the mesh); Mattes et al. 2003 (the measure).
    """
    points = pair.points[-1]
    found = Transform(matrix=matrix)
    measure = Information.of(pair.fixed[1], pair.moving[1], points)
    for step_mm in MESHES_MM:
        spline = Spline.over(points, step_mm=step_mm)
        controls = _climbed(spline, found, points=points, measure=measure)
        found = replace(found, bends=(*found.bends, replace(spline, controls=controls)))
    return found


def _climbed(spline: Spline, before: Transform, *, points: Floats, measure: Information) -> Floats:
    """Return the control points (x, y, z, 3) under which the volumes tell most of each other."""
    weights = spline.weights(points)
    already, shape, matrix = points + before.displaced(points), spline.controls.shape, before.matrix

    def downhill(flat: Floats) -> tuple[float, Floats]:
        controls = flat.reshape(shape)
        value, slope = measure.at(placed(matrix, already + weights @ controls.reshape(-1, 3)))
        rough, by_rough = _roughness(controls)
        by_controls = weights.T @ (slope @ matrix[:3, :3])
        return _STEEP * (_STIFF * rough - value), _STEEP * (_STIFF * by_rough.ravel() - by_controls.ravel())

    options = {"maxiter": _ROUNDS, "maxfun": 2 * _ROUNDS, "ftol": 1e-7, "gtol": 1e-3}
    found = minimize(downhill, np.zeros(spline.controls.size), jac=True, method="L-BFGS-B", options=options)
    return np.asarray(found.x.reshape(shape))


def _roughness(controls: Floats) -> tuple[float, Floats]:
    """Return the mean square of second differences along the axes, in mm², and its derivative by the controls."""
    slope = np.zeros_like(controls)
    value, count = 0.0, controls[..., 0].size
    for axis in range(3):
        second = np.diff(controls, n=2, axis=axis)
        value += float((second**2).sum()) / count
        first, middle, last = (
            tuple(slice(low, high) if other == axis else slice(None) for other in range(4))
            for low, high in ((0, -2), (1, -1), (2, None))
        )
        slope[first] += 2 * second / count
        slope[middle] -= 4 * second / count
        slope[last] += 2 * second / count
    return value, slope
