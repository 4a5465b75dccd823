"""How far readers' measurements of the same cases agree: the intraclass correlation in its named forms."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy.special import fdtri

from isocenter.errors import InputError
from isocenter.metrics.interval import Interval
from isocenter.metrics.rows import Array, Column

Form = Literal["ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)"]

_TAIL = 0.975


@dataclass(frozen=True, slots=True, kw_only=True)
class _Squares:
    """Mean squares of an analysis of variance of n cases by k readers."""

    cases: float
    readers: float
    error: float
    within: float
    n: int
    k: int


def icc(ratings: Column, *, form: Form) -> Interval:
    """Return how much of the spread of readers' measurements is that of the cases, with its 95 % interval.

    1 is full agreement; at 0 or below readers differ as much as cases. The first figure of a form says what readers
    are: 1, other ones for each case; 2, a sample of all readers, whose systematic differences count (absolute
    agreement, ICC(A,·)); 3, just these, whose systematic differences do not (consistency, ICC(C,·)). The second says
    of what: 1, a single reading; k, the mean of all k readings.

    Args:
        ratings: (cases, readers), in one unit. Cases with nan are left out: the formulas want every reader.
        form: By Shrout and Fleiss' names.

    Returns:
        An interval over n cases, which are taken as independent: give one case for each patient. It rests on
        normally spread values. That of ICC(2,·) is too narrow with few readers and many cases: where readers' shifts
        were a sixth of the variance, it held the truth 93 times in 100 with four readers and 20 cases, 81 times with
        two readers and 60 cases. nan below two cases, where all measurements are the same, and where the mean squares
        leave a form or its interval undefined, as for the mean of readings that agree on nothing. Without width where
        readers agree to the last digit.

    Raises:
        InputError: Not two axes, fewer than two readers, an infinite measurement, or another form.

    Source: Shrout and Fleiss 1979, Psychol Bull 86:420; intervals of McGraw and Wong 1996, Psychol Methods 1:30,
        table 7, those of k readings by the Spearman-Brown formula, which is the same.
    """
    if form not in get_args(Form):
        raise InputError(f"{form!r} is no form of the intraclass correlation; there are {', '.join(get_args(Form))}.")
    known = _complete(ratings)
    if len(known) < 2 or np.ptp(known) == 0:
        return Interval(value=math.nan, low=math.nan, high=math.nan, n=0)
    squares = _mean_squares(known)
    if form.startswith("ICC(2"):
        value = _agreement(squares)
        low, high = _agreement_limits(squares, value)
    else:
        value, low, high = _consistency(squares, is_one_way=form.startswith("ICC(1"))
    if form.endswith("k)"):
        value, low, high = (_stepped_up(figure, squares.k) for figure in (value, low, high))
    if not math.isfinite(value + low + high):
        return Interval(value=math.nan, low=math.nan, high=math.nan, n=0)
    return Interval(value=value, low=low, high=high, n=squares.n)


def _complete(ratings: Column) -> Array:
    table = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 2:
        raise InputError(f"Ratings have the shape (cases, readers) with two readers or more, not {table.shape}.")
    if np.isinf(table).any():
        raise InputError("A measurement is infinite; numbers are wanted, nan where a reader did not read a case.")
    return np.asarray(table[~np.isnan(table).any(1)])


def _mean_squares(known: Array) -> _Squares:
    n, k = known.shape
    by_case = known.mean(1, keepdims=True)
    by_reader = known.mean(0, keepdims=True)
    middle = known.mean()
    rest = known - by_case - by_reader + middle
    return _Squares(
        cases=float(k * ((by_case - middle) ** 2).sum() / (n - 1)),
        readers=float(n * ((by_reader - middle) ** 2).sum() / (k - 1)),
        error=float((rest**2).sum() / ((n - 1) * (k - 1))),
        within=float(((known - by_case) ** 2).sum() / (n * (k - 1))),
        n=n,
        k=k,
    )


def _consistency(squares: _Squares, *, is_one_way: bool) -> tuple[float, float, float]:
    """Return ICC(1,1) or ICC(3,1) with its interval: both are one function of a ratio that is F-distributed."""
    n, k = squares.n, squares.k
    rest = squares.within if is_one_way else squares.error
    free = n * (k - 1) if is_one_way else (n - 1) * (k - 1)
    # cross-multiplied, so that no error at all gives 1
    value, low, high = (
        (squares.cases - times * rest) / (squares.cases + (k - 1) * times * rest)
        for times in (1.0, _quantile(n - 1, free), 1 / _quantile(free, n - 1))
    )
    return value, low, high


def _agreement(squares: _Squares) -> float:
    above = squares.cases - squares.error
    below = squares.cases + (squares.k - 1) * squares.error + squares.k * (squares.readers - squares.error) / squares.n
    return _ratio(above, below)


def _agreement_limits(squares: _Squares, value: float) -> tuple[float, float]:
    """Return the interval of ICC(2,1), with Satterthwaite's degrees of freedom of readers and error together."""
    n, k = squares.n, squares.k
    if math.isnan(value) or value >= 1.0:
        return value, value
    odds = max(value, 0.0) / (1 - value)  # below 0 the formula would count cases' variance as negative
    a = k * odds / n * squares.readers
    b = (1 + k * odds * (n - 1) / n) * squares.error
    free = _ratio((a + b) ** 2, a**2 / (k - 1) + b**2 / ((n - 1) * (k - 1)))
    rest = k * squares.readers + (k * n - k - n) * squares.error
    below, above = _quantile(n - 1, free), _quantile(free, n - 1)
    low = _ratio(n * (squares.cases - below * squares.error), below * rest + n * squares.cases)
    high = _ratio(n * (above * squares.cases - squares.error), rest + n * above * squares.cases)
    return low, high


def _stepped_up(single: float, readings: int) -> float:
    return _ratio(readings * single, 1 + (readings - 1) * single)


def _quantile(above: float, below: float) -> float:
    return float(fdtri(above, below, _TAIL))


def _ratio(above: float, below: float) -> float:
    return above / below if below > 0 else math.nan
