"""Losses of outlines: how much of each structure is shared. Class 0 is background and has none."""

import torch
from torch import Tensor
from torch.nn import functional as F

from isocenter.errors import RecipeError
from isocenter.learning.tasks.losses.entropy import IGNORE, classes_of, entropy_of

_SMOOTH = 1.0  # voxel: keeps the Dice of a class without voxels defined, and small ones from jumping


def cross_entropy_and_dice(
    scores: Tensor, target: Tensor, *, weights: Tensor | None = None, smoothing: float = 0.0
) -> Tensor:
    """Return cross-entropy plus one minus the soft Dice of the structures, each counted alike.

    Cross-entropy says how sure to be of every voxel; Dice sees a structure of ten voxels as well as one of a million.

    Args:
        scores: (b, classes, s, r, c) or (b, classes, r, c) before softmax; class 0 is background and has no Dice.
        target: (b, s, r, c) or (b, r, c) whole numbers, classes or IGNORE.
        weights: (classes,) of the cross-entropy; None weighs voxels alike.
        smoothing: Of the cross-entropy; the Dice has none.

    Source: Isensee et al. 2021, Nature Methods 18:203; soft Dice, Milletari et al. 2016 (3DV).
    """
    target = classes_of(target, like=scores)
    logs = F.log_softmax(scores.float(), dim=1)
    return entropy_of(logs, target, weights=weights, smoothing=smoothing) + 1 - soft_dice(logs.exp(), target)


def dice(scores: Tensor, target: Tensor, *, weights: Tensor | None = None, smoothing: float = 0.0) -> Tensor:
    """Return one minus the soft Dice of the structures.

    Args:
        scores, target: As of `cross_entropy_and_dice`.
        weights: (classes,) of the structures' mean; the background's is not used.
        smoothing: None is known.

    Raises:
        RecipeError: Smoothing was asked for.

    Source: Milletari et al. 2016 (3DV), with sums instead of squares.
    """
    refuse_smoothing(smoothing, name="dice")
    both = shared_and_alone(scores.float().softmax(1), classes_of(target, like=scores))
    shared, found, missed = both
    return 1 - mean_of_structures((2 * shared + _SMOOTH) / (2 * shared + found + missed + _SMOOTH), weights=weights)


def tversky(scores: Tensor, target: Tensor, *, weights: Tensor | None = None, smoothing: float = 0.0) -> Tensor:
    """Return one minus the Tversky index of the structures: Dice in which a missed voxel costs more than a false one.

    Args:
        scores, target: As of `cross_entropy_and_dice`.
        weights: (classes,) of the structures' mean; the background's is not used.
        smoothing: None is known.

    Raises:
        RecipeError: Smoothing was asked for.

    Source: Salehi et al. 2017 (MLMI), with alpha = 0.3 and beta = 0.7 as they found best.
    """
    refuse_smoothing(smoothing, name="tversky")
    shared, found, missed = shared_and_alone(scores.float().softmax(1), classes_of(target, like=scores))
    half = _SMOOTH / 2  # so that equal parts of 0.5 are the Dice above
    return 1 - mean_of_structures((shared + half) / (shared + 0.3 * found + 0.7 * missed + half), weights=weights)


def soft_dice(shares: Tensor, target: Tensor) -> Tensor:
    """Return the mean over structures of the Dice between shares (b, classes, s, r, c) and classes (b, s, r, c).

    Sums run over the whole batch, so that a patch without the structure does not count as a failure of its own.
    """
    shared, found, there = _sums(shares, target)
    return ((2 * shared + _SMOOTH) / (found + there + _SMOOTH)).mean()


def shared_and_alone(shares: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return for each structure the voxels that are shared, found alone and missed, summed over the batch."""
    shared, found, there = _sums(shares, target)
    return shared, found - shared, there - shared


def _sums(shares: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return for each structure what is shared, found and there, summed over the judged voxels of the batch."""
    judged = (target != IGNORE)[:, None]
    truth = torch.zeros_like(shares).scatter_(1, target.clamp_min(0)[:, None], 1.0) * judged
    shares = shares * judged
    places = (0, *range(2, shares.ndim))
    return (shares * truth).sum(places)[1:], shares.sum(places)[1:], truth.sum(places)[1:]


def refuse_smoothing(smoothing: float, *, name: str) -> None:
    """Do nothing where there is no label smoothing.

    Raises:
        RecipeError: There is, and the loss of that name knows none.
    """
    if smoothing:
        raise RecipeError(
            f"The loss {name!r} knows no label smoothing, and tasks.label_smoothing is {smoothing:g}. Leave it out, or "
            "take a loss with cross-entropy."
        )


def mean_of_structures(values: Tensor, *, weights: Tensor | None) -> Tensor:
    """Return the mean of the structures' values, weighed by `weights` (classes,), of which the first is background."""
    if weights is None:
        return values.mean()
    weights = weights.to(values)[1:]
    return (weights * values).sum() / weights.sum().clamp_min(1e-8)
