"""From a recipe, a data set's fingerprint and a machine to a plan: every choice with its reason."""

from collections.abc import Mapping

from isocenter.errors import PlanError
from isocenter.image import LabelTable
from isocenter.learning.inference.pace import AUTO
from isocenter.learning.inference.runtime import RUNTIMES
from isocenter.learning.tasks import TASKS, find_task
from isocenter.learning.tasks.losses import usual_loss
from isocenter.learning.training.fingerprint import ORIENTATION, Fingerprint
from isocenter.learning.training.plan.augmenting import variation
from isocenter.learning.training.plan.budget import budget
from isocenter.learning.training.plan.geometry import Ground, geometry, grid_spacing
from isocenter.learning.training.plan.goals import goal_of
from isocenter.learning.training.plan.intensities import channels
from isocenter.learning.training.plan.machine import Machine
from isocenter.learning.training.plan.networks import Choice, choose_network
from isocenter.learning.training.plan.sizes import sizes
from isocenter.models.network import Answers
from isocenter.plugins import find
from isocenter.recipe import Plan, Recipe
from isocenter.recipe.recipe import Precision

_USUAL: Mapping[Answers, Mapping[str, float]] = {
    "voxels": {
        "rate": 3e-3, "weight_decay": 0.02, "l1": 0.0, "average": 0.99, "dropout": 0.0, "foreground": 0.5,
        "overlap": 0.5,
    },
    "image": {
        "rate": 1e-3, "weight_decay": 0.05, "l1": 0.0, "average": 0.99, "dropout": 0.2, "foreground": 0.0,
        "overlap": 0.0,
    },
}  # fmt: skip
_DROPPED = "a fifth of the features is left out at random, so that no single one is leaned on"


def decide(
    recipe: Recipe, fingerprint: Fingerprint, *, dataset: str, table: LabelTable | None, machine: Machine | None = None
) -> Plan:
    """Return the plan for a recipe: what was asked stands, the rest is decided from data and machine.

    Args:
        recipe: What was asked.
        fingerprint: Of the cases to learn from.
        dataset: Id of the version that they come from.
        table: What outlines mean; None where there are none.
        machine: None takes this one.

    Raises:
        PlanError: What was asked cannot be done: roles that not every case has, nothing labelled or nothing to tell
            apart, a network that does not read such images, a patch that it does not divide, a runtime where nothing is
            outlined, or more memory than there is. The message says what would mend it.
        LabelError: A fact that no case has, or a value that cannot be an answer.
        NotFoundError: No such task, network or loss.
    """
    machine = machine or Machine.here()
    find(recipe.tasks.kind, table=TASKS, group="isocenter.tasks")
    reasons: dict[str, str] = {}
    goal = goal_of(recipe, fingerprint, table=table, reasons=reasons)
    answers = find_task(goal, table=table).answers
    if answers == "voxels" and fingerprint.labelled == 0:
        raise PlanError("None of the cases to learn from is labelled. Ingest the labels with the images.")
    usual = f"{usual_loss(goal.kind)}, the usual one of the task".removeprefix(", ")
    reasons["tasks.loss"] = "as the recipe asks" if recipe.tasks.loss else usual
    choice = choose_network(recipe, fingerprint, answers=answers, reasons=reasons)
    taken = channels(recipe, fingerprint, reasons=reasons)
    precision = _precision(recipe, machine, choice=choice, reasons=reasons)
    if answers == "image":
        spacing, shape = sizes(recipe, fingerprint, choice=choice, machine=machine, reasons=reasons)
    else:
        spacing = grid_spacing(recipe, fingerprint, machine=machine, reasons=reasons)
        ground = Ground(
            fingerprint=fingerprint, machine=machine, spacing_mm=spacing, precision=precision,
            channels=sum(channel.colours for channel in taken), classes=len(table or ()) + 1, choice=choice,
        )  # fmt: skip
        shape = geometry(recipe, ground, reasons=reasons)
    minutes, steps = budget(recipe, fingerprint, shape=shape, machine=machine, reasons=reasons)
    numbers = _numbers(recipe, reasons, usual=_USUAL[answers])
    flat = choice.dimensions != "3-D" or choice.name == "gru"
    return Plan(
        goal=goal, dimensions=choice.dimensions, neighbours=choice.neighbours, channels=taken, orientation=ORIENTATION,
        spacing_mm=spacing, network=choice.name, width=shape.width, depth=shape.depth, patch=shape.patch,
        batch=shape.batch, steps=steps, minutes=minutes, precision=precision,
        variation=variation(
            recipe, fingerprint, spacing_mm=spacing, patch=shape.patch, is_flat=flat, reasons=reasons
        ),
        flips=recipe.inference.flips, fold=recipe.training.fold,
        patients=recipe.training.patients, seed=recipe.training.seed, recipe=recipe.id,
        dataset=dataset, reasons=reasons, deterministic=recipe.training.deterministic, rate=numbers["rate"],
        weight_decay=numbers["weight_decay"], average=numbers["average"], foreground=numbers["foreground"],
        overlap=numbers["overlap"], dropout=numbers["dropout"], l1=numbers["l1"],
        mix=_mix(recipe, batch=shape.batch, reasons=reasons),
        runtime=_runtime(recipe, reasons, answers=answers),
    )  # fmt: skip


