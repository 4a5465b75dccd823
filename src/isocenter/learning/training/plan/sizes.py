"""The size that whole images are brought to, and the size of the network that reads them."""

import numpy as np

from isocenter.errors import PlanError
from isocenter.learning.training.fingerprint import Fingerprint
from isocenter.learning.training.plan.machine import Geometry, Machine
from isocenter.learning.training.plan.networks import Choice
from isocenter.models.ladder import Triple
from isocenter.recipe import Recipe

Spacing = tuple[float, float, float]

_EDGE, _LARGE_EDGE = 192, 256  # pixels: what two cores see often enough in a quarter of an hour, and eight
_MANY_CORES = 8
_STACK_EDGE, _STACK_SLICES = 128, 32
_STEP = 32  # pixels: sizes in steps that five halvings divide
_SMALLEST = 32
_WIDTH = {"resnet": 32}  # half of the published one: a quarter of the arithmetic, and few images need more
_BATCH, _LEAST_BATCH, _SLICES_A_STEP = 16, 2, 96


def sizes(
    recipe: Recipe, fingerprint: Fingerprint, *, choice: Choice, machine: Machine, reasons: dict[str, str]
) -> tuple[Spacing, Geometry]:
    """Return the spacing in mm and the geometry of a network that answers once for the whole image.

    Raises:
        PlanError: A size that the network cannot read.
    """
    if fingerprint.is_planar:
        patch, spacing = _picture(recipe, fingerprint, machine=machine, reasons=reasons), (1.0, 1.0, 1.0)
        reasons["inference.spacing_mm"] = "pictures are brought to one size, whatever a pixel measures"
    else:
        patch, spacing = _stack(recipe, fingerprint, choice=choice, reasons=reasons)
    patch = _divided(recipe, patch, choice=choice)
    width = recipe.models.width or _WIDTH.get(choice.name) or choice.network.width or 32
    reasons["models.width"] = "as the recipe asks" if recipe.models.width else "compact: quick on a CPU"
    depth = recipe.models.depth or _depth(patch, choice)
    reasons["models.depth"] = (
        "as the recipe asks" if recipe.models.depth else f"of an edge of {min(patch[1:])} pixels, something is left"
    )
    batch = recipe.training.batch
    slices = 1 if choice.dimensions == "2-D" else patch[0]
    usual = max(_LEAST_BATCH, min(_BATCH, fingerprint.cases, round(_SLICES_A_STEP / slices)))
    reasons["training.batch"] = "as the recipe asks" if batch else f"{usual} images a step"
    return spacing, Geometry(patch=patch, depth=depth, width=width, batch=batch or usual)


def _picture(recipe: Recipe, fingerprint: Fingerprint, *, machine: Machine, reasons: dict[str, str]) -> Triple:
    asked, key = recipe.training.patch, "training.patch"
    if asked is not None:
        if asked[0] != 1:
            raise PlanError(
                f"training.patch = {list(asked)} cannot be: pictures have one slice; [1, rows, columns] is wanted."
            )
        reasons[key] = "as the recipe asks"
        return asked
    most = _LARGE_EDGE if machine.cores >= _MANY_CORES else _EDGE
    # the size in pixels, by the shape that a picture has once its pixels are square
    steps = np.array(fingerprint.spacings_mm)[:, 1:]
    extents = np.array(fingerprint.shapes)[:, 1:] * steps / steps.min(axis=1, keepdims=True)
    rows, columns = (float(extent) for extent in np.median(extents, axis=0))
    share = min(1.0, most / max(rows, columns))
    patch = (1, _stepped(rows * share), _stepped(columns * share))
    reasons[key] = (
        f"every picture is brought to {patch[1]} × {patch[2]} pixels with its aspect kept; half of them have at most "
        f"{rows:.0f} × {columns:.0f}"
    )
    return patch


def _stack(
    recipe: Recipe, fingerprint: Fingerprint, *, choice: Choice, reasons: dict[str, str]
) -> tuple[Triple, Spacing]:
    """Return the box that most stacks fit into, in steps that are coarse enough to show it whole."""
    found = np.array(fingerprint.spacings_mm)
    middle = np.median(found, axis=0)
    extent = np.percentile(np.array(fingerprint.shapes) * found, 75, axis=0)
    asked, wanted = recipe.training.patch, recipe.inference.spacing_mm
    most = np.array(asked or (_STACK_SLICES, _STACK_EDGE, _STACK_EDGE))
    steps = np.array(wanted) if wanted else np.maximum(middle, extent / most)
    if wanted is None:
        steps[1:] = steps[1:].max() if steps[2] < 2 * steps[1] < 4 * steps[2] else steps[1:]
    spacing = tuple(round(float(step), 4) for step in steps)
    reasons["inference.spacing_mm"] = (
        "as the recipe asks" if wanted else "fine enough for the cases, coarse enough to show most of them whole"
    )
    reasons["training.patch"] = "as the recipe asks" if asked else "three of four cases fit in whole"
    if asked is not None:
        return asked, (spacing[0], spacing[1], spacing[2])
    counts = np.minimum(most, np.maximum(1, np.rint(extent / np.array(spacing))))
    by = max(1, choice.network.multiple) if choice.dimensions == "3-D" and choice.name != "gru" else 1
    patch = (-(-int(counts[0]) // by) * by, _stepped(counts[1], by=16), _stepped(counts[2], by=16))
    return patch, (spacing[0], spacing[1], spacing[2])


def _divided(recipe: Recipe, patch: Triple, *, choice: Choice) -> Triple:
    """Return a size whose edges the network divides.

    Raises:
        PlanError: One that was asked for and is not divided.
    """
    by = max(1, choice.network.multiple)
    first = patch[0] if choice.dimensions != "3-D" else -(-patch[0] // by) * by
    near = (first, -(-patch[1] // by) * by, -(-patch[2] // by) * by)
    if recipe.training.patch is not None and near != patch:
        raise PlanError(
            f'training.patch = {list(patch)} cannot be: "{choice.name}" reads edges that {by} divides; {list(near)} is '
            "near."
        )
    return near


def _depth(patch: Triple, choice: Choice) -> int:
    """Return how often an image is halved: two pixels are left, and of what is read as a volume a slice."""
    deepest = min(choice.network.depth or 5, min(patch[1:]).bit_length() - 2)
    if choice.dimensions == "3-D" and choice.name != "gru":
        deepest = min(deepest, patch[0].bit_length() - 1)
    return max(1, deepest)


def _stepped(edge: float, *, by: int = _STEP) -> int:
    return max(_SMALLEST, -(-round(edge) // by) * by)
