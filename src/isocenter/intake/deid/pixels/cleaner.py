"""Everything written in a file's pixels, found and blanked."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from isocenter.dicom.elements.element import Element, in_order
from isocenter.dicom.elements.file import DicomFile
from isocenter.dicom.files import tags
from isocenter.intake.deid.identity import Identity
from isocenter.intake.deid.pixels.blank import Box, blanked
from isocenter.intake.deid.pixels.devices import device_boxes
from isocenter.intake.deid.pixels.look import Seen, look
from isocenter.intake.deid.pixels.stored import Frame, frame_count, shown
from isocenter.processing.text.line import Reader

_BURNED_IN = 0x00280301
_SINGLY = 4  # frames up to which each is read by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A file whose pixels were looked at.

    Args:
        file: With its lines blanked.
        frames: How many it has.
        boxes: Blanked in every frame.
        seen: What was read, picture by picture that was looked at; it may name somebody.
    """

    file: DicomFile
    frames: int
    boxes: tuple[Box, ...]
    seen: tuple[Seen, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaner:
    """How pixels are cleaned.

    Args:
        reader: Of processing.text.READERS.
        keeps_scales: Lines that say nothing but scales, technique and anatomy stay.
    """

    reader: Reader
    keeps_scales: bool = False

    def clean(self, file: DicomFile, *, was: DicomFile, identity: Identity) -> Looked:
        """Return a file with what is written in its pixels blanked, and (0028,0301) saying so.

        Blank becomes what is read, and where the device that made it is known to write. A line found in one picture is
        blanked in all frames. Of few frames each is read; of many, what their lightest and darkest values show
        together, and the first, middle and last by themselves.

        Args:
            file: With its header cleaned.
            was: As it came: which device made it.
            identity: Whom the header named.

        Raises:
            FileError: The pixels cannot be decoded, or not written again without loss.
            ProofError: A pixel outside of the boxes would differ.
        """
        count = frame_count(file)
        seen = tuple(
            look(picture, reader=self.reader, identity=identity, keeps_scales=self.keeps_scales)
            for picture in pictures_of(file, count)
        )
        written = device_boxes(was, shape=(file.integer(tags.ROWS), file.integer(tags.COLUMNS)))
        boxes = tuple(dict.fromkeys((*(box for one in seen for box in one.boxes()), *written)))
        clean = blanked(file, dict.fromkeys(range(count), boxes)) if boxes else file
        return Looked(file=_said(clean), frames=count, boxes=boxes, seen=seen)


def pictures_of(file: DicomFile, count: int) -> Iterator[Frame]:
    """Yield the pictures that show everything written in a file's frames.

    Raises:
        FileError: The pixels cannot be decoded.
    """
    frames = shown(file)
    if count <= _SINGLY:
        yield from frames
        return
    lightest: Frame | None = None
    darkest: Frame | None = None
    for place, frame in enumerate(frames):
        lightest = frame.copy() if lightest is None else np.maximum(lightest, frame)
        darkest = frame.copy() if darkest is None else np.minimum(darkest, frame)
        if place in (0, count // 2, count - 1):
            yield frame
    if lightest is not None and darkest is not None:
        yield lightest
        yield darkest


def has_pixels(file: DicomFile) -> bool:
    """Return whether a file has pixels to look at; in those of a segmentation, one bit each, nothing is written."""
    return file.holds_pixels and file.integer(tags.BITS_ALLOCATED, 1) not in (1, 1 << 8)  # 1 in either order of bytes


def _said(file: DicomFile) -> DicomFile:
    return replace(file, elements=in_order([*file.elements, Element(_BURNED_IN, "CS", b"NO")]))
