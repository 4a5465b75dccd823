"""How a run is doing: what the loop tells the doors. No torch here, so that a door may show it without."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One moment of a run.

    Args:
        stage: "prepare" (cases being read) or "learn".
        step, steps: Done, and of the whole run; an estimate where the budget is in minutes. Cases in "prepare".
        seconds, seconds_left: Since the run's start, earlier sittings counted, and to its end.
        loss: Mean over the last steps; nan before the first.
        rate: Learning rate.
        validation: What a look at validation cases found: structure to mean Dice, "mean" for all; or of whole images
            measure to figure. Only at moments when it was looked.
        looked_at: How many validation cases that was.
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
    looked_at: int = 0
    notice: str = ""

    def to_document(self) -> dict[str, Any]:
        """Return the moment as plain JSON values, None for a loss that is not known: JSON has no nan."""
        return asdict(self) | {"loss": self.loss if math.isfinite(self.loss) else None}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Progress":
        """Return the moment that `to_document` made.

        Raises:
            KeyError, TypeError: Not such a document.
        """
        return cls(**(dict(document) | {"loss": math.nan if document["loss"] is None else document["loss"]}))
