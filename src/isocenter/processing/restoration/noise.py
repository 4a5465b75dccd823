"""How much noise a volume has, told from the volume alone."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from isocenter.errors import InputError
from isocenter.image import Volume
from isocenter.processing.restoration.body import air_threshold, body_mask
from isocenter.processing.restoration.restored import require_grey

Floats = npt.NDArray[np.float32]
Method = Literal["auto", "wavelet", "immerkaer", "background"]

_SLICES = 32  # that noise is told from, evenly taken
_EDGE = 2.5  # sigma: a place whose rows or columns differ by more lies on an edge
_ROUNDS = 4  # of leaving edges out; the figure stands after three
_ENOUGH = 500  # places; fewer give a figure that is off by more than 5 %
_MAD_OF_ONE = 0.6744898  # median absolute deviation of a normal distribution whose standard deviation is 1
_RAYLEIGH = 1.9131  # mean over standard deviation of Rayleigh's distribution
_NEAR_RAYLEIGH = 0.1  # share by which air may differ from it: filtered, masked or many-coil air differs by more


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """The standard deviation of noise, and how it was told.

    Args:
        sigma: In the volume's unit.
        method: The name of the method, "auto" resolved.
    """

    sigma: float
    method: str


def estimate_noise(volume: Volume, *, method: Method = "auto") -> Noise:
    """Return how much noise a volume has, within its slices, so that thick slices do not matter.

    Noise that neighbouring voxels share (interpolated, compressed or smoothed images) is told too small; a fine texture
    of the tissue is told as noise.

    Args:
        volume: Of one channel, at least 3 rows and columns.
        method: "wavelet" takes the median of the finest diagonal Haar details, in tissue where there is air.
            "immerkaer" takes the mean of a Laplacian's differences, which edges raise. "background" takes the air of a
            magnitude MR. "auto" takes the background where it is Rayleigh's, else the wavelet.

    Raises:
        InputError: Colour, fewer than 3 rows or columns, or "background" where air is not as a magnitude MR has it.

    Source: Donoho and Johnstone 1994 (wavelet), Immerkær 1996, Fast noise variance estimation; Henkelman 1985 and
        Gudbjartsson and Patz 1995 (background).
    """
    require_grey(volume, step="noise")
    if min(volume.shape[1:]) < 3:
        raise InputError(f"Slices of {volume.shape[1]} by {volume.shape[2]} pixels are too small to tell their noise.")
    if volume.voxels.min() == volume.voxels.max():
        return Noise(sigma=0.0, method="constant")
    if method in ("auto", "background"):
        sigma = _of_air(volume)
        if sigma is not None:
            return Noise(sigma=sigma, method="background")
        if method == "background":
            raise InputError("The air of this volume is not that of a magnitude MR: tell its noise by the wavelet.")
    if method == "immerkaer":
        return Noise(sigma=_laplacian(volume), method="immerkaer")
    return Noise(sigma=_haar(volume), method="wavelet")


def _shown(volume: Volume) -> Floats:
    chosen = np.unique(np.linspace(0, volume.shape[0] - 1, _SLICES).round().astype(int))
    return np.asarray(volume.voxels[chosen], dtype=np.float32)


def _haar(volume: Volume) -> float:
    """Return the noise of diagonal details.

    Of noise the three details of a place are independent, so places may be chosen by two of them and told by the third.
    """
    planes = _shown(volume)
    a, b, c, d = planes[:, :-1, :-1], planes[:, :-1, 1:], planes[:, 1:, :-1], planes[:, 1:, 1:]
    chosen = _measured(volume, mean=np.asarray((a + b + c + d) / 4, dtype=np.float32))
    edge = np.maximum(np.abs(a - b + c - d), np.abs(a + b - c - d))[chosen] / 2
    details = np.abs(a - b - c + d)[chosen] / 2
    sigma = _median(details) / _MAD_OF_ONE
    for _ in range(_ROUNDS):
        flat = details[edge <= _EDGE * sigma]
        if len(flat) < _ENOUGH:
            break
        sigma = _median(flat) / _MAD_OF_ONE
    return sigma


def _laplacian(volume: Volume) -> float:
    planes = _shown(volume)
    rows = planes[:, :-2] - 2 * planes[:, 1:-1] + planes[:, 2:]
    details = np.abs(rows[..., :-2] - 2 * rows[..., 1:-1] + rows[..., 2:])
    chosen = _measured(volume, mean=planes[:, 1:-1, 1:-1])
    return float(details[chosen].mean(dtype=np.float64) * np.sqrt(np.pi / 2) / 6)


def _measured(volume: Volume, *, mean: Floats) -> npt.NDArray[np.bool_]:
    """Return which places to go by: tissue where there is air; never padding or saturation, which have no noise."""
    low, high = float(volume.voxels.min()), float(volume.voxels.max())
    live = (mean > low) & (mean < high)
    threshold = air_threshold(volume)
    tissue = live & (mean > threshold) if threshold is not None else live
    if int(tissue.sum()) >= _ENOUGH:
        return tissue
    return live if int(live.sum()) >= _ENOUGH else np.ones_like(live)


def _median(values: Floats) -> float:
    """Return the median; among whole numbers, where many are equal, the place between the steps where it falls."""
    middle = np.median(values)
    if middle == 0:
        return 0.0
    below, above = values[values < middle], values[values > middle]
    low = (middle + below.max()) / 2 if below.size else middle / 2
    high = (middle + above.min()) / 2 if above.size else middle
    equal = values.size - below.size - above.size
    return float(low + (high - low) * (values.size / 2 - below.size) / equal) if equal else float(middle)


def _of_air(volume: Volume) -> float | None:
    """Return the noise that the air of a magnitude MR bears witness to; None where it is not Rayleigh's."""
    if volume.modality != "MR" or volume.voxels.min() < 0:
        return None
    part = replace(volume, voxels=_shown(volume), is_planar=False)
    if part.voxels.min() == part.voxels.max() or air_threshold(part) is None:
        return None
    air = part.voxels[~body_mask(part)].astype(np.float64)
    if air.size < _ENOUGH or air.std() == 0:
        return None
    if abs(air.mean() / air.std() / _RAYLEIGH - 1) > _NEAR_RAYLEIGH:
        return None
    return float(np.sqrt((air**2).mean() / 2))
