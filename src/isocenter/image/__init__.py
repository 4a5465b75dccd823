"""Volumes, masks and the grids they lie on: frozen values in LPS millimetres."""

from isocenter.image.affine import Affine
from isocenter.image.mask import Code, Label, LabelTable, Mask, Region
from isocenter.image.nifti import nifti_shape, read_nifti, read_nifti_channels, read_nifti_mask, write_nifti
from isocenter.image.resample import resample_mask, resample_volume, spaced
from isocenter.image.volume import Volume

__all__ = [
    "Affine", "Code", "Label", "LabelTable", "Mask", "Region", "Volume",
    "nifti_shape", "read_nifti", "read_nifti_channels", "read_nifti_mask", "resample_mask", "resample_volume", "spaced",
    "write_nifti",
]  # fmt: skip
