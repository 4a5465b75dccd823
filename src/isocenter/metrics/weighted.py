"""Measures under weights: one set of rows, many weightings of it, one figure for each.

A resample of rows is a weighting by how often each row was drawn, so that no row is ever copied. Each function takes
weights (k, rows) first, then the columns as float64, and returns (k,), nan where a weighting leaves the figure
undefined. What the figures mean stands with the functions of the same names in the files beside this one.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

BINS = 15  # of the calibration error; Guo et al. 2017 count so
CLIP = float(np.finfo(np.float64).eps)  # smallest probability that the log loss believes


def auc(weights: Array, scores: Array, truth: Array) -> Array:
    """Return the area under the ROC curve."""
    positive, negative = _by_score(weights, scores, truth)
    below = np.cumsum(negative, axis=1) - negative / 2
    return _ratio((positive * below).sum(1), positive.sum(1) * negative.sum(1))


def average_precision(weights: Array, scores: Array, truth: Array) -> Array:
    """Return the average precision."""
    positive, negative = (side[:, ::-1] for side in _by_score(weights, scores, truth))
    found, called = np.cumsum(positive, axis=1), np.cumsum(positive + negative, axis=1)
    precision = np.divide(found, called, out=np.zeros_like(found), where=called > 0)
    return _ratio((positive * precision).sum(1), positive.sum(1))


def macro_auc(weights: Array, scores: Array, truth: Array) -> Array:
    """Return the mean over classes of each one's AUC against the rest."""
    return _macro(auc, weights, scores, truth)


def macro_average_precision(weights: Array, scores: Array, truth: Array) -> Array:
    """Return the mean over classes of each one's average precision."""
    return _macro(average_precision, weights, scores, truth)


def sensitivity(weights: Array, called: Array, truth: Array) -> Array:
    """Return the share of positives that were called."""
    return _ratio(weights @ (called * truth), weights @ truth)


def specificity(weights: Array, called: Array, truth: Array) -> Array:
    """Return the share of negatives that were not called."""
    return sensitivity(weights, 1 - called, 1 - truth)


def ppv(weights: Array, called: Array, truth: Array) -> Array:
    """Return the share of calls that were right."""
    return sensitivity(weights, truth, called)


def npv(weights: Array, called: Array, truth: Array) -> Array:
    """Return the share of all-clears that were right."""
    return sensitivity(weights, 1 - truth, 1 - called)


def f1(weights: Array, called: Array, truth: Array) -> Array:
    """Return twice the rightly called over calls plus positives."""
    return _ratio(2 * (weights @ (called * truth)), weights @ (called + truth))


def macro_f1(weights: Array, predicted: Array, truth: Array) -> Array:
    """Return the mean F1 of the classes that are there or were answered."""
    both = np.unique(np.concatenate([predicted, truth]))
    sides = [(np.asarray(predicted == one, float), np.asarray(truth == one, float)) for one in both]
    return mean_of_known(np.stack([f1(weights, *side) for side in sides] or [_nothing(weights)]))


def accuracy(weights: Array, predicted: Array, truth: Array) -> Array:
    """Return the share that is right."""
    return _mean(weights, np.asarray(predicted == truth, dtype=np.float64))


def balanced_accuracy(weights: Array, predicted: Array, truth: Array) -> Array:
    """Return the mean sensitivity of the classes that are there; nan below two."""
    classes = [np.asarray(truth == one, dtype=np.float64) for one in np.unique(truth)]
    right = np.asarray(predicted == truth, dtype=np.float64)
    recalls = np.stack([_ratio(weights @ (one * right), weights @ one) for one in classes] or [_nothing(weights)])
    return np.where(np.isfinite(recalls).sum(0) >= 2, mean_of_known(recalls), np.nan)


def brier(weights: Array, probabilities: Array, truth: Array) -> Array:
    """Return the mean squared distance of probabilities from what was so."""
    return _mean(weights, (probabilities - _hot(probabilities, truth)) ** 2)


def log_loss(weights: Array, probabilities: Array, truth: Array) -> Array:
    """Return the mean negative logarithm of the probability given to what was so."""
    if probabilities.ndim == 1:
        given = np.where(truth == 1, probabilities, 1 - probabilities)
    else:
        given = np.take_along_axis(probabilities, truth.astype(np.int64)[:, None], axis=1)[:, 0]
    return _mean(weights, -np.log(np.clip(given, CLIP, 1.0)))


def expected_calibration_error(weights: Array, probabilities: Array, truth: Array) -> Array:
    """Return the mean over bins of how far sureness and rightness lie apart, bins counting by their rows."""
    sure, right = confidence(probabilities, truth)
    apart = np.zeros((len(sure), BINS))
    apart[np.arange(len(sure)), bin_of(sure)] = right - sure
    return _ratio(np.abs(weights @ apart).sum(1), weights.sum(1))


def mae(weights: Array, predicted: Array, truth: Array) -> Array:
    """Return the mean absolute error."""
    return _mean(weights, np.abs(predicted - truth))


def rmse(weights: Array, predicted: Array, truth: Array) -> Array:
    """Return the root of the mean squared error."""
    return np.asarray(np.sqrt(_mean(weights, (predicted - truth) ** 2)))


