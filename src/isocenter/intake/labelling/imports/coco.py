"""COCO documents: objects with boxes, polygons or runs of pixels."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from isocenter.errors import FileError, InputError, LayoutError
from isocenter.image import Volume
from isocenter.intake.issue import Issue, issue_of
from isocenter.intake.labelling.imports.drawn import (
    Drawn,
    filled,
    mask_of,
    reading_of,
    require_size,
    schema_of_names,
)
from isocenter.intake.labelling.said import Heard, Said, Wanted, homeless
from isocenter.intake.steady import read_steady

_File = tuple[Path, str, dict[str, Any]]


def read_coco(path: Path, wanted: Wanted) -> Heard:
    """Return the objects in a COCO document, or in a folder of them, one for each reader and named after them.

    Raises:
        InputError: No such document.
    """
    paths = sorted(one for one in path.rglob("*.json") if one.name != "labels.json") if path.is_dir() else [path]
    files = [_opened(one) for one in paths]
    named = {str(one["name"]) for _, _, document in files for one in document["categories"]}
    if not named:
        raise LayoutError(f"{path.name}: its 'categories' name nothing.")
    schema = wanted.schema_with(lambda: schema_of_names(named, name="coco"))
    names = sorted(named)
    said = (one for file in files for one in _said(file, names, wanted, is_many=len(files) > 1, schema=schema))
    return Heard(form="coco", schema=schema, said=said)


def _opened(path: Path) -> _File:
    content, digest = read_steady(path, name=path.name)
    try:
        document = json.loads(content)
        missing = [key for key in ("images", "annotations", "categories") if not isinstance(document.get(key), list)]
    except (ValueError, AttributeError) as error:
        raise FileError(f"{path.name} is no COCO document ({error}).") from error
    if missing:
        raise LayoutError(f"{path.name} is no COCO document: it has no list {missing[0]!r}.")
    return path, digest, document


def _said(file: _File, names: list[str], wanted: Wanted, *, is_many: bool, schema: Any) -> Iterator[Said | Issue]:
    path, digest, document = file
    called = {one["id"]: str(one["name"]) for one in document["categories"]}
    by_image: dict[Any, list[Mapping[str, Any]]] = defaultdict(list)
    for one in document["annotations"]:
        by_image[one["image_id"]].append(one)
    for image in document["images"]:
        where = str(image.get("file_name", image["id"]))
        entry = wanted.case_of(where)
        if entry is None:
            yield homeless(f"{path.name}: {where}")
            continue
        try:
            volume = wanted.image(entry)
            is_sized = "height" in image and "width" in image
            require_size(volume, (int(image["height"]), int(image["width"])) if is_sized else None)
            drawn = [_drawn(one, called, volume) for one in by_image[image["id"]]]
            reader = wanted.named(path.stem if is_many else "")
            reading, flat = reading_of(drawn, schema, entry, reader=reader)
            mask, hidden = mask_of(drawn, names, volume)
        except InputError as error:
            yield issue_of(error, where=f"{path.name}: {where}")
            continue
        yield from flat + hidden
        yield Said(case=entry.id, reading=reading, mask=mask, files={path.name: digest})


def _drawn(told: Mapping[str, Any], called: Mapping[Any, str], volume: Volume) -> Drawn:
    try:
        x, y, width, height = map(float, told["bbox"])
        name = called[told["category_id"]]
        inside = _inside(told.get("segmentation"), (volume.shape[1], volume.shape[2]))
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise FileError(
            f"Annotation {told.get('id', '?')} has no bbox of four numbers and a known category."
        ) from error
    return Drawn(name=name, box=(y, x, y + height, x + width), inside=inside)


def _inside(told: Any, shape: tuple[int, int]) -> npt.NDArray[np.bool_] | None:
    """Return where an object lies; None where nothing but its box is known."""
    if not told:
        return None
    if isinstance(told, list):
        return filled(told, shape)
    counts, size = told["counts"], tuple(told["size"])
    if isinstance(counts, str):
        raise FileError("Its runs are compressed. Write them as numbers, or as polygons.")
    if size != shape or sum(counts) != shape[0] * shape[1]:
        raise FileError(f"Its runs are of a picture of {size}, and this one has {shape}.")
    runs = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    return runs.reshape(shape[::-1]).T  # runs go down the columns
