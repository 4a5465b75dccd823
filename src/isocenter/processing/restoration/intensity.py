"""Values brought to the range that a network expects. What is said brings them back: value × scale + shift."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from isocenter.errors import InputError, RecipeError
from isocenter.image import Volume
from isocenter.processing.restoration.body import body_mask
from isocenter.processing.restoration.restored import Restored, span_of

Within = Literal["body", "all"]


def unit(volume: Volume) -> Restored:
    """Return a volume from 0 (its lowest value) to 1 (its highest). In colour all channels by one scale.

    Raises:
        InputError: A constant image.
    """
    low, high = span_of(volume, step="unit")
    return _spread(volume, low=low, high=high, to=(0.0, 1.0))


def symmetric(volume: Volume) -> Restored:
    """Return a volume from -1 (its lowest value) to 1 (its highest). In colour all channels by one scale.

    Raises:
        InputError: A constant image.
    """
    low, high = span_of(volume, step="symmetric")
    return _spread(volume, low=low, high=high, to=(-1.0, 1.0))


def window(volume: Volume, *, low: float, high: float, to: Sequence[float] = (0.0, 1.0)) -> Restored:
    """Return a volume in which a window of values fills a range; what lies outside is clipped.

    Args:
        volume: In any unit.
        low, high: Ends of the window, in the volume's unit. In HU: lung -1350 to 150, soft tissue -160 to 240,
            brain 0 to 80, bone -500 to 1300.
        to: What the ends become.

    Raises:
        RecipeError: The low end does not lie below the high end, of the window or of the range.
        InputError: No voxel lies inside of the window, as when values have been scaled before.
    """
    if low >= high:
        raise RecipeError(f"The window runs from {low:g} to {high:g}: its low end does not lie below its high end.")
    below, above = float(volume.voxels.min()), float(volume.voxels.max())
    if below >= high or above <= low:
        raise InputError(
            f"Values run from {below:g} to {above:g} {volume.unit}, all outside of the window {low:g} to {high:g}. "
            "Is another unit meant, or were they scaled before?"
        )
    return _spread(volume, low=low, high=high, to=to)


def percentiles(
    volume: Volume,
    *,
    low: float = 0.5,
    high: float = 99.5,
    within: Within = "body",
    to: Sequence[float] = (0.0, 1.0),
) -> Restored:
    """Return a volume in which the values between two percentiles fill a range; what lies outside is clipped.

    Args:
        volume: Grey; in colour within "all", all channels by one scale.
        low, high: Percentiles, 0 to 100.
        within: Where they are taken: in the body, or everywhere.
        to: What they become.

    Raises:
        RecipeError: The low end does not lie below the high end, or not in 0..100.
        InputError: The two percentiles are one value, or no body can be found.
    """
    if not 0 <= low < high <= 100:
        raise RecipeError(f"Percentiles run from 0 to 100, the low one first: low = {low:g}, high = {high:g}.")
    first, last = (float(value) for value in np.percentile(measured(volume, within=within), (low, high)))
    if first >= last:
        raise InputError(f"Percentiles {low:g} and {high:g} are both {first:g}: most of the image has one value.")
    return _spread(volume, low=first, high=last, to=to)


def zscore(volume: Volume, *, within: Within = "body") -> Restored:
    """Return a volume whose values have the mean 0 and the standard deviation 1.

    Args:
        volume: Grey; in colour within "all", all channels by one scale.
        within: Where both are taken: in the body, or everywhere.

    Raises:
        InputError: All values measured are one, or no body can be found.
    """
    values = measured(volume, within=within)
    mean, deviation = float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64))
    if deviation == 0:
        raise InputError(f"Every voxel measured is {mean:g}: a constant has no z-score.")
    voxels = (volume.voxels.astype(np.float32) - np.float32(mean)) / np.float32(deviation)
    said = {"shift": mean, "scale": deviation}
    return Restored(volume=replace(volume, voxels=voxels, unit="1"), said=said)


def measured(volume: Volume, *, within: Within) -> npt.NDArray[Any]:
    """Return the values that a volume is measured by, one after the other.

    Raises:
        InputError: No body can be found: see body_mask.
    """
    return np.asarray(volume.voxels.reshape(-1) if within == "all" else volume.voxels[body_mask(volume)])


def _spread(volume: Volume, *, low: float, high: float, to: Sequence[float]) -> Restored:
    if len(to) != 2 or to[0] >= to[1]:
        raise RecipeError(f"Values are brought to a range of two ends, the low one first; this is {list(to)}.")
    start, span = float(to[0]), float(to[1]) - float(to[0])
    voxels = volume.voxels.astype(np.float32)
    outside = float(((voxels < low) | (voxels > high)).mean())
    np.clip(voxels, low, high, out=voxels)
    voxels -= np.float32(low)
    voxels *= np.float32(span / (high - low))
    voxels += np.float32(start)
    np.clip(voxels, to[0], to[1], out=voxels)  # float32 may step over the end by one bit
    scale = (high - low) / span
    said = {"low": low, "high": high, "shift": low - start * scale, "scale": scale, "clipped_share": outside}
    return Restored(volume=replace(volume, voxels=voxels, unit="1"), said=said)