def bias(weights: Array, predicted: Array, truth: Array) -> Array:
    """Return the mean error, above 0 where too much is predicted."""
    return _mean(weights, predicted - truth)


def r2(weights: Array, predicted: Array, truth: Array) -> Array:
    """Return the share of the truth's variance that the predictions explain."""
    away = truth - (truth.mean() if len(truth) else 0.0)
    square, total = weights @ away**2, weights.sum(1)
    spread = square - total * _ratio(weights @ away, total) ** 2
    # rounding leaves about 1e-16 of the square where a resample holds one value only
    spread = np.where(spread > 1e-12 * square, spread, 0.0)
    return 1 - _ratio(weights @ (predicted - truth) ** 2, spread)


def cohen_kappa(weights: Array, predicted: Array, truth: Array) -> Array:
    """Return Cohen's kappa of classes without an order."""
    chance = np.zeros(len(weights))
    for one in np.unique(np.concatenate([predicted, truth])):
        mine = _mean(weights, np.asarray(predicted == one, dtype=np.float64))
        chance += mine * _mean(weights, np.asarray(truth == one, dtype=np.float64))
    beyond = 1 - chance
    return 1 - _ratio(1 - accuracy(weights, predicted, truth), np.where(beyond > 1e-12, beyond, 0.0))


def quadratic_kappa(weights: Array, predicted: Array, truth: Array) -> Array:
    """Return Cohen's kappa with squared distances of grades.

    The distance expected by chance is E[p²] + E[t²] − 2 E[p] E[t], so no table of grades is needed.
    """
    mine, theirs = _mean(weights, predicted), _mean(weights, truth)
    chance = _mean(weights, predicted**2) + _mean(weights, truth**2) - 2 * mine * theirs
    return 1 - _ratio(_mean(weights, (predicted - truth) ** 2), np.where(chance > 1e-12, chance, 0.0))


def linear_kappa(weights: Array, predicted: Array, truth: Array) -> Array:
    """Return Cohen's kappa with plain distances of grades.

    The distance expected by chance is summed over the steps between grades: the share of pairs that a step divides.
    """
    chance = np.zeros(len(weights))
    grades = np.unique(np.concatenate([predicted, truth]))
    for grade, following in pairwise(grades):
        mine = _mean(weights, np.asarray(predicted <= grade, dtype=np.float64))
        theirs = _mean(weights, np.asarray(truth <= grade, dtype=np.float64))
        chance += (following - grade) * (mine * (1 - theirs) + theirs * (1 - mine))
    return 1 - _ratio(_mean(weights, np.abs(predicted - truth)), np.where(chance > 1e-12, chance, 0.0))


def off_by_one(weights: Array, predicted: Array, truth: Array) -> Array:
    """Return the share graded right or one grade beside."""
    return _mean(weights, np.asarray(np.abs(predicted - truth) <= 1, dtype=np.float64))


def confidence(probabilities: Array, truth: Array) -> tuple[Array, Array]:
    """Return how sure each row was, and how right (0 or 1): of the finding itself, or of the likeliest class."""
    if probabilities.ndim == 1:
        return probabilities, truth
    return probabilities.max(1), np.asarray(probabilities.argmax(1) == truth, dtype=np.float64)


def bin_of(sure: Array) -> npt.NDArray[np.int64]:
    """Return the bin of each probability: of equal width, lower edge inside, 1 in the last."""
    return np.minimum((sure * BINS).astype(np.int64), BINS - 1)


def _by_score(weights: Array, scores: Array, truth: Array) -> tuple[Array, Array]:
    """Return the weight of positives and of negatives at each distinct score, rising; equal scores are one."""
    order = np.argsort(scores, kind="stable")
    rising = scores[order]
    starts = np.flatnonzero(np.concatenate([np.ones(min(1, len(rising)), dtype=bool), rising[1:] != rising[:-1]]))
    taken = weights[:, order]
    positive = taken * truth[order]
    negative = taken - positive
    if len(starts) == len(rising):
        return positive, negative
    return np.add.reduceat(positive, starts, axis=1), np.add.reduceat(negative, starts, axis=1)


def _macro(one: Callable[[Array, Array, Array], Array], weights: Array, scores: Array, truth: Array) -> Array:
    sides = [np.asarray(truth == place, dtype=np.float64) for place in range(scores.shape[1])]
    return mean_of_known(np.stack([one(weights, scores[:, place], side) for place, side in enumerate(sides)]))


def _hot(probabilities: Array, truth: Array) -> Array:
    if probabilities.ndim == 1:
        return truth
    return np.asarray(truth[:, None] == np.arange(probabilities.shape[1]), dtype=np.float64)


def _mean(weights: Array, values: Array) -> Array:
    """Return the weighted mean of values (rows,), or of the sums of (rows, classes)."""
    return _ratio(weights @ (values if values.ndim == 1 else values.sum(1)), weights.sum(1))


def mean_of_known(values: Array) -> Array:
    """Return the mean along the first axis of the figures that are known, nan where none is."""
    known = np.isfinite(values)
    return _ratio(np.where(known, values, 0.0).sum(0), known.sum(0).astype(np.float64))


def _ratio(above: Array, below: Array) -> Array:
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)


def _nothing(weights: Array) -> Array:
    return np.full(len(weights), np.nan)
