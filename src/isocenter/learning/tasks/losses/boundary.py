"""A loss of outlines that knows how far away a mistake lies."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from scipy.ndimage import distance_transform_edt, find_objects
from torch import Tensor

from isocenter.learning.tasks.losses.entropy import IGNORE, classes_of
from isocenter.learning.tasks.losses.overlap import cross_entropy_and_dice, mean_of_structures, refuse_smoothing

_SHARE = 0.01  # of a millimetre's cost beside cross-entropy and Dice; where Kervadec et al. begin


def boundary(
    scores: Tensor,
    target: Tensor,
    *,
    weights: Tensor | None = None,
    smoothing: float = 0.0,
    spacing_mm: Sequence[float] | None = None,
) -> Tensor:
    """Return the mean over judged voxels of each structure's share times its signed distance, in mm.

    Shares far outside a structure cost most, shares inside earn. It may be below 0. Alone it can settle on an empty
    answer; `cross_entropy_dice_and_boundary` does not.

    Distance maps are made of each patch as it comes, on the CPU, by an exact Euclidean transform: 0.1 to 0.5 s for
    each structure of a 96³ patch on one core. A structure that a patch lacks, or that fills it, costs nothing there.

    Args:
        scores, target: As of `cross_entropy_and_dice`.
        weights: (classes,) of the structures' mean; the background's is not used.
        smoothing: None is known.
        spacing_mm: Of the voxels, one for each of their axes (nan where there is one slice); None counts steps.

    Raises:
        RecipeError: Smoothing was asked for.

    Source: Kervadec et al. 2019 (MIDL), equation 5; zero lies between voxels, so the nearest on either side have half
        a step to go less than there.
    """
    refuse_smoothing(smoothing, name="boundary")
    target = classes_of(target, like=scores)
    judged = target != IGNORE
    far = distances(target, classes=scores.shape[1], spacing_mm=spacing_mm).to(scores.device)
    cost = scores.float().softmax(1)[:, 1:] * far * judged[:, None]
    each = cost.sum((0, *range(2, cost.ndim))) / judged.sum().clamp_min(1)
    return mean_of_structures(each, weights=weights)


def cross_entropy_dice_and_boundary(
    scores: Tensor,
    target: Tensor,
    *,
    weights: Tensor | None = None,
    smoothing: float = 0.0,
    spacing_mm: Sequence[float] | None = None,
) -> Tensor:
    """Return cross-entropy and Dice plus a hundredth of the boundary loss.

    Args:
        scores, target, weights: As of `cross_entropy_and_dice`.
        smoothing: Of the cross-entropy.
        spacing_mm: As of `boundary`.

    Source: Kervadec et al. 2019 (MIDL), equation 6; their weight of 0.01 at the start, held.
    """
    region = cross_entropy_and_dice(scores, target, weights=weights, smoothing=smoothing)
    return region + _SHARE * boundary(scores, target, spacing_mm=spacing_mm)


def distances(target: Tensor, *, classes: int, spacing_mm: Sequence[float] | None = None) -> Tensor:
    """Return how far each voxel lies outside each structure, below 0 inside: (b, classes - 1, …), float32, in mm.

    0 everywhere for a structure that a patch lacks or that fills it. Voxels that nobody judged count as outside.
    """
    values = target.cpu().numpy()
    steps = None if spacing_mm is None else [step if math.isfinite(step) else 1.0 for step in spacing_mm]
    far = np.zeros((len(values), classes - 1, *values.shape[1:]), dtype=np.float32)
    for one, patch in zip(far, values, strict=True):
        for place in range(1, classes):
            one[place - 1] = _signed(patch == place, spacing_mm=steps)
    return torch.from_numpy(far)


def _signed(inside: npt.NDArray[np.bool_], *, spacing_mm: Sequence[float] | None) -> npt.NDArray[np.float64]:
    if not inside.any() or inside.all():
        return np.zeros(inside.shape)
    away = np.asarray(distance_transform_edt(~inside, sampling=spacing_mm))
    # what lies inside has its nearest outside in the structure's box, one voxel wider
    box = tuple(slice(max(0, along.start - 1), along.stop + 1) for along in find_objects(inside.astype(np.uint8))[0])
    away[box] -= distance_transform_edt(inside[box], sampling=spacing_mm)
    return away
