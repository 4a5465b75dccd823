"""Where known devices write names into their images, whatever a reader of text finds there.

devices.csv has a line for each place: modality, a part of the maker's and the model's name, columns and rows, a word of
the image type, series or study description ("BURNED IN" where the header says that), and boxes as "left top width
height". Empty fields hold for all.

Source: the places are those of the burned-in annotation library of RSNA's CTP (DicomPixelAnonymizer), restated; who has
such a device looks whether they fit its software.
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from isocenter.dicom.elements.file import DicomFile
from isocenter.dicom.files import tags
from isocenter.intake.deid.pixels.blank import Box

_BURNED_IN, _STUDY_DESCRIPTION = 0x00280301, 0x00081030
_SAID = (tags.IMAGE_TYPE, tags.SERIES_DESCRIPTION, _STUDY_DESCRIPTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place where a device writes; an empty or None field holds for all."""

    modality: str
    manufacturer: str
    model: str
    columns: int | None
    rows: int | None
    says: str
    boxes: tuple[Box, ...]

    def holds_for(self, file: DicomFile, *, shape: tuple[int, int]) -> bool:
        """Return whether a file of (rows, columns) is of such a device."""
        sizes = zip((self.rows, self.columns), shape, strict=True)
        return (
            self.modality in ("", file.text(tags.MODALITY))
            and self.manufacturer.lower() in file.text(tags.MANUFACTURER).lower()
            and self.model.lower() in file.text(tags.MODEL).lower()
            and all(wanted in (None, found) for wanted, found in sizes)
            and self._is_said(file)
        )

    def _is_said(self, file: DicomFile) -> bool:
        if self.says == "BURNED IN":
            return file.text(_BURNED_IN).upper() == "YES"
        return any(self.says.lower() in file.text(tag).lower() for tag in _SAID)


def device_boxes(file: DicomFile, *, shape: tuple[int, int]) -> tuple[Box, ...]:
    """Return where the device that made a file is known to write.

    Args:
        file: As it came: cleaned headers no longer say what made it.
        shape: (rows, columns) of a frame.
    """
    boxes = (box for place in places() if place.holds_for(file, shape=shape) for box in place.boxes)
    return tuple(dict.fromkeys(boxes))


@cache
def places() -> tuple[Place, ...]:
    """Return the table."""
    text = files("isocenter.intake.deid.pixels").joinpath("devices.csv").read_text(encoding="utf-8")
    return tuple(
        Place(
            modality=row["modality"], manufacturer=row["manufacturer"], model=row["model"],
            columns=_size(row["columns"]), rows=_size(row["rows"]), says=row["says"],
            boxes=tuple(_box(one) for one in row["boxes"].split(";")),
        )
        for row in csv.DictReader(text.splitlines())
    )  # fmt: skip


def _size(text: str) -> int | None:
    return int(text) if text else None


def _box(text: str) -> Box:
    left, top, width, height = map(int, text.split())
    return top, left, top + height, left + width
