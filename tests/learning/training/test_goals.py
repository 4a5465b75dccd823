"""Goals, networks and sizes that a plan decides from facts, and facts from which nothing can be learnt."""

import re
from dataclasses import replace

import pytest

from isocenter.case import Entry, Fact
from isocenter.errors import LabelError, NotFoundError, PlanError
from isocenter.image import LabelTable
from isocenter.learning.training import Fingerprint, Machine, decide
from isocenter.learning.training.fingerprint import Values
from isocenter.learning.training.plan import target_of, unlearnt_classes, unlearnt_findings
from isocenter.recipe import Goal, Plan, recipe_from

LAPTOP = Machine(cores=2, memory=24 * 10**9, bf16=True)
VALUES = Values(
    modality="OT", unit="1", low=0, median=100, high=255, inside_low=0, inside_high=255, inside_mean=100,
    inside_spread=60, has_size=False,
)  # fmt: skip


def known(*values: float | str | None, unit: str = "") -> tuple[Fact, ...]:
    return tuple(Fact(value=value, unit=unit) for value in values)


def pictures(count: int = 8, **facts: tuple[Fact, ...]) -> Fingerprint:
    return Fingerprint(
        shapes=((1, 400, 300),) * count, spacings_mm=((1.0, 1.0, 1.0),) * count, is_planar=True,
        values={"image": VALUES}, facts=facts, ids=tuple(f"c{number}" for number in range(count)),
    )  # fmt: skip


def stacks(count: int = 4, **facts: tuple[Fact, ...]) -> Fingerprint:
    flat = pictures(count, **facts)
    return replace(flat, shapes=((60, 256, 256),) * count, spacings_mm=((3.0, 0.9, 0.9),) * count, is_planar=False)


TWO = known(*["benign", "malignant"] * 4)
LESIONS = pictures(label=TWO)


def planned(
    fingerprint: Fingerprint = LESIONS, *, table: LabelTable | None = None, **sections: dict[str, object]
) -> Plan:
    sections = {"tasks": {"kind": "classification"}} | sections
    return decide(recipe_from(sections), fingerprint, dataset="d", table=table, machine=LAPTOP)


def test_classes_stand_in_the_alphabets_order_and_what_means_nothing_first() -> None:
    assert planned().goal.answers == ("benign", "malignant")
    assert planned(pictures(label=known("PNEUMONIA", "NORMAL", "BROKEN"))).goal.answers == (
        "NORMAL", "BROKEN", "PNEUMONIA",
    )  # fmt: skip
    assert planned(pictures(label=known(10.0, 2.0, "9", 10.0))).goal.answers == ("2", "9", "10")
    assert planned(pictures(label=known(10.0, 2.0, "9", 10.0))).goal.counts == (1, 1, 2)


def test_even_classes_count_alike_and_rare_ones_more() -> None:
    assert planned().goal.weights == ()
    uneven = pictures(label=known("a", *["b"] * 7))
    assert planned(uneven).goal.weights == (4.0, pytest.approx(8 / 14, abs=1e-3))
    assert planned(uneven, tasks={"kind": "classification", "class_weights": "none"}).goal.weights == ()
    assert planned(tasks={"kind": "classification", "class_weights": "balanced"}).goal.weights == (1.0, 1.0)


def test_every_decision_about_images_has_its_reason_and_survives_writing() -> None:
    plan = planned()
    assert {"tasks.target", "tasks.class_weights", "tasks.loss", "models.network", "models.dimensions"} <= set(
        plan.reasons
    )
    assert all(plan.reasons.values())
    assert plan == Plan.from_document(plan.to_document())


def test_pictures_are_brought_to_one_size_in_their_shape() -> None:
    plan = planned()
    assert plan.patch == (1, 192, 160)
    assert (plan.dimensions, plan.spacing_mm, plan.channels[0].has_size) == ("2-D", (1.0, 1.0, 1.0), False)
    assert planned(replace(LESIONS, shapes=((1, 64, 64),) * 8)).patch == (1, 64, 64)
    colour = replace(LESIONS, values={"image": replace(VALUES, colours=3)})
    assert planned(colour).inputs == 3


