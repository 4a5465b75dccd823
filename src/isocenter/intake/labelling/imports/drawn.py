"""Boxes and polygons of objects in pictures, as readings and outlines; what COCO and VOC have in common."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isocenter.case import Asked, Entry, Observation, Reading, Schema
from isocenter.dicom.structures.contours import fill_contours
from isocenter.errors import GridError, InputError
from isocenter.image import LabelTable, Mask, Volume
from isocenter.intake.issue import Issue


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """One object in a picture.

    Args:
        name: What it is.
        box: (low row, low column, high row, high column) in pixels, pixel i reaching from i to i + 1.
        inside: Where it lies, bool (row, column); None where only its box is known.
    """

    name: str
    box: tuple[float, float, float, float]
    inside: npt.NDArray[np.bool_] | None = None


def schema_of_names(names: Iterable[str], *, name: str) -> Schema:
    """Return the schema of objects that are drawn and called something, several of a kind."""
    return Schema(
        name=name, findings=tuple(Asked(name=one, several=True) for one in sorted(set(names))), is_stated=False
    )


def filled(polygons: Sequence[Sequence[float]], shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Return where polygons (x, y, x, y, …) lie, bool (row, column), by the even-odd rule; pixel i from i to i + 1."""
    rings = [np.array(one, dtype=np.float64).reshape(-1, 2)[:, ::-1] - 0.5 for one in polygons]
    return fill_contours(rings, shape)


def require_size(volume: Volume, size: tuple[int, int] | None) -> None:
    """Do nothing where a picture has the (rows, columns) that its labels speak of, if they do.

    Raises:
        GridError: It has not: they were drawn on another version of it; or the case is no picture.
    """
    if volume.shape[0] != 1:
        raise GridError(f"The labels are of a picture, and the case has {volume.shape[0]} slices.")
    if size is not None and volume.shape[1:] != size:
        raise GridError(
            f"The labels were drawn on a picture of {size[0]}×{size[1]}, the case has "
            f"{volume.shape[1]}×{volume.shape[2]}. Take the picture in that they were drawn on, or scale them to it."
        )


def reading_of(drawn: Sequence[Drawn], schema: Schema, entry: Entry, *, reader: str) -> tuple[Reading, list[Issue]]:
    """Return what a reader drew in a picture, and boxes without extent, which are left out."""
    seen, issues = [], []
    for one in drawn:
        row, column, to_row, to_column = one.box
        try:
            seen.append(
                Observation(finding=schema.finding(one.name).name, box=((0.0, row, column), (1.0, to_row, to_column)))
            )
        except InputError as error:
            issues.append(_flat(entry.id, one, error))
    asked = tuple(one.name for one in schema.findings if not one.is_whole)
    image = next(iter(entry.volumes.values()))
    return Reading(reader=reader, image=image, asked=asked, observations=tuple(seen)), issues


def mask_of(drawn: Sequence[Drawn], names: Sequence[str], volume: Volume) -> tuple[Mask | None, list[Issue]]:
    """Return the outlines of a picture's objects, None where only boxes are known; of two the later one lies above."""
    outlined = [one for one in drawn if one.inside is not None]
    if not outlined:
        return None, []
    labels = np.zeros(volume.shape, dtype=np.uint16)
    over: dict[str, int] = defaultdict(int)
    for one in outlined:
        value = names.index(one.name) + 1
        over[one.name] += int(np.count_nonzero((labels[0] > 0) & (labels[0] != value) & one.inside))
        labels[0][one.inside] = value
    hidden = sum(over.values())
    return Mask(labels=labels, affine=volume.affine, table=LabelTable.of(*names)), [_hidden(hidden)] if hidden else []


def _flat(case: str, one: Drawn, error: InputError) -> Issue:
    return Issue(
        check="box", where=case, figure=f"{one.name}: {error}".rstrip("."), limit="a box with an extent",
        mend="It is left out; draw it again.", severity="warn",
    )  # fmt: skip


def _hidden(voxels: int) -> Issue:
    return Issue(
        check="overlap", where="the outlines", figure=f"{voxels} pixels lie in objects of two kinds",
        limit="one label a pixel", mend="The later object was taken; mend the outlines where that is wrong.",
        severity="warn",
    )  # fmt: skip
