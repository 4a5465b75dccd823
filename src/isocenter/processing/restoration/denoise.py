"""Median and curvature diffusion, driven by the noise that there is."""

import numpy as np
import SimpleITK as sitk

from isocenter.image import Volume
from isocenter.processing.restoration.restored import Restored
from isocenter.processing.restoration.strength import By, Floats, denoised, goes_by_slice, require_positive, rms
from isocenter.processing.restoration.threads import steady_threads

_MOST_ROUNDS = 40  # of diffusion
_GONE = 0.9  # of the noise: what the last tenth would take is edges


def median(
    volume: Volume, *, sigma: float | None = None, limit: float = 2.0, unlimited: bool = False, by: By = "auto"
) -> Restored:
    """Return a volume under a median of 3 voxels along each axis.

    Args:
        volume: Grey, or in colour (channel by channel).
        sigma: Noise in the volume's unit; None estimates it. At 0 nothing is changed unless `unlimited`.
        limit: No voxel is moved by more than so many sigma, which keeps vessels and other fine detail.
        unlimited: Every voxel is moved all the way, noise or not: takes single wrong pixels out, and fine detail too.
        by: Slice by slice, or in 3-D; "auto" takes slices where they lie more than twice as far apart as rows.

    Raises:
        RecipeError: A sigma or limit below 0.
        InputError: Slices too small to tell their noise.

    Source: Tukey 1977, Exploratory data analysis; the limit is ours.
    """
    require_positive(limit=limit)
    radius = [1, 1, 0 if goes_by_slice(volume, by) else 1]

    def smooth(voxels: Floats, noise: float) -> Floats:
        change = sitk.GetArrayFromImage(sitk.Median(sitk.GetImageFromArray(voxels), radius)) - voxels
        most = np.inf if unlimited else limit * noise
        return np.asarray(voxels + np.clip(change, -most, most), dtype=np.float32)

    return denoised(volume, smooth, sigma=sigma, is_blind=unlimited)


def curvature(
    volume: Volume, *, sigma: float | None = None, strength: float = 1.0, conductance: float = 1.0
) -> Restored:
    """Return a volume after curvature anisotropic diffusion, which goes on until as much is gone as there was noise.

    Gradients are per mm, so that thick slices lend little to each other.

    Args:
        volume: Grey, or in colour (channel by channel).
        sigma: Noise in the volume's unit; None estimates it. At 0 nothing is changed.
        strength: Diffusion ends when the root of the mean squared change has reached 0.9 sigma times this.
        conductance: Edges steeper than so many mean gradients are kept.

    Raises:
        RecipeError: A sigma, strength or conductance below 0.
        InputError: Slices too small to tell their noise.

    Source: Whitaker and Xue 2001, Variable-conductance, level-set curvature for image denoising; the end is Morozov's
        discrepancy principle.
    """
    require_positive(strength=strength, conductance=conductance)
    steps = np.asarray(volume.spacing)
    finest = float(np.nanmin(steps)) if volume.has_size else 1.0
    steps = np.nan_to_num(steps, nan=finest) / finest  # the step in time holds for a finest step of 1

    def smooth(voxels: Floats, noise: float) -> Floats:
        image = sitk.GetImageFromArray(voxels)
        image.SetSpacing(steps[::-1].tolist())
        live = (voxels > voxels.min()) & (voxels < voxels.max())
        with steady_threads():
            for _ in range(_MOST_ROUNDS):
                image = sitk.CurvatureAnisotropicDiffusion(
                    image, timeStep=0.0625, conductanceParameter=conductance, numberOfIterations=1
                )
                if rms((sitk.GetArrayViewFromImage(image) - voxels)[live]) >= _GONE * strength * noise:
                    break
        return np.asarray(sitk.GetArrayFromImage(image))

    return denoised(volume, smooth, sigma=sigma)