def test_stacks_are_read_by_a_recurrent_network_whole() -> None:
    plan = planned(stacks(label=TWO[:4]))
    assert (plan.network, plan.dimensions) == ("gru", "3-D")
    assert plan.patch[0] <= 32
    assert plan.patch[0] * plan.spacing_mm[0] == pytest.approx(180, rel=0.1)
    assert plan.patch[1] * plan.spacing_mm[1] == pytest.approx(230, rel=0.1)
    slices = planned(stacks(label=TWO[:4]), models={"dimensions": "2.5-D", "neighbours": 2})
    assert (slices.network, slices.dimensions, slices.neighbours) == ("resnet", "2.5-D", 2)


def test_a_volume_is_not_halved_until_nothing_is_left() -> None:
    thin = replace(stacks(label=TWO[:4]), shapes=((9, 256, 256),) * 4)
    plan = planned(thin, models={"network": "densenet", "dimensions": "3-D"})
    assert plan.patch[0] >> plan.depth == 1
    assert (plan.precision, planned(thin).precision) == ("fp32", "bf16")


def test_a_network_that_does_not_fit_is_refused_with_those_that_do() -> None:
    with pytest.raises(PlanError, match=r'"gru" cannot be.*pictures \(2-D\).*resnet'):
        planned(models={"network": "gru"})
    outlined = replace(LESIONS, labelled=8)
    with pytest.raises(PlanError, match=r'"resnet" cannot be: it gives one answer.*outlines.*unet'):
        planned(outlined, table=LabelTable.of("x"), tasks={"kind": "segmentation"}, models={"network": "resnet"})
    with pytest.raises(PlanError, match=r'models\.dimensions = "3-D" reads stacks.*"2-D" fits'):
        planned(models={"dimensions": "3-D"})
    with pytest.raises(PlanError, match=r'"2\.5-D" or "3-D" fit'):
        planned(stacks(label=TWO[:4]), models={"dimensions": "2-D"})
    with pytest.raises(NotFoundError, match="Did you mean 'resnet"):
        planned(models={"network": "resnets"})


def test_a_network_with_a_multiple_gets_edges_that_it_divides() -> None:
    crops = replace(stacks(), shapes=((35, 50, 36),) * 4, spacings_mm=((1.0, 1.0, 1.0),) * 4, labelled=4)
    plan = planned(crops, table=LabelTable.of("x"), tasks={}, models={"network": "segresnet"})
    assert all(edge % 8 == 0 for edge in plan.patch)
    with pytest.raises(PlanError, match=r'"segresnet" reads edges that 8 divides; \[40, 56, 40\] is near'):
        planned(
            crops, table=LabelTable.of("x"), tasks={}, models={"network": "segresnet"},
            training={"patch": [35, 50, 36]},
        )  # fmt: skip


def test_a_stack_read_slice_by_slice_is_not_halved_along_the_slices() -> None:
    crops = replace(stacks(), labelled=4)
    plan = planned(crops, table=LabelTable.of("x"), tasks={}, models={"dimensions": "2.5-D"})
    assert (plan.network, plan.dimensions, plan.neighbours) == ("unet", "2.5-D", 1)
    assert plan.patch[0] <= 8
    assert plan.variation.rotation_degrees[1:] == (0, 0)


def test_several_findings_are_facts_of_their_own_or_listed_by_one() -> None:
    several = pictures(mass=known(*[1.0, 0.0] * 4), effusion=known(*["no", "yes", "no", None] * 2))
    goal = planned(several, tasks={"kind": "multilabel", "target": ["mass", "effusion"]}).goal
    assert (goal.answers, goal.counts) == (("mass", "effusion"), (4, 2))
    listed = pictures(findings=known("Mass|Effusion", "No Finding", "Mass", "Hernia") * 2)
    goal = planned(listed, tasks={"kind": "multilabel", "target": "findings"}).goal
    assert (goal.answers, goal.counts) == (("Effusion", "Hernia", "Mass"), (2, 2, 4))
    one = planned(several, tasks={"kind": "multilabel", "target": "mass"}).goal
    assert one.answers == one.target == ("mass",)


