"""What of a head is face: everything in front of its cranium and below it, and nothing of the cranium's inside."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isocenter.image import Volume
from isocenter.processing.faces.head import Head, find_head

_SHELL_MM = 10.0  # skin and bone: brain lies no nearer to the surface of the vault
_MARGIN_MM = 3.0  # beyond where brain may lie
_UP, _DOWN, _ASIDE = (np.tan(np.radians(degrees)) for degrees in (15, 65, 60))  # seen from the vault's centre


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceRegion:
    """The space in front of an ellipsoid and below it, as far down as the chin and as far aside as the cheekbones.

    Args:
        head: That it was found on; brain lies inside of its ellipsoid with skin and bone taken off.
    """

    head: Head

    def covers(self, points: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Return which points (..., 3) in LPS mm lie in it."""
        left, back, up = np.moveaxis(np.asarray(points, dtype=np.float64) - self.head.centre, -1, 0)
        front = np.maximum(-back, 0.0)
        sector = (up <= front * _UP) & (-up <= front * _DOWN) & (np.abs(left) <= front * _ASIDE) & (front > 0)
        return np.asarray(sector & self._is_beyond(left, back, up, by_mm=_MARGIN_MM))

    def holds_brain(self, points: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Return at which points (..., 3) in LPS mm brain may lie."""
        left, back, up = np.moveaxis(np.asarray(points, dtype=np.float64) - self.head.centre, -1, 0)
        return ~self._is_beyond(left, back, up, by_mm=0.0)

    def _is_beyond(
        self,
        left: npt.NDArray[np.float64],
        back: npt.NDArray[np.float64],
        up: npt.NDArray[np.float64],
        *,
        by_mm: float,
    ) -> npt.NDArray[np.bool_]:
        long, wide, tall = (half - _SHELL_MM + by_mm for half in self.head.half_mm)
        return np.asarray((left / wide) ** 2 + (back / long) ** 2 + (up / tall) ** 2 > 1.0)


def find_face(volume: Volume) -> FaceRegion:
    """Return where the face is in a scan of a head.

    No brain is sought, only the head's surface: the vault gives an ellipsoid, in any contrast and with whatever disease
    inside.

    Args:
        volume: CT in HU or MR, one channel.

    Raises:
        InputError: No head is found in it, or its top is cut off.
    """
    return FaceRegion(head=find_head(volume))
