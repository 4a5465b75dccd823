"""One volume laid on another: rigid, affine or bent, within and between modalities, and a gate that says it failed."""

from isocenter.processing.registration.gate import LIMITS, Figure
from isocenter.processing.registration.lay import lay, write_itk
from isocenter.processing.registration.register import KINDS, Kind, Registration, register
from isocenter.processing.registration.search import Reach
from isocenter.processing.registration.transform import Transform

__all__ = ["KINDS", "LIMITS", "Figure", "Kind", "Reach", "Registration", "Transform", "lay", "register", "write_itk"]
