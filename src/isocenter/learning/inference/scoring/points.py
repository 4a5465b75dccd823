"""What validation patients fix for good: operating points, and how far numbers lie off."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from isocenter.learning.inference.scoring.rows import AnswerRow, AnswersEvaluation
from isocenter.metrics import choose_point
from isocenter.recipe import Goal


def fit_points(evaluation: AnswersEvaluation, *, goal: Goal) -> dict[str, float]:
    """Return target to the probability from which on it is answered with yes, or with the second of two classes.

    Of each target the point with the largest sensitivity + specificity - 1 on these cases. A target of more than two
    classes has none, nor one of which only positives or only negatives are there.

    Args:
        evaluation: Of validation patients.
        goal: What was learnt.

    Source: Youden 1950, Cancer 3:32.
    """
    positive = _positive(goal)
    if not positive:
        return {}
    shares: dict[str, list[tuple[float, bool]]] = {}
    for row in evaluation.rows:
        shares.setdefault(row.target, []).append((row.probabilities[positive], row.truth == positive))
    points = {
        target: choose_point(*(np.array(column, dtype=np.float64) for column in zip(*held, strict=True)))
        for target, held in shares.items()
    }
    return {target: point for target, point in points.items() if not np.isnan(point)}


def at_points(rows: tuple[AnswerRow, ...], points: Mapping[str, float], *, goal: Goal) -> tuple[AnswerRow, ...]:
    """Return rows as they would have been answered with these operating points."""
    positive = _positive(goal)
    return tuple(
        replace(row, value=_called(row, positive, point=points[row.target])) if row.target in points else row
        for row in rows
    )


def residuals(evaluation: AnswersEvaluation) -> tuple[float, ...]:
    """Return truth less answer of a number, one per patient: of their first case; nothing for classes.

    Not the mean over a patient's cases: it scatters less than the one image for which an interval will be given.
    """
    errors: dict[str, float] = {}
    for row in evaluation.rows:
        if not isinstance(row.truth, str) and not isinstance(row.value, str):
            errors.setdefault(row.patient, row.truth - row.value)
    return tuple(errors.values())


def _positive(goal: Goal) -> str:
    """Return the class that an operating point decides about; "" where there is none."""
    if goal.kind == "multilabel":
        return "yes"
    return goal.answers[1] if goal.kind == "classification" and len(goal.answers) == 2 else ""


def _called(row: AnswerRow, positive: str, *, point: float) -> str:
    other = next(name for name in row.probabilities if name != positive)
    return positive if row.probabilities[positive] >= point else other
