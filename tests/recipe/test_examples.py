"""The example recipes can be read, and decided on data of the kind that they ask for."""

from dataclasses import replace
from pathlib import Path

import pytest

from isocenter.case import Fact
from isocenter.image import LabelTable
from isocenter.learning.training import Fingerprint, Machine, decide
from isocenter.learning.training.fingerprint import Values
from isocenter.recipe import read_recipe

RECIPES = Path(__file__).resolve().parents[2] / "examples" / "recipes"
MACHINE = Machine(cores=2, memory=24 * 10**9, bf16=True)
GREY = Values(
    modality="OT", unit="1", low=0, median=100, high=255, inside_low=0, inside_high=255, inside_mean=100,
    inside_spread=60, has_size=False,
)  # fmt: skip
COLOUR = replace(GREY, colours=3)


def cases(
    values: Values = GREY, *, shape: tuple[int, int, int] = (1, 400, 300), **facts: tuple[float | str, ...]
) -> Fingerprint:
    return Fingerprint(
        shapes=(shape,) * 10, spacings_mm=((1.0, 1.0, 1.0),) * 10, is_planar=shape[0] == 1, values={"image": values},
        labelled=0 if facts else 10, voxels={} if facts else {"cytoplasm": (50,) * 10, "nucleus": (20,) * 10},
        facts={name: tuple(Fact(value=said[place % len(said)]) for place in range(10)) for name, said in facts.items()},
    )  # fmt: skip


WANTED = {
    "pneumonia": (cases(label=("normal", "pneumonia")), "resnet", 2),
    "breast-ultrasound": (cases(label=("benign", "malignant", "normal")), "resnet", 3),
    "breast-ultrasound-grade": (cases(label=("benign", "malignant", "normal")), "resnet", 3),
    "white-blood-cells": (cases(COLOUR, label=("1", "2", "3", "4", "5")), "resnet", 5),
    "white-blood-cells-outlines": (cases(COLOUR), "unet", 0),
    "fundus": (cases(COLOUR, label=(0.0, 1.0, 2.0, 3.0, 4.0)), "resnet", 5),
    "cardiac-cine": (cases(shape=(25, 200, 180), ejection_fraction=(61.5, 30.0, 45.0)), "gru", 1),
}


@pytest.mark.parametrize("name", sorted(path.stem for path in RECIPES.glob("*.toml")))
def test_an_example_recipe_is_decided_on_what_it_asks_for(name: str) -> None:
    fingerprint, network, answers = WANTED[name]
    table = None if answers else LabelTable.of("cytoplasm", "nucleus")
    recipe = read_recipe(RECIPES / f"{name}.toml")
    plan = decide(recipe, fingerprint, dataset="d", table=table, machine=MACHINE)
    assert (plan.network, len(plan.goal.answers)) == (network, answers)
    budget = recipe.training
    assert (plan.minutes, plan.steps) == (budget.minutes or 0.0, budget.steps or plan.steps)
