"""How values become greys: a window by modality, as a reading room would set it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from isocenter.image import Mask, Volume
from isocenter.image.volume import Voxels
from isocenter.result.report import Remark

# Centre and width in HU, by the lower bound of the median of what was found; usual settings of reading rooms.
_WINDOWS_HU = ((-np.inf, "lung", -600, 1500), (-350, "soft", 40, 400), (250, "bone", 400, 1800))
_NEAR_MM = 25.0
_SUV_HIGH = 7.0  # the usual upper end of oncological PET


@dataclass(frozen=True, slots=True, kw_only=True)
class Greys:
    """Values at or below `low` are black, at or above `high` white; the other way round where `is_inverted`."""

    low: float
    high: float
    remark: Remark
    is_inverted: bool = False

    def of(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
        """Return greys 0..255 of the same shape."""
        share = np.clip((values - self.low) / max(self.high - self.low, 1e-6), 0.0, 1.0)
        return np.asarray(np.rint(255 * (1 - share if self.is_inverted else share)), dtype=np.uint8)


def choose_greys(volume: Volume, mask: Mask) -> Greys:
    """Return the window that shows what was found.

    HU: lung, soft tissue or bone, by the median inside the outlines. SUV: 0 to 7, inverted. Else: from the 0.5th to
    the 99.5th percentile of the values round what was found, or of all where nothing was. Colour: as stored.
    """
    if volume.channels == 3:
        high = 1.0 if volume.voxels.dtype.kind == "f" and volume.voxels.max() <= 1 else 255.0
        return Greys(low=0.0, high=high, remark=Remark(key="shading.colour"))
    if volume.unit == "HU":
        return _of_hounsfield(volume, mask)
    if volume.unit == "SUV":
        remark = Remark(key="shading.suv", values={"high": f"{_SUV_HIGH:g}"})
        return Greys(low=0.0, high=_SUV_HIGH, remark=remark, is_inverted=True)
    low, high = _percentiles(_near(volume, mask))
    key = "shading.percentiles_near" if mask.present else "shading.percentiles"
    return Greys(low=low, high=high, remark=Remark(key=key))


def _of_hounsfield(volume: Volume, mask: Mask) -> Greys:
    inside = volume.voxels[mask.labels > 0]
    median = float(np.median(inside)) if inside.size else 0.0
    name, centre, width = [row[1:] for row in _WINDOWS_HU if median >= row[0]][-1]
    remark = Remark(key=f"shading.{name}", values={"centre": centre, "width": width})
    return Greys(low=centre - width / 2, high=centre + width / 2, remark=remark)


def _near(volume: Volume, mask: Mask) -> Voxels:
    """Return the values in a box round everything found: fat under the skin must not darken what is looked at."""
    boxes = ndimage.find_objects((mask.labels > 0).view(np.uint8))
    if not boxes:
        return volume.voxels
    spacing = volume.affine.spacing
    margins = [round(_NEAR_MM / step) for step in spacing]
    near = tuple(
        slice(max(0, part.start - margin), part.stop + margin) for part, margin in zip(boxes[0], margins, strict=True)
    )
    return volume.voxels[near]


def _percentiles(values: Voxels) -> tuple[float, float]:
    """Return the 0.5th and the 99.5th percentile of the values that are not the lowest one (air, padding)."""
    few = values.reshape(-1)[:: max(1, values.size // 2_000_000)]
    lowest = few.min()
    body = few[few > lowest]
    low, high = np.percentile(body if body.size else few, (0.5, 99.5))
    return (float(low), float(high)) if high > low else (float(lowest), float(lowest) + 1.0)
