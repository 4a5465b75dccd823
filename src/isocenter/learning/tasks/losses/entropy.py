"""Losses of classes, of which each voxel or each image has one."""

import torch
from torch import Tensor
from torch.nn import functional as F

IGNORE = -1  # class of voxels and images that nobody judged


def cross_entropy(scores: Tensor, target: Tensor, *, weights: Tensor | None = None, smoothing: float = 0.0) -> Tensor:
    """Return the mean negative logarithm of the share given to the true class.

    Args:
        scores: (b, classes, …) before softmax, of images or of voxels.
        target: (b, …) classes or IGNORE; of images also (b, 1). Or shares of the classes, floats of the shape of the
            scores (mixed images, another network's answers); nan: not judged.
        weights: (classes,) how much a case of each counts; the mean is a weighted one.
        smoothing: Share of certainty taken from the true class and spread over all.

    Source: label smoothing, Szegedy et al. 2016 (CVPR), section 7; weighted as torch does.
    """
    logs = F.log_softmax(scores.float(), dim=1)
    if target.shape == scores.shape and target.is_floating_point():
        return _of_shares(logs, target, weights=weights, smoothing=smoothing)
    return entropy_of(logs, classes_of(target, like=scores), weights=weights, smoothing=smoothing)


def focal(scores: Tensor, target: Tensor, *, weights: Tensor | None = None, smoothing: float = 0.0) -> Tensor:
    """Return cross-entropy in which what is nearly right counts little, times (1 - share)²: rare classes are seen.

    Args:
        scores: (b, classes, …) before softmax.
        target: (b, …) classes or IGNORE; of images also (b, 1).
        weights: (classes,) how much a case of each counts; the mean is a weighted one.
        smoothing: Share of certainty taken from the true class and spread over all.

    Source: Lin et al. 2017 (ICCV), equation 5, with gamma = 2.
    """
    logs = F.log_softmax(scores.float(), dim=1)
    return entropy_of(
        (1 - logs.exp()) ** 2 * logs, classes_of(target, like=scores), weights=weights, smoothing=smoothing
    )


def entropy_of(logs: Tensor, target: Tensor, *, weights: Tensor | None = None, smoothing: float = 0.0) -> Tensor:
    """Return the mean over judged places of minus `logs` (b, classes, …) at their classes (b, …), which are long."""
    weights = None if weights is None else weights.to(logs)
    judged = target != IGNORE
    entropy = F.nll_loss(logs, target, weight=weights, ignore_index=IGNORE, reduction="sum")
    # 1e-8: nothing judged gives 0 / 1e-8
    counted = judged.sum().clamp_min(1) if weights is None else weights[target[judged]].sum().clamp_min(1e-8)
    if smoothing:
        shape = (1, -1, *[1] * (logs.ndim - 2))
        spread = logs.mean(1) if weights is None else (logs * weights.view(shape)).mean(1)
        entropy = (1 - smoothing) * entropy - smoothing * torch.where(judged, spread, 0.0).sum()
    return entropy / counted


def classes_of(target: Tensor, *, like: Tensor) -> Tensor:
    """Return a target as whole classes, one axis less than the scores: nan is IGNORE, and a channel axis falls."""
    if target.ndim == like.ndim and target.shape[1] == 1:
        target = target[:, 0]
    if target.is_floating_point():
        target = torch.nan_to_num(target, nan=float(IGNORE))
    return target.long()


def _of_shares(logs: Tensor, shares: Tensor, *, weights: Tensor | None, smoothing: float) -> Tensor:
    judged = ~shares.isnan().any(1, keepdim=True)
    shares = torch.where(judged, shares, 0.0).to(logs)
    counted = shares
    if smoothing:
        shares = torch.where(judged, (1 - smoothing) * shares + smoothing / shares.shape[1], 0.0)
    if weights is not None:
        weights = weights.to(logs).view(1, -1, *[1] * (logs.ndim - 2))
        shares, counted = shares * weights, counted * weights
    return -(shares * logs).sum() / counted.sum().clamp_min(1e-8)
