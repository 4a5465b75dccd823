"""What a network must say of itself to be asked for by name."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from isocenter.recipe import Plan
from isocenter.recipe.goal import Dimensions

if TYPE_CHECKING:
    from torch import nn

Answers = Literal["voxels", "image"]


class Build(Protocol):
    """How a network is made."""

    def __call__(self, plan: Plan, *, classes: int) -> "nn.Module":
        """Return a fresh network: (b, plan.inputs, s, r, c) float32 to (b, classes, s, r, c) or (b, classes) scores.

        Weights are drawn from torch's global generator. Pictures come with one slice; the network drops that axis
        itself.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network by name: the form of a row of NETWORKS and of a plug-in.

    Args:
        build: Makes it.
        answers: For every voxel, or once for the whole image.
        dimensions: "2-D" reads pictures, and a stack slice by slice ("2.5-D", by the house's own wrapper); "3-D"
            reads stacks as volumes.
        multiple: Every edge of what it is shown, slices of a picture excepted, is a multiple of this. 0: the ladder
            of the plan's depth decides (see ladder).
        width, depth: Channels at full resolution and halvings of the published layout; 0 leaves both to the planner.
        fixed: It reads windows of exactly the plan's patch.
        any_length: It reads stacks of any number of slices: a reader shows it all of them.
    """

    build: Build
    answers: Answers
    dimensions: tuple[Dimensions, ...]
    multiple: int = 1
    width: int = 0
    depth: int = 0
    fixed: bool = False
    any_length: bool = False

    def reads(self, dimensions: Dimensions) -> bool:
        """Return whether it reads such images; a network for pictures reads stacks slice by slice too."""
        return ("2-D" if dimensions == "2.5-D" else dimensions) in self.dimensions
