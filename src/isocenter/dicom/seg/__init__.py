"""DICOM segmentation objects: anyone's read, ours written and proved.

The writer, and highdicom with it, is loaded when it is first asked for: reading needs pydicom alone.
"""

from typing import TYPE_CHECKING

from isocenter.dicom.seg.read import read_seg

if TYPE_CHECKING:
    from isocenter.dicom.seg.write import write_seg

__all__ = ["read_seg", "write_seg"]


def __getattr__(name: str) -> object:
    """Return the writer when it is asked for by name.

    Raises:
        AttributeError: The room has no such name.
    """
    if name == "write_seg":
        from isocenter.dicom.seg.write import write_seg  # loaded late: see above

        return write_seg
    raise AttributeError(f"isocenter.dicom.seg has no {name!r}.")
