"""Tasks of whole images: facts become targets, scores become answers."""

import math

import pytest
import torch
from torch.nn import functional as F

from isocenter.case import Fact
from isocenter.errors import LabelError, NotFoundError
from isocenter.learning.tasks import ImageTask, find_task
from isocenter.learning.tasks.facts import findings, is_yes, knows, means_nothing
from isocenter.recipe import Goal, Number

CLASSES = Goal(kind="classification", target=("label",), answers=("benign", "malignant"), counts=(3, 2))
SEVERAL = Goal(kind="multilabel", target=("mass", "effusion"), answers=("mass", "effusion"), counts=(3, 2))
LISTED = Goal(kind="multilabel", target=("findings",), answers=("Effusion", "Mass"), counts=(3, 2))
GRADES = Goal(kind="grading", target=("stage",), answers=("0", "1", "2", "3"), counts=(3, 2, 2, 1))
AGE = Goal(
    kind="regression", target=("age",), answers=("age",), number=Number(unit="y", shift=50, scale=10, low=20, high=80)
)


def task(goal: Goal) -> ImageTask:
    found = find_task(goal, table=None)
    assert found.answers == "image"
    return found


def facts(**values: float | str | None) -> dict[str, Fact]:
    return {name: Fact(value=value) for name, value in values.items()}


def test_a_class_is_its_number_and_comes_back_as_its_word() -> None:
    assert task(CLASSES).encode(facts(label=" malignant ")).tolist() == [1.0]
    answer = task(CLASSES).decode(torch.tensor([0.0, math.log(3)]), points={})[0]
    assert (answer.target, answer.value) == ("label", "malignant")
    assert answer.probabilities == pytest.approx({"benign": 0.25, "malignant": 0.75})
    assert math.isnan(answer.point)
    assert sum(answer.probabilities.values()) == pytest.approx(1)


def test_of_two_classes_the_operating_point_decides() -> None:
    scores = torch.tensor([0.0, math.log(3)])
    assert task(CLASSES).decode(scores, points={"label": 0.8})[0].value == "benign"
    assert task(CLASSES).decode(scores, points={"label": 0.74})[0].value == "malignant"


def test_of_three_classes_the_likeliest_is_answered() -> None:
    three = Goal(kind="classification", target=("cell",), answers=("a", "b", "c"), counts=(1, 1, 1))
    assert task(three).decode(torch.tensor([0.0, 2.0, 1.0]), points={"cell": 0.9})[0].value == "b"


def test_numbers_are_classes_whether_they_are_written_as_numbers_or_words() -> None:
    two = Goal(kind="classification", target=("pneumonia",), answers=("0", "1"), counts=(1, 1))
    assert task(two).encode(facts(pneumonia=1.0)).tolist() == task(two).encode(facts(pneumonia="1")).tolist() == [1.0]
    assert task(two).truth(facts(pneumonia=1.0)) == {"pneumonia": "1"}


def test_what_nobody_said_and_what_is_not_known_is_refused_in_words() -> None:
    with pytest.raises(LabelError, match=r"'label' is not known"):
        task(CLASSES).encode(facts(label=None))
    with pytest.raises(LabelError, match=r"nothing is known of 'label'. Did you mean 'labels'"):
        task(CLASSES).encode(facts(labels="benign"))
    with pytest.raises(LabelError, match=r"'label' is 'odd'; learnt are benign, malignant"):
        task(CLASSES).encode(facts(label="odd"))
    assert task(CLASSES).truth(facts(label=None)) == {}
    assert task(CLASSES).truth(facts(label="odd")) == {"label": "odd"}


def test_findings_are_answered_one_by_one_and_one_that_nobody_judged_is_nan() -> None:
    target = task(SEVERAL).encode(facts(mass="yes", effusion=None))
    assert target[0] == 1
    assert math.isnan(target[1])
    first, second = task(SEVERAL).decode(torch.tensor([0.1, 0.1]), points={"effusion": 0.7})
    assert (first.target, first.value, second.target, second.value) == ("mass", "yes", "effusion", "no")
    assert second.probabilities == pytest.approx({"no": 0.475, "yes": 0.525}, abs=1e-3)
    with pytest.raises(LabelError, match="'maybe'; a finding is there or not"):
        task(SEVERAL).encode(facts(mass="maybe"))
    with pytest.raises(LabelError, match="nothing is known of 'mass', 'effusion'"):
        task(SEVERAL).encode(facts(age=3.0))


def test_one_fact_may_list_findings() -> None:
    assert task(LISTED).encode(facts(findings="Mass|Nodule")).tolist() == [0.0, 1.0]
    assert task(LISTED).encode(facts(findings="No Finding")).tolist() == [0.0, 0.0]
    assert task(LISTED).truth(facts(findings="Mass|Effusion")) == {"Effusion": "yes", "Mass": "yes"}


