"""How a run is doing: what the loop tells the doors. No torch here, so that a door may show it without."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One moment of a run.

    Args:
        stage: "prepare" (cases being read) or "learn".
        step, steps: Done, and of the whole run; an estimate where the budget is in minutes. Cases in "prepare".
        seconds, seconds_left: Since the run's start, earlier sittings counted, and to its end.
        loss: Mean over the last steps; nan before the first.
        rate: Learning rate.
        validation: Structure to mean Dice of the validation cases, "mean" for all; only at moments when it was looked.
        notice: What a person should know, in plain words; empty for nothing.
    """

    stage: str
    step: int
    steps: int
    seconds: float
    seconds_left: float
    loss: float = float("nan")
    rate: float = 0.0
    validation: Mapping[str, float] = field(default_factory=dict)
    notice: str = ""
