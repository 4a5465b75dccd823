"""How sure a mean is: bootstrap by patient."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from isocenter.result import Score

_LEVEL = 0.95


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
        A score over n patients; nan without a patient, and no interval below two.

    Source: bias-corrected and accelerated interval, Efron 1987, J Am Stat Assoc 82:171.
    """
    means = np.asarray([_mean(values[patient]) for patient in sorted(values)])
    means = means[~np.isnan(means)]
    value = float(means.mean()) if len(means) else math.nan
    low = high = math.nan
    if len(means) >= 2:
        low, high = _interval(means, rounds=rounds, rng=np.random.default_rng(seed))
    return Score(name=name, label=label, value=value, low=low, high=high, n=len(means), unit=unit)


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def _interval(means: npt.NDArray[np.float64], *, rounds: int, rng: np.random.Generator) -> tuple[float, float]:
    n = len(means)
    if np.ptp(means) == 0.0:
        return float(means[0]), float(means[0])
    drawn = rng.multinomial(n, np.full(n, 1.0 / n), size=rounds) @ means / n
    value = means.mean()
    apart = 1e-12 * max(1.0, abs(value))  # draws of the same values in another order differ in their last digit
    below = (np.count_nonzero(drawn < value - apart) + np.count_nonzero(drawn <= value + apart)) / (2 * rounds)
    bias = ndtri(np.clip(below, 1 / (rounds + 1), rounds / (rounds + 1)))
    # the jackknife of a mean: leaving a patient out moves it by their distance from it, up to a factor
    away = means - value
    skew = (away**3).sum() / (6 * (away**2).sum() ** 1.5)
    tails = bias + ndtri(np.array([(1 - _LEVEL) / 2, (1 + _LEVEL) / 2]))
    shares = ndtr(bias + tails / (1 - skew * tails))
    low, high = np.quantile(drawn, shares)
    return float(low), float(high)