@pytest.mark.parametrize("loss", ["", "conditional", "cumulative"])
def test_grades_have_probabilities_that_sum_to_one_and_answer_the_middle_one(loss: str) -> None:
    grading = task(Goal(**{**{name: getattr(GRADES, name) for name in Goal.__slots__}, "loss": loss}))
    assert grading.outputs == 3
    assert grading.encode(facts(stage=2.0)).tolist() == [2.0]
    for scores in (torch.tensor([3.0, 2.0, -4.0]), torch.tensor([-3.0, 5.0, 1.0]), torch.randn(3)):
        answer = grading.decode(scores, points={})[0]
        shares = list(answer.probabilities.values())
        assert min(shares) >= 0
        assert sum(shares) == pytest.approx(1, abs=1e-6)
        below = sum(shares[: GRADES.answers.index(str(answer.value))])
        assert below < 0.5 <= below + answer.probabilities[str(answer.value)] + 1e-9
    assert grading.decode(torch.tensor([9.0, 9.0, -9.0]), points={})[0].value == "2"


def test_a_number_comes_back_in_its_unit() -> None:
    known = {"age": Fact(value=70.0, unit="y")}
    target = task(AGE).encode(known)
    assert target.tolist() == [2.0]
    answer = task(AGE).decode(target, points={})[0]
    assert (answer.value, answer.unit, answer.probabilities) == (70.0, "y", {})
    assert task(AGE).encode({"age": Fact(value="70", unit="y")}).tolist() == [2.0]
    with pytest.raises(LabelError, match="in 'd'; learnt is 'y'"):
        task(AGE).encode({"age": Fact(value=70.0, unit="d")})
    with pytest.raises(LabelError, match="'old', which is no number"):
        task(AGE).encode({"age": Fact(value="old", unit="y")})


def test_the_goals_loss_weights_and_smoothing_are_obeyed() -> None:
    goal = Goal(
        kind="classification", target=("x",), answers=("a", "b"), counts=(1, 9), weights=(5.0, 0.5), smoothing=0.1
    )
    scores, target = torch.randn(6, 2), torch.tensor([[0.0], [1], [1], [0], [1], [1]])
    expected = F.cross_entropy(scores, target[:, 0].long(), weight=torch.tensor([5.0, 0.5]), label_smoothing=0.1)
    assert task(goal).loss(scores, target).item() == pytest.approx(expected.item(), rel=1e-5)
    with pytest.raises(NotFoundError, match="focal"):
        task(Goal(kind="classification", target=("x",), answers=("a", "b"), loss="fokal"))


@pytest.mark.parametrize("kind", ["classification", "multilabel", "grading", "regression"])
def test_a_goal_without_answers_is_refused(kind: str) -> None:
    with pytest.raises(LabelError):
        find_task(Goal(kind=kind), table=None)


def test_words_of_yes_and_no() -> None:
    assert is_yes(1.0, name="x")
    assert is_yes(" Present", name="x")
    assert not is_yes("NO", name="x")
    assert means_nothing("No Finding")
    assert not means_nothing("nodule")
    assert findings("A | B|") == ("A", "B")
    assert knows(facts(a=None, b=0.0), ("a", "b"))
    assert not knows(facts(a=None, b=""), ("a", "b", "c"))


def test_several_looks_at_an_image_are_averaged_as_probabilities() -> None:
    # one sure look and one unsure one: averaged scores would say 0.99, and no look has said so
    looks = torch.tensor([[0.0, 10.0], [0.0, 0.0]])
    assert task(CLASSES).decode(looks, points={})[0].probabilities["malignant"] == pytest.approx(0.75, abs=1e-4)
    first = task(SEVERAL).decode(torch.tensor([[10.0, 0.0], [0.0, 0.0]]), points={})[0]
    assert first.probabilities["yes"] == pytest.approx(0.75, abs=1e-4)
    grading = task(GRADES)
    several = torch.randn((3, grading.outputs), generator=torch.Generator().manual_seed(0))
    each = [list(grading.decode(one, points={})[0].probabilities.values()) for one in several]
    mean = torch.tensor(each).mean(dim=0).tolist()
    assert list(grading.decode(several, points={})[0].probabilities.values()) == pytest.approx(mean, abs=1e-6)
    number = task(AGE)
    values = [number.decode(torch.tensor([score]), points={})[0].value for score in (0.0, 1.0)]
    assert number.decode(torch.tensor([[0.0], [1.0]]), points={})[0].value == pytest.approx(sum(values) / 2)
