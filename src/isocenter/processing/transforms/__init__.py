"""Augmentation: draw what changes, then change it; one interpolation for the whole spatial chain."""

from isocenter.processing.transforms.draw import Drawn, draw
from isocenter.processing.transforms.intensity import altered
from isocenter.processing.transforms.spatial import flipped, moved
from isocenter.processing.transforms.vary import vary

__all__ = ["Drawn", "altered", "draw", "flipped", "moved", "vary"]
