"""What every method against noise shares: it is driven by the noise that there is, and says what it left."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from isocenter.errors import RecipeError
from isocenter.image import Volume
from isocenter.processing.restoration.noise import Noise, estimate_noise
from isocenter.processing.restoration.restored import Restored, by_channel

Floats = npt.NDArray[np.float32]
By = Literal["auto", "slice", "volume"]
Smooth = Callable[[Floats, float], Floats]  # voxels (slice, row, column) and their noise -> the same voxels, smoother

_THICK = 2.0  # slices that lie so many times further apart than rows show other anatomy, and are treated alone
_FEW = 5  # slices; fewer have little to lend each other


def denoised(volume: Volume, smooth: Smooth, *, sigma: float | None, is_blind: bool = False) -> Restored:
    """Return a volume smoothed by as much as there is noise, float32; one without noise is left as it is.

    Args:
        volume: Grey, or in colour (channel by channel).
        smooth: The method.
        sigma: Noise in the volume's unit; None estimates it.
        is_blind: Smooth what shows no noise, too.

    Raises:
        RecipeError: A sigma below 0.
        InputError: Slices too small to tell their noise.
    """
    require_positive(sigma=sigma)
    return by_channel(volume, lambda one: _denoised(one, smooth, sigma=sigma, is_blind=is_blind))


def goes_by_slice(volume: Volume, by: By) -> bool:
    """Return whether slices are treated alone: as asked, or where they are thick, few or of unknown distance."""
    if by != "auto":
        return by == "slice" or volume.shape[0] == 1
    thick, row, column = volume.spacing
    return volume.shape[0] < _FEW or not thick <= _THICK * max(row, column)


def require_positive(**parameters: float | None) -> None:
    """Do nothing where no parameter lies below 0.

    Raises:
        RecipeError: One does; the message names it.
    """
    for name, value in parameters.items():
        if value is not None and value < 0:
            raise RecipeError(f"{name} = {value} cannot be: it is 0 or more.")


def rms(values: Floats) -> float:
    """Return the root of the mean square; 0 of nothing."""
    return float(np.sqrt(np.mean(np.square(values), dtype=np.float64))) if values.size else 0.0


def _denoised(volume: Volume, smooth: Smooth, *, sigma: float | None, is_blind: bool) -> Restored:
    noise = estimate_noise(volume) if sigma is None else Noise(sigma=sigma, method="given")
    before = volume.voxels.astype(np.float32)
    is_left = noise.sigma == 0 and not is_blind
    after = replace(volume, voxels=before.copy() if is_left else smooth(before, noise.sigma))
    left = 0.0 if is_left else estimate_noise(after, method="wavelet").sigma
    said: dict[str, float | str] = {"noise_before": noise.sigma, "noise_after": left, "noise_method": noise.method}
    said["change_rms"] = rms(after.voxels - before)
    return Restored(volume=after, said=said)
