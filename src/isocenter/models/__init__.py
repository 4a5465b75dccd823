"""Networks by name, and what training leaves of them. Importing this room does not import torch."""

from dataclasses import replace
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from isocenter.errors import MissingExtraError, PlanError, ProofError
from isocenter.models.network import Answers, Network
from isocenter.plugins import find
from isocenter.recipe import Plan
from isocenter.recipe.goal import Dimensions

if TYPE_CHECKING:
    from torch import nn

_GROUP = "isocenter.networks"
NETWORKS = {
    "unet": "isocenter.models.unet:NETWORK",
    "dynunet": "isocenter.models.borrowed:DYNUNET",
    "segresnet": "isocenter.models.borrowed:SEGRESNET",
    "unetr": "isocenter.models.unetr:NETWORK",
    "swinunetr": "isocenter.models.unetr:SWINUNETR",
    "resnet": "isocenter.models.resnet:NETWORK",
    "resnet50": "isocenter.models.resnet:RESNET50",
    "efficientnet": "isocenter.models.efficientnet:NETWORK",
    "densenet": "isocenter.models.densenet:NETWORK",
    "vgg": "isocenter.models.vgg:NETWORK",
    "inception": "isocenter.models.inception:NETWORK",
    "vit": "isocenter.models.vit:NETWORK",
    "gru": "isocenter.models.gru:NETWORK",
}

__all__ = ["NETWORKS", "Network", "build_network", "fitting", "network_of"]


def network_of(name: str) -> Network:
    """Return what a network says of itself: see Network.

    Raises:
        NotFoundError: Nobody offers a network of that name.
        MissingExtraError: It needs a package that is not installed.
        ProofError: What is offered is not a Network.
    """
    row = find(name, table=NETWORKS, group=_GROUP)
    if not isinstance(row, Network):
        raise ProofError(f"What is offered as {name!r} is not a Network: see isocenter.models.Network.")
    return row


def fitting(answers: Answers, dimensions: Dimensions) -> tuple[str, ...]:
    """Return the names of the networks that answer so and read such images; those that cannot be loaded are left out.

    Args:
        answers: For every voxel, or once for the whole image.
        dimensions: "2.5-D" is read by every network that reads pictures.
    """
    offered = [point.name for point in entry_points(group=_GROUP)]
    names = list(dict.fromkeys([*NETWORKS, *offered]))
    return tuple(name for name in names if _fits(name, answers, dimensions))


def build_network(plan: Plan, *, classes: int) -> "nn.Module":
    """Return a fresh network as the plan says: (b, plan.inputs, s, r, c) float32 → scores, see Build.

    Its weights are drawn from torch's global generator: seed it first. They lie in memory with channels last, which
    moving to a device keeps.

    Raises:
        NotFoundError: Nobody offers a network of the plan's name.
        MissingExtraError: It needs a package that is not installed.
        ProofError: What is offered under that name is not a Network.
        PlanError: The network does not read images of the plan's dimensions; the message says which do.
    """
    network = network_of(plan.network)
    if not network.reads(plan.dimensions):
        others = ", ".join(fitting(network.answers, plan.dimensions))
        raise PlanError(f'The network "{plan.network}" does not read {plan.dimensions} images; these do: {others}.')
    from isocenter.models.parts import lay_channels_last  # torch comes with the first network, not before
    from isocenter.models.slices import Pooling, StackOfSlices

    if plan.dimensions != "2.5-D":
        return lay_channels_last(network.build(plan, classes=classes))
    shown = 2 * plan.neighbours + 1
    of_one = replace(plan, dimensions="2-D", neighbours=0, channels=plan.channels * shown, patch=(1, *plan.patch[1:]))
    reader = network.build(of_one, classes=classes)
    if network.answers == "voxels":
        return lay_channels_last(StackOfSlices(reader, neighbours=plan.neighbours, pooling=None))
    pooling: Pooling = "mean" if plan.goal.kind == "regression" else "peaks"
    return lay_channels_last(StackOfSlices(reader, neighbours=plan.neighbours, pooling=pooling))


def _fits(name: str, answers: Answers, dimensions: Dimensions) -> bool:
    try:
        network = network_of(name)
    except (MissingExtraError, ProofError):
        return False
    return network.answers == answers and network.reads(dimensions)
