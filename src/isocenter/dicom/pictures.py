"""A file's header to the pictures that the file holds."""

from isocenter.dicom.files import tags
from isocenter.dicom.files.header import Header
from isocenter.dicom.frames.enhanced import enhanced_frames, unplaced_frames
from isocenter.dicom.frames.frame import Frame, plain_frame
from isocenter.dicom.frames.mosaic import mosaic_frames
from isocenter.dicom.verdict.kinds import NOT_PICTURES


def frames_of(header: Header) -> tuple[Frame, ...]:
    """Return every picture of a file, in the file's order; none where it holds no pixels.

    Raises:
        FileError: A multi-frame file whose functional groups cannot be read.
    """
    if header.text(tags.SOP_CLASS) in NOT_PICTURES or header.integer(tags.ROWS) * header.integer(tags.COLUMNS) == 0:
        return ()
    if tags.SHARED_GROUPS in header.values:
        return enhanced_frames(header)
    if "MOSAIC" in header.texts(tags.IMAGE_TYPE) and "SIEMENS" in header.text(tags.MANUFACTURER).upper():
        return mosaic_frames(header)
    plain = plain_frame(header)
    count = int(header.number(tags.FRAMES, 1))
    if count <= 1:
        return (plain,)
    return unplaced_frames(plain, count=count)
