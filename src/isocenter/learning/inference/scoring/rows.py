"""What a model answered about cases of known truth, and what follows from all of it."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from isocenter.result import Score


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRow:
    """One case and one target: what is true, and what was answered.

    Args:
        truth: In the words of the answers; a class that the model does not know stands in its own.
        value: The answer: a class, a grade, "yes" or "no", or a number.
        probabilities: As in Answer; empty for a number.
        low, high: The interval that was given with a number; nan where there was none.
    """

    case: str
    patient: str
    target: str
    truth: str | float
    value: str | float
    probabilities: Mapping[str, float] = field(default_factory=dict)
    low: float = math.nan
    high: float = math.nan

    def to_json(self) -> dict[str, Any]:
        """Return the row as plain JSON values, None for what is not known."""
        held = asdict(self) | {"probabilities": dict(self.probabilities)}
        return {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in held.items()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "AnswerRow":
        """Return the row that `to_json` wrote.

        Raises:
            KeyError, TypeError: Not such a document.
        """
        known = {key: math.nan if document[key] is None else float(document[key]) for key in ("low", "high")}
        return cls(**(dict(document) | known))


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersEvaluation:
    """Scores of one model that answers for whole images, on one set of cases.

    Args:
        rows: One per case and target that somebody judged; no identity.
        scores: One per measure and class, finding or threshold, and "mean" over all.
        groups: "fact = value" to the scores of the patients of whom that holds.
        notes: What a reader of the scores must know, such as classes that the model has never seen.
    """

    rows: tuple[AnswerRow, ...]
    scores: tuple[Score, ...]
    groups: Mapping[str, tuple[Score, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def public_rows(self) -> tuple[dict[str, Any], ...]:
        """Return the rows as `evaluate` shows them."""
        return tuple(row.to_json() for row in self.rows)

    def to_document(self) -> dict[str, Any]:
        """Return the evaluation as nested plain JSON values, None for what is not known."""
        return {
            "tolerance_mm": None,
            "scores": [score.to_json() for score in self.scores],
            "groups": {name: [score.to_json() for score in scores] for name, scores in self.groups.items()},
            "notes": list(self.notes),
            "rows": [row.to_json() for row in self.rows],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "AnswersEvaluation":
        """Return the evaluation that `to_document` made.

        Raises:
            KeyError, TypeError: Not such a document.
        """
        return cls(
            rows=tuple(map(AnswerRow.from_json, document["rows"])),
            scores=tuple(map(Score.from_json, document["scores"])),
            groups={name: tuple(map(Score.from_json, scores)) for name, scores in document["groups"].items()},
            notes=tuple(document["notes"]),
        )
