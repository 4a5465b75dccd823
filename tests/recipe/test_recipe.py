"""Recipes from TOML and from settings, and plans there and back."""

from pathlib import Path

import pytest

from isocenter.errors import FileError, RecipeError
from isocenter.recipe import Channel, Plan, Recipe, Scaling, Variation, read_recipe, recipe_from


def test_an_empty_recipe_leaves_everything_to_the_plan() -> None:
    assert read_recipe(None) == Recipe()


def test_a_file_and_settings_make_one_recipe(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(
        '[tasks]\nvolumes = ["t1", "flair"]\n[training]\nepochs = 20\n[inference]\nspacing_mm = [3, 1, 1]\n'
    )
    recipe = read_recipe(path, settings=["models.width=24", "inference.intensity=zscore"])
    assert recipe.tasks.volumes == ("t1", "flair")
    assert recipe.models.width == 24
    assert recipe.inference.spacing_mm == (3.0, 1.0, 1.0)
    assert recipe.inference.intensity == "zscore"
    assert recipe_from(recipe.to_document()).id == recipe.id


def test_the_budget_set_last_replaces_the_others() -> None:
    recipe = read_recipe(None, settings=["training.minutes=5", "training.epochs=3", "training.steps=70"])
    assert (recipe.training.minutes, recipe.training.epochs, recipe.training.steps) == (None, None, 70)
    assert recipe.with_budget(minutes=2.0).training.steps is None


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("trainin.steps=1", "Did you mean 'training'"),
        ("training.step=1", "Did you mean 'steps'"),
        ("training.steps", "section.key=value"),
        ("training.steps=many", "whole number"),
        ("training.steps=true", "whole number"),
        ("training.steps=0", "between 1"),
        ("training.precision=fp16", "Did you mean"),
        ("inference.overlap=0.95", "between 0"),
        ("inference.window_hu=[100, -100]", "above"),
        ("inference.intensity=window", "window_hu"),
        ("inference.spacing_mm=[1, 1]", "list of 3"),
        ("inference.spacing_mm=[1, 1, nan]", "between 0.001"),
        ("inference.window_hu=[-inf, 100]", "between -1000000"),
        ("training.seed=-1", "between 0"),
        ("training.seed=99999999999999999999", "between 0"),
        ("training.patch=96", "list of 3"),
        ("transforms.flips=['left']", "slice, row and column"),
    ],
)
def test_what_cannot_be_is_refused_with_what_mends_it(setting: str, words: str) -> None:
    with pytest.raises(RecipeError, match=words.replace("[", r"\[")):
        read_recipe(None, settings=[setting])


def test_two_budgets_in_one_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text("[training]\nepochs = 2\nminutes = 1.0\n")
    with pytest.raises(RecipeError, match="one budget"):
        read_recipe(path)


def test_a_file_that_is_no_toml_or_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text("[training\n")
    with pytest.raises(RecipeError, match=r"r\.toml is not TOML"):
        read_recipe(tmp_path / "r.toml")
    with pytest.raises(FileError, match="cannot be read"):
        read_recipe(tmp_path / "none.toml")


def plan() -> Plan:
    return Plan(
        channels=(Channel(role="ct", scaling=Scaling(kind="window", low=-100, high=200)),),
        orientation="SPL", spacing_mm=(3.0, 1.0, 1.0), network="unet", width=16, depth=3, patch=(32, 64, 64), batch=2,
        steps=100, minutes=0.0, rate=1e-3, weight_decay=1e-2, average=0.99, precision="fp32", foreground=0.5,
        variation=Variation(rotation_degrees=(5.0, 0.0, 0.0), flips=("column",)), overlap=0.5, flips=(), fold=None,
        seed=0, recipe="r", dataset="d", reasons={"training.batch": "fits"},
    )  # fmt: skip


def test_a_plan_comes_back_from_its_document() -> None:
    assert Plan.from_document(plan().to_document()) == plan()


def test_reasons_do_not_name_a_run_and_decisions_do() -> None:
    from dataclasses import replace

    assert replace(plan(), reasons={}).id == plan().id
    assert replace(plan(), batch=3).id != plan().id
