"""Multilabel: each of several findings is there or not, whatever the others are."""

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
from isocenter.learning.tasks.facts import fact_of, findings, is_yes, known_value
from isocenter.learning.tasks.losses import loss_of
from isocenter.recipe import Goal
from isocenter.result import Answer

_HALF = 0.5


def make(goal: Goal, table: LabelTable | None) -> "Multilabel":
    """Return the task of a goal.

    Raises:
        LabelError: No finding.
        NotFoundError: The goal's loss is not known.
    """
    if not goal.answers or not goal.target:
        raise LabelError("Several findings at once want at least one finding.")
    loss_of(goal.kind, goal.loss)
    return Multilabel(goal)


@dataclass(frozen=True, slots=True)
class Multilabel:
    """The goal's answers as findings; each is a fact of its own, or all are listed by one fact, "|" between them.

    A target is (findings,): 1 there, 0 not, nan where nobody judged.
    """

    goal: Goal

    answers: ClassVar[Literal["image"]] = "image"

    @property
    def outputs(self) -> int:
        """One score for each finding."""
        return len(self.goal.answers)

    def encode(self, facts: Mapping[str, Fact]) -> Tensor:
        """Return what is known of each finding, (findings,) float32.

        Raises:
            LabelError: Nothing is known, or a fact is neither yes nor no.
        """
        known = self._known(facts)
        if not known:
            raise LabelError(f"nothing is known of {', '.join(map(repr, self.goal.target))}.")
        return torch.tensor([float(known[name]) if name in known else math.nan for name in self.goal.answers])

    def loss(self, scores: Tensor, target: Tensor) -> Tensor:
        """Return the goal's loss of scores (b, findings) against targets (b, findings)."""
        return cost(scores, target, goal=self.goal)

    def truth(self, facts: Mapping[str, Fact]) -> Mapping[str, str | float]:
        """Return "yes" or "no" for each finding that somebody judged.

        Raises:
            LabelError: A fact that is neither yes nor no.
        """
        return {name: "yes" if there else "no" for name, there in self._known(facts).items()}

    def decode(self, scores: Tensor, *, points: Mapping[str, float]) -> tuple[Answer, ...]:
        """Return an answer for each finding: "yes" from its operating point on, one half where none was chosen."""
        shares = [float(share) for share in torch.atleast_2d(scores).double().sigmoid().mean(dim=0)]
        return tuple(
            Answer(
                kind=self.goal.kind, target=name, value="yes" if share >= points.get(name, _HALF) else "no",
                probabilities={"no": 1 - share, "yes": share}, point=points.get(name, math.nan),
            )
            for name, share in zip(self.goal.answers, shares, strict=True)
        )  # fmt: skip

    def _known(self, facts: Mapping[str, Fact]) -> dict[str, bool]:
        if self.goal.target != self.goal.answers:
            name = self.goal.target[0]
            if name not in facts or facts[name].value is None:
                return {}
            listed = findings(fact_of(facts, name).value or "")
            return {finding: finding in listed for finding in self.goal.answers}
        judged = [name for name in self.goal.answers if name in facts and facts[name].value not in (None, "")]
        return {name: is_yes(known_value(facts, name), name=name) for name in judged}
