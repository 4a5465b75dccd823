"""Means over findings: each over the cases in which it was judged, with intervals by patient."""

import math

import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from isocenter.errors import InputError
from isocenter.metrics import auc, bootstrap_of, bootstrap_over_findings, macro_f1

RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 2, (60, 3)).astype(float)
SCORES = TRUTH + RNG.normal(0, 1, (60, 3))
PATIENTS = [f"p{row // 2}" for row in range(60)]


def test_the_mean_over_findings_is_that_of_each_over_the_cases_in_which_it_was_judged() -> None:
    truth = TRUTH.copy()
    truth[:20, 0] = np.nan
    found = bootstrap_over_findings(auc, (SCORES, truth), patients=PATIENTS, rounds=200)
    each = [roc_auc_score(truth[20:, 0], SCORES[20:, 0])]
    each += [roc_auc_score(truth[:, place], SCORES[:, place]) for place in (1, 2)]
    assert found.value == pytest.approx(np.mean(each))
    assert found.low < found.value < found.high
    assert found.n == 30


def test_one_finding_alone_has_the_interval_of_its_own_measure() -> None:
    one = bootstrap_over_findings(auc, (SCORES[:, :1], TRUTH[:, :1]), patients=PATIENTS, rounds=500)
    same = bootstrap_of(auc, (SCORES[:, 0], TRUTH[:, 0]), patients=PATIENTS, rounds=500)
    assert (one.value, one.low, one.high) == pytest.approx((same.value, same.low, same.high))


def test_a_finding_that_nobody_has_is_left_out_of_the_mean() -> None:
    truth = TRUTH.copy()
    truth[:, 1] = 0
    found = bootstrap_over_findings(auc, (SCORES, truth), patients=PATIENTS, rounds=50)
    assert found.value == pytest.approx(np.mean([roc_auc_score(truth[:, place], SCORES[:, place]) for place in (0, 2)]))
    none = bootstrap_over_findings(auc, (SCORES, np.zeros_like(TRUTH)), patients=PATIENTS, rounds=50)
    assert math.isnan(none.value)
    assert none.n == 0


def test_a_strange_statistic_is_refused() -> None:
    with pytest.raises(InputError, match="measures of this room"):
        bootstrap_over_findings(lambda scores, truth: 0.0, (SCORES, TRUTH), patients=PATIENTS)


def test_macro_f1_is_scikit_learns() -> None:
    truth, found = RNG.integers(0, 4, 200), RNG.integers(0, 4, 200)
    assert macro_f1(found, truth) == pytest.approx(f1_score(truth, found, average="macro"))
    interval = bootstrap_of(macro_f1, (found, truth), patients=[str(row) for row in range(200)])
    assert interval.low < interval.value < interval.high
