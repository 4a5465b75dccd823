"""Losses of grades, which have an order: a network answers each step from one grade to the next.

With grades 0 to k, scores are (b, k): one for each step. What they mean depends on the loss; `grade_shares` tells.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from isocenter.learning.tasks.losses.entropy import IGNORE, classes_of

_HALF = 0.5


def conditional(scores: Tensor, target: Tensor, *, weights: Tensor | None = None, smoothing: float = 0.0) -> Tensor:
    """Return how wrong each step's answer is among the cases that reached it: "of those that are g, is it more?".

    Shares above a grade are products along the steps and so never rise, whatever the network; steps are free to use
    different features. Rare high grades are learnt from the few cases that reach them.

    Args:
        scores: (b, grades - 1) before the sigmoid.
        target: (b,) or (b, 1) grades from 0, or IGNORE or nan.
        weights: (grades,) how much a case of each counts.
        smoothing: Moves each step's 1 and 0 towards a half by half of it.

    Source: CORN, Shi, Cao and Raschka 2023, Pattern Anal Appl 26:941; ahead there of cumulative answers and of CORAL.
    """
    grades = classes_of(target, like=scores)[:, None]
    reached = grades >= torch.arange(scores.shape[1], device=scores.device)
    return _steps(scores, grades, counted=reached, weights=weights, smoothing=smoothing)


def cumulative(scores: Tensor, target: Tensor, *, weights: Tensor | None = None, smoothing: float = 0.0) -> Tensor:
    """Return how wrong the answers to "is it more than g?" are, every case answering every step.

    Args:
        scores, target, weights, smoothing: As of `conditional`.

    Source: Cheng, Wang and Pollastri 2008 (IJCNN).
    """
    grades = classes_of(target, like=scores)[:, None]
    counted = (grades != IGNORE).expand(-1, scores.shape[1])
    return _steps(scores, grades, counted=counted, weights=weights, smoothing=smoothing)


def grade_shares(scores: Tensor, *, loss: str = "conditional") -> Tensor:
    """Return the probability of each grade, (b, grades), from the scores of the steps (b, grades - 1).

    Args:
        scores: Of a network that learnt with that loss.
        loss: "conditional" or "cumulative"; of the latter, an answer that rises from a step to the next is held down.
    """
    steps = scores.float().sigmoid()
    above = torch.cumprod(steps, dim=1) if loss == "conditional" else torch.cummin(steps, dim=1).values
    ends = above.new_ones(len(above), 1)
    return torch.cat([ends, above], dim=1) - torch.cat([above, torch.zeros_like(ends)], dim=1)


def middle_grade(shares: Tensor) -> Tensor:
    """Return of grades' probabilities (…, grades) the middle grade: as probable to be reached as to be passed.

    It is wrong by the fewest grades on average, which the likeliest grade is not.
    """
    reached = shares.double().cumsum(dim=-1)[..., :-1]
    return (reached < _HALF).sum(dim=-1)


def _steps(scores: Tensor, grades: Tensor, *, counted: Tensor, weights: Tensor | None, smoothing: float) -> Tensor:
    scores = scores.float()
    more = (grades > torch.arange(scores.shape[1], device=scores.device)).to(scores)
    more = more * (1 - smoothing) + smoothing / 2
    worth = counted.to(scores)
    if weights is not None:
        worth = worth * weights.to(scores)[grades.clamp_min(0)]
    cost = F.binary_cross_entropy_with_logits(scores, more, reduction="none")
    return (cost * worth).sum() / worth.sum().clamp_min(1e-8)
