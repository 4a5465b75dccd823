"""Measures of probabilities: scikit-learn as oracle, and closed forms."""

import math

import numpy as np
import pytest
from sklearn import metrics as oracle
from sklearn.calibration import calibration_curve

from isocenter import metrics
from isocenter.errors import InputError

RNG = np.random.default_rng(0)
SHARE, THERE = RNG.random(300), RNG.integers(0, 2, 300)
SHARES, CLASS = RNG.dirichlet(np.ones(3), 300), RNG.integers(0, 3, 300)


def test_brier_and_log_loss_are_the_oracles() -> None:
    assert metrics.brier(SHARE, THERE) == pytest.approx(oracle.brier_score_loss(THERE, SHARE))
    assert metrics.brier(SHARES, CLASS) == pytest.approx(((SHARES - np.eye(3)[CLASS]) ** 2).sum(1).mean())
    assert metrics.log_loss(SHARE, THERE) == pytest.approx(oracle.log_loss(THERE, SHARE))
    assert metrics.log_loss(SHARES, CLASS) == pytest.approx(oracle.log_loss(CLASS, SHARES))


def test_brier_of_two_classes_is_twice_that_of_one_finding() -> None:
    both = np.stack([1 - SHARE, SHARE], axis=1)
    assert metrics.brier(both, THERE) == pytest.approx(2 * metrics.brier(SHARE, THERE))
    assert metrics.log_loss(both, THERE) == pytest.approx(metrics.log_loss(SHARE, THERE))


def test_a_sure_mistake_costs_36_and_not_infinity() -> None:
    assert metrics.log_loss(np.array([0.0]), np.array([1])) == pytest.approx(-math.log(np.finfo(float).eps))


def test_the_bins_are_the_oracles_and_hold_every_case() -> None:
    bins = metrics.reliability(SHARE, THERE)
    seen, said = calibration_curve(THERE, SHARE, n_bins=15)
    assert [one.seen for one in bins] == pytest.approx(seen)
    assert [one.said for one in bins] == pytest.approx(said)
    assert sum(one.n for one in bins) == 300
    assert (bins[0].low, bins[-1].high) == (0.0, 1.0)


def test_the_calibration_error_is_the_bins_mean_distance() -> None:
    bins = metrics.reliability(SHARES, CLASS)
    expected = sum(one.n * abs(one.said - one.seen) for one in bins if one.n) / 300
    assert metrics.expected_calibration_error(SHARES, CLASS) == pytest.approx(expected)


def test_one_probability_for_all_is_off_by_its_distance_from_the_share() -> None:
    there = np.array([1] * 3 + [0] * 7)
    assert metrics.expected_calibration_error(np.full(10, 0.8), there) == pytest.approx(0.5)
    assert metrics.expected_calibration_error(np.full(10, 1.0), np.ones(10)) == 0.0
    empty = metrics.reliability(np.full(10, 0.8), there)[0]
    assert empty.n == 0
    assert math.isnan(empty.seen)


def test_no_case_gives_no_figure() -> None:
    for measure in (metrics.brier, metrics.log_loss, metrics.expected_calibration_error):
        assert math.isnan(measure(np.zeros(0), np.zeros(0)))
        assert math.isnan(measure(np.zeros((1, 2)), np.array([np.nan])))


def test_scores_that_are_no_probabilities_are_refused() -> None:
    with pytest.raises(InputError, match="-3 is no probability"):
        metrics.brier(np.array([0.5, -3.0]), np.array([1, 0]))
    assert metrics.brier(np.array([1 + 1e-7]), np.array([1])) == 0.0  # how float32 ends
