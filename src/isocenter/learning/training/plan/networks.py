"""Which network reads which kind of image, in how many dimensions."""

from dataclasses import dataclass

from isocenter.errors import PlanError
from isocenter.learning.training.fingerprint import Fingerprint
from isocenter.models import Network, fitting, network_of
from isocenter.models.network import Answers
from isocenter.recipe import Recipe
from isocenter.recipe.goal import Dimensions

# Pictures: depthwise networks take five times as long a step on a CPU, and two cores have no time for it. Stacks: a
# reader of slices has few weights and takes any length.
_USUAL: dict[tuple[Answers, Dimensions], tuple[str, str]] = {
    ("voxels", "2-D"): ("unet", "compact, and quick on a CPU"),
    ("voxels", "2.5-D"): ("unet", "compact, and quick on a CPU"),
    ("voxels", "3-D"): ("unet", "compact, and quick on a CPU"),
    ("image", "2-D"): ("resnet", "learns most from a quarter of an hour on a CPU"),
    ("image", "2.5-D"): ("resnet", "learns most from a quarter of an hour on a CPU"),
    ("image", "3-D"): ("gru", "reads a stack slice by slice and what lies between; needs fewer cases than a volume"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A network by name, what it says of itself, and how it is shown an image."""

    name: str
    network: Network
    dimensions: Dimensions
    neighbours: int = 0


def choose_network(recipe: Recipe, fingerprint: Fingerprint, *, answers: Answers, reasons: dict[str, str]) -> Choice:
    """Return the network of a plan.

    Args:
        recipe: What was asked.
        fingerprint: Pictures or stacks.
        answers: What the task wants.
        reasons: Added to.

    Raises:
        PlanError: A network that does not read such images or answers otherwise; the message says which fit.
        NotFoundError: There is no such network.
    """
    name = recipe.models.network
    row = network_of(name) if name else None
    dimensions = _dimensions(recipe, fingerprint, row=row, reasons=reasons)
    if row is None or name is None:
        name, why = _USUAL[answers, dimensions]
        row = network_of(name)
        reasons["models.network"] = why
    else:
        reasons["models.network"] = "as the recipe asks"
    if row.answers != answers or not row.reads(dimensions):
        kind = {"2-D": "pictures", "2.5-D": "stacks slice by slice", "3-D": "stacks as volumes"}[dimensions]
        wanted = "outlines" if answers == "voxels" else "one answer for the whole image"
        can = "outlines" if row.answers == "voxels" else "one answer for the whole image"
        raise PlanError(
            f'models.network = "{name}" cannot be: it gives {can} and reads {" and ".join(row.dimensions)}; wanted is '
            f"{wanted} of {kind} ({dimensions}). These fit: {', '.join(fitting(answers, dimensions))}."
        )
    return Choice(name=name, network=row, dimensions=dimensions, neighbours=_neighbours(recipe, dimensions, reasons))


def _dimensions(
    recipe: Recipe, fingerprint: Fingerprint, *, row: Network | None, reasons: dict[str, str]
) -> Dimensions:
    asked, key = recipe.models.dimensions, "models.dimensions"
    if fingerprint.is_planar:
        if asked not in (None, "2-D"):
            raise PlanError(
                f'models.dimensions = "{asked}" reads stacks, and these cases are pictures of one slice: "2-D" fits.'
            )
        reasons[key] = "the cases are pictures of one slice"
        return "2-D"
    if asked == "2-D":
        raise PlanError('models.dimensions = "2-D" reads pictures, and these cases are stacks: "2.5-D" or "3-D" fit.')
    if asked is not None:
        reasons[key] = "as the recipe asks"
        return asked
    if row is not None and not row.reads("3-D"):
        reasons[key] = "the network reads pictures, and so a stack slice by slice"
        return "2.5-D"
    reasons[key] = "the cases are stacks"
    return "3-D"


def _neighbours(recipe: Recipe, dimensions: Dimensions, reasons: dict[str, str]) -> int:
    asked = recipe.models.neighbours
    if dimensions != "2.5-D":
        if asked:
            raise PlanError(
                f'models.neighbours = {asked} shows a slice with its neighbours, in models.dimensions = "2.5-D"; this '
                f"plan is {dimensions}."
            )
        return 0
    reasons["models.neighbours"] = "as the recipe asks" if asked is not None else "the slices before and behind help"
    return 1 if asked is None else asked
