"""How wrong an answer is, as one number with a slope."""

import torch
from torch import Tensor
from torch.nn import functional as F

IGNORE = -1  # class of voxels that nobody judged

_SMOOTH = 1.0  # voxel: keeps the Dice of a class without voxels defined, and small ones from jumping


def cross_entropy_and_dice(scores: Tensor, target: Tensor, *, weights: Tensor | None = None) -> Tensor:
    """Return cross-entropy plus one minus the soft Dice of the structures, each counted alike.

    Cross-entropy says how sure to be of every voxel; Dice sees a structure of ten voxels as well as one of a million.

    Args:
        scores: (b, classes, s, r, c) before softmax; class 0 is background and has no Dice.
        target: (b, s, r, c) whole numbers, classes or IGNORE.
        weights: (classes,) of the cross-entropy; None weighs voxels alike.

    Source: Isensee et al. 2021, Nature Methods 18:203; soft Dice, Milletari et al. 2016 (3DV).
    """
    target = target.long()
    judged = target != IGNORE
    logs = F.log_softmax(scores.float(), dim=1)
    entropy = F.nll_loss(logs, target, weight=weights, ignore_index=IGNORE, reduction="sum")
    counted = judged.sum() if weights is None else weights[target[judged]].sum()
    return entropy / counted.clamp_min(1) + 1 - soft_dice(logs.exp(), target)


def soft_dice(shares: Tensor, target: Tensor) -> Tensor:
    """Return the mean over structures of the Dice between shares (b, classes, s, r, c) and classes (b, s, r, c).

    Sums run over the whole batch, so that a patch without the structure does not count as a failure of its own.
    """
    judged = (target != IGNORE)[:, None]
    truth = torch.zeros_like(shares).scatter_(1, target.clamp_min(0)[:, None], 1.0) * judged
    shares = shares * judged
    places = (0, 2, 3, 4)
    shared = (shares * truth).sum(places)[1:]
    total = (shares.sum(places) + truth.sum(places))[1:]
    return ((2 * shared + _SMOOTH) / (total + _SMOOTH)).mean()
