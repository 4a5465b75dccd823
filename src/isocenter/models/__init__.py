"""Networks by name, and what training leaves of them. Importing this room does not import torch."""

from typing import TYPE_CHECKING, cast

from isocenter.plugins import find
from isocenter.recipe import Plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

NETWORKS = {"unet": "isocenter.models.unet:build"}

__all__ = ["NETWORKS", "build_network"]


def build_network(plan: Plan, *, classes: int) -> "nn.Module":
    """Return a fresh network as the plan says: (b, channel, s, r, c) float32 → (b, classes, s, r, c) scores.

    Its weights are drawn from torch's global generator: seed it first.

    Raises:
        NotFoundError: Nobody offers a network of the plan's name.
        MissingExtraError: It needs a package that is not installed.
    """
    build = cast("Callable[..., nn.Module]", find(plan.network, table=NETWORKS, group="isocenter.networks"))
    return build(plan, classes=classes)