def _runtime(recipe: Recipe, reasons: dict[str, str], *, answers: Answers) -> str:
    """Return what reads outlines.

    Raises:
        PlanError: One is asked for where there are no outlines to read.
        NotFoundError: There is none of that name.
    """
    asked, key = recipe.inference.runtime, "inference.runtime"
    if asked != AUTO:
        find(asked, table=RUNTIMES, group="isocenter.runtimes")
    if answers == "image":
        if asked != AUTO:
            raise PlanError(
                f'{key} = "{asked}" is for outlines, which are read window by window. A whole image is one look, by '
                "torch in training.precision: leave it out."
            )
        reasons[key] = "a whole image is one look, by torch in the precision that it was learnt in"
        return asked
    reasons[key] = "as the recipe asks" if asked != AUTO else "a short trial at reading takes the quickest that agrees"
    return asked


def _mix(recipe: Recipe, *, batch: int, reasons: dict[str, str]) -> float:
    """Return how far images of a batch are blended.

    Raises:
        PlanError: A batch of one image has nothing to blend it with.
    """
    asked, key = recipe.transforms.mix, "transforms.mix"
    if asked and batch < 2:
        raise PlanError(
            f"{key} = {asked:g} blends the images of a step in pairs, and training.batch is {batch}. Set "
            f"training.batch = 2 or more, or leave {key} out."
        )
    if asked:
        reasons[key] = "as the recipe asks"
    return asked


def _precision(recipe: Recipe, machine: Machine, *, choice: Choice, reasons: dict[str, str]) -> Precision:
    key = "training.precision"
    if recipe.training.precision is not None:
        reasons[key] = "as the recipe asks" + (
            "; this machine has no bfloat16 and will compute in float32"
            if recipe.training.precision == "bf16" and not machine.bf16
            else ""
        )
        return recipe.training.precision
    if _is_volume_reader(choice):
        # seen with torch 2.13 on one processor with AMX: in some of the steps of a narrow 3-D ResNet, and of a DenseNet
        reasons[key] = "bfloat16 convolutions of small volumes have given slopes that are no numbers; float32 has not"
        return "fp32"
    reasons[key] = (
        "this machine multiplies in bfloat16, several times as fast as in float32"
        if machine.bf16
        else "this machine has no bfloat16 of its own"
    )
    return "bf16" if machine.bf16 else "fp32"


def _is_volume_reader(choice: Choice) -> bool:
    """Return whether a network answers once for a volume and convolves it in three dimensions."""
    return choice.network.answers == "image" and choice.dimensions == "3-D" and choice.name != "gru"


def _numbers(recipe: Recipe, reasons: dict[str, str], *, usual: Mapping[str, float]) -> Mapping[str, float]:
    """Return the settings that no data set has asked to change so far."""
    asked = recipe.training
    table = (
        ("training.rate", "rate", asked.rate, "AdamW's rate at its highest; warmed up, then decayed to 0"),
        ("training.weight_decay", "weight_decay", asked.weight_decay, "keeps weights small (L2)"),
        ("training.l1", "l1", asked.l1, "none"),
        ("training.average", "average", asked.average, "the average of the last weights reads steadier"),
        ("models.dropout", "dropout", recipe.models.dropout, _DROPPED if usual["dropout"] else "none"),
        ("training.foreground", "foreground", None, "half the patches are centred on a structure"),
        ("inference.overlap", "overlap", recipe.inference.overlap, "each voxel is seen near a centre"),
    )
    chosen: dict[str, float] = {}
    for key, name, wanted, why in table:
        chosen[name] = usual[name] if wanted is None else wanted
        reasons[key] = why if wanted is None else "as the recipe asks"
    for key in ("training.foreground", "inference.overlap"):
        if usual is _USUAL["image"]:
            reasons[key] = "every image is shown whole"
    reasons["inference.orientation"] = "one order of axes for all cases, so that storage does not change the answer"
    return chosen
