"""Measures of numbers and of grades: scikit-learn as oracle, and closed forms."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn import metrics as oracle

from isocenter import metrics
from isocenter.errors import InputError

GRADED = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40)


def test_errors_of_numbers_are_the_oracles() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(1000, 2, 50)  # far from 0: a spread taken without care would drown in rounding
    found = truth + rng.normal(0.3, 1, 50)
    assert metrics.mae(found, truth) == pytest.approx(oracle.mean_absolute_error(truth, found))
    assert metrics.rmse(found, truth) == pytest.approx(oracle.root_mean_squared_error(truth, found))
    assert metrics.r2(found, truth) == pytest.approx(oracle.r2_score(truth, found))
    assert metrics.bias(found, truth) == pytest.approx((found - truth).mean())


def test_the_limits_are_the_bias_and_196_standard_deviations() -> None:
    limits = metrics.limits_of_agreement(np.array([2.0, 4.0, 6.0]), np.array([1.0, 2.0, 3.0]), unit="mm")
    assert (limits.bias, limits.n, limits.unit) == (2.0, 3, "mm")
    assert (limits.low, limits.high) == pytest.approx((2 - 1.96, 2 + 1.96))


def test_95_of_100_normal_errors_lie_within_the_limits() -> None:
    rng = np.random.default_rng(1)
    errors = rng.normal(3, 2, 20_000)
    limits = metrics.limits_of_agreement(errors, np.zeros(20_000))
    # 20,000 draws scatter by 0.15 %
    assert np.mean((errors > limits.low) & (errors < limits.high)) == pytest.approx(0.95, abs=0.006)


def test_a_truth_without_spread_has_no_r2() -> None:
    assert math.isnan(metrics.r2(np.array([1.0, 2.0]), np.array([5.0, 5.0])))
    assert math.isnan(metrics.r2(np.array([1.0]), np.array([5.0])))
    assert math.isnan(metrics.mae(np.zeros(0), np.zeros(0)))
    assert math.isnan(metrics.limits_of_agreement(np.array([1.0]), np.array([5.0])).low)


def test_what_was_not_measured_is_left_out() -> None:
    assert metrics.mae(np.array([1.0, 9.0]), np.array([2.0, np.nan])) == 1.0


@given(GRADED)
def test_kappas_are_the_oracles(rows: list[tuple[int, int]]) -> None:
    found, truth = (np.array(side) for side in zip(*rows, strict=True))
    if len({*found, *truth}) == 1:
        assert math.isnan(metrics.quadratic_kappa(found, truth))
        assert math.isnan(metrics.linear_kappa(found, truth))
        return
    for name in ("quadratic", "linear"):
        # all grades named: a grade that nobody gave keeps its place
        expected = oracle.cohen_kappa_score(found, truth, labels=range(5), weights=name)
        assert getattr(metrics, f"{name}_kappa")(found, truth) == pytest.approx(expected, abs=1e-9)


@given(GRADED)
def test_kappa_does_not_ask_who_comes_first(rows: list[tuple[int, int]]) -> None:
    found, truth = (np.array(side) for side in zip(*rows, strict=True))
    assume(len({*found, *truth}) > 1)
    assert metrics.linear_kappa(found, truth) == pytest.approx(metrics.linear_kappa(truth, found), abs=1e-9)


def test_off_by_one_counts_right_and_beside() -> None:
    assert metrics.off_by_one(np.array([0, 1, 2, 3]), np.array([0, 2, 0, 0])) == 0.5


def test_half_a_grade_is_refused() -> None:
    with pytest.raises(InputError, match=r"0\.5 is no grade"):
        metrics.quadratic_kappa(np.array([0.5]), np.array([1]))
