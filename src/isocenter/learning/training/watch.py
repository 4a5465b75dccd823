"""Whoever watches a run: NaN, nothing learnt, structures that are not there or not found, in plain words."""

import math
from collections import deque
from collections.abc import Mapping, Sequence

from isocenter.errors import TrainingError
from isocenter.image import LabelTable
from isocenter.recipe import Goal, Plan

_JUDGED_FROM = 200  # steps: before that a slow start is no proof
_BARELY = 0.98  # share of the first loss: a run that has not won 2 % by half time will not win the rest
_RECENT = 50  # steps over which the loss is averaged
_FIRST = 10  # steps that say how it began
_CHANCE = {"auc": 0.55, "kappa": 0.05}  # up to which a figure of a few hundred cases may be chance


class Watch:
    """Looks at every loss of a run, and stops one that cannot come to anything."""

    def __init__(self, plan: Plan, *, first: float = math.nan) -> None:
        self._plan = plan
        # a run that goes on is measured by how it began, not by how it was when it stopped
        self._first: list[float] = [] if math.isnan(first) else [first] * _FIRST
        self._recent: deque[float] = deque(maxlen=_RECENT)

    @property
    def loss(self) -> float:
        """Mean over the last steps; nan before the first."""
        return sum(self._recent) / len(self._recent) if self._recent else math.nan

    def see(self, step: int, loss: float, *, share: float) -> None:
        """Take a step's loss into account.

        Args:
            step: Counted from 1.
            loss: Of that step.
            share: Of the run that is over.

        Raises:
            TrainingError: The loss is no number any more, or the run is not learning.
        """
        if not math.isfinite(loss):
            raise TrainingError(
                f"At step {step} the loss became {loss}: the run cannot go on. A lower training.rate (it was "
                f'{self._plan.rate:g} at most) or training.precision = "fp32" usually mends it; if not, look for '
                "cases of extreme values with `isocenter check`."
            )
        self._recent.append(loss)
        if len(self._first) < _FIRST:
            self._first.append(loss)
        # what images tell of a fact may be little, and is judged on validation cases; outlines can always be seen
        if self._plan.goal.target:
            return
        # after a stop the mean begins anew: a single odd step is no proof
        is_told = share >= 0.5 and step >= _JUDGED_FROM and len(self._recent) == _RECENT
        if is_told and self.loss > _BARELY * sum(self._first) / len(self._first):
            raise TrainingError(
                f"The run is not learning: after {step} steps the loss is {self.loss:.3f}, and it began at "
                f"{sum(self._first) / len(self._first):.3f}. Check that labels and images belong together "
                "(`isocenter check`), or try a lower training.rate."
            )


def missing_structures(counts: Sequence[int], *, table: LabelTable) -> str:
    """Return a notice of structures that no training case has; empty where each occurs.

    Args:
        counts: Of the cases that have each label, in the table's order.
        table: The labels.

    Raises:
        TrainingError: No training case has any structure.
    """
    if not any(counts):
        raise TrainingError(
            "None of the cases to learn from has a voxel of any structure: there is nothing to learn. Check the "
            "labels with `isocenter check`."
        )
    gone = [label.name for label, count in zip(table, counts, strict=True) if count == 0]
    if not gone:
        return ""
    return f"No case to learn from has {_listed(gone)}: the model will never find it. Add cases that have it."


def unfound_structures(scores: Mapping[str, float]) -> str:
    """Return a notice of structures that were there and not found at all in validation; empty where none."""
    gone = [name for name, value in scores.items() if value == 0.0 and name != "mean"]
    if not gone:
        return ""
    return f"{_listed(gone)} was found in none of the validation cases; a longer run or more cases may mend it."


def rare_answers(goal: Goal) -> str:
    """Return a notice of answers that no case to learn from has, or one alone; empty where there are none."""
    counted = list(zip(goal.answers, goal.counts, strict=False))
    gone, single = ([name for name, count in counted if count == few] for few in (0, 1))
    words = []
    if gone:
        words.append(f"No case to learn from is {_listed(gone)}: the model will hardly ever answer it.")
    if single:
        words.append(
            f"A single case to learn from is {_listed(single)}: it cannot be learnt from one example. Add cases of it."
        )
    return " ".join(words)


def unlearnt_answers(scores: Mapping[str, float], *, never: Sequence[str]) -> str:
    """Return a notice of what the last look found wanting; empty where nothing.

    Args:
        scores: Of the look: "auc", "kappa".
        never: Answers that validation cases have and none of them was given.
    """
    words = []
    poor = [name for name, chance in _CHANCE.items() if scores.get(name, math.inf) <= chance]
    if poor:
        words.append(
            f"The validation cases are told apart hardly better than by chance ({poor[0]} {scores[poor[0]]:.2f}): what "
            "was to be learnt may not be seen in these images. Check labels and images with `isocenter check`."
        )
    if never:
        words.append(
            f"{_listed(never)} was answered for none of the validation cases, though some are; more cases of it, a "
            'longer run or tasks.class_weights = "balanced" may mend it.'
        )
    return " ".join(words)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names)
