"""DICOM read so that it can be trusted: folders to series with a verdict, series to volumes."""

from isocenter.dicom.scan import scan
from isocenter.dicom.series import Instance, Scan, Series
from isocenter.dicom.volume import load

__all__ = ["Instance", "Scan", "Series", "load", "scan"]
