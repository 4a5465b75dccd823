"""What a look at validation cases says: figures of each task, for watching."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from isocenter.image import LabelTable
from isocenter.learning.tasks import ImageTask
from isocenter.learning.tasks.losses import grade_shares, middle_grade, usual_loss
from isocenter.metrics import auc, by_finding, dice, macro, macro_auc, mae, quadratic_kappa
from isocenter.recipe import Goal

Array = npt.NDArray[np.float64]


def outlined(
    found: npt.NDArray[Any], truth: npt.NDArray[Any], *, judged: npt.NDArray[np.bool_], table: LabelTable
) -> Mapping[str, float]:
    """Return the Dice of each label and region of a case, by name; nan where neither side has it.

    Args:
        found, truth: Label values on one grid.
        judged: Where somebody has judged; elsewhere nothing counts.
        table: What the values mean.
    """
    return {
        name: dice(np.isin(found, values) & judged, np.isin(truth, values) & judged)
        for name, values in table.structures.items()
    }


def figures(goal: Goal, scores: Tensor, targets: Tensor) -> Mapping[str, float]:
    """Return how well images are answered, by measure; empty for a task of a plug-in, or where it cannot be said.

    Args:
        goal: What is learnt.
        scores: (n, outputs) as the network gives them.
        targets: (n, …) as the task encodes them.
    """
    watched = _WATCHED.get(goal.kind)
    if watched is None:
        return {}
    name, measure = watched
    value = measure(goal, scores.double().numpy(), targets.double().numpy())
    return {} if math.isnan(value) else {name: value}


def never_answered(task: ImageTask, goal: Goal, *, scores: Tensor, targets: Tensor) -> tuple[str, ...]:
    """Return the classes or grades that some images are of and that no image was said to be.

    Of two classes, and of findings, the operating point decides, which is chosen after the run: they are left out.
    """
    if goal.kind not in ("classification", "grading") or len(goal.answers) < 3:
        return ()
    given = {task.decode(row, points={})[0].value for row in scores}
    there = {goal.answers[int(number)] for number in targets[:, 0]}
    return tuple(name for name in goal.answers if name in there - given)


def _classes(goal: Goal, scores: Array, targets: Array) -> float:
    if len(goal.answers) == 2:
        return auc(scores[:, 1] - scores[:, 0], targets[:, 0])
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    return macro_auc(shares / shares.sum(axis=1, keepdims=True), targets[:, 0].astype(int))


def _findings(_: Goal, scores: Array, targets: Array) -> float:
    return macro(by_finding(auc, scores, targets))


def _grades(goal: Goal, scores: Array, targets: Array) -> float:
    shares = grade_shares(torch.from_numpy(scores), loss=goal.loss or usual_loss(goal.kind))
    return quadratic_kappa(middle_grade(shares).numpy(), targets[:, 0].astype(int))


def _number(goal: Goal, scores: Array, targets: Array) -> float:
    return mae(scores[:, 0], targets[:, 0]) * (goal.number.scale if goal.number else 1.0)


_WATCHED: Mapping[str, tuple[str, Callable[[Goal, Array, Array], float]]] = {
    "classification": ("auc", _classes),
    "multilabel": ("auc", _findings),
    "grading": ("kappa", _grades),
    "regression": ("mae", _number),
}
