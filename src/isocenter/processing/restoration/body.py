"""Where the body is: what stands out from air, in one piece, with what it encloses."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk
from scipy.ndimage import binary_dilation, binary_fill_holes, binary_opening, label

from isocenter.errors import InputError
from isocenter.image import Volume
from isocenter.processing.restoration.restored import Restored, require_grey, span_of

Where = npt.NDArray[np.bool_]

_SKIN_HU = -300.0  # half-way from air to skin, and above a foam cushion
_AIR = 0.25  # of the light of tissue: a darker class that is lighter than this is tissue, too
_DARK = 0.35  # the same of dark tissue; the two halves of Rayleigh's noise are as 0.46 to 1
_RIM = 0.25  # of the rim of the slices: air that reaches less of it lies inside of the body
_MOST = 4_000_000  # voxels that a threshold is sought on; more do not move it
_IN_PLANE = np.array([[[0, 1, 0], [1, 1, 1], [0, 1, 0]]], dtype=bool)
_THIN = 2  # voxels: what is thinner than twice that (a couch, a cable, a ghost) ties nothing to the body


def body_mask(volume: Volume) -> Where:
    """Return which voxels (slice, row, column) are of the body.

    In HU what lies over -300; else what lies over Otsu's threshold, sought once more among what is dark, which may be
    tissue. The largest piece counts, without what hangs on it by a thread (the couch), its cavities filled slice by
    slice. A volume without air around the body, such as a crop, is all body.

    Raises:
        InputError: A colour picture, a constant image, or one with nothing that stands out from air.

    Source: Otsu 1979, A threshold selection method from gray-level histograms.
    """
    threshold = air_threshold(volume)
    if threshold is None:
        return np.ones(volume.shape, dtype=bool)
    over = volume.voxels > threshold
    pieces, count = label(binary_opening(over, _IN_PLANE, iterations=_THIN))
    if not count:  # a body of few voxels, as in a thumbnail
        pieces, count = label(over)
    if not count:
        raise InputError(f"No voxel lies over {threshold:g}: there is nothing but air in the volume.")
    largest = pieces == np.bincount(pieces.ravel())[1:].argmax() + 1
    whole = binary_dilation(largest, _IN_PLANE, iterations=_THIN) & over
    return np.stack([binary_fill_holes(plane) for plane in whole])


def air_threshold(volume: Volume) -> float | None:
    """Return the value over which the body begins; None where the volume shows no air around it.

    Raises:
        InputError: A colour picture, or a constant image.
    """
    require_grey(volume, step="body mask")
    low, _ = span_of(volume, step="body mask")
    if volume.unit == "HU":
        return _SKIN_HU if low <= _SKIN_HU else None
    zero = min(low, 0.0)  # what a detector shows of nothing; of values that run below 0 the lowest
    sample = volume.voxels.reshape(-1)[:: max(1, volume.voxels.size // _MOST)].astype(np.float32)
    sample = np.minimum(sample, np.percentile(sample, 99.5))  # a few bright vessels would draw the threshold up
    threshold = _otsu(sample)
    darker = sample[sample <= threshold]
    if darker.min() < darker.max() and _parts(darker, lower := _otsu(darker), zero=zero, share=_DARK):
        threshold = lower  # the darker class holds air and dark tissue
    if not _parts(sample, threshold, zero=zero, share=_AIR):
        return None
    return threshold if _reaches_the_rim(volume.voxels <= threshold) else None


def _otsu(values: npt.NDArray[np.float32]) -> float:
    found = sitk.OtsuThresholdImageFilter()
    found.Execute(sitk.GetImageFromArray(values[None]))
    return float(found.GetThreshold())


def _parts(values: npt.NDArray[np.float32], threshold: float, *, zero: float, share: float) -> bool:
    """Return whether a threshold parts air from tissue, and not one tissue from another."""
    dark, light = values[values <= threshold], values[values > threshold]
    if not dark.size or not light.size:
        return False
    return bool(np.median(dark) - zero <= share * (np.median(light) - zero))


def _reaches_the_rim(air: Where) -> bool:
    rim = np.concatenate([air[:, 0].ravel(), air[:, -1].ravel(), air[:, :, 0].ravel(), air[:, :, -1].ravel()])
    return bool(rim.mean() >= _RIM)


def mask_body(volume: Volume, *, fill: float | None = None) -> Restored:
    """Return a volume with one value everywhere outside of the body.

    Args:
        volume: Of one channel.
        fill: That value; None takes the lowest of the volume.

    Raises:
        InputError: No body can be found: see body_mask.
    """
    body = body_mask(volume)
    outside = volume.voxels.min() if fill is None else np.float32(fill)
    voxels = np.where(body, volume.voxels, outside)
    said = {"body_share": float(body.mean()), "fill": float(outside)}
    return Restored(volume=replace(volume, voxels=voxels), said=said)
