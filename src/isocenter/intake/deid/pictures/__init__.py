"""Pictures and NIfTI files without what stands beside their pixels: texts, dates, cameras, places, thumbnails.

Every pixel stays as it is encoded; what is not known to be needed to show them is left away.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from isocenter.plugins import find

STRIPPERS: Mapping[str, str] = {
    "png": "isocenter.intake.deid.pictures.png:strip",
    "jpeg": "isocenter.intake.deid.pictures.jpeg:strip",
    "tiff": "isocenter.intake.deid.pictures.tiff:strip",
    "nifti": "isocenter.intake.deid.pictures.nifti:strip",
}


@dataclass(frozen=True, slots=True)
class Bare:
    """A file without what stood beside its pixels.

    Args:
        content: The file's bytes.
        removed: What was left away, by the names that its format gives it; never its content.
    """

    content: bytes
    removed: tuple[str, ...]


def strip(content: bytes, kind: str) -> Bare:
    """Return a file of one kind ("png", "jpeg", "tiff", "nifti") without what stood beside its pixels.

    Raises:
        FileError: It is damaged, or of a form that is not understood.
    """
    stripper: Callable[[bytes], Bare] = find(kind, table=STRIPPERS, group="isocenter.strippers")  # type: ignore[assignment]
    return stripper(content)
