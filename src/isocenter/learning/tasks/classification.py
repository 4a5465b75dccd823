"""Classification: an image is of one class out of several."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from isocenter.case import Fact
from isocenter.errors import LabelError
from isocenter.image import LabelTable
from isocenter.learning.tasks.cost import cost
from isocenter.learning.tasks.facts import known_words, place_among
from isocenter.learning.tasks.losses import loss_of
from isocenter.recipe import Goal
from isocenter.result import Answer


def make(goal: Goal, table: LabelTable | None) -> "Classification":
    """Return the task of a goal.

    Raises:
        LabelError: Fewer than two classes, or not one target.
        NotFoundError: The goal's loss is not known.
    """
    if len(goal.answers) < 2 or len(goal.target) != 1:
        raise LabelError(f"Classification tells at least two classes of one fact apart; these are {goal.answers}.")
    loss_of(goal.kind, goal.loss)
    return Classification(goal)


@dataclass(frozen=True, slots=True)
class Classification:
    """The goal's answers as classes 0, 1 and so on; a target is (1,), the class's number."""

    goal: Goal

    answers: ClassVar[Literal["image"]] = "image"

    @property
    def outputs(self) -> int:
        """One score for each class."""
        return len(self.goal.answers)

    def encode(self, facts: Mapping[str, Fact]) -> Tensor:
        """Return the number of a case's class, (1,) float32.

        Raises:
            LabelError: It is not known, or a class that the goal does not name.
        """
        listed = ", ".join(self.goal.answers)
        place = place_among(self.goal.answers, facts, self.goal.target[0], said=f"learnt are {listed}")
        return torch.tensor([float(place)])

    def loss(self, scores: Tensor, target: Tensor) -> Tensor:
        """Return the goal's loss of scores (b, classes) against numbers of classes (b, 1)."""
        return cost(scores, target, goal=self.goal)

    def truth(self, facts: Mapping[str, Fact]) -> Mapping[str, str | float]:
        """Return the class that a case is known to be of, in its word; empty where nobody said."""
        return known_words(facts, self.goal.target[0])

    def decode(self, scores: Tensor, *, points: Mapping[str, float]) -> tuple[Answer, ...]:
        """Return the likeliest class; of two, the second one from its operating point on."""
        shares = [float(share) for share in torch.atleast_2d(scores).double().softmax(dim=1).mean(dim=0)]
        name, answers = self.goal.target[0], self.goal.answers
        point = points.get(name, math.nan) if len(answers) == 2 else math.nan
        likeliest = max(range(len(shares)), key=shares.__getitem__)
        chosen = likeliest if math.isnan(point) else int(shares[1] >= point)
        answer = Answer(
            kind=self.goal.kind, target=name, value=answers[chosen],
            probabilities=dict(zip(answers, shares, strict=True)), point=point,
        )  # fmt: skip
        return (answer,)
