"""What is to be learnt, as decided: which task, from which facts or outlines, and what the network's outputs mean."""

from dataclasses import dataclass, field
from typing import Literal

Dimensions = Literal["2-D", "2.5-D", "3-D"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """How a number to be learnt is spread over the learning cases: (value - shift) / scale is what a network answers.

    Args:
        unit: "1" where it has none.
        low, high: Smallest and largest value that was learnt from.
    """

    unit: str = "1"
    shift: float = 0.0
    scale: float = 1.0
    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What is to be learnt.

    Args:
        kind: A name of the table of tasks.
        target: Names of the facts that are learnt; empty where outlines are (segmentation).
        answers: What the outputs mean, in their order: classes, grades from least to most, findings; for a number its
            fact's name; empty for segmentation, whose label table says it.
        counts: Learning cases of each answer; empty for a number.
        number: Of a regression, else None.
        loss: A name of the task's losses.
        weights: Of each class in the loss; empty weighs them alike.
        smoothing: Share of certainty taken from the true class and spread over all (label smoothing).
    """

    kind: str = "segmentation"
    target: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    number: Number | None = None
    loss: str = ""
    weights: tuple[float, ...] = field(default=())
    smoothing: float = 0.0
