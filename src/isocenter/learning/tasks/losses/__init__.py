"""How wrong an answer is, as one number with a slope: the losses of each task, by name.

The first of each task is the one that is taken where a recipe names none.
"""

from collections.abc import Mapping
from typing import Protocol, cast

from torch import Tensor

from isocenter.learning.tasks.losses.entropy import IGNORE, cross_entropy, focal
from isocenter.learning.tasks.losses.grades import conditional, cumulative, grade_shares, middle_grade
from isocenter.learning.tasks.losses.overlap import cross_entropy_and_dice, soft_dice
from isocenter.plugins import find

_ROOM = "isocenter.learning.tasks.losses"
_CLASSES = {"cross_entropy": f"{_ROOM}.entropy:cross_entropy", "focal": f"{_ROOM}.entropy:focal"}

LOSSES: Mapping[str, Mapping[str, str]] = {
    "segmentation": {
        "cross_entropy_and_dice": f"{_ROOM}.overlap:cross_entropy_and_dice",
        **_CLASSES,
        "dice": f"{_ROOM}.overlap:dice",
        "tversky": f"{_ROOM}.overlap:tversky",
        "cross_entropy_dice_and_boundary": f"{_ROOM}.boundary:cross_entropy_dice_and_boundary",
        "boundary": f"{_ROOM}.boundary:boundary",
    },
    "classification": _CLASSES,
    "multilabel": {
        "binary_cross_entropy": f"{_ROOM}.findings:binary_cross_entropy",
        "binary_focal": f"{_ROOM}.findings:binary_focal",
    },
    "grading": {
        "conditional": f"{_ROOM}.grades:conditional",
        "cumulative": f"{_ROOM}.grades:cumulative",
    },
    "regression": {
        "huber": f"{_ROOM}.numbers:huber",
        "mse": f"{_ROOM}.numbers:mse",
        "mae": f"{_ROOM}.numbers:mae",
    },
}

IN_MM = frozenset({"boundary", "cross_entropy_dice_and_boundary"})  # these take `spacing_mm` as well


class Loss(Protocol):
    """What every loss is called with."""

    def __call__(
        self, scores: Tensor, target: Tensor, *, weights: Tensor | None = None, smoothing: float = 0.0
    ) -> Tensor:
        """Return how wrong scores (b, outputs, …) are, a scalar; nothing judged costs 0 and has no slope.

        Args:
            scores: As the network gives them, before softmax or sigmoid.
            target: As the task encodes it.
            weights: One for each class, grade or finding.
            smoothing: Share of certainty taken from the truth.
        """
        ...


def loss_of(kind: str, name: str = "") -> Loss:
    """Return a loss of a task by its name.

    Args:
        kind: A name of the table of tasks; one that is not in LOSSES has the losses that other packages offer.
        name: Of a loss; "" takes the task's usual one.

    Raises:
        NotFoundError: The task has no loss of that name; the message lists close ones.
        MissingExtraError: It needs a package that is not installed.
    """
    table = LOSSES.get(kind, {})
    return cast("Loss", find(name or usual_loss(kind), table=table, group="isocenter.losses"))


def usual_loss(kind: str) -> str:
    """Return the name of the loss that a task takes where none is named; "" for a task that is not in LOSSES."""
    return next(iter(LOSSES.get(kind, {})), "")


__all__ = [
    "IGNORE",
    "IN_MM",
    "LOSSES",
    "Loss",
    "conditional",
    "cross_entropy",
    "cross_entropy_and_dice",
    "cumulative",
    "focal",
    "grade_shares",
    "loss_of",
    "middle_grade",
    "soft_dice",
    "usual_loss",
]
