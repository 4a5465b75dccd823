"""How far many readers agree on what they rated, beyond chance: Fleiss' kappa and Krippendorff's alpha.

Ratings are (cases, readers), nan where a reader did not read a case. Which reader gave which rating does not matter
here, so readers may change from case to case. Cases with fewer than two ratings say nothing and are left out.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from isocenter.errors import InputError
from isocenter.metrics.interval import Interval, bootstrap_under_weights
from isocenter.metrics.rows import Array, Column

Measure = Callable[[Column], float]
_Kernel = Callable[[Array, Array], Array]  # weights (k, cases), counts of each value (cases, values) -> (k,)


def fleiss_kappa(ratings: Column) -> float:
    """Return Fleiss' kappa of classes without an order: 1 is full agreement, 0 that of chance, below 0 worse.

    Cases may have different numbers of ratings: each counts alike, in what was agreed and in how common a class is.
    With as many ratings for each case that is Fleiss' own formula. nan where no case has two ratings, and where all
    ratings are of one class: chance would agree as well.

    Args:
        ratings: (cases, readers), numbers of classes; nan: not read.

    Raises:
        InputError: Not two axes, or an infinite rating.

    Source: Fleiss 1971, Psychol Bull 76:378; unequal numbers as in Gwet 2014, Handbook of Inter-Rater Reliability.
    """
    return _figure(fleiss_kappa, ratings)


def nominal_alpha(ratings: Column) -> float:
    """Return Krippendorff's alpha of classes without an order: 1 is full agreement, 0 that of chance, below 0 worse.

    Every pair of ratings of a case counts; a case counts by its ratings. nan as of `fleiss_kappa`. With many ratings
    it comes near Fleiss' kappa; with few it allows for their number.

    Args:
        ratings: (cases, readers); nan: not read.

    Raises:
        InputError: Not two axes, or an infinite rating.

    Source: Krippendorff 2011, Computing Krippendorff's Alpha-Reliability.
    """
    return _figure(nominal_alpha, ratings)


def ordinal_alpha(ratings: Column) -> float:
    """Return Krippendorff's alpha of grades: two of them lie as far apart as there are ratings between them.

    Args:
        ratings: (cases, readers), numbers in the order of the grades; nan: not read.

    Raises:
        InputError: As of `nominal_alpha`.

    Source: as of `nominal_alpha`.
    """
    return _figure(ordinal_alpha, ratings)


def interval_alpha(ratings: Column) -> float:
    """Return Krippendorff's alpha of numbers, apart by their squared difference.

    Time and memory grow with the square of the number of distinct values: round measurements to what they mean.

    Args:
        ratings: (cases, readers), in any unit; nan: not read.

    Raises:
        InputError: As of `nominal_alpha`.

    Source: as of `nominal_alpha`.
    """
    return _figure(interval_alpha, ratings)


def ratio_alpha(ratings: Column) -> float:
    """Return Krippendorff's alpha of amounts, apart by their squared difference over their sum.

    Args:
        ratings: (cases, readers), 0 or more; nan: not read.

    Raises:
        InputError: As of `nominal_alpha`, or an amount below 0.

    Source: as of `nominal_alpha`.
    """
    return _figure(ratio_alpha, ratings)


def bootstrap_ratings(
    measure: Measure, ratings: Column, *, patients: Sequence[str], rounds: int = 2000, seed: int = 0
) -> Interval:
    """Return Fleiss' kappa or Krippendorff's alpha with its 95 % interval by patient.

    Args:
        measure: One of this file's measures.
        ratings: (cases, readers); nan: not read.
        patients: Of each case; drawn with all their cases.
        rounds: Resamples.
        seed: The same ratings and seed give the same interval.

    Returns:
        An interval whose n counts the patients with a case that two readers read.

    Raises:
        InputError: Another measure, another number of patients than of cases, or as the measure says.

    Source: as of `bootstrap_of`; readers are taken as they are, so the interval speaks of other patients, not of
        other readers.
    """
    known, read = _paired(ratings)
    if len(patients) != len(read):
        raise InputError(f"{len(read)} cases have {len(patients)} patients; one for each case is wanted.")
    values = np.unique(known[~np.isnan(known)])
    owners = [patient for patient, kept in zip(patients, read, strict=True) if kept]
    kernel = _kernel(measure, values)
    columns = [_counts(known, values)]
    return bootstrap_under_weights(
        kernel, columns, patients=owners, span=(-1.0, 1.0), rounds=rounds, seed=seed
    )  # fmt: skip


def _figure(measure: Measure, ratings: Column) -> float:
    known = _paired(ratings)[0]
    values = np.unique(known[~np.isnan(known)])
    return float(_kernel(measure, values)(np.ones((1, len(known))), _counts(known, values))[0])


def _paired(ratings: Column) -> tuple[Array, Column]:
    """Return the cases with two ratings or more, and of all cases whether they have so many."""
    table = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2:
        raise InputError(f"Ratings have the shape (cases, readers), not {table.shape}.")
    if np.isinf(table).any():
        raise InputError("A rating is infinite; numbers are wanted, nan where a reader did not read a case.")
    read = np.count_nonzero(~np.isnan(table), axis=1) >= 2
    return table[read], read


def _counts(known: Array, values: Array) -> Array:
    """Return how often each case was given each value, (cases, values)."""
    found = np.zeros((len(known), len(values)))
    for column in known.T:
        found += column[:, None] == values
    return found


def _kernel(measure: Measure, values: Array) -> _Kernel:
    if measure not in _KERNELS:
        raise InputError("Only Fleiss' kappa and Krippendorff's alphas are taken over ratings of many readers.")
    return _KERNELS[measure](values)


def _fleiss(weights: Array, counts: Array) -> Array:
    ratings = counts.sum(1)
    agreed = ((counts**2).sum(1) - ratings) / (ratings * (ratings - 1))
    cases = weights.sum(1)
    observed = _over(weights @ agreed, cases)
    chance = (_over(weights @ (counts / ratings[:, None]), cases[:, None]) ** 2).sum(1)
    return 1 - _over(1 - observed, np.where(1 - chance > 1e-12, 1 - chance, 0.0))


def _alpha(weights: Array, counts: Array, *, apart: Array) -> Array:
    """Return alpha where `apart` (values, values) says how far two values lie from each other."""
    within = ((counts @ apart) * counts).sum(1) / (counts.sum(1) - 1)
    totals = weights @ counts
    between = ((totals @ apart) * totals).sum(1)
    return 1 - _over((totals.sum(1) - 1) * (weights @ within), between)


def _ordinal(weights: Array, counts: Array) -> Array:
    """Return alpha of grades, which is that of their mid-ranks as numbers; these change with the weights."""
    totals = weights @ counts
    every = totals.sum(1)
    ranks = np.cumsum(totals, axis=1) - totals / 2 - every[:, None] / 2  # from the middle: squares stay small
    ratings = counts.sum(1)
    within = (ratings * (ranks**2 @ counts.T) - (ranks @ counts.T) ** 2) / (ratings - 1)
    between = every * (totals * ranks**2).sum(1) - (totals * ranks).sum(1) ** 2
    several = np.count_nonzero(totals, axis=1) > 1
    return 1 - _over((every - 1) * (weights * within).sum(1), np.where(several, between, 0.0))


def _unlike(values: Array) -> Array:
    return np.asarray(values[:, None] != values, dtype=np.float64)


def _squared(values: Array) -> Array:
    return np.asarray((values[:, None] - values) ** 2)


def _relative(values: Array) -> Array:
    if len(values) and values[0] < 0:
        raise InputError(f"{values[0]:g} is no amount: a ratio needs numbers from 0; interval_alpha takes any.")
    sums = values[:, None] + values
    shares = np.divide(values[:, None] - values, sums, out=np.zeros_like(sums), where=sums > 0)
    return np.asarray(shares**2)


def _over(above: Array, below: Array) -> Array:
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)


_KERNELS: Mapping[Measure, Callable[[Array], _Kernel]] = {
    fleiss_kappa: lambda values: _fleiss,
    nominal_alpha: lambda values: partial(_alpha, apart=_unlike(values)),
    ordinal_alpha: lambda values: _ordinal,
    interval_alpha: lambda values: partial(_alpha, apart=_squared(values)),
    ratio_alpha: lambda values: partial(_alpha, apart=_relative(values)),
}
