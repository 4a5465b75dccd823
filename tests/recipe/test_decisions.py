"""Each choice of a plan stands by its recipe's key, with its value and its own reason."""

import json
from dataclasses import replace

from isocenter.recipe import Channel, Estimate, Goal, Number, Plan, Scaling, Variation, decisions_of

PLAN = Plan(
    channels=(Channel(role="t1", scaling=Scaling(kind="zscore", low=0.5, high=99.5)),),
    orientation="SPL", spacing_mm=(1.0, 1.0, 1.0), network="unet", width=24, depth=3, patch=(40, 56, 40), batch=4,
    steps=1800, minutes=5.0, rate=2e-3, weight_decay=1e-4, average=0.995, precision="fp32", foreground=0.5,
    variation=Variation(flips=("column",), scale=0.2), overlap=0.5, flips=(), fold=None, seed=0, recipe="c0ffee",
    dataset="da7a",
    reasons={
        "training.patch": "Holds nearly every case.", "transforms.flips": "Left is right here.",
        "tasks.volumes": "every case has t1", "inference.intensity (t1)": "No unit.", "memory": "0.8 GB of 25 GB.",
    },
)  # fmt: skip


def by_key(plan: Plan) -> dict[str, tuple[object, str]]:
    return {one.key: (one.value, one.reason) for one in decisions_of(plan)}


def test_a_reason_stands_with_the_value_that_it_speaks_of() -> None:
    found = by_key(PLAN)
    assert found["training.patch"] == ([40, 56, 40], "Holds nearly every case.")
    assert found["transforms.flips"] == (["column"], "Left is right here."), "not the flips of reading"
    assert found["tasks.volumes"] == (["t1"], "every case has t1")
    value, reason = found["inference.intensity (t1)"]
    assert (value["kind"], reason) == ("zscore", "No unit.")  # type: ignore[index]
    assert found["memory"] == (None, "0.8 GB of 25 GB.")


def test_what_nobody_reasoned_about_is_the_recipe_s_word() -> None:
    assert by_key(PLAN)["training.seed"] == (0, "as the recipe says")


def test_what_nobody_asked_for_is_left_out() -> None:
    assert not {"training.fold", "inference.flips", "estimate", "tasks.loss"} & set(by_key(PLAN))
    asked = replace(PLAN, fold=2, flips=("row",))
    assert by_key(asked)["training.fold"][0] == 2
    assert by_key(asked)["inference.flips"][0] == ["row"]


def test_every_field_of_a_plan_is_told() -> None:
    told = set(by_key(replace(PLAN, fold=1, flips=("row",), l1=0.1, mix=0.2, deterministic=True, neighbours=1,
                              estimate=Estimate(memory_bytes=1, seconds=1.0))))  # fmt: skip
    named = {key.rpartition(".")[2].partition(" ")[0] for key in told}
    elsewhere = {"goal", "channels", "variation", "reasons", "recipe", "dataset"}
    assert set(PLAN.to_document()) - elsewhere <= named


def test_classes_stand_with_their_cases_and_a_number_with_its_range() -> None:
    classes = Goal(kind="classification", target=("finding",), answers=("normal", "ill"), counts=(80, 20))
    assert by_key(replace(PLAN, goal=classes))["answers"][0] == {"normal": 80, "ill": 20}
    number = Goal(kind="regression", target=("age",), answers=("age",), number=Number(unit="a", low=18.0, high=90.0))
    assert by_key(replace(PLAN, goal=number))["number"][0]["high"] == 90.0  # type: ignore[index]


def test_values_are_written_for_people_and_are_plain_json() -> None:
    plan = replace(PLAN, estimate=Estimate(memory_bytes=1_200_000_000, seconds=1210.0))
    written = {one.key: one.written for one in decisions_of(plan)}
    assert written["estimate"] == "1.2 GB, 20 min"
    assert written["training.patch"] == "40 × 56 × 40"
    assert written["training.rate"] == "0.002"
    json.dumps([one.value for one in decisions_of(plan)])
