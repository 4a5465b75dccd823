"""Intraclass correlations: the published table, components of variance as truth, and intervals that hold it."""

import math
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isocenter import metrics
from isocenter.errors import InputError
from isocenter.metrics.intraclass import Form

# Shrout and Fleiss 1979, table 2: six subjects, four judges.
JUDGES = np.array([(9, 2, 5, 8), (6, 1, 3, 2), (8, 4, 6, 8), (7, 1, 2, 6), (10, 5, 6, 9), (6, 2, 4, 7)])

# value: table 4 of the paper; interval: what the R package psych (2.x, function ICC) prints for these data
PUBLISHED = {
    "ICC(1,1)": (0.17, -0.133, 0.72),
    "ICC(2,1)": (0.29, 0.019, 0.76),
    "ICC(3,1)": (0.71, 0.342, 0.95),
    "ICC(1,k)": (0.44, -0.884, 0.91),
    "ICC(2,k)": (0.62, 0.071, 0.93),
    "ICC(3,k)": (0.91, 0.676, 0.99),
}


@pytest.mark.parametrize("form", get_args(Form))
def test_the_published_table_comes_out(form: Form) -> None:
    found = metrics.icc(JUDGES, form=form)
    value, low, high = PUBLISHED[form]
    assert found.value == pytest.approx(value, abs=0.005)
    assert found.low == pytest.approx(low, abs=0.0005)
    assert found.high == pytest.approx(high, abs=0.005)
    assert found.n == 6


def residual(design: np.ndarray) -> float:
    """Return the sum of squares that a linear model of the judges' table leaves over."""
    values = JUDGES.astype(float).ravel()
    return float(((values - design @ np.linalg.lstsq(design, values, rcond=None)[0]) ** 2).sum())


def test_mean_squares_are_those_of_the_paper_and_give_its_figures() -> None:
    subjects, judges = np.kron(np.eye(6), np.ones((4, 1))), np.kron(np.ones((6, 1)), np.eye(4))
    both = np.hstack([subjects, judges])
    nothing = np.ones((24, 1))
    between = (residual(judges) - residual(both)) / 5
    within, raters = residual(subjects) / 18, (residual(subjects) - residual(both)) / 3
    error = residual(both) / 15
    # table 3 of the paper; what is left over by least squares knows nothing of how icc counts
    assert (between, within, raters, error) == pytest.approx((11.24, 6.26, 32.49, 1.02), abs=0.005)
    assert residual(nothing) == pytest.approx(5 * between + 18 * within)
    figures = {
        "ICC(1,1)": (between - within) / (between + 3 * within),
        "ICC(2,1)": (between - error) / (between + 3 * error + 4 * (raters - error) / 6),
        "ICC(3,1)": (between - error) / (between + 3 * error),
        "ICC(1,k)": (between - within) / between,
        "ICC(2,k)": (between - error) / (between + (raters - error) / 6),
        "ICC(3,k)": (between - error) / between,
    }
    for form in get_args(Form):
        assert metrics.icc(JUDGES, form=form).value == pytest.approx(figures[form])


def drawn(rng: np.random.Generator, cases: int, readers: int) -> np.ndarray:
    """Return measurements of which cases make 4 of 6 parts of the variance, readers and error one each."""
    of_cases, of_readers = rng.normal(0, 2, (cases, 1)), rng.normal(0, 1, (1, readers))
    return of_cases + of_readers + rng.normal(0, 1, (cases, readers))


@pytest.mark.parametrize(("form", "truth"), [("ICC(2,1)", 4 / 6), ("ICC(3,1)", 4 / 5), ("ICC(3,k)", 16 / 17)])
def test_the_interval_holds_the_truth_about_95_times_in_100(form: Form, truth: float) -> None:
    rng = np.random.default_rng(0)
    found = [metrics.icc(drawn(rng, 20, 4), form=form) for _ in range(400)]
    held = sum(one.low <= truth <= one.high for one in found) / len(found)
    # 3 standard errors of 400 draws around 0.95; around 0.93 for ICC(2,·), whose degrees of freedom are approximate
    assert (0.89 if form == "ICC(2,1)" else 0.91) <= held <= 0.985


def test_many_readings_give_the_components_of_variance() -> None:
    table = drawn(np.random.default_rng(1), 300, 300)
    # 0.1: of 300 cases and readers each, a variance is known to 8 %
    assert metrics.icc(table, form="ICC(2,1)").value == pytest.approx(4 / 6, abs=0.1)
    assert metrics.icc(table, form="ICC(3,1)").value == pytest.approx(4 / 5, abs=0.1)


@settings(deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 100), st.floats(-1000, 1000))
def test_unit_and_origin_do_not_matter(seed: int, scale: float, shift: float) -> None:
    table = drawn(np.random.default_rng(seed), 6, 3)
    for form in get_args(Form):
        one, other = metrics.icc(table, form=form), metrics.icc(table * scale + shift, form=form)
        # 1e-6: what a shift of a thousand leaves of double precision in squares, where a figure lies far below 0
        assert (other.value, other.low, other.high) == pytest.approx(
            (one.value, one.low, one.high), rel=1e-6, abs=1e-6, nan_ok=True
        )


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 8), st.integers(2, 5))
def test_an_interval_holds_its_figure(seed: int, cases: int, readers: int) -> None:
    table = np.random.default_rng(seed).normal(0, 1, (cases, readers))  # readers who agree on nothing
    for form in get_args(Form):
        found = metrics.icc(table, form=form)
        assert math.isnan(found.value) or found.low <= found.value <= found.high <= 1


def test_a_reader_who_adds_one_is_consistent_but_does_not_agree() -> None:
    first = np.arange(10.0)
    table = np.stack([first, first + 1], axis=1)
    assert metrics.icc(table, form="ICC(3,1)").value == pytest.approx(1.0)
    assert metrics.icc(table, form="ICC(2,1)").value < 0.96


def test_full_agreement_has_no_width() -> None:
    table = np.repeat(np.arange(5.0)[:, None], 3, axis=1)
    for form in get_args(Form):
        found = metrics.icc(table, form=form)
        assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)


def test_a_case_that_one_reader_missed_is_left_out() -> None:
    broken = JUDGES.astype(float)
    broken[2, 1] = math.nan
    assert metrics.icc(broken, form="ICC(2,1)") == metrics.icc(np.delete(JUDGES, 2, axis=0), form="ICC(2,1)")


@pytest.mark.parametrize("table", [np.ones((5, 3)), JUDGES[:1], np.full((4, 2), math.nan)])
def test_constant_ratings_one_case_and_nothing_in_common_give_no_figure(table: np.ndarray) -> None:
    for form in get_args(Form):
        found = metrics.icc(table, form=form)
        assert math.isnan(found.value)
        assert str(found.score(name="icc", label=form)) == "not measured (n = 0)"


def test_misuse_is_refused() -> None:
    with pytest.raises(InputError, match="two readers"):
        metrics.icc(JUDGES[:, :1], form="ICC(2,1)")
    with pytest.raises(InputError, match=r"there are ICC\(1,1\)"):
        metrics.icc(JUDGES, form="ICC(4,1)")
    with pytest.raises(InputError, match="infinite"):
        metrics.icc(np.array([(1, math.inf), (1, 2)]), form="ICC(2,1)")
