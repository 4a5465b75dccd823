"""DICOM segmentation objects: ours written and proved, anyone's read."""

from isocenter.dicom.seg.read import read_seg
from isocenter.dicom.seg.write import write_seg

__all__ = ["read_seg", "write_seg"]
