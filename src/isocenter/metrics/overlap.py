"""How much of two outlines is shared, and how far their volumes differ."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from isocenter.errors import GridError

Binary = npt.NDArray[np.bool_]


def dice(predicted: Binary, reference: Binary) -> float:
    """Return the Dice similarity coefficient, 0 to 1.

    Empty outlines: nan where both are empty (there was nothing to agree on, and means leave it out), 0 where one is.

    Args:
        predicted, reference: Bool, same shape, of one structure. Order does not matter.

    Raises:
        GridError: Two shapes.

    Source: Dice 1945, Ecology 26:297.
    """
    require_one_shape(predicted, reference)
    both = np.count_nonzero(predicted) + np.count_nonzero(reference)
    if both == 0:
        return math.nan
    return 2.0 * float(np.count_nonzero(predicted & reference)) / float(both)


def volume_error(predicted: Binary, reference: Binary) -> float:
    """Return by how much the predicted volume exceeds the reference, in percent of the reference; nan where that is 0.

    Args:
        predicted, reference: Bool, same shape, of one structure.

    Raises:
        GridError: Two shapes.
    """
    require_one_shape(predicted, reference)
    wanted = np.count_nonzero(reference)
    if wanted == 0:
        return math.nan
    return float(100.0 * (np.count_nonzero(predicted) - wanted) / wanted)


def require_one_shape(predicted: npt.NDArray[Any], reference: npt.NDArray[Any]) -> None:
    """Do nothing where both arrays have one shape.

    Raises:
        GridError: They do not.
    """
    if predicted.shape != reference.shape:
        raise GridError(
            f"Prediction and reference have the shapes {predicted.shape} and {reference.shape}; "
            "resample one onto the other's grid first."
        )
