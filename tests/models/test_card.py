"""What a card says of models that answer for whole images."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from isocenter.image import LabelTable
from isocenter.models.card import write_card
from isocenter.models.model import Description
from isocenter.recipe import Channel, Goal, Number, Plan, Scaling, Variation
from isocenter.result import Score

PLAN = Plan(
    goal=Goal(kind="classification", target=("label",), answers=("normal", "pneumonia"), counts=(40, 60)),
    dimensions="2-D", channels=(Channel(role="xray", scaling=Scaling(kind="percentiles", low=0, high=255)),),
    orientation="SPL", spacing_mm=(1.0, 1.0, 1.0), network="resnet", width=8, depth=5, patch=(1, 192, 224), batch=2,
    steps=20, minutes=0.0, rate=0.003, weight_decay=0.01, average=0.9, precision="fp32", foreground=0.5,
    variation=Variation(), overlap=0.5, flips=(), fold=None, seed=0, recipe="r", dataset="d",
)  # fmt: skip
AUC = Score(name="auc", label="pneumonia", value=0.95, low=0.91, high=0.98, n=30)


def card(**changes: object) -> str:
    told = Description(plan=PLAN, table=None, dataset="d" * 64, scores=(AUC,), points={"label": 0.42})
    return write_card(replace(told, **changes))  # type: ignore[arg-type]


def test_answers_scores_and_the_operating_point_stand_in_the_card() -> None:
    told = card()
    assert "| pneumonia | 60 |" in told
    assert "| measure | answer | value [interval] (patients) |" in told
    assert "| auc | pneumonia | 0.950 [0.910, 0.980] (n = 30) |" in told
    assert "Operating points: label 0.420." in told
    assert "A picture is brought to 192 × 224 pixels, its aspect kept." in told
    assert "one of normal, pneumonia, also about an image that shows none of them" in told


def test_a_number_is_told_with_its_reach_and_the_want_of_an_interval() -> None:
    goal = Goal(kind="regression", target=("age",), answers=("age",), number=Number(unit="year", low=20, high=80))
    told = card(plan=replace(PLAN, goal=goal), points={}, residuals=(1.0,))
    assert "Beyond 20 to 80 year it has learnt from nobody." in told
    assert "no interval, for want of validation patients" in told
    assert "Operating points" not in told


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda plan: plan, "A picture is resampled to 1 × 1 mm (row × column)."),
        (lambda plan: replace(plan, channels=(replace(plan.channels[0], has_size=False, colours=3),)),
         "read pixel by pixel"),
        (lambda plan: replace(plan, dimensions="3-D", patch=(8, 64, 64)),
         "A stack is laid to SPL and resampled to 1 × 1 × 1 mm (slice × row × column)."),
    ],
)  # fmt: skip
def test_an_outlining_model_says_how_its_images_are_brought(change: Callable[[Plan], Plan], words: str) -> None:
    told = card(plan=change(replace(PLAN, goal=Goal())), table=LabelTable.of("disc"), points={}, scores=())
    assert words in told