def test_a_finding_is_weighed_against_the_cases_in_which_somebody_looked_for_it() -> None:
    sparse = pictures(mass=known(*[1.0, 0.0] * 4), effusion=known(1.0, 0.0, *[None] * 6))
    asked = {"kind": "multilabel", "target": ["mass", "effusion"], "class_weights": "balanced"}
    assert planned(sparse, tasks=asked).goal.weights == (1.0, 1.0)
    rare = pictures(mass=known(*[1.0, 0.0] * 4), effusion=known(1.0, *[0.0] * 4, *[None] * 3))
    plan = planned(rare, tasks={"kind": "multilabel", "target": ["mass", "effusion"]})
    assert plan.goal.weights == (1.0, 4.0)
    assert "4.0 times as often absent as there" in plan.reasons["tasks.class_weights"]
    all_there = pictures(mass=known(*[1.0, 0.0] * 4), effusion=known(1.0, 1.0, *[None] * 6))
    assert planned(all_there, tasks=asked).goal.weights == (1.0, 1.0)


def test_grades_stand_as_listed_or_as_numbers() -> None:
    words = pictures(stage=known("mild", "none", "severe") * 2)
    asked = {"kind": "grading", "target": "stage", "grades": ["none", "mild", "severe", "fatal"]}
    assert planned(words, tasks=asked).goal.counts == (2, 2, 2, 0)
    numbers = pictures(stage=known(3.0, 1.0, 10.0))
    assert planned(numbers, tasks={"kind": "grading", "target": "stage"}).goal.answers == ("1", "3", "10")
    with pytest.raises(PlanError, match=r"mild, none, severe.*tasks\.grades"):
        planned(words, tasks={"kind": "grading", "target": "stage"})
    with pytest.raises(LabelError, match=r"'severe'.*Did you mean 'sever'"):
        planned(words, tasks=asked | {"grades": ["none", "mild", "sever"]})


def test_a_number_is_brought_to_mean_zero_and_spread_one() -> None:
    ages = pictures(4, age=known(20.0, 40.0, "60", 80.0, unit="y"))
    number = planned(ages, tasks={"kind": "regression", "target": "age"}).goal.number
    assert number is not None
    assert (number.unit, number.shift, number.low, number.high) == ("y", 50, 20, 80)
    assert number.scale == pytest.approx(22.36, abs=0.01)


