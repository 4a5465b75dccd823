"""Losses of numbers, in the spread of the learning cases: what a network answers is (value - shift) / scale."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from isocenter.errors import InputError, RecipeError
from isocenter.learning.tasks.losses.overlap import refuse_smoothing


def mse(scores: Tensor, target: Tensor, *, weights: Tensor | None = None, smoothing: float = 0.0) -> Tensor:
    """Return the mean squared error; a gross error in the learning cases pulls hard.

    Args:
        scores, target: (b, numbers); nan in the target was not measured.
        weights, smoothing: None are known.

    Raises:
        RecipeError: Weights of classes or label smoothing were asked for.
        InputError: Scores and target of two shapes.
    """
    return _mean(F.mse_loss, scores, target, weights=weights, smoothing=smoothing)


def mae(scores: Tensor, target: Tensor, *, weights: Tensor | None = None, smoothing: float = 0.0) -> Tensor:
    """Return the mean absolute error: its best answer is the median.

    Args:
        scores, target, weights, smoothing: As of `mse`.

    Raises:
        RecipeError: As of `mse`.
        InputError: As of `mse`.
    """
    return _mean(F.l1_loss, scores, target, weights=weights, smoothing=smoothing)


def huber(scores: Tensor, target: Tensor, *, weights: Tensor | None = None, smoothing: float = 0.0) -> Tensor:
    """Return the mean of half the squared error up to one scale, and of the error less a half beyond it.

    Args:
        scores, target, weights, smoothing: As of `mse`.

    Raises:
        RecipeError: As of `mse`.
        InputError: As of `mse`.

    Source: Huber 1964, Ann Math Stat 35:73.
    """
    return _mean(F.huber_loss, scores, target, weights=weights, smoothing=smoothing)


def _mean(
    cost: Callable[..., Tensor], scores: Tensor, target: Tensor, *, weights: Tensor | None, smoothing: float
) -> Tensor:
    refuse_smoothing(smoothing, name="of a number")
    if weights is not None:
        raise RecipeError("A number has no classes; leave tasks.class_weights out.")
    if scores.shape != target.shape:
        raise InputError(
            f"Scores of the shape {tuple(scores.shape)} and numbers of the shape {tuple(target.shape)} do not fit."
        )
    known = ~target.isnan()
    scores = scores.float()
    wanted = torch.where(known, target, 0.0).to(scores)
    return (cost(scores, wanted, reduction="none") * known).sum() / known.sum().clamp_min(1)
