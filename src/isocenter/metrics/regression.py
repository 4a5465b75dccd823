"""How far predicted numbers lie from the truth, in its unit. A truth of nan was not measured: the row is left out."""

import math
from dataclasses import dataclass

import numpy as np

from isocenter.errors import InputError
from isocenter.metrics import weighted
from isocenter.metrics.rows import Array, Column, figure, pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Between what two limits the errors of single cases lie.

    Args:
        bias: Mean of prediction minus truth; above 0 too much is predicted.
        low, high: bias ∓ 1.96 standard deviations: about 95 of 100 errors lie between, where they are spread normally.
        n: Cases.
        unit: Of all three.
    """

    bias: float
    low: float
    high: float
    n: int
    unit: str = "1"


def mae(predicted: Column, truth: Column) -> float:
    """Return the mean absolute error, in the truth's unit; nan without a case.

    Raises:
        InputError: Rows that do not fit, or a prediction that is no number.
    """
    return figure(weighted.mae, _numbers(predicted, truth))


def rmse(predicted: Column, truth: Column) -> float:
    """Return the root of the mean squared error, in the truth's unit; nan without a case. One gross error shows.

    Raises:
        InputError: As of `mae`.
    """
    return figure(weighted.rmse, _numbers(predicted, truth))


def bias(predicted: Column, truth: Column) -> float:
    """Return the mean error, in the truth's unit: above 0 too much is predicted; nan without a case.

    Raises:
        InputError: As of `mae`.
    """
    return figure(weighted.bias, _numbers(predicted, truth))


def r2(predicted: Column, truth: Column) -> float:
    """Return the share of the truth's variance that the predictions explain: 1 - squared errors over squared spread.

    1 is best, 0 is no better than the mean of this truth, below 0 worse. nan where the truth does not vary.

    Raises:
        InputError: As of `mae`.
    """
    return figure(weighted.r2, _numbers(predicted, truth))


def limits_of_agreement(predicted: Column, truth: Column, *, unit: str = "1") -> Limits:
    """Return between what limits about 95 of 100 errors lie: nan below two cases.

    Several cases of one patient count each; their errors are taken as independent.

    Args:
        predicted, truth: (rows,).
        unit: Of both.

    Raises:
        InputError: As of `mae`.

    Source: Bland and Altman 1986, Lancet 327:307; standard deviation with n - 1.
    """
    found, known = _numbers(predicted, truth)
    errors = found - known
    if len(errors) < 2:
        mean = float(errors.mean()) if len(errors) else math.nan
        return Limits(bias=mean, low=math.nan, high=math.nan, n=len(errors), unit=unit)
    mean, reach = float(errors.mean()), 1.96 * float(np.std(errors, ddof=1))
    return Limits(bias=mean, low=mean - reach, high=mean + reach, n=len(errors), unit=unit)


def _numbers(predicted: Column, truth: Column) -> tuple[Array, Array]:
    found, known = pair(predicted, truth)
    if found.ndim != 1:
        raise InputError(f"One predicted number for each case is wanted, not {found.shape[1]}.")
    return found, known
