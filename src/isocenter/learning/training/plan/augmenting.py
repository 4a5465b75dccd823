"""How far training images are varied."""

from collections.abc import Sequence

from isocenter.learning.training.fingerprint import Fingerprint
from isocenter.recipe import Recipe, Variation

# of the ranges for outlines; breast ultrasound, five folds, 500 steps at 128²: AUC 0.845, 0.861 and 0.851 at 1, 2 and 3
_WHOLE = 2.0
_THICK = 3.0  # slices this many times thicker than a pixel: a turn out of the plane would mix slices


def variation(
    recipe: Recipe,
    fingerprint: Fingerprint,
    *,
    spacing_mm: Sequence[float],
    patch: Sequence[int],
    is_flat: bool,
    reasons: dict[str, str],
) -> Variation:
    """Return the ranges of augmentation for a data set, times the recipe's strength.

    Args:
        recipe: Its strength and flips.
        fingerprint: Of the cases to learn from.
        spacing_mm, patch: Of what the network is shown.
        is_flat: The network reads slices, each for itself: none is turned out of its plane.
        reasons: Added to.
    """
    strength = recipe.transforms.strength
    flips = recipe.transforms.flips
    reasons["transforms.flips"] = "as the recipe asks" if flips else "none: left is not right"
    if strength == 0:
        reasons["transforms.strength"] = "the recipe asks for none"
        return Variation(flips=flips)
    in_plane = is_flat or fingerprint.is_planar or spacing_mm[0] > _THICK * min(spacing_mm[1:])
    few = f"{fingerprint.cases} cases; "
    if not fingerprint.voxels:  # nothing is outlined: the task answers for the whole image
        strength *= _WHOLE
        few += "one answer for an image teaches less than outlines, so it is varied more; "
    turn = 15.0 * strength
    reasons["transforms.strength"] = few + (
        f"turns stay in the plane, since {'it is all there is' if is_flat else 'slices are thick'}"
        if in_plane
        else "turns, sizes and intensities vary"
    )
    edge_mm = min((step * count for step, count in zip(spacing_mm, patch, strict=True) if count > 1), default=1.0)
    return Variation(
        rotation_degrees=(turn, 0.0, 0.0) if in_plane else (turn, turn, turn),
        scale=min(0.5, 0.15 * strength),
        shift=0.05 * strength,
        elastic_mm=0.0 if in_plane else round(min(0.04 * edge_mm, 4.0) * strength, 2),
        brightness=0.1 * strength,
        contrast=0.2 * strength,
        gamma=0.2 * strength,
        noise=0.1 * strength,
        blur=0.7 * strength,
        bias=0.2 * strength,
        resolution=max(0.3, 1 - 0.4 * strength),
        chance=min(0.9, 0.2 * strength),
        flips=flips,
    )
