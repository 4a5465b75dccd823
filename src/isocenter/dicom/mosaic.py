"""Siemens mosaics: one picture that holds a whole volume as tiles."""

from isocenter.dicom.frame import Frame
from isocenter.dicom.header import Header


def mosaic_frames(header: Header) -> tuple[Frame, ...]:
    """Return the tiles as pictures with their place."""
    return ()
