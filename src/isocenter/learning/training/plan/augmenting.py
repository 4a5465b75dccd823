"""How far training images are varied."""

from collections.abc import Sequence

from isocenter.learning.training.fingerprint import Fingerprint
from isocenter.recipe import Recipe, Variation

_THICK = 3.0  # slices this many times thicker than a pixel: a turn out of the plane would mix slices


def variation(
    recipe: Recipe,
    fingerprint: Fingerprint,
    *,
    spacing_mm: Sequence[float],
    patch: Sequence[int],
    reasons: dict[str, str],
) -> Variation:
    """Return the ranges of augmentation for a data set, times the recipe's strength."""
    strength = recipe.transforms.strength
    flips = recipe.transforms.flips
    reasons["transforms.flips"] = "as the recipe asks" if flips else "none: left is not right"
    if strength == 0:
        reasons["transforms.strength"] = "the recipe asks for none"
        return Variation(flips=flips)
    in_plane = fingerprint.is_planar or spacing_mm[0] > _THICK * min(spacing_mm[1:])
    turn = 15.0 * strength
    few = f"{fingerprint.cases} cases; "
    reasons["transforms.strength"] = few + (
        "turns stay in the plane, since slices are thick" if in_plane else "turns, sizes and intensities vary"
    )
    edge_mm = min(step * count for step, count in zip(spacing_mm, patch, strict=True) if count > 1)
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
