"""Images prepared: noise, shading, contrast, intensity, body, grid; each step says what it changed, and is replayed."""

from isocenter.processing.restoration.chain import Chain, Restoration, Step
from isocenter.processing.restoration.restored import Restored
from isocenter.processing.restoration.steps import FITS, STEPS, find_fit, find_step

__all__ = ["FITS", "STEPS", "Chain", "Restoration", "Restored", "Step", "find_fit", "find_step"]
