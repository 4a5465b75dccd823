"""Intervals by patient of figures of pooled rows: scipy as oracle, rows repeated as oracle, and how often they hold."""

import math
import time

import numpy as np
import pytest
from scipy.stats import bootstrap as scipy_bootstrap
from scipy.stats import norm

from isocenter import metrics
from isocenter.errors import InputError
from isocenter.metrics.interval import _WEIGHTED, _repeated

RNG = np.random.default_rng(3)
TRUTH = RNG.integers(0, 3, 60)
COLUMNS = {
    "macro_auc": (RNG.dirichlet(np.ones(3), 60), TRUTH),
    "macro_average_precision": (RNG.dirichlet(np.ones(3), 60), TRUTH),
    "accuracy": (RNG.integers(0, 3, 60), TRUTH),
    "balanced_accuracy": (RNG.integers(0, 3, 60), TRUTH),
    "quadratic_kappa": (RNG.integers(0, 3, 60), TRUTH),
    "linear_kappa": (RNG.integers(0, 3, 60), TRUTH),
    "off_by_one": (RNG.integers(0, 3, 60), TRUTH),
    "mae": (RNG.random(60), TRUTH),
    "rmse": (RNG.random(60), TRUTH),
    "r2": (RNG.random(60), TRUTH),
    "bias": (RNG.random(60), TRUTH),
    "log_loss": (RNG.dirichlet(np.ones(3), 60), TRUTH),
    "brier": (RNG.dirichlet(np.ones(3), 60), TRUTH),
    "expected_calibration_error": (RNG.dirichlet(np.ones(3), 60), TRUTH),
    "auc": (RNG.random(60).round(1), TRUTH > 0),
    "average_precision": (RNG.random(60).round(1), TRUTH > 0),
}
CALLS = (RNG.integers(0, 2, 60), TRUTH > 0)


def names(count: int) -> list[str]:
    return [f"p{place:05}" for place in range(count)]


@pytest.mark.parametrize("measure", _WEIGHTED, ids=lambda measure: measure.__name__)
def test_a_measure_under_weights_is_the_measure_of_repeated_rows(measure: object) -> None:
    rng = np.random.default_rng(0)
    columns = [np.asarray(column, dtype=float) for column in COLUMNS.get(measure.__name__, CALLS)]
    weights = rng.integers(0, 3, (20, 60)).astype(float)
    weights[:3, TRUTH > 0] = 0  # one class only
    fast = _WEIGHTED[measure](weights, *columns)
    assert fast == pytest.approx(_repeated(measure)(weights, *columns), nan_ok=True)


def test_the_interval_of_an_auc_equals_the_oracle() -> None:
    rng = np.random.default_rng(1)
    truth = np.arange(80) % 2
    scores = rng.normal(truth, 1)
    ours = metrics.bootstrap_of(metrics.auc, (scores, truth), patients=names(80), rounds=20_000)
    oracle = scipy_bootstrap(
        (scores, truth), lambda s, t: metrics.auc(s, t), paired=True, vectorized=False, n_resamples=3000,
        method="BCa", rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    # 6 % of the width: twice the noise of 3,000 resamples at a 2.5 % quantile
    assert ours.low == pytest.approx(oracle.low, abs=0.06 * (oracle.high - oracle.low))
    assert ours.high == pytest.approx(oracle.high, abs=0.06 * (oracle.high - oracle.low))


def test_the_interval_of_a_mean_is_that_of_bootstrap() -> None:
    values = np.random.default_rng(0).beta(18, 2, 40)
    old = metrics.bootstrap(
        {name: [value] for name, value in zip(names(40), values, strict=True)}, name="x", label="y", rounds=20_000
    )
    new = metrics.bootstrap_of(metrics.bias, (values, np.zeros(40)), patients=names(40), rounds=20_000)
    # 3 % of the width, as for scipy
    assert (new.low, new.high) == pytest.approx((old.low, old.high), abs=0.03 * (old.high - old.low))
    assert new.value == pytest.approx(old.value)


def test_the_interval_of_an_auc_holds_the_truth_about_95_times_in_100() -> None:
    rng = np.random.default_rng(5)
    held = 0
    patients = [f"p{place // 2}" for place in range(100)]  # two cases each, as like as twins
    ill = np.repeat(np.arange(50) % 2, 2)
    truth = norm.cdf(1 / math.sqrt(2))
    for _ in range(200):
        scores = np.repeat(rng.normal(ill[::2], 1), 2)
        found = metrics.bootstrap_of(metrics.auc, (scores, ill), patients=patients, rounds=400)
        held += found.low <= truth <= found.high
    # 200 trials scatter by 1.5 %, and 25 patients of either kind cost about 1 %; cases drawn singly would hold 84 %
    assert 0.90 <= held / 200 <= 0.99


def test_two_thousand_resamples_of_a_thousand_cases_take_no_two_seconds() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 1000)
    started = time.process_time()
    metrics.bootstrap_of(metrics.auc, (rng.random(1000), truth), patients=names(1000))
    assert time.process_time() - started < 2.0


