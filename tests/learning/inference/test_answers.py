"""Answers for whole images: figures worked out by hand, by patient and subgroup; what validation fixes."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score, roc_auc_score

from isocenter.case import Case, Fact
from isocenter.errors import InputError
from isocenter.image import Affine, Volume
from isocenter.learning.inference.scoring.answers import evaluate_answers, score_answers
from isocenter.learning.inference.scoring.groups import Groups
from isocenter.learning.inference.scoring.points import at_points, fit_points, residuals
from isocenter.learning.inference.scoring.rows import AnswerRow, AnswersEvaluation
from isocenter.pages import reword
from isocenter.recipe import Goal, Number
from isocenter.result import Answer, Score

PNEUMONIA = Goal(kind="classification", target=("label",), answers=("normal", "pneumonia"))
CELLS = Goal(kind="classification", target=("cell",), answers=("a", "b", "c"))
GRADES = Goal(kind="grading", target=("grade",), answers=("0", "1", "2", "3"))
AGE = Goal(kind="regression", target=("age",), answers=("age",), number=Number(unit="year"))
FINDINGS = Goal(kind="multilabel", target=("mass", "effusion"), answers=("mass", "effusion"))


def row(case: int, truth: str | float, value: str | float, *, target: str = "label", patient: str = "",
        **shares: float) -> AnswerRow:  # fmt: skip
    return AnswerRow(
        case=f"c{case}", patient=patient or f"p{case}", target=target, truth=truth, value=value, probabilities=shares
    )


def score(scores: Sequence[Score], name: str, label: str) -> Score:
    return next(one for one in scores if (one.name, one.label) == (name, label))


def two_classes(shares: Sequence[float], truth: Sequence[int], *, point: float = 0.5) -> list[AnswerRow]:
    names = PNEUMONIA.answers
    return [
        row(place, names[true], names[share >= point], normal=1 - share, pneumonia=share)
        for place, (share, true) in enumerate(zip(shares, truth, strict=True))
    ]


def test_two_classes_are_scored_as_the_second_one() -> None:
    shares, truth = [0.1, 0.4, 0.35, 0.8, 0.7, 0.9], [0, 0, 1, 1, 0, 1]
    scores = score_answers(two_classes(shares, truth), goal=PNEUMONIA, groups={}).scores
    assert {one.label for one in scores} == {"pneumonia"}
    assert score(scores, "auc", "pneumonia").value == pytest.approx(roc_auc_score(truth, shares))
    assert score(scores, "sensitivity", "pneumonia").value == pytest.approx(2 / 3)
    assert score(scores, "specificity", "pneumonia").value == pytest.approx(2 / 3)
    assert score(scores, "balanced_accuracy", "pneumonia").value == pytest.approx(2 / 3)
    assert score(scores, "brier", "pneumonia").value == pytest.approx(np.mean((np.array(shares) - truth) ** 2))
    behind = {"sensitivity": 3, "specificity": 3, "f1": 4}  # the ill, the well, and whoever is ill or was called so
    assert {one.name: one.n for one in scores} == {one.name: behind.get(one.name, 6) for one in scores}


def test_a_perfect_model_on_few_patients_is_not_sure() -> None:
    scores = score_answers(two_classes([0.1, 0.2, 0.9, 0.8], [0, 0, 1, 1]), goal=PNEUMONIA, groups={}).scores
    area = score(scores, "auc", "pneumonia")
    assert (area.value, area.high) == (1.0, 1.0)
    assert area.low == pytest.approx(0.025**0.5)  # two pairs of an ill and a well patient
    assert all(one.low < one.high for one in scores)


def test_grades_that_are_all_right_are_not_sure() -> None:
    rows = [
        row(
            place,
            str(place % 3),
            str(place % 3),
            target="grade",
            **{str(one): float(one == place % 3) for one in range(3)},
        )
        for place in range(6)
    ]
    goal = Goal(kind="grading", target=("grade",), answers=("0", "1", "2"), counts=(2, 2, 2))
    scores = score_answers(rows, goal=goal, groups={}).scores
    assert score(scores, "mae", "mean").value == 0.0
    assert score(scores, "mae", "mean").high == pytest.approx(2 * (1 - 0.025 ** (1 / 6)))
    assert all(one.low < one.high for one in scores)


def test_several_classes_are_scored_each_against_the_rest_and_as_a_mean() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 60)
    shares = rng.dirichlet((1, 1, 1), 60) + np.eye(3)[truth]
    shares /= shares.sum(1, keepdims=True)
    rows = [
        row(
            place, "abc"[true], "abc"[share.argmax()], target="cell", **dict(zip("abc", map(float, share), strict=True))
        )
        for place, (share, true) in enumerate(zip(shares, truth, strict=True))
    ]
    scores = score_answers(rows, goal=CELLS, groups={}).scores
    assert score(scores, "auc", "mean").value == pytest.approx(roc_auc_score(truth, shares, multi_class="ovr"))
    assert score(scores, "auc", "b").value == pytest.approx(roc_auc_score(truth == 1, shares[:, 1]))
    assert score(scores, "balanced_accuracy", "mean").value == pytest.approx(
        balanced_accuracy_score(truth, shares.argmax(1))
    )


def test_a_class_that_only_the_test_knows_counts_as_wrong_and_is_named() -> None:
    rows = [row(place, "abcd"[place % 4], "abca"[place % 4], target="cell", a=0.4, b=0.3, c=0.3) for place in range(8)]
    found = score_answers(rows, goal=CELLS, groups={})
    assert found.notes == ("2 case(s) are of the class 'd', which the model has never seen: it answers wrongly there.",)
    assert reword(found.notes[0], lang="zh").startswith("2 例属于类别 'd'"), "pages translate it by what it says"
    assert score(found.scores, "sensitivity", "d").value == 0.0
    assert score(found.scores, "balanced_accuracy", "mean").value == pytest.approx(0.75)


def test_findings_are_scored_where_somebody_judged() -> None:
    rows = [
        row(place, truth, "yes" if share >= 0.5 else "no", target="mass", no=1 - share, yes=share)
        for place, (truth, share) in enumerate([("yes", 0.9), ("no", 0.2), ("yes", 0.6), ("no", 0.7)])
    ]
    rows += [row(place, "no", "no", target="effusion", no=0.9, yes=0.1) for place in (0, 1)]
    rows.append(row(2, "yes", "yes", target="effusion", no=0.2, yes=0.8))
    scores = score_answers(rows, goal=FINDINGS, groups={}).scores
    assert score(scores, "auc", "mass").value == pytest.approx(0.75)
    assert score(scores, "auc", "effusion").value == 1.0
    assert score(scores, "auc", "effusion").n == 3
    assert score(scores, "auc", "mean").value == pytest.approx(0.875)
    assert score(scores, "specificity", "mean").value == pytest.approx(0.75)


def test_grades_are_scored_by_how_far_they_are_off() -> None:
    truth, found = [0, 1, 2, 3, 3, 0], [0, 2, 2, 3, 1, 0]
    rows = [
        row(place, str(true), str(given), target="grade", **{str(one): float(one == given) for one in range(4)})
        for place, (true, given) in enumerate(zip(truth, found, strict=True))
    ]
    scores = score_answers(rows, goal=GRADES, groups={}).scores
    assert score(scores, "quadratic_kappa", "mean").value == pytest.approx(
        cohen_kappa_score(truth, found, weights="quadratic")
    )
    assert score(scores, "off_by_one", "mean").value == pytest.approx(5 / 6)
    assert score(scores, "mae", "mean").value == pytest.approx(0.5)
    assert score(scores, "mae", "mean").unit == "grades"
    assert score(scores, "auc", "at least 1").value == 1.0


def test_a_grade_outside_the_order_is_left_out_and_named() -> None:
    rows = [row(place, "01239"[place], "0", target="grade", **dict.fromkeys("0123", 0.25)) for place in range(5)]
    found = score_answers(rows, goal=GRADES, groups={})
    assert len(found.rows) == 4
    assert "'9'" in found.notes[0]
    with pytest.raises(InputError, match="knows the grades 0, 1, 2, 3"):
        score_answers(rows[4:], goal=GRADES, groups={})


def test_numbers_are_scored_in_their_unit_and_so_is_the_interval() -> None:
    pairs = [(40.0, 42.0), (50.0, 49.0), (60.0, 66.0)]
    rows = [
        AnswerRow(case=f"c{n}", patient=f"p{n}", target="age", truth=true, value=given, low=given - 5, high=given + 5)
        for n, (true, given) in enumerate(pairs)
    ]
    scores = score_answers(rows, goal=AGE, groups={}).scores
    assert score(scores, "mae", "age").value == pytest.approx(3.0)
    assert score(scores, "mae", "age").unit == "year"
    assert score(scores, "bias", "age").value == pytest.approx(7 / 3)
    assert score(scores, "r2", "age").unit == "1"
    errors = np.array([2.0, -1.0, 6.0])
    low = score(scores, "agreement_low", "age").value
    assert low == pytest.approx(errors.mean() - 1.96 * errors.std(ddof=1))
    assert score(scores, "coverage", "age").value == pytest.approx(2 / 3)


def test_patients_are_drawn_not_cases() -> None:
    shares, truth = [0.1, 0.4, 0.35, 0.8, 0.7, 0.9], [0, 0, 1, 1, 0, 1]
    rows = two_classes(shares, truth)
    one = [AnswerRow(case=r.case, patient="p", target=r.target, truth=r.truth, value=r.value,
                     probabilities=r.probabilities) for r in rows]  # fmt: skip
    found = score(score_answers(one, goal=PNEUMONIA, groups={}).scores, "auc", "pneumonia")
    assert found.n == 1
    assert math.isnan(found.low)


def test_a_class_of_which_no_case_is_there_is_not_measured() -> None:
    found = score_answers(two_classes([0.1, 0.2, 0.3], [0, 0, 0]), goal=PNEUMONIA, groups={})
    assert score(found.scores, "auc", "pneumonia").n == 0
    assert score(found.scores, "specificity", "pneumonia").value == 1.0


def test_an_evaluation_survives_its_document() -> None:
    rows = two_classes([0.1, 0.4, 0.8], [0, 1, 1])
    found = score_answers(rows, goal=PNEUMONIA, groups={"sex = F": frozenset({"c0", "c1"})})
    again = AnswersEvaluation.from_document(json.loads(json.dumps(found.to_document(), allow_nan=False)))
    assert again.to_document() == found.to_document()
    assert again.rows[0].probabilities == {"normal": 0.9, "pneumonia": 0.1}
    assert set(again.groups) == {"sex = F"}


def test_groups_are_facts_that_tell_cases_apart() -> None:
    groups = Groups(without=("label",))
    for place in range(40):
        groups.add(
            f"c{place}",
            {
                "sex": Fact(value="FM"[place % 2]), "age": Fact(value=float(place * 2), unit="year"),
                "field": Fact(value=(1.5, 3.0)[place % 2], unit="T"), "weight": Fact(value=50.0 + place, unit="kg"),
                "note": Fact(value=f"free text {place}"), "site": Fact(value="one"),
                "day": Fact(value=None), "label": Fact(value="ab"[place % 2]),
            },
        )  # fmt: skip
    found = groups.members()
    assert list(found) == [
        "age = 0 to 17", "age = 18 to 39", "age = 40 to 64", "age = 65 and above", "field = 1.5 T", "field = 3 T",
        "sex = F", "sex = M", "weight = below 69.5 kg", "weight = from 69.5 kg",
    ]  # fmt: skip
    assert len(found["age = 0 to 17"]) == 9


def test_the_point_is_youdens_and_the_answers_follow_it() -> None:
    rows = two_classes([0.1, 0.2, 0.3, 0.35, 0.45], [0, 0, 1, 1, 1])
    found = score_answers(rows, goal=PNEUMONIA, groups={})
    assert score(found.scores, "sensitivity", "pneumonia").value == 0.0  # at one half nobody is called
    points = fit_points(found, goal=PNEUMONIA)
    assert points["label"] == pytest.approx(0.25)
    again = score_answers(at_points(found.rows, points, goal=PNEUMONIA), goal=PNEUMONIA, groups={})
    assert score(again.scores, "sensitivity", "pneumonia").value == 1.0
    assert score(again.scores, "specificity", "pneumonia").value == 1.0


def test_more_than_two_classes_and_one_sided_findings_have_no_point() -> None:
    cells = [row(0, "a", "b", target="cell", a=0.2, b=0.5, c=0.3)]
    assert fit_points(score_answers(cells, goal=CELLS, groups={}), goal=CELLS) == {}
    rows = [row(place, "no", "no", target="mass", no=0.9, yes=0.1 * place) for place in range(3)]
    assert fit_points(score_answers(rows, goal=FINDINGS, groups={}), goal=FINDINGS) == {}


def test_residuals_are_truth_less_answer_of_one_case_a_patient() -> None:
    rows = [row(0, 40.0, 42.0, target="age", patient="p"), row(1, 50.0, 46.0, target="age", patient="p"),
            row(2, 60.0, 61.0, target="age", patient="q")]  # fmt: skip
    assert residuals(score_answers(rows, goal=AGE, groups={})) == (-2.0, -1.0)


def test_an_interval_for_one_image_is_as_wide_as_single_images_scatter() -> None:
    # ten images each, whose errors hardly differ between patients: means over them would scatter three times less
    rng = np.random.default_rng(0)
    rows = [
        row(place, 50.0, 50.0 + float(rng.normal(0, 6)), target="age", patient=f"p{place // 10}")
        for place in range(400)
    ]
    # 40 draws of 6 scatter by 11 %
    assert np.std(residuals(score_answers(rows, goal=AGE, groups={})), ddof=1) == pytest.approx(6, rel=0.35)


@dataclass(frozen=True)
class Reader:
    """A reader of our own making: its answers lie in the pictures' first pixel."""

    model: "Told"

    @property
    def task(self) -> "Reader":
        return self

    def truth(self, facts: Mapping[str, Fact]) -> Mapping[str, str | float]:
        return {"age": float(facts["age"].value or 0)} if "age" in facts else {}

    def read(self, volumes: Mapping[str, Volume]) -> "Said":
        return Said(value=float(volumes["image"].voxels.ravel()[0]))


