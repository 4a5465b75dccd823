"""A run's name and its plan: decided once, kept in its folder, obeyed by whoever goes on with it."""

import hashlib
import json
from pathlib import Path

from isocenter.case import Dataset
from isocenter.errors import StoreError
from isocenter.learning.training.aside import written_aside
from isocenter.recipe import Plan, Recipe, recipe_from
from isocenter.result import canonical

PLAN = "plan.json"
RECIPE = "recipe.json"


def run_id(recipe: Recipe, version: Dataset) -> str:
    """Return the name of a run: 16 hex digits of recipe and data version, so that nothing overwrites anything."""
    return hashlib.sha256(canonical({"recipe": recipe.id, "dataset": version.id})).hexdigest()[:16]


def kept_plan(folder: Path) -> Plan | None:
    """Return the plan that a run's folder holds, None where there is none yet.

    Raises:
        StoreError: It is damaged.
    """
    path = folder / PLAN
    if not path.is_file():
        return None
    try:
        return Plan.from_document(json.loads(path.read_bytes()))
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"The plan of run {folder.name} is damaged. Remove the run and start it anew.") from error


def write_plan(plan: Plan, folder: Path) -> Plan:
    """Write a run's plan into its folder, whole or not at all, and return it.

    Raises:
        TrainingError: The disk is full, or the folder cannot be written.
    """
    _write(plan.to_document(), folder / PLAN)
    return plan


def write_recipe(recipe: Recipe, folder: Path) -> None:
    """Write what was asked into a run's folder, whole or not at all.

    Raises:
        TrainingError: The disk is full, or the folder cannot be written.
    """
    _write(recipe.to_document(), folder / RECIPE)


def kept_recipe(folder: Path) -> Recipe | None:
    """Return what a run was asked for, None where its folder does not say.

    Raises:
        StoreError: It is damaged.
    """
    path = folder / RECIPE
    if not path.is_file():
        return None
    try:
        return recipe_from(json.loads(path.read_bytes()))
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"The recipe of run {folder.name} is damaged. Remove the run and start it anew.") from error


def _write(document: object, path: Path) -> None:
    content = canonical(document)
    with written_aside(path, size=len(content)) as aside:
        aside.write_bytes(content)