@pytest.mark.parametrize(
    ("fingerprint", "tasks", "error", "words"),
    [
        (LESIONS, {"target": "lable"}, LabelError, "no case to learn from has the fact 'lable'. Did you mean 'label'"),
        (pictures(), {}, LabelError, "They have no facts"),
        (pictures(label=known("a", "a")), {}, PlanError, "'label' is 'a' in every case"),
        (LESIONS, {"target": ["label", "label"]}, PlanError, 'tasks.kind = "multilabel"'),
        (
            pictures(200, age=known(*map(float, range(200)))), {"target": "age"}, PlanError,
            'numbers are learnt by tasks.kind = "regression"',
        ),
        (
            pictures(2, age=known(3.0, "old")), {"kind": "regression", "target": "age"}, LabelError,
            "Case c1: its 'age' is 'old', which is no number",
        ),
        (pictures(2, age=known(3.0, 3.0)), {"kind": "regression", "target": "age"}, PlanError, "the same in all 2"),
        (
            pictures(2, age=(Fact(value=3.0, unit="y"), Fact(value=40.0, unit="d"))),
            {"kind": "regression", "target": "age"}, LabelError, "given in d and y",
        ),
        (
            pictures(2, a=known(1.0, 0.0), b=known("perhaps", "no")), {"kind": "multilabel", "target": ["a", "b"]},
            LabelError, "Case c0: its 'b' is 'perhaps'",
        ),
        (pictures(2, a=known(1.0, 1.0)), {"kind": "multilabel", "target": "a"}, PlanError, "no finding of a is there"),
        (LESIONS, {"loss": "dice"}, NotFoundError, "dice"),
        (LESIONS, {"kind": "classifcation"}, NotFoundError, "Did you mean 'classification'"),
        (LESIONS, {"kind": "segmentation"}, LabelError, "there are none"),
        (LESIONS, {"kind": "segmentation", "target": "label"}, PlanError, "one of classification, multilabel"),
        (LESIONS, {"grades": ["benign", "malignant"]}, PlanError, 'tasks.kind = "grading" fits'),
        (
            pictures(2, age=known(3.0, 4.0)), {"kind": "regression", "target": "age", "label_smoothing": 0.1},
            PlanError, "A number has no classes",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_learnt_is_refused_in_words(
    fingerprint: Fingerprint, tasks: dict[str, object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=re.escape(words)):
        planned(fingerprint, tasks={"kind": "classification"} | tasks)


def test_the_loss_is_named_and_a_runtime_for_outlines_is_not_promised_to_whole_images() -> None:
    plan = planned()
    assert plan.reasons["tasks.loss"] == "cross_entropy, the usual one of the task"
    assert plan.reasons["inference.runtime"].startswith("a whole image is one look")
    with pytest.raises(PlanError, match=r'inference\.runtime = "openvino" is for outlines'):
        planned(inference={"runtime": "openvino"})


def test_a_picture_has_one_slice() -> None:
    with pytest.raises(PlanError, match=r"\[1, rows, columns\] is wanted"):
        planned(training={"patch": [8, 64, 64]})


def test_the_regularisers_that_are_asked_for_stand_in_the_plan() -> None:
    plan = planned(models={"dropout": 0.5}, training={"l1": 1e-5, "weight_decay": 0.1, "deterministic": True})
    assert (plan.dropout, plan.l1, plan.weight_decay, plan.deterministic) == (0.5, 1e-5, 0.1, True)
    assert planned(transforms={"mix": 0.4}).mix == 0.4
    with pytest.raises(PlanError, match=r"transforms\.mix = 0\.4 blends the images of a step in pairs"):
        planned(transforms={"mix": 0.4}, training={"batch": 1})
    smoothed = planned(tasks={"kind": "classification", "label_smoothing": 0.1, "loss": "focal"})
    assert (smoothed.goal.smoothing, smoothed.goal.loss) == (0.1, "focal")


def test_balanced_weights_of_outlines_go_with_the_root_of_how_rare_they_are() -> None:
    crops = replace(stacks(1), shapes=((10, 10, 10),), spacings_mm=((1.0, 1.0, 1.0),), voxels={"x": (10,)}, labelled=1)
    plan = planned(crops, table=LabelTable.of("x"), tasks={"class_weights": "balanced"})
    assert plan.goal.weights == (pytest.approx((1000 / 2 / 990) ** 0.5, abs=1e-3), pytest.approx(50**0.5, abs=1e-3))


def entry(number: int, **facts: float | str) -> Entry:
    return Entry(
        id=f"c{number}", patient=f"p{number}", volumes={}, facts={name: Fact(value=v) for name, v in facts.items()}
    )


def test_classes_that_only_other_sides_have_are_told_and_what_is_no_answer_is_refused() -> None:
    goal = planned().goal
    assert unlearnt_classes(goal, [entry(1, label="benign")]) == ""
    assert "1 case(s) of the other sides are 'odd'" in unlearnt_classes(goal, [entry(1, label="odd")])
    assert unlearnt_classes(Goal(kind="segmentation"), [entry(1, label="odd")]) == ""
    grades = Goal(kind="grading", target=("stage",), answers=("1", "2"), counts=(1, 1))
    with pytest.raises(LabelError, match=r"Case c7: its 'stage' is '3', none of 1, 2.*tasks\.grades"):
        unlearnt_classes(grades, [entry(7, stage=3.0)])
    findings = Goal(kind="multilabel", target=("mass",), answers=("mass",), counts=(1,))
    with pytest.raises(LabelError, match="Case c8: its 'mass' is 'maybe'"):
        unlearnt_classes(findings, [entry(8, mass="maybe")])


def test_outlines_have_no_target_and_other_tasks_the_label_by_default() -> None:
    assert target_of(recipe_from({})) == ()
    assert target_of(recipe_from({"tasks": {"kind": "grading"}})) == ("label",)
    assert target_of(recipe_from({"tasks": {"kind": "regression", "target": "age"}})) == ("age",)


def test_a_finding_that_only_other_sides_list_is_told_and_their_cases_are_kept() -> None:
    goal = Goal(kind="multilabel", target=("label",), answers=("Effusion", "Mass"), counts=(2, 2))
    hernia = entry(1, label="Mass|Hernia")
    assert unlearnt_findings(goal, [hernia, entry(2, label="No Finding"), entry(3)]) == (
        "1 case(s) of the other sides have 'Hernia'"
    )
    assert unlearnt_classes(goal, [hernia]) == ""
    apart = Goal(kind="multilabel", target=("mass",), answers=("mass",), counts=(1,))
    assert unlearnt_findings(apart, [entry(1, mass=1.0)]) == ""