@dataclass(frozen=True)
class Said:
    value: float

    @property
    def answers(self) -> tuple[Answer, ...]:
        return (Answer(kind="regression", target="age", value=self.value, unit="year"),)


@dataclass(frozen=True)
class Told:
    @property
    def plan(self) -> "Told":
        return self

    @property
    def goal(self) -> Goal:
        return AGE


def picture_case(name: str, *, value: int, **facts: Fact) -> Case:
    volume = Volume(voxels=np.full((1, 4, 4), value, np.uint8), affine=Affine(matrix=np.eye(4)), is_planar=True)
    return Case(id=name, patient=name, volumes={"image": volume}, facts=facts)


def test_cases_are_read_scored_and_grouped_and_those_nobody_judged_left_out() -> None:
    cases = [
        picture_case("a", value=40, age=Fact(value=41.0, unit="year"), sex=Fact(value="F")),
        picture_case("b", value=50, age=Fact(value=53.0, unit="year"), sex=Fact(value="M")),
        picture_case("c", value=60, sex=Fact(value="M")),
    ]
    told: list[int] = []
    found = evaluate_answers(Reader(Told()), cases, progress=told.append)  # type: ignore[arg-type]
    assert [one.case for one in found.rows] == ["a", "b"]
    assert score(found.scores, "mae", "age").value == pytest.approx(2.0)
    assert list(found.groups) == ["sex = F", "sex = M"]  # the target itself makes no groups
    assert told == [1, 2, 3]
    with pytest.raises(InputError, match="none has the fact 'age'"):
        evaluate_answers(Reader(Told()), cases[2:])  # type: ignore[arg-type]
