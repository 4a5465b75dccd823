"""Non-local means and total variation, as scikit-image has them, on slices or on slabs of a volume."""

from collections.abc import Callable
from functools import partial

import numpy as np
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle

from isocenter.image import Volume
from isocenter.processing.restoration.restored import Restored
from isocenter.processing.restoration.strength import By, Floats, denoised, goes_by_slice, require_positive

_SLAB = 48  # slices treated at once in 3-D, which bounds memory whatever the length of the stack
_PLANAR_PATCH, _PLANAR_REACH = 5, 6  # pixels: patches that are compared, and how far away they are sought
_SOLID_PATCH, _SOLID_REACH = 3, 2  # the same in 3-D, where 125 patches are compared
_DECAY = 0.8  # of sigma; what scikit-image's authors take where sigma is known and patches are weighed alike
_FADES = 8  # slices, beyond which total variation at the strength of the noise is not felt
_PLANAR_WEIGHT, _SOLID_WEIGHT = 0.75, 0.55  # of sigma: least error on phantoms, from 1 to 10 % of noise


def nlm(volume: Volume, *, sigma: float | None = None, strength: float = 1.0, by: By = "auto") -> Restored:
    """Return a volume in which each voxel is the mean of those whose surroundings look alike.

    Slow: some 0.6 s for a slice of 512 by 512, and some 14 s for a million voxels in 3-D.

    Args:
        volume: Grey, or in colour (channel by channel).
        sigma: Noise in the volume's unit; None estimates it. At 0 nothing is changed.
        strength: Likeness decays over 0.8 sigma times this.
        by: Slice by slice, or in 3-D; "auto" takes slices where they lie more than twice as far apart as rows.

    Raises:
        RecipeError: A sigma or strength below 0.
        InputError: Slices too small to tell their noise.

    Source: Buades, Coll and Morel 2005, A non-local algorithm for image denoising; Darbon et al. 2008 (the quick form).
    """
    require_positive(strength=strength)
    flat = goes_by_slice(volume, by)
    patch, reach = (_PLANAR_PATCH, _PLANAR_REACH) if flat else (_SOLID_PATCH, _SOLID_REACH)

    def smooth(voxels: Floats, noise: float) -> Floats:
        one = partial(
            denoise_nl_means, patch_size=patch, patch_distance=reach, h=_DECAY * strength * noise, sigma=noise
        )
        return _by_slice(voxels, one) if flat else _by_slab(voxels, one, margin=reach + patch // 2)

    return denoised(volume, smooth if strength > 0 else _unchanged, sigma=sigma)


def tv(volume: Volume, *, sigma: float | None = None, strength: float = 1.0, by: By = "auto") -> Restored:
    """Return the volume of least total variation near the given one.

    Args:
        volume: Grey, or in colour (channel by channel).
        sigma: Noise in the volume's unit; None estimates it. At 0 nothing is changed.
        strength: Total variation weighs this times sigma, times 0.75 in slices and 0.55 in 3-D.
        by: Slice by slice, or in 3-D; "auto" takes slices where they lie more than twice as far apart as rows.

    Raises:
        RecipeError: A sigma or strength below 0.
        InputError: Slices too small to tell their noise.

    Source: Rudin, Osher and Fatemi 1992; Chambolle 2004, An algorithm for total variation minimization.
    """
    require_positive(strength=strength)
    flat = goes_by_slice(volume, by)

    def smooth(voxels: Floats, noise: float) -> Floats:
        weight = (_PLANAR_WEIGHT if flat else _SOLID_WEIGHT) * strength * noise
        one = partial(denoise_tv_chambolle, weight=weight)
        return _by_slice(voxels, one) if flat else _by_slab(voxels, one, margin=_FADES)

    return denoised(volume, smooth if strength > 0 else _unchanged, sigma=sigma)


def _unchanged(voxels: Floats, _: float) -> Floats:
    return voxels.copy()


def _by_slice(voxels: Floats, one: Callable[[Floats], Floats]) -> Floats:
    return np.stack([one(plane) for plane in voxels])


def _by_slab(voxels: Floats, one: Callable[[Floats], Floats], *, margin: int) -> Floats:
    """Return voxels treated slab by slab, each with as many slices on either side as its result depends on."""
    whole = np.empty_like(voxels)
    for first in range(0, len(voxels), _SLAB):
        start = max(0, first - margin)
        slab = one(voxels[start : first + _SLAB + margin])
        whole[first : first + _SLAB] = slab[first - start : first - start + _SLAB]
    return whole
