"""Intervals by patient: scipy as oracle, and how often they hold the truth."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest
from scipy.stats import bootstrap as scipy_bootstrap

from isocenter.metrics import bootstrap
from isocenter.result import Score


def score(values: dict[str, list[float]], seed: int = 0) -> Score:
    return bootstrap(values, name="dice", label="liver", seed=seed)


def by_patient(values: np.ndarray) -> dict[str, list[float]]:
    return {f"p{place:03}": [float(value)] for place, value in enumerate(values)}


@pytest.mark.parametrize("seed", range(3))
def test_the_interval_equals_the_oracle(seed: int) -> None:
    values = np.random.default_rng(seed).beta(18, 2, size=30)
    ours = bootstrap(by_patient(values), name="dice", label="liver", rounds=20_000)
    oracle = scipy_bootstrap((values,), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(1))
    width = oracle.confidence_interval.high - oracle.confidence_interval.low
    # 3 % of the width: twice the noise of two times 20,000 resamples at a 2.5 % quantile
    assert ours.low == pytest.approx(oracle.confidence_interval.low, abs=0.03 * width)
    assert ours.high == pytest.approx(oracle.confidence_interval.high, abs=0.03 * width)
    assert ours.value == pytest.approx(values.mean())


def test_the_interval_holds_the_truth_about_95_times_in_100() -> None:
    rng = np.random.default_rng(5)
    truth = 18 / 20
    held = 0
    for _ in range(300):
        found = bootstrap(by_patient(rng.beta(18, 2, size=40)), name="dice", label="liver", rounds=500)
        held += found.low <= truth <= found.high
    # 300 trials scatter by 1.3 %, and 40 patients of a skewed score cost about 2 %
    assert 0.89 <= held / 300 <= 0.99


def test_patients_are_drawn_not_cases() -> None:
    rng = np.random.default_rng(0)
    once = {f"p{k}": [float(rng.random())] for k in range(12)}
    tenfold = {patient: values * 10 for patient, values in once.items()}
    assert score(tenfold) == score(once)


def test_the_order_of_patients_does_not_matter() -> None:
    values = by_patient(np.random.default_rng(0).random(9))
    assert score(dict(reversed(values.items()))) == score(values)


def test_values_that_are_not_known_are_left_out() -> None:
    values = {"a": [0.5, math.nan], "b": [math.nan], "c": [0.7], "d": []}
    found = score(values)
    assert found.n == 2
    assert found.value == pytest.approx(0.6)


def test_one_patient_has_no_interval() -> None:
    found = score({"a": [0.5, 0.7]})
    assert found.n == 1
    assert math.isnan(found.low)


def test_nobody_gives_no_figure() -> None:
    found = score({})
    assert found.n == 0
    assert math.isnan(found.value)


def test_a_perfect_mean_of_three_patients_is_not_sure() -> None:
    found = score({"a": [1.0], "b": [1.0], "c": [1.0]})
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(binomtest(3, 3).proportion_ci(method="exact").low)
    found = score({"a": [0.25], "b": [0.25], "c": [0.25]})
    assert 0.0 < found.low < 0.25 < found.high < 1.0


def test_equal_values_without_bounds_say_that_there_is_no_interval() -> None:
    found = bootstrap({"a": [2.5], "b": [2.5], "c": [2.5]}, name="hd95", label="liver", unit="mm")
    assert (found.low, found.value, found.high) == (2.5, 2.5, 2.5)
    assert str(found) == "2.50 mm (no interval, n = 3)"
