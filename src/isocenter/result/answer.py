"""What a model says of a whole image: a class, a finding, a grade or a number, and how sure it is."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from isocenter.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One question about an image, answered.

    Args:
        kind: The task: "classification", "multilabel", "grading" or "regression".
        target: The question: the fact that was learnt, such as "pneumonia", "bi-rads", "age".
        value: The answer: a class, a grade, "yes" or "no" for one of several findings, or a number.
        probabilities: Class to probability, in the order of the model's classes; of one of several findings "no" and
            "yes"; empty for a number.
        point: Probability from which on the second of two classes is answered, chosen on validation patients; nan
            where the most likely class is answered.
        low, high: 95 % interval of a number for this one patient, nan where it is not known and for classes.
        unit: Of a number.

    Raises:
        InputError: A number with probabilities, or a class without.
    """

    kind: str
    target: str
    value: str | float
    probabilities: Mapping[str, float] = field(default_factory=dict)
    point: float = math.nan
    low: float = math.nan
    high: float = math.nan
    unit: str = "1"

    def __post_init__(self) -> None:
        if isinstance(self.value, str) and self.value not in self.probabilities:
            raise InputError(f"The answer {self.value!r} to {self.target!r} comes without its probability.")
        if not isinstance(self.value, str) and self.probabilities:
            raise InputError(f"The number answered to {self.target!r} has no classes to be probable.")

    def to_json(self) -> dict[str, Any]:
        """Return the public form, None for what is not known."""
        held = asdict(self) | {"probabilities": dict(self.probabilities)}
        return {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in held.items()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Answer":
        """Return the answer that `to_json` wrote.

        Raises:
            KeyError, TypeError: Not such a document.
        """
        held = dict(document)
        for key in ("point", "low", "high"):
            held[key] = math.nan if held[key] is None else float(held[key])
        return cls(**held)
