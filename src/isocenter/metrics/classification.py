"""How well classes and findings are told apart.

`truth` is 1 or 0 for each case (nan: nobody judged it, the row is left out) or, where it says so, the number of a
class. `called` is what an operating point made of a probability: 1 from the point on, else 0.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isocenter.metrics import weighted
from isocenter.metrics.rows import Array, Column, binary, classes, figure, pair

Measure = Callable[[Column, Column], float]


def auc(scores: Column, truth: Column) -> float:
    """Return the area under the ROC curve: how often a positive scores above a negative, ties counting half.

    0.5 is chance; nan where one of the two is not there. Scores may be probabilities or any number that rises.

    Raises:
        InputError: Rows that do not fit, a truth that is neither 0 nor 1, a score that is no number.

    Source: Hanley and McNeil 1982, Radiology 143:29 (the Mann-Whitney statistic).
    """
    return figure(weighted.auc, binary(scores, truth))


def average_precision(scores: Column, truth: Column) -> float:
    """Return precision averaged over the positives, each at its own score; no interpolation. nan without a positive.

    Chance is the share of positives, so figures of two sets with other shares cannot be compared.

    Raises:
        InputError: As of `auc`.

    Source: Metrics Reloaded, AP; Davis and Goadrich 2006 (ICML) on why precision is not interpolated in straight lines.
    """
    return figure(weighted.average_precision, binary(scores, truth))


def macro_auc(scores: Column, truth: Column) -> float:
    """Return the mean over classes of each one's AUC against the rest; classes without it are left out, nan if all are.

    Args:
        scores: (rows, classes).
        truth: (rows,) numbers of classes.

    Raises:
        InputError: Rows or classes that do not fit.
    """
    return figure(weighted.macro_auc, classes(scores, truth))


def macro_average_precision(scores: Column, truth: Column) -> float:
    """Return the mean over classes of each one's average precision; as `macro_auc`.

    Raises:
        InputError: Rows or classes that do not fit.
    """
    return figure(weighted.macro_average_precision, classes(scores, truth))


def accuracy(predicted: Column, truth: Column) -> float:
    """Return the share of cases with the right class; nan without a case.

    Raises:
        InputError: Rows that do not fit.
    """
    return figure(weighted.accuracy, _one_column(predicted, truth))


def balanced_accuracy(predicted: Column, truth: Column) -> float:
    """Return the mean sensitivity of the classes that are there, each counting alike; nan below two classes.

    Raises:
        InputError: Rows that do not fit.

    Source: Brodersen et al. 2010 (ICPR).
    """
    return figure(weighted.balanced_accuracy, _one_column(predicted, truth))


def sensitivity(called: Column, truth: Column) -> float:
    """Return the share of positives that were called; nan without a positive.

    Raises:
        InputError: Rows that do not fit, or values that are neither 0 nor 1.
    """
    return figure(weighted.sensitivity, _calls(called, truth))


def specificity(called: Column, truth: Column) -> float:
    """Return the share of negatives that were not called; nan without a negative.

    Raises:
        InputError: As of `sensitivity`.
    """
    return figure(weighted.specificity, _calls(called, truth))


def ppv(called: Column, truth: Column) -> float:
    """Return the share of calls that were right, in cases as common as here; nan without a call.

    Raises:
        InputError: As of `sensitivity`.
    """
    return figure(weighted.ppv, _calls(called, truth))


def npv(called: Column, truth: Column) -> float:
    """Return the share of cases not called that were negative, in cases as common as here; nan where all were called.

    Raises:
        InputError: As of `sensitivity`.
    """
    return figure(weighted.npv, _calls(called, truth))


def f1(called: Column, truth: Column) -> float:
    """Return the harmonic mean of sensitivity and PPV; nan with neither a positive nor a call.

    Raises:
        InputError: As of `sensitivity`.
    """
    return figure(weighted.f1, _calls(called, truth))


def macro_f1(predicted: Column, truth: Column) -> float:
    """Return the mean F1 of the classes that are there or were answered, each against the rest; nan without a case.

    Args:
        predicted, truth: (rows,) numbers of classes.

    Raises:
        InputError: Rows that do not fit.
    """
    return figure(weighted.macro_f1, _one_column(predicted, truth))


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many cases were called rightly and wrongly."""

    true_positive: int
    false_positive: int
    true_negative: int
    false_negative: int


