"""A folder of pictures without a table: a subfolder for each class, or label images beside the pictures."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from isocenter.case import UNSIGNED, Fact, Side
from isocenter.image.raster import is_raster
from isocenter.intake.layouts.folder import name_in
from isocenter.intake.layouts.pictures.places import MASK_FOLDERS, Place, Places
from isocenter.intake.layouts.pictures.rows import Row, safe_ids
from isocenter.intake.sides import side_of

LABEL = "label"
_IMAGE_FOLDERS = frozenset({
    "image", "images", "img", "imgs", "picture", "pictures", "jpegimages",
})  # fmt: skip
_NOTES = frozenset({"", ".txt", ".md", ".rst", ".csv", ".tsv", ".json", ".pdf", ".db", ".html", ".xml", ".xlsx"})
_MASK_STEM = re.compile(r"(?P<of>.+?)[ _-](?:mask|seg|segmentation|label)(?:[ _-]?[0-9]+)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Picture:
    """A file by what the folders above it say."""

    path: Path
    name: str
    folders: tuple[str, ...]
    side: Side | None
    is_mask: bool

    @property
    def key(self) -> tuple[Side | None, tuple[str, ...], str]:
        """What a picture and its label image have in common."""
        return self.side, self.folders, self.path.stem


def rows_without_table(places: Places) -> list[Row]:
    """Return a row for each picture of a folder that is nothing but pictures in class folders, or with label images.

    Folders called train, validation or test are sides; images and masks part pictures from label images, as does a
    name such as a_mask.png beside a.png. The first folder that is left is the class; one inside it is a patient.
    """
    if any(not is_raster(path) and path.suffix.lower() not in _NOTES for path in places.files):
        return []
    pictures, masks = _parted([_picture(path, places.folder) for path in places.files if is_raster(path)])
    shared = _shared([picture.folders for picture in pictures])
    classes = {picture.folders[shared] for picture in pictures if len(picture.folders) > shared}
    if len(classes) < 2 and not masks:
        return []
    ids = safe_ids([re.sub(r"\.[^.]+$", "", picture.name) for picture in pictures])
    return [
        Row(
            id=id_, where=picture.name, side=picture.side, patient=_patient(picture, shared),
            volumes={"image": Place(path=picture.path)},
            masks={UNSIGNED: tuple(masks[picture.key])} if picture.key in masks else {},
            facts=_facts(picture.folders[shared:], has_classes=len(classes) > 1),
        )
        for id_, picture in zip(ids, pictures, strict=True)
    ]  # fmt: skip


def _picture(path: Path, folder: Path) -> _Picture:
    name = name_in(path, folder)
    above = name.split("/")[:-1]
    side = next((side for part in above if (side := side_of(part)) is not None), None)
    left = tuple(
        part for part in above
        if side_of(part) is None and part.lower() not in _IMAGE_FOLDERS and part.lower() not in MASK_FOLDERS
    )  # fmt: skip
    is_mask = any(part.lower() in MASK_FOLDERS for part in above)
    return _Picture(path=path, name=name, folders=left, side=side, is_mask=is_mask)


_Key = tuple[Side | None, tuple[str, ...], str]


def _parted(found: Sequence[_Picture]) -> tuple[list[_Picture], Mapping[_Key, list[Place]]]:
    """Return pictures, and the label images of each by its key."""
    keys = {picture.key for picture in found if not picture.is_mask}
    pictures: list[_Picture] = []
    masks: dict[_Key, list[Place]] = defaultdict(list)
    for picture in found:
        parts = _MASK_STEM.fullmatch(picture.path.stem)
        beside = (picture.side, picture.folders, parts["of"]) if parts else None
        if picture.is_mask and picture.key in keys:
            masks[picture.key].append(Place(path=picture.path))
        elif beside in keys and beside is not None:
            masks[beside].append(Place(path=picture.path))
        else:
            pictures.append(picture)
    return pictures, dict(masks)


def _shared(folders: Sequence[tuple[str, ...]]) -> int:
    """Return how many folders all pictures have above them in common."""
    count = 0
    while folders and all(len(one) > count and one[count] == folders[0][count] for one in folders):
        count += 1
    return count


def _patient(picture: _Picture, shared: int) -> str:
    return "/".join(picture.folders[shared:]) if len(picture.folders) > shared + 1 else ""


def _facts(folders: Iterable[str], *, has_classes: bool) -> dict[str, Fact]:
    return {LABEL: Fact(value=next(iter(folders), None))} if has_classes else {}
