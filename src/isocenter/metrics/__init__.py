"""How well an answer agrees with the reference, and how sure that figure is."""

from isocenter.metrics.interval import bootstrap
from isocenter.metrics.overlap import dice, volume_error
from isocenter.metrics.surface import Distances, hd95, nsd, surface_distances

__all__ = ["Distances", "bootstrap", "dice", "hd95", "nsd", "surface_distances", "volume_error"]