def count(called: Column, truth: Column) -> Counts:
    """Return the four counts of a yes-or-no question.

    Raises:
        InputError: As of `sensitivity`.
    """
    mine, known = (side.astype(bool) for side in _calls(called, truth))
    return Counts(
        true_positive=int((mine & known).sum()),
        false_positive=int((mine & ~known).sum()),
        true_negative=int((~mine & ~known).sum()),
        false_negative=int((~mine & known).sum()),
    )


def confusion(predicted: Column, truth: Column, *, outputs: int) -> npt.NDArray[np.int64]:
    """Return how often each class (row) was taken for each (column), (outputs, outputs).

    Raises:
        InputError: Rows that do not fit, or a class that is not below `outputs`.
    """
    found, known = _one_column(predicted, truth)
    eye = np.eye(outputs, dtype=np.int64)
    for column in (found, known):
        classes(np.zeros((len(column), outputs)), column)
    return np.asarray(eye[known.astype(np.int64)].T @ eye[found.astype(np.int64)])


def choose_point(probabilities: Column, truth: Column) -> float:
    """Return the operating point with the largest sensitivity + specificity - 1 (Youden's J): called from there on.

    It lies half-way between the two neighbouring scores that it parts, so that rounding decides no case. Of points
    with the same J the lowest is taken: it misses fewest.

    Returns:
        nan where positives or negatives are not there, or where no point does better than chance.

    Raises:
        InputError: As of `auc`.

    Source: Youden 1950, Cancer 3:32.
    """
    scores, known = binary(probabilities, truth)
    values, place = np.unique(scores, return_inverse=True)
    positives, negatives = known.sum(), (1 - known).sum()
    if len(values) < 2 or not positives or not negatives:
        return math.nan
    missed = np.cumsum(np.bincount(place, weights=known))[:-1] / positives  # below the point after each value
    cleared = np.cumsum(np.bincount(place, weights=1 - known))[:-1] / negatives
    gain = cleared - missed
    # 1e-12: equal J of different fractions differ in their last digit
    best = int(np.argmax(gain >= gain.max() - 1e-12))
    if gain[best] <= 1e-12:
        return math.nan
    middle = float(values[best] + (values[best + 1] - values[best]) / 2)
    return middle if middle > values[best] else float(values[best + 1])


def one_vs_rest(measure: Measure, scores: Column, truth: Column) -> Array:
    """Return a yes-or-no measure of each class against all others, (classes,).

    Args:
        measure: Such as `auc`.
        scores: (rows, classes).
        truth: (rows,) numbers of classes.

    Raises:
        InputError: Rows or classes that do not fit.
    """
    found, known = classes(scores, truth)
    return np.array([measure(found[:, place], known == place) for place in range(found.shape[1])])


def by_finding(measure: Measure, scores: Column, truth: Column) -> Array:
    """Return a yes-or-no measure of each finding, (findings,), over the cases in which it was judged.

    Args:
        measure: Such as `auc`.
        scores: (rows, findings).
        truth: (rows, findings) 1 or 0; nan where nobody judged.

    Raises:
        InputError: Shapes that do not fit, or as the measure says.
    """
    return np.array([measure(*columns) for columns in zip(np.transpose(scores), np.transpose(truth), strict=True)])


def macro(values: Array) -> float:
    """Return the mean of the figures that are known; nan where none is."""
    known = np.asarray(values, dtype=np.float64)
    known = known[~np.isnan(known)]
    return float(known.mean()) if len(known) else math.nan


def _calls(called: Column, truth: Column) -> tuple[Array, Array]:
    found, known = binary(called, truth)
    binary(known, found)  # calls are 0 or 1 as well
    return found, known


def _one_column(predicted: Column, truth: Column) -> tuple[Array, Array]:
    found, known = pair(predicted, truth)
    return found if found.ndim == 1 else found.argmax(1).astype(np.float64), known
