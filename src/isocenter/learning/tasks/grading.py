"""Grading: an image shows one grade of several that have an order, such as a severity."""

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
from isocenter.learning.tasks.losses import grade_shares, loss_of, middle_grade, usual_loss
from isocenter.recipe import Goal
from isocenter.result import Answer


def make(goal: Goal, table: LabelTable | None) -> "Grading":
    """Return the task of a goal.

    Raises:
        LabelError: Fewer than two grades, or not one target.
        NotFoundError: The goal's loss is not known.
    """
    if len(goal.answers) < 2 or len(goal.target) != 1:
        raise LabelError(f"Grading wants at least two grades of one fact; these are {goal.answers}.")
    loss_of(goal.kind, goal.loss)
    return Grading(goal)


@dataclass(frozen=True, slots=True)
class Grading:
    """The goal's answers as grades from least to most, a score for each step between them; a target is (1,)."""

    goal: Goal

    answers: ClassVar[Literal["image"]] = "image"

    @property
    def outputs(self) -> int:
        """One score for each step from a grade to the next."""
        return len(self.goal.answers) - 1

    def encode(self, facts: Mapping[str, Fact]) -> Tensor:
        """Return the number of a case's grade, (1,) float32.

        Raises:
            LabelError: It is not known, or a grade that the goal does not list.
        """
        listed = ", ".join(self.goal.answers)
        place = place_among(self.goal.answers, facts, self.goal.target[0], said=f"grades are {listed} (tasks.grades)")
        return torch.tensor([float(place)])

    def loss(self, scores: Tensor, target: Tensor) -> Tensor:
        """Return the goal's loss of scores (b, grades - 1) against numbers of grades (b, 1)."""
        return cost(scores, target, goal=self.goal)

    def truth(self, facts: Mapping[str, Fact]) -> Mapping[str, str | float]:
        """Return the grade that a case is known to be of, in its word; empty where nobody said."""
        return known_words(facts, self.goal.target[0])

    def decode(self, scores: Tensor, *, points: Mapping[str, float]) -> tuple[Answer, ...]:
        """Return the middle grade: see middle_grade."""
        loss = self.goal.loss or usual_loss(self.goal.kind)
        shares = grade_shares(torch.atleast_2d(scores), loss=loss).mean(dim=0)
        answers = self.goal.answers
        answer = Answer(
            kind=self.goal.kind, target=self.goal.target[0], value=answers[int(middle_grade(shares))],
            probabilities=dict(zip(answers, shares.tolist(), strict=True)),
        )  # fmt: skip
        return (answer,)
