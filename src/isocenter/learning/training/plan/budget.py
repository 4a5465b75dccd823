"""How long a run takes."""

import math
from math import prod

from isocenter.learning.training.fingerprint import Fingerprint
from isocenter.learning.training.plan.machine import Geometry, Machine
from isocenter.recipe import Recipe

_MINUTES = 20.0  # where no budget is set: enough for a small data set, and nobody has waited a day by mistake
# Seconds of one core for one voxel of one channel at full resolution, forth, back and augmented; measured on the
# U-Net with a width of 16 on two cores with AMX
_SECONDS_PER_VOXEL = {True: 1.1e-7, False: 4.5e-7}


def budget(
    recipe: Recipe, fingerprint: Fingerprint, *, shape: Geometry, machine: Machine, reasons: dict[str, str]
) -> tuple[float, int]:
    """Return the run's minutes (0 where steps decide) and its steps (an estimate where minutes decide)."""
    asked = recipe.training
    if asked.steps is not None:
        reasons["training.steps"] = "as the recipe asks"
        return 0.0, asked.steps
    if asked.epochs is not None:
        steps = math.ceil(asked.epochs * fingerprint.cases / shape.batch)
        told = f"{asked.epochs} epochs of {fingerprint.cases} cases, {shape.batch} a step"
        reasons["training.steps"] = told
        return 0.0, steps
    minutes = _MINUTES if asked.minutes is None else asked.minutes
    is_quick = machine.bf16 and asked.precision != "fp32"
    seconds = prod(shape.patch) * shape.batch * shape.width * _SECONDS_PER_VOXEL[is_quick] / machine.cores
    told = "as the recipe asks" if asked.minutes is not None else "no budget was set"
    reasons["training.minutes"] = f"{told}; the rate follows the clock"
    reasons["training.steps"] = f"an estimate for {minutes:g} minutes on {machine.cores} cores"
    return minutes, max(1, round(minutes * 60 / seconds))
