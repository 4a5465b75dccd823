"""How sure a figure is: bootstrap by patient, of a mean over patients or of any figure of pooled rows."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from isocenter.errors import InputError
from isocenter.metrics import agreement, calibration, classification, regression, steady, weighted
from isocenter.metrics.rows import Array, Column
from isocenter.result import Score

_LEVEL = 0.95
_AT_ONCE = 2_000_000  # weights held at a time, 16 MB
_GROUPS = 1000  # of patients left out in turn, at most
_NOTHING = 1e-12  # by which equal figures of values in another order differ
_SHARES = ("dice", "nsd", "box_f1", "box_iou")  # means of shares, 0 to 1

# Our own measures -> the same under weights: a thousand times faster than to copy rows for every resample.
_WEIGHTED: Mapping[Callable[..., float], Callable[..., Array]] = {
    classification.auc: weighted.auc,
    classification.average_precision: weighted.average_precision,
    classification.macro_auc: weighted.macro_auc,
    classification.macro_average_precision: weighted.macro_average_precision,
    classification.accuracy: weighted.accuracy,
    classification.balanced_accuracy: weighted.balanced_accuracy,
    classification.sensitivity: weighted.sensitivity,
    classification.specificity: weighted.specificity,
    classification.ppv: weighted.ppv,
    classification.npv: weighted.npv,
    classification.f1: weighted.f1,
    classification.macro_f1: weighted.macro_f1,
    calibration.brier: weighted.brier,
    calibration.log_loss: weighted.log_loss,
    calibration.expected_calibration_error: weighted.expected_calibration_error,
    regression.mae: weighted.mae,
    regression.rmse: weighted.rmse,
    regression.bias: weighted.bias,
    regression.r2: weighted.r2,
    agreement.cohen_kappa: weighted.cohen_kappa,
    agreement.quadratic_kappa: weighted.quadratic_kappa,
    agreement.linear_kappa: weighted.linear_kappa,
    agreement.off_by_one: weighted.off_by_one,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A figure with its 95 % interval.

    Args:
        value: nan where the rows leave it undefined; n is 0 then.
        low, high: nan below two patients. Where no resample changes the figure, how far it may be off for all that
            these patients can tell (see steady); without width only where it has no bounds.
        n: Patients behind it: of a sensitivity those with a positive.
        left_out: Share of the resamples that left the figure undefined, such as an AUC without a positive: they say
            nothing, and the interval is that of the others. Above a few percent it rests on very few cases of a class.
    """

    value: float
    low: float
    high: float
    n: int
    left_out: float = 0.0

    def score(self, *, name: str, label: str, unit: str = "1") -> Score:
        """Return it as a score of a measure and of what it speaks of."""
        return Score(name=name, label=label, value=self.value, low=self.low, high=self.high, n=self.n, unit=unit)


def bootstrap(
    values: Mapping[str, Sequence[float]],
    *,
    name: str,
    label: str,
    unit: str = "1",
    rounds: int = 2000,
    seed: int = 0,
) -> Score:
    """Return the mean over patients with its 95 % interval.

    Patients are drawn again, not cases: two scans of one person are not two witnesses. Each patient counts once,
    by the mean of their values.

    Args:
        values: Patient to the values of their cases; nan is left out, and so is a patient with nothing else.
        name, label, unit: As the score will say.
        rounds: Resamples.
        seed: The same values and seed give the same interval, whatever the order of the patients.

    Returns:
        A score over n patients; nan without a patient, and no interval below two. Where all patients have the same
        share, such as a Dice or NSD, the interval is how far it may be off for all that so many can tell (see steady).

    Source: bias-corrected and accelerated interval, Efron 1987, J Am Stat Assoc 82:171.
    """
    means = np.asarray([_mean(values[patient]) for patient in sorted(values)])
    means = means[~np.isnan(means)]
    value = float(means.mean()) if len(means) else math.nan
    low = high = math.nan
    if len(means) >= 2:
        low, high = _interval(means, rounds=rounds, rng=np.random.default_rng(seed))
    if low == high and name in _SHARES:
        low, high = steady.around(value, share=steady.unseen(len(means)), span=(0.0, 1.0))
    return Score(name=name, label=label, value=value, low=low, high=high, n=len(means), unit=unit)


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def bootstrap_of(
    statistic: Callable[..., float],
    columns: Sequence[Column],
    *,
    patients: Sequence[str],
    rounds: int = 2000,
    seed: int = 0,
    span: steady.Span | None = None,
) -> Interval:
    """Return a figure of pooled rows, such as an AUC, with its 95 % interval by patient.

    Patients are drawn with all their rows, so that rows of one person stay together; the figure is taken over the
    rows, so a patient with more rows counts more. Draws are not stratified: how many are ill varies as it would in
    another sample. Measures of this room take a second for 2,000 resamples of some thousand rows; any other function
    is called once for each resample and each patient left out.

    Args:
        statistic: columns -> the figure, nan where it is undefined; one of this room's measures or a function of yours.
        columns: Such as (probabilities, truth), each (rows,) or (rows, classes), in the order in which the statistic
            takes them. Rows whose last column, the truth, is nan are left out: nobody judged them.
        patients: Of each row.
        rounds: Resamples.
        seed: The same rows and seed give the same interval, whatever the order of the rows.
        span: The least and the most that the figure can be, such as (0, 4) for a mean error of five grades; None
            takes what is known of this room's measures.

    Raises:
        InputError: Columns of several lengths, or as the statistic says.

    Source: bias-corrected and accelerated interval, Efron 1987, J Am Stat Assoc 82:171; patients drawn whole, Davison
        and Hinkley 1997, section 3.8.
    """
    taken, owners = _in_order(columns, patients)
    value = float(statistic(*taken))
    measured = _WEIGHTED.get(statistic) or _repeated(statistic)
    found = _around(value, measured, taken, owners=owners, rounds=rounds, seed=seed)
    if found.n:
        found = replace(found, n=steady.patients_behind(statistic, taken, owners))
    bounds = span or steady.limits_of(statistic, taken)
    if bounds is None or not _is_steady(found):
        return found
    return _unsure(found, share=steady.share_unseen(statistic, taken, owners), span=bounds)


