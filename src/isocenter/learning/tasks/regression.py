"""Regression: a number with its unit is read from an image."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from isocenter.case import Fact
from isocenter.errors import LabelError
from isocenter.image import LabelTable
from isocenter.learning.tasks.cost import cost
from isocenter.learning.tasks.facts import as_number, fact_of, known_value
from isocenter.learning.tasks.losses import loss_of
from isocenter.recipe import Goal, Number
from isocenter.result import Answer


def make(goal: Goal, table: LabelTable | None) -> "Regression":
    """Return the task of a goal.

    Raises:
        LabelError: The goal does not say how its number is spread, or not one target.
        NotFoundError: The goal's loss is not known.
    """
    if goal.number is None or len(goal.target) != 1:
        raise LabelError("Regression reads one number, and the goal must say how it is spread.")
    loss_of(goal.kind, goal.loss)
    return Regression(goal, goal.number)


@dataclass(frozen=True, slots=True)
class Regression:
    """One number, shifted and scaled so that its learning cases have mean 0 and spread 1; a target is (1,)."""

    goal: Goal
    number: Number

    answers: ClassVar[Literal["image"]] = "image"

    @property
    def outputs(self) -> int:
        """One score."""
        return 1

    def encode(self, facts: Mapping[str, Fact]) -> Tensor:
        """Return a case's number, shifted and scaled, (1,) float32.

        Raises:
            LabelError: It is not known, no number, or in another unit.
        """
        name = self.goal.target[0]
        return torch.tensor([(self._value(facts, name) - self.number.shift) / self.number.scale], dtype=torch.float32)

    def loss(self, scores: Tensor, target: Tensor) -> Tensor:
        """Return the goal's loss of scores (b, 1) against numbers (b, 1)."""
        return cost(scores, target, goal=self.goal)

    def truth(self, facts: Mapping[str, Fact]) -> Mapping[str, str | float]:
        """Return a case's number in its unit; empty where nobody said.

        Raises:
            LabelError: It is no number, or in another unit.
        """
        name = self.goal.target[0]
        value = facts[name].value if name in facts else None
        return {} if value in (None, "") else {name: self._value(facts, name)}

    def decode(self, scores: Tensor, *, points: Mapping[str, float]) -> tuple[Answer, ...]:
        """Return the number in its unit, without an interval: that is known from validation patients."""
        value = float(scores.double().mean()) * self.number.scale + self.number.shift
        return (Answer(kind=self.goal.kind, target=self.goal.target[0], value=value, unit=self.number.unit),)

    def _value(self, facts: Mapping[str, Fact], name: str) -> float:
        unit = fact_of(facts, name).unit or "1"
        if unit != self.number.unit:
            raise LabelError(f"its {name!r} is in {unit!r}; learnt is {self.number.unit!r}. Convert it first.")
        return as_number(known_value(facts, name), name=name)