def test_the_order_of_rows_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    scores, truth = rng.random(50), rng.integers(0, 2, 50)
    patients = np.array([f"p{place % 20}" for place in range(50)])
    order = rng.permutation(50)
    first = metrics.bootstrap_of(metrics.auc, (scores, truth), patients=patients)
    assert metrics.bootstrap_of(metrics.auc, (scores[order], truth[order]), patients=patients[order]) == first
    assert metrics.bootstrap_of(metrics.auc, (scores, truth), patients=patients, seed=1) != first


def test_resamples_without_a_positive_are_left_out_and_counted() -> None:
    scores, truth = np.random.default_rng(0).random(40), np.zeros(40)
    truth[:2] = 1
    found = metrics.bootstrap_of(metrics.auc, (scores, truth), patients=names(40))
    # 2,000 resamples scatter by 0.8 %
    assert found.left_out == pytest.approx((1 - 2 / 40) ** 40, abs=0.03)
    assert found.low < found.value < found.high


def test_rows_that_nobody_judged_bring_no_patient() -> None:
    truth = np.array([1, 0, 1, np.nan, np.nan])
    found = metrics.bootstrap_of(metrics.auc, (np.linspace(0, 1, 5), truth), patients=["a", "a", "b", "b", "c"])
    assert found.n == 2


def test_an_undefined_figure_is_a_score_of_nobody() -> None:
    found = metrics.bootstrap_of(metrics.auc, (np.zeros(3), np.ones(3)), patients=names(3))
    assert str(found.score(name="auc", label="pneumonia")) == "not measured (n = 0)"
    assert metrics.bootstrap_of(metrics.auc, (np.zeros(0), np.zeros(0)), patients=[]).n == 0


def test_one_patient_alone_has_no_interval() -> None:
    found = metrics.bootstrap_of(metrics.auc, (np.array([0.1, 0.9]), np.array([0, 1])), patients=["a", "a"])
    assert (found.value, found.n) == (1.0, 1)
    assert math.isnan(found.low)


def test_a_figure_of_your_own_has_an_interval_too() -> None:
    values = np.random.default_rng(0).normal(5, 1, 60)
    found = metrics.bootstrap_of(lambda rows: float(np.median(rows)), (values,), patients=names(60), rounds=500)
    assert found.value == np.median(values)
    assert found.low < found.value < found.high


def test_acceleration_of_groups_is_near_that_of_patients() -> None:
    values = np.random.default_rng(0).exponential(1, 3000)  # three patients in each group left out
    found = metrics.bootstrap_of(metrics.bias, (values, np.zeros(3000)), patients=names(3000))
    oracle = scipy_bootstrap((values,), np.mean, n_resamples=2000, method="BCa", rng=np.random.default_rng(1))
    width = oracle.confidence_interval.high - oracle.confidence_interval.low
    # 12 % of the width: three times the noise of two times 2,000 resamples at a 2.5 % quantile
    assert found.low == pytest.approx(oracle.confidence_interval.low, abs=0.12 * width)
    assert found.high == pytest.approx(oracle.confidence_interval.high, abs=0.12 * width)


def test_columns_of_two_lengths_are_refused() -> None:
    with pytest.raises(InputError, match="rows"):
        metrics.bootstrap_of(metrics.auc, (np.zeros(3), np.zeros(4)), patients=names(3))


def test_a_prediction_that_is_no_number_is_refused_and_not_left_out() -> None:
    with pytest.raises(InputError, match="no finite number"):
        metrics.bootstrap_of(metrics.auc, (np.array([0.1, math.nan, 0.3]), np.array([0, 1, 1])), patients=names(3))
