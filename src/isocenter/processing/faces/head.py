"""The head in a scan: what is tissue, where its top is, and the ellipsoid that its vault belongs to."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_fill_holes, binary_opening, gaussian_filter, label

from isocenter.errors import InputError
from isocenter.image import Volume
from isocenter.image.resample import resample_volume, spaced

STEP_MM = 2.0
_SKIN_HU = -300.0  # half-way from air to skin, and above a foam cushion
_SKIN_SHARE = 0.12  # of an MR's light values: above noise and ghosts, below skin and marrow
_SMALLEST_MM2 = 500.0  # of the top slice of a head
_MOST_CUT = 0.75  # of the largest slice that the top one may be: the scan begins half-way up the vault, or higher
_SQUAT = 0.95  # height of the vault above its longest line, by half that line's length
_ABOVE = 0.15  # of half the length, above the centre: down to there the vault is measured; brow and nose lie lower
_ROUNDS = 5  # how deep is measured depends on what is found; five settle it
_LEAST_MM, _MOST_MM = 55.0, 115.0  # of half the length of a head: a newborn's, and more than any adult's
_WIDEST = 0.95  # width by length; above it is shoulders, or no head


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A head in a scan.

    Args:
        centre: Of the vault's ellipsoid, LPS mm.
        half_mm: Half its length from brow to back, half its width, half its height.
    """

    centre: tuple[float, float, float]
    half_mm: tuple[float, float, float]


def find_head(volume: Volume) -> Head:
    """Return the head in a scan that shows its top.

    Args:
        volume: CT in HU or MR, one channel, the patient's long axis within some 25 degrees of the scanner's.

    Raises:
        InputError: No head is found, or its top is cut off.
    """
    upright = volume.oriented("SPL")
    affine, shape = spaced(upright.affine, shape=upright.shape, spacing_mm=(STEP_MM,) * 3)
    tissue = tissue_in(resample_volume(upright, affine=affine, shape=shape))
    top = _top(tissue)
    above, half = 90.0, 95.0  # mm from the centre up to the top slice, and half the length: an adult's, to begin with
    for _ in range(_ROUNDS):
        vault = tissue[max(0, top - int(max(above - _ABOVE * half, STEP_MM) / STEP_MM)) : top + 1]
        low, high = _box(vault)
        half = (high[1] - low[1]) * STEP_MM / 2 / float(np.sqrt(1 - (_ABOVE / _SQUAT) ** 2))
        areas = vault.sum(axis=(1, 2))
        cut = float(areas[-1] / areas.max())  # of an ellipsoid cut so far above its centre
        above = _SQUAT * half * float(np.sqrt(1 - min(cut, 1.0)))
    wide, tall = (high[2] - low[2]) * STEP_MM / 2, _SQUAT * half
    if cut > _MOST_CUT:
        raise InputError("The top of the head is not in the volume, so that nobody can say where its face begins.")
    if not _LEAST_MM <= half <= _MOST_MM or wide > _WIDEST * half:
        raise InputError(f"What is found in the place of a head measures {2 * half:.0f} by {2 * wide:.0f} mm.")
    middle = affine.to_world([top - above / STEP_MM, (low[1] + high[1]) / 2, (low[2] + high[2]) / 2])
    return Head(
        centre=(float(middle[0]), float(middle[1]), float(middle[2])), half_mm=(float(half), float(wide), float(tall))
    )


def tissue_in(volume: Volume) -> npt.NDArray[np.bool_]:
    """Return which voxels are of the head: one piece, without the couch, its cavities filled slice by slice.

    Raises:
        InputError: Nothing is left.
    """
    smooth = gaussian_filter(volume.voxels.astype(np.float32), 0.7)
    if volume.modality == "CT":
        over = smooth > _SKIN_HU
    else:
        light = smooth - float(np.percentile(smooth, 2))
        over = light > _SKIN_SHARE * float(np.percentile(light, 99))
    pieces, count = label(binary_opening(over, iterations=2))
    if not count:
        raise InputError("There is no head in the volume: nothing in it stands out from air.")
    largest = pieces == np.bincount(pieces.ravel())[1:].argmax() + 1
    return np.stack([binary_fill_holes(plane) for plane in largest])


def _top(tissue: npt.NDArray[np.bool_]) -> int:
    """Return the topmost slice of the head."""
    shown = np.flatnonzero(tissue.sum(axis=(1, 2)) * STEP_MM**2 > _SMALLEST_MM2)
    if not len(shown):
        raise InputError("There is no head in the volume: no slice shows 5 cm² of tissue.")
    return int(shown[-1])


def _box(tissue: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the outer faces of the box around tissue, in voxels of its grid."""
    places = np.argwhere(tissue)
    return places.min(axis=0) - 0.5, places.max(axis=0) + 0.5