def bootstrap_over_findings(
    statistic: Callable[..., float],
    columns: tuple[Column, Column],
    *,
    patients: Sequence[str],
    rounds: int = 2000,
    seed: int = 0,
) -> Interval:
    """Return the mean over findings of a yes-or-no measure, such as `auc`, with its 95 % interval by patient.

    Each finding is measured over the rows in which it was judged; one that is undefined there, or in a resample, is
    left out of that mean. A patient is drawn with all rows and all findings.

    Args:
        statistic: A measure of this room.
        columns: Scores (rows, findings), and truth (rows, findings), 1 or 0; nan where nobody judged.
        patients: Of each row.
        rounds: Resamples.
        seed: The same rows and seed give the same interval, whatever the order of the rows.

    Raises:
        InputError: Columns of several lengths, or no measure of this room.

    Source: as of `bootstrap_of`.
    """
    kernel = _WEIGHTED.get(statistic)
    if kernel is None:
        raise InputError("Only measures of this room are taken over findings.")
    scores, truth = (np.asarray(column, dtype=np.float64) for column in columns)
    # -1 for nan, so that a row is kept whose other findings were judged
    taken, owners = _in_order([scores, np.where(np.isnan(truth), -1.0, truth)], patients)

    def measured(weights: Array, scores: Array, truth: Array) -> Array:
        judged = [truth[:, place] >= 0 for place in range(truth.shape[1])]
        figures = [kernel(weights[:, rows], scores[rows, place], truth[rows, place])
                   for place, rows in enumerate(judged)]  # fmt: skip
        return weighted.mean_of_known(np.stack(figures))

    value = float(measured(np.ones((1, len(owners))), *taken)[0]) if len(owners) else math.nan
    found = _around(value, measured, taken, owners=owners, rounds=rounds, seed=seed)
    bounds = steady.limits_of(statistic, taken)
    if bounds is None or not _is_steady(found):
        return found
    return _unsure(found, share=steady.unseen_over_findings(statistic, taken, owners), span=bounds)


def bootstrap_under_weights(
    measured: Callable[..., Array],
    columns: Sequence[Column],
    *,
    patients: Sequence[str],
    span: steady.Span,
    rounds: int = 2000,
    seed: int = 0,
) -> Interval:
    """Return a figure that is known under weights, such as Fleiss' kappa, with its 95 % interval by patient.

    Args:
        measured: (weights (k, rows), columns) -> (k,) figures, nan where a weighting leaves them undefined.
        columns: Each (rows,) or (rows, any), without nan.
        patients: Of each row.
        span: The least and the most that the figure can be.
        rounds: Resamples.
        seed: The same rows and seed give the same interval, whatever the order of the rows.

    Raises:
        InputError: Columns of several lengths.

    Source: as of `bootstrap_of`.
    """
    taken, owners = _in_order(columns, patients)
    value = float(measured(np.ones((1, len(owners))), *taken)[0])
    found = _around(value, measured, taken, owners=owners, rounds=rounds, seed=seed)
    return _unsure(found, share=steady.unseen(found.n), span=span) if _is_steady(found) else found


def _is_steady(found: Interval) -> bool:
    return found.low == found.high


def _unsure(found: Interval, *, share: float, span: steady.Span) -> Interval:
    """Return a figure that no resample changes with the interval of what its patients leave open."""
    low, high = steady.around(found.value, share=share, span=span)
    return replace(found, low=low, high=high)


