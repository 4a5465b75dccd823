"""A body of known volume, asymmetric along every axis, and its DICOM series."""

from isocenter.testing.phantom.body import Body, Ellipsoid
from isocenter.testing.phantom.enhanced import write_enhanced
from isocenter.testing.phantom.grids import AXIS_ORIENTATIONS, axis_grid, centred_grid, oblique_directions, tilted
from isocenter.testing.phantom.head import head
from isocenter.testing.phantom.header import Header
from isocenter.testing.phantom.series import write_series

__all__ = [
    "AXIS_ORIENTATIONS", "Body", "Ellipsoid", "Header",
    "axis_grid", "centred_grid", "head", "oblique_directions", "tilted", "write_enhanced", "write_series",
]  # fmt: skip
