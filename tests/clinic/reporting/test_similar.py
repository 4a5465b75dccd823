"""What answers like this one meant: counted by patient, with an interval that knows few from many."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from isocenter.clinic.reporting.similar import find_similar, wilson
from isocenter.result import Answer
from isocenter.result.report import Outcome


def outcome(patient: str, probability: float, truth: str) -> Outcome:
    shares = {"normal": 1 - probability, "pneumonia": probability}
    return Outcome(patient=patient, target="finding", truth=truth, value="pneumonia", probabilities=shares)


def answer(probability: float) -> Answer:
    shares = {"normal": 1 - probability, "pneumonia": probability}
    return Answer(kind="classification", target="finding", value="pneumonia", probabilities=shares)


def test_of_those_with_a_score_of_the_same_tenth_so_many_had_it() -> None:
    held = [outcome(f"p{n}", 0.85, "pneumonia" if n < 37 else "normal") for n in range(41)]
    found = find_similar(answer(0.87), [*held, *(outcome(f"q{n}", 0.2, "normal") for n in range(50))])
    assert found is not None
    here = found.here
    assert (here.low, here.high, here.score.n, here.true) == (0.8, 0.9, 41, 37)
    assert here.score.value == pytest.approx(37 / 41)
    assert (found.patients, found.true) == (91, 37)
    assert [(band.low, band.score.n) for band in found.bands] == [(0.2, 50), (0.8, 41)]


def test_a_patient_with_several_images_counts_once() -> None:
    twice = [outcome("p0", 0.85, "pneumonia"), outcome("p0", 0.86, "normal")]
    found = find_similar(answer(0.87), [*twice, *(outcome(f"p{n}", 0.85, "pneumonia") for n in range(1, 12))])
    assert found is not None
    assert (found.here.cases, found.here.score.n, found.here.true) == (13, 12, 11.5)


def test_where_few_had_such_a_score_the_band_grows() -> None:
    few = [outcome(f"p{n}", 0.85, "pneumonia") for n in range(3)]
    near = [outcome(f"q{n}", 0.75, "normal") for n in range(9)]
    found = find_similar(answer(0.87), [*few, *near, outcome("far", 0.1, "normal")])
    assert found is not None
    assert (found.here.low, found.here.high, found.here.score.n) == (0.7, 1.0, 12)


def test_with_few_patients_in_all_the_band_holds_everyone() -> None:
    found = find_similar(answer(1.0), [outcome("a", 0.05, "normal"), outcome("b", 0.95, "pneumonia")])
    assert found is not None
    assert (found.here.low, found.here.high, found.here.score.n) == (0.0, 1.0, 2)


def test_another_question_means_nothing_for_this_one() -> None:
    other = Outcome(patient="p", target="age", truth=70.0, value=68.0)
    assert find_similar(answer(0.9), [other]) is None


def test_a_finding_is_told_by_its_yes_also_where_the_answer_is_no() -> None:
    shares = {"no": 0.95, "yes": 0.05}
    said = Answer(kind="multilabel", target="nodule", value="no", probabilities=shares, point=0.3)
    known = [
        Outcome(patient=f"p{n}", target="nodule", truth="yes" if n == 0 else "no", value="no", probabilities=shares)
        for n in range(20)
    ]
    found = find_similar(said, known)
    assert found is not None
    assert (found.answer, found.here.true, found.here.score.n) == ("yes", 1, 20)


def test_a_number_is_told_by_how_wrong_near_ones_were() -> None:
    known = [Outcome(patient=f"p{n}", target="age", truth=float(n) + 2.0, value=float(n)) for n in range(20, 80)]
    said = Answer(kind="regression", target="age", value=50.0, low=40.0, high=60.0, unit="a")
    found = find_similar(said, known)
    assert found is not None
    assert (found.here.score.name, found.here.score.value, found.here.score.unit) == ("mae", 2.0, "a")
    assert 10 <= found.here.score.n < 20
    assert math.isnan(found.true)


def test_numbers_that_are_all_the_same_are_all_near() -> None:
    known = [Outcome(patient=f"p{n}", target="age", truth=50.0, value=50.0) for n in range(3)]
    found = find_similar(Answer(kind="regression", target="age", value=50.0), known)
    assert found is not None
    assert found.here.score.n == 3


@given(st.integers(1, 300), st.data())
def test_wilson_is_the_interval_of_scipy(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    ours = wilson({f"p{place}": float(place < k) for place in range(n)}, label="x")
    theirs = stats.binomtest(k, n).proportion_ci(method="wilson")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
