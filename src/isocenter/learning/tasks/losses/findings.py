"""Losses of findings, several at once: each there or not, or judged by nobody."""

import torch
from torch import Tensor
from torch.nn import functional as F

from isocenter.errors import InputError


def binary_cross_entropy(
    scores: Tensor, target: Tensor, *, weights: Tensor | None = None, smoothing: float = 0.0
) -> Tensor:
    """Return the mean over judged findings of the negative logarithm of the share given to what was so.

    Args:
        scores: (b, findings) before the sigmoid.
        target: (b, findings) 1, 0 or a share between; nan where nobody judged.
        weights: (findings,) how much more a finding that is there counts than one that is not.
        smoothing: Moves 1 and 0 towards a half by half of it.

    Raises:
        InputError: Scores and target of two shapes.
    """
    judged, truth, scores = _judged(scores, target, smoothing=smoothing)
    weights = None if weights is None else weights.to(scores)
    cost = F.binary_cross_entropy_with_logits(scores, truth, pos_weight=weights, reduction="none")
    return (cost * judged).sum() / judged.sum().clamp_min(1)


def binary_focal(scores: Tensor, target: Tensor, *, weights: Tensor | None = None, smoothing: float = 0.0) -> Tensor:
    """Return binary cross-entropy in which what is nearly right counts little: times (1 - share)².

    Args:
        scores, target, weights, smoothing: As of `binary_cross_entropy`.

    Raises:
        InputError: Scores and target of two shapes.

    Source: Lin et al. 2017 (ICCV), equation 5, with gamma = 2.
    """
    judged, truth, scores = _judged(scores, target, smoothing=smoothing)
    there, absent = F.logsigmoid(scores), F.logsigmoid(-scores)
    rare = 1.0 if weights is None else weights.to(scores)
    # the share not given to "there" is exp(absent), and the other way round
    cost = -rare * truth * (2 * absent).exp() * there - (1 - truth) * (2 * there).exp() * absent
    return (cost * judged).sum() / judged.sum().clamp_min(1)


def _judged(scores: Tensor, target: Tensor, *, smoothing: float) -> tuple[Tensor, Tensor, Tensor]:
    if scores.shape != target.shape:
        raise InputError(
            f"Scores of the shape {tuple(scores.shape)} and findings of the shape {tuple(target.shape)} do not fit."
        )
    scores = scores.float()
    judged = ~target.isnan()
    truth = torch.where(judged, target, 0.0).to(scores)
    return judged, truth * (1 - smoothing) + smoothing / 2, scores
