"""A perfect figure of few patients is not sure: exact binomial limits as oracle, and how often they hold."""

import numpy as np
import pytest
from scipy.stats import binomtest

from isocenter import metrics
from isocenter.metrics import bootstrap_of, bootstrap_over_findings
from isocenter.metrics.steady import unseen


def names(count: int) -> list[str]:
    return [f"p{place:05}" for place in range(count)]


def lowest(patients: int) -> float:
    return float(binomtest(patients, patients).proportion_ci(method="exact").low)


@pytest.mark.parametrize("patients", [1, 3, 10, 300])
def test_what_nobody_has_shown_may_still_be_so_common(patients: int) -> None:
    assert unseen(patients) == pytest.approx(1 - lowest(patients))


TRUTH = np.array([1, 1, 1, *np.zeros(9)])


@pytest.mark.parametrize(
    ("measure", "behind", "patients"),
    [
        (metrics.auc, 3, 12),
        (metrics.average_precision, 3, 12),
        (metrics.sensitivity, 3, 3),
        (metrics.specificity, 9, 9),
        (metrics.ppv, 3, 3),
        (metrics.npv, 9, 9),
        (metrics.f1, 3, 3),
        (metrics.accuracy, 12, 12),
        (metrics.off_by_one, 12, 12),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_a_perfect_figure_is_as_sure_as_the_patients_that_it_rests_on(
    measure: metrics.classification.Measure, behind: int, patients: int
) -> None:
    found = bootstrap_of(measure, (TRUTH, TRUTH), patients=names(12), rounds=200)
    assert (found.value, found.high, found.n) == (1.0, 1.0, patients)
    assert found.low == pytest.approx(lowest(behind))


def test_a_sensitivity_of_none_is_not_sure_either() -> None:
    found = bootstrap_of(metrics.sensitivity, (np.zeros(12), TRUTH), patients=names(12), rounds=200)
    assert (found.low, found.value) == (0.0, 0.0)
    assert found.high == pytest.approx(1 - lowest(3))


def test_two_scans_of_one_patient_are_not_two_witnesses() -> None:
    twice = bootstrap_of(metrics.accuracy, (TRUTH, TRUTH), patients=[f"p{row // 2}" for row in range(12)], rounds=200)
    assert twice.low == pytest.approx(lowest(6))


def test_pairs_take_no_patient_twice() -> None:
    # three patients, each with a positive and a negative: a single pair of two people
    truth = np.array([1, 0, 1, 0, 1, 0])
    found = bootstrap_of(metrics.auc, (truth, truth), patients=["a", "a", "b", "b", "c", "c"], rounds=200)
    assert found.low == pytest.approx(lowest(1))


def test_a_mean_over_classes_rests_on_each_of_them() -> None:
    truth = np.array([0] * 2 + [1] * 4 + [2] * 20)
    wanted = np.mean([lowest(2), lowest(4), lowest(20)])
    recall = bootstrap_of(metrics.balanced_accuracy, (truth, truth), patients=names(26), rounds=200)
    area = bootstrap_of(metrics.macro_auc, (np.eye(3)[truth], truth), patients=names(26), rounds=200)
    assert recall.low == pytest.approx(wanted)
    assert area.low == pytest.approx(np.mean([lowest(2), lowest(4), lowest(6)]))


def test_a_mean_over_findings_rests_on_those_that_were_judged() -> None:
    truth = np.stack([TRUTH, np.where(np.arange(12) < 4, TRUTH, np.nan)], axis=1)
    found = bootstrap_over_findings(metrics.auc, (np.nan_to_num(truth), truth), patients=names(12), rounds=200)
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx((lowest(3) + lowest(1)) / 2)


def test_grades_that_are_all_right_may_still_be_off() -> None:
    truth = np.arange(10) % 5
    found = bootstrap_of(metrics.mae, (truth, truth), patients=names(10), rounds=200, span=(0.0, 4.0))
    assert (found.low, found.value) == (0.0, 0.0)
    assert found.high == pytest.approx(4 * unseen(10))
    kappa = bootstrap_of(metrics.quadratic_kappa, (truth, truth), patients=names(10), rounds=200)
    assert kappa.low == pytest.approx(1 - 2 * unseen(10))


def test_the_interval_of_a_perfect_auc_holds_the_truth_at_least_95_times_in_100() -> None:
    rng = np.random.default_rng(0)
    held = perfect = 0
    for _ in range(300):
        ill = np.repeat([0, 1], 4)
        scores = rng.normal(ill * 2.0, 1)  # true AUC 0.921
        found = bootstrap_of(metrics.auc, (scores, ill), patients=names(8), rounds=50)
        perfect += found.value == 1.0
        held += found.value == 1.0 and found.low <= 0.9213 <= found.high
    assert perfect > 50
    assert held == perfect