def _around(
    value: float,
    measured: Callable[..., Array],
    taken: list[Array],
    *,
    owners: npt.NDArray[np.int64],
    rounds: int,
    seed: int,
) -> Interval:
    """Return a value with the interval of what is measured on its rows, patients drawn again."""
    n = int(owners.max()) + 1 if len(owners) else 0
    if math.isnan(value):
        return Interval(value=value, low=value, high=value, n=0)
    if n < 2:
        return Interval(value=value, low=math.nan, high=math.nan, n=n)
    drawn = _drawn(measured, taken, owners, rounds=rounds, rng=np.random.default_rng(seed))
    left_out = float(np.isnan(drawn).mean())
    drawn = drawn[~np.isnan(drawn)]
    if not len(drawn) or np.ptp(drawn) <= _NOTHING * max(1.0, abs(value)):
        return Interval(value=value, low=value, high=value, n=n, left_out=left_out)
    low, high = _corrected(drawn, value, away=_without_each(measured, taken, owners))
    return Interval(value=value, low=low, high=high, n=n, left_out=left_out)


def _in_order(columns: Sequence[Column], patients: Sequence[str]) -> tuple[list[Array], npt.NDArray[np.int64]]:
    """Return judged rows, sorted by patient and value, and the number of each one's patient, from 0 without a gap."""
    taken = [np.asarray(column, dtype=np.float64) for column in columns]
    lengths = {len(column) for column in (*taken, patients)}
    if len(lengths) != 1:
        raise InputError(f"Columns and patients have {sorted(lengths)} rows; one for each case is wanted in all.")
    flat = np.concatenate([column.reshape(len(column), math.prod(column.shape[1:])) for column in taken], axis=1)
    known = ~np.isnan(taken[-1].reshape(len(flat), math.prod(taken[-1].shape[1:]))).any(1)
    owners = np.unique(np.asarray(patients, dtype=np.str_)[known], return_inverse=True)[1]
    order = np.lexsort((*flat[known].T, owners))
    return [column[known][order] for column in taken], owners[order].astype(np.int64)


def _drawn(
    measured: Callable[..., Array],
    columns: list[Array],
    owners: npt.NDArray[np.int64],
    *,
    rounds: int,
    rng: np.random.Generator,
) -> Array:
    n = int(owners.max()) + 1
    step = max(1, _AT_ONCE // len(owners))
    found = []
    for start in range(0, rounds, step):
        count = min(step, rounds - start)
        places = rng.integers(n, size=(count, n)) + n * np.arange(count)[:, None]
        times = np.bincount(places.ravel(), minlength=count * n).reshape(count, n).astype(np.float64)
        found.append(measured(times[:, owners], *columns))
    return np.concatenate(found)


def _without_each(measured: Callable[..., Array], columns: list[Array], owners: npt.NDArray[np.int64]) -> Array:
    """Return by how much the figure falls where each patient is left out; above a thousand, groups of them.

    The acceleration of groups is that of single patients: second and third moments add up alike.
    """
    members = owners % _GROUPS
    groups = int(members.max()) + 1
    step = max(1, _AT_ONCE // len(owners))
    kept = []
    for start in range(0, groups, step):
        left = np.arange(start, min(start + step, groups))
        kept.append(measured((members != left[:, None]).astype(np.float64), *columns))
    without = np.concatenate(kept)
    without = without[~np.isnan(without)]
    return np.asarray(without.mean() - without if len(without) else without)


def _repeated(statistic: Callable[..., float]) -> Callable[..., Array]:
    """Return a statistic of rows as one under weights, by repeating rows."""

    def measured(weights: Array, *columns: Array) -> Array:
        times = weights.astype(np.int64)
        return np.array([statistic(*(np.repeat(column, row, axis=0) for column in columns)) for row in times])

    return measured


def _interval(means: npt.NDArray[np.float64], *, rounds: int, rng: np.random.Generator) -> tuple[float, float]:
    n = len(means)
    if np.ptp(means) <= _NOTHING * max(1.0, abs(means[0])):
        return float(means.mean()), float(means.mean())
    drawn = rng.multinomial(n, np.full(n, 1.0 / n), size=rounds) @ means / n
    # the jackknife of a mean: leaving a patient out moves it by their distance from it, up to a factor
    return _corrected(drawn, float(means.mean()), away=means - means.mean())


def _corrected(drawn: Array, value: float, *, away: Array) -> tuple[float, float]:
    """Return the bias-corrected and accelerated interval of draws; `away`: the pull of each patient on the value."""
    rounds = len(drawn)
    apart = _NOTHING * max(1.0, abs(value))
    below = (np.count_nonzero(drawn < value - apart) + np.count_nonzero(drawn <= value + apart)) / (2 * rounds)
    bias = ndtri(np.clip(below, 1 / (rounds + 1), rounds / (rounds + 1)))
    square = (away**2).sum()
    skew = (away**3).sum() / (6 * square**1.5) if square > 0 else 0.0
    tails = bias + ndtri(np.array([(1 - _LEVEL) / 2, (1 + _LEVEL) / 2]))
    shares = ndtr(bias + tails / (1 - skew * tails))
    low, high = np.quantile(drawn, shares)
    return float(low), float(high)
