"""Measures of classes: scikit-learn as oracle, and what is undefined."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn import metrics as oracle

from isocenter import metrics
from isocenter.errors import InputError

# few different scores, so that ties are common
ROWS = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=40)
GRADED = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40)
YES_NO = {
    "sensitivity": oracle.recall_score,
    "ppv": oracle.precision_score,
    "f1": oracle.f1_score,
    "specificity": lambda truth, called: oracle.recall_score(~truth, ~called),
    "npv": lambda truth, called: oracle.precision_score(~truth, ~called),
}


def columns(rows: list[tuple[int, bool]]) -> tuple[np.ndarray, np.ndarray]:
    scores, truth = zip(*rows, strict=True)
    return np.array(scores) / 6, np.array(truth)


@given(ROWS)
def test_auc_is_the_oracles_and_the_share_of_pairs_in_order(rows: list[tuple[int, bool]]) -> None:
    scores, truth = columns(rows)
    assume(0 < truth.sum() < len(truth))
    found = metrics.auc(scores, truth)
    pairs = scores[truth][:, None] - scores[~truth]
    assert found == pytest.approx(oracle.roc_auc_score(truth, scores))
    assert found == pytest.approx(np.mean((pairs > 0) + (pairs == 0) / 2))


@given(ROWS)
def test_average_precision_is_the_oracles(rows: list[tuple[int, bool]]) -> None:
    scores, truth = columns(rows)
    assume(truth.any())
    assert metrics.average_precision(scores, truth) == pytest.approx(oracle.average_precision_score(truth, scores))


@pytest.mark.parametrize("name", sorted(YES_NO))
@given(rows=st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30))
def test_a_yes_or_no_measure_is_the_oracles(name: str, rows: list[tuple[bool, bool]]) -> None:
    called, truth = (np.array(side) for side in zip(*rows, strict=True))
    found = getattr(metrics, name)(called, truth)
    if math.isnan(found):
        assert YES_NO[name](truth, called) == 0  # sklearn's word for undefined, with a warning
    else:
        assert found == pytest.approx(YES_NO[name](truth, called))


@given(GRADED)
def test_accuracy_balanced_accuracy_and_confusion_are_the_oracles(rows: list[tuple[int, int]]) -> None:
    predicted, truth = (np.array(side) for side in zip(*rows, strict=True))
    assert metrics.accuracy(predicted, truth) == pytest.approx(oracle.accuracy_score(truth, predicted))
    table = metrics.confusion(predicted, truth, outputs=4)
    assert table.tolist() == oracle.confusion_matrix(truth, predicted, labels=range(4)).tolist()
    balanced = metrics.balanced_accuracy(predicted, truth)
    if len(set(truth)) < 2:
        assert math.isnan(balanced)
    else:
        recalls = oracle.recall_score(truth, predicted, labels=np.unique(truth), average="macro")
        assert balanced == pytest.approx(recalls)


def test_macro_measures_of_classes_are_the_oracles() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 200)
    shares = rng.dirichlet(np.ones(4), 200)
    assert metrics.macro_auc(shares, truth) == pytest.approx(oracle.roc_auc_score(truth, shares, multi_class="ovr"))
    hot = np.eye(4)[truth]
    expected = oracle.average_precision_score(hot, shares, average="macro")
    assert metrics.macro_average_precision(shares, truth) == pytest.approx(expected)
    each = metrics.one_vs_rest(metrics.auc, shares, truth)
    assert each == pytest.approx([oracle.roc_auc_score(hot[:, k], shares[:, k]) for k in range(4)])
    assert metrics.macro(each) == pytest.approx(metrics.macro_auc(shares, truth))


def test_a_class_that_is_not_there_is_left_out_of_the_mean() -> None:
    shares, truth = np.random.default_rng(0).dirichlet(np.ones(3), 30), np.arange(30) % 2
    each = metrics.one_vs_rest(metrics.auc, shares, truth)
    assert math.isnan(each[2])
    assert metrics.macro_auc(shares, truth) == pytest.approx(each[:2].mean())


def test_findings_that_nobody_judged_are_left_out() -> None:
    scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.3], [0.7, 0.6]])
    truth = np.array([[1, np.nan], [0, 1], [1, 0], [np.nan, np.nan]])
    assert metrics.by_finding(metrics.auc, scores, truth).tolist() == [1.0, 1.0]
    assert math.isnan(metrics.by_finding(metrics.auc, scores, np.full((4, 2), np.nan))[0])


@given(ROWS)
def test_the_point_has_the_largest_youden_index_and_the_most_sensitive_of_equals(rows: list[tuple[int, bool]]) -> None:
    scores, truth = columns(rows)
    assume(0 < truth.sum() < len(truth))
    false, true, _ = oracle.roc_curve(truth, scores, drop_intermediate=False)
    best = (true - false).max()
    point = metrics.choose_point(scores, truth)
    if best < 1e-9:
        assert math.isnan(point)
        return
    assert metrics.sensitivity(scores >= point, truth) == pytest.approx(true[true - false >= best - 1e-9].max())
    assert metrics.specificity(scores >= point, truth) == pytest.approx(1 - false[true - false >= best - 1e-9].max())


def test_the_point_lies_half_way_between_the_scores_it_parts() -> None:
    assert metrics.choose_point(np.array([0.1, 0.2, 0.6, 0.9]), np.array([0, 0, 1, 1])) == pytest.approx(0.4)
    near = np.nextafter(0.5, 1)
    assert metrics.choose_point(np.array([0.5, near]), np.array([0, 1])) == near


def test_counts_are_counted() -> None:
    found = metrics.count(np.array([1, 1, 0, 0, 0]), np.array([1, 0, 0, 0, 1]))
    assert found == metrics.Counts(true_positive=1, false_positive=1, true_negative=2, false_negative=1)


@pytest.mark.parametrize("truth", [[0, 0, 0], [1, 1, 1], []])
def test_one_class_alone_has_no_auc_and_no_point(truth: list[int]) -> None:
    scores = np.linspace(0, 1, len(truth))
    assert math.isnan(metrics.auc(scores, np.array(truth)))
    assert math.isnan(metrics.choose_point(scores, np.array(truth)))


@pytest.mark.parametrize(
    ("scores", "truth", "told"),
    [
        ([0.1, 0.2], [0, 1, 1], "do not fit"),
        ([0.1, 0.2], [0, 2], "holds 2"),
        ([0.1, math.nan], [0, 1], "1 of 2 rows"),
        ([0.1, math.inf], [0, 1], "1 of 2 rows"),
        ([[0.1, 0.9], [0.2, 0.8]], [0, 1], "One column"),
    ],
)
def test_rows_that_do_not_fit_are_refused(scores: list[float], truth: list[int], told: str) -> None:
    with pytest.raises(InputError, match=told):
        metrics.auc(np.array(scores), np.array(truth))


def test_a_class_that_the_columns_do_not_know_is_refused() -> None:
    with pytest.raises(InputError, match="class 3"):
        metrics.macro_auc(np.full((2, 3), 1 / 3), np.array([0, 3]))
    with pytest.raises(InputError, match=r"holds 0\.5"):
        metrics.sensitivity(np.array([0.5, 1]), np.array([0, 1]))
