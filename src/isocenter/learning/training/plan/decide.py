"""From a recipe, a data set's fingerprint and a machine to a plan: every choice with its reason."""

from collections.abc import Mapping

from isocenter.errors import PlanError
from isocenter.image import LabelTable
from isocenter.learning.tasks import TASKS
from isocenter.learning.training.fingerprint import ORIENTATION, Fingerprint
from isocenter.learning.training.plan.augmenting import variation
from isocenter.learning.training.plan.budget import budget
from isocenter.learning.training.plan.geometry import Ground, geometry, grid_spacing
from isocenter.learning.training.plan.intensities import channels
from isocenter.learning.training.plan.machine import Machine
from isocenter.models import NETWORKS
from isocenter.plugins import find
from isocenter.recipe import Plan, Recipe
from isocenter.recipe.recipe import Precision

_RATE, _WEIGHT_DECAY, _AVERAGE, _FOREGROUND, _OVERLAP = 3e-3, 0.02, 0.99, 0.5, 0.5


def decide(
    recipe: Recipe, fingerprint: Fingerprint, *, dataset: str, table: LabelTable, machine: Machine | None = None
) -> Plan:
    """Return the plan for a recipe: what was asked stands, the rest is decided from data and machine.

    Args:
        recipe: What was asked.
        fingerprint: Of the cases to learn from.
        dataset: Id of the version that they come from.
        table: What is to be learnt.
        machine: None takes this one.

    Raises:
        PlanError: What was asked cannot be done: roles that not every case has, nothing labelled, a patch that the
            network's levels do not divide, or more memory than there is. The message says what would mend it.
        NotFoundError: No such task or network.
    """
    machine = machine or Machine.here()
    find(recipe.tasks.kind, table=TASKS, group="isocenter.tasks")
    find(recipe.models.network, table=NETWORKS, group="isocenter.networks")
    if fingerprint.labelled == 0:
        raise PlanError("None of the cases to learn from is labelled. Ingest the labels with the images.")
    reasons: dict[str, str] = {}
    taken = channels(recipe, fingerprint, reasons=reasons)
    spacing = grid_spacing(recipe, fingerprint, machine=machine, reasons=reasons)
    precision = _precision(recipe, machine, reasons)
    ground = Ground(
        fingerprint=fingerprint, machine=machine, spacing_mm=spacing, precision=precision, channels=len(taken),
        classes=len(table) + 1,
    )  # fmt: skip
    shape = geometry(recipe, ground, reasons=reasons)
    minutes, steps = budget(recipe, fingerprint, shape=shape, machine=machine, reasons=reasons)
    return Plan(
        task=recipe.tasks.kind, channels=taken, orientation=ORIENTATION, spacing_mm=spacing,
        network=recipe.models.network, width=shape.width, depth=shape.depth, patch=shape.patch, batch=shape.batch,
        steps=steps, minutes=minutes, precision=precision,
        variation=variation(recipe, fingerprint, spacing_mm=spacing, patch=shape.patch, reasons=reasons),
        flips=recipe.inference.flips, fold=recipe.training.fold, seed=recipe.training.seed, recipe=recipe.id,
        dataset=dataset, reasons=reasons, **_numbers(recipe, reasons),
    )  # fmt: skip


def _precision(recipe: Recipe, machine: Machine, reasons: dict[str, str]) -> Precision:
    key = "training.precision"
    if recipe.training.precision is not None:
        reasons[key] = "as the recipe asks" + (
            "; this machine has no bfloat16 and will compute in float32"
            if recipe.training.precision == "bf16" and not machine.bf16
            else ""
        )
        return recipe.training.precision
    reasons[key] = (
        "this machine multiplies in bfloat16, several times as fast as in float32"
        if machine.bf16
        else "this machine has no bfloat16 of its own"
    )
    return "bf16" if machine.bf16 else "fp32"


def _numbers(recipe: Recipe, reasons: dict[str, str]) -> Mapping[str, float]:
    """Return the settings that no data set has asked to change so far."""
    asked = recipe.training
    table = (
        ("training.rate", "rate", asked.rate, _RATE, "AdamW's rate at its highest; warmed up, then decayed to 0"),
        ("training.weight_decay", "weight_decay", asked.weight_decay, _WEIGHT_DECAY, "keeps weights small"),
        ("training.average", "average", asked.average, _AVERAGE, "the average of the last weights reads steadier"),
        ("training.foreground", "foreground", None, _FOREGROUND, "half the patches are centred on a structure"),
        ("inference.overlap", "overlap", recipe.inference.overlap, _OVERLAP, "each voxel is seen near a centre"),
    )
    chosen: dict[str, float] = {}
    for key, name, wanted, usual, why in table:
        chosen[name] = usual if wanted is None else wanted
        reasons[key] = why if wanted is None else "as the recipe asks"
    reasons["inference.orientation"] = "one order of axes for all cases, so that storage does not change the answer"
    return chosen
