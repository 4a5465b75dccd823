"""What was predicted and what was so, row beside row: brought to one form, and refused where they do not fit."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from isocenter.errors import InputError

Array = npt.NDArray[np.float64]
Column = npt.NDArray[Any]
Kernel = Callable[[Array, Array, Array], Array]


def pair(predicted: Column, truth: Column) -> tuple[Array, Array]:
    """Return both as float64, rows that nobody judged (truth nan) left out.

    Args:
        predicted: (rows,) or (rows, classes).
        truth: (rows,).

    Raises:
        InputError: Another number of rows, a prediction that is no number, or a truth with two axes.
    """
    found, known = np.asarray(predicted, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if found.shape[:1] != known.shape or known.ndim != 1 or found.ndim > 2:
        raise InputError(
            f"Predictions of the shape {found.shape} and truth of the shape {known.shape} do not fit: one row for each "
            "case is wanted in both."
        )
    judged = ~np.isnan(known)
    found, known = found[judged], known[judged]
    if not (np.isfinite(found).all() and np.isfinite(known).all()):
        bad = int(np.count_nonzero(~np.isfinite(found.reshape(len(found), -1).sum(1) + known)))
        raise InputError(
            f"{bad} of {len(known)} rows hold a value that is no finite number; a network may have failed."
        )
    return found, known


def binary(predicted: Column, truth: Column) -> tuple[Array, Array]:
    """Return both as float64, the truth 0 or 1.

    Raises:
        InputError: As of `pair`, or a truth that is neither 0 nor 1.
    """
    found, known = pair(predicted, truth)
    strange = known[(known != 0) & (known != 1)]
    if len(strange):
        raise InputError(f"The truth holds {strange[0]:g}; yes or no is wanted, 1 or 0 (nan: nobody judged).")
    if found.ndim != 1:
        raise InputError(f"One column of predictions is wanted, not {found.shape[1]}; measure each class by itself.")
    return found, known


def classes(predicted: Column, truth: Column) -> tuple[Array, Array]:
    """Return scores (rows, classes) and true classes (rows,) as float64.

    Raises:
        InputError: As of `pair`, no column for each class, or a class that the columns do not know.
    """
    found, known = pair(predicted, truth)
    if found.ndim != 2:
        raise InputError("One column for each class is wanted, and there is a single one.")
    strange = known[(known != np.floor(known)) | (known < 0) | (known >= found.shape[1])]
    if len(strange):
        raise InputError(
            f"The truth holds class {strange[0]:g}; the predictions have {found.shape[1]} classes, from 0."
        )
    return found, known


def shares(probabilities: Column, truth: Column) -> tuple[Array, Array]:
    """Return probabilities and truth, binary where there is one column, else by class.

    Raises:
        InputError: As of `binary` or `classes`, or a probability outside 0 to 1.
    """
    found, known = binary(probabilities, truth) if np.ndim(probabilities) == 1 else classes(probabilities, truth)
    # 1e-6: float32 sums of a softmax end that far above 1
    strange = found[(found < -1e-6) | (found > 1 + 1e-6)]
    if len(strange):
        raise InputError(f"{strange[0]:g} is no probability; 0 to 1 is wanted (softmax or sigmoid of the scores).")
    return np.clip(found, 0.0, 1.0), known


def figure(kernel: Kernel, columns: tuple[Array, Array]) -> float:
    """Return what a measure under weights says where every row counts once."""
    return float(kernel(np.ones((1, len(columns[1]))), *columns)[0])
