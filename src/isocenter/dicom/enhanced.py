"""Multi-frame objects: each frame's place and meaning from its functional groups (PS3.3 C.7.6.16)."""

from isocenter.dicom.frame import Frame
from isocenter.dicom.header import Header


def enhanced_frames(header: Header) -> tuple[Frame, ...]:
    """Return the frames of an enhanced object.

    Raises:
        FileError: Its functional groups cannot be read.
    """
    return ()


def unplaced_frames(plain: Frame, *, count: int) -> tuple[Frame, ...]:
    """Return the frames of a classic multi-frame object, such as an ultrasound loop, in their order."""
    return ()
