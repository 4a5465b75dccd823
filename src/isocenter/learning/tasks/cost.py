"""How wrong answers are, as a goal asks to count it."""

import torch
from torch import Tensor

from isocenter.learning.tasks.losses import loss_of
from isocenter.recipe import Goal


def cost(scores: Tensor, target: Tensor, *, goal: Goal) -> Tensor:
    """Return the goal's loss of scores (b, outputs) against targets (b, …), with its weights and smoothing."""
    weights = torch.tensor(goal.weights, device=scores.device) if goal.weights else None
    return loss_of(goal.kind, goal.loss)(scores, target, weights=weights, smoothing=goal.smoothing)
