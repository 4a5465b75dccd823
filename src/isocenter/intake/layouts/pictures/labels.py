"""What the values of label images mean: labels.json says it, or the images themselves show it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from isocenter.errors import GridError, InputError, LabelError, LayoutError
from isocenter.image import Affine, Label, LabelTable, Volume, read_nifti
from isocenter.image.raster import decode_labels, is_raster
from isocenter.intake.layouts.nifti.sheet import label_table
from isocenter.intake.steady import read_steady, steady

NAME = "labels.json"
_ANY = "any"
_WHITE = 255
_MOST_STRUCTURES = 64  # more values than that are numbers of single objects, such as nuclei

Pixels = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What the values of a set's label images mean.

    Args:
        table: Its labels.
        is_any: Every value above 0 is the one structure, as where objects are numbered.
    """

    table: LabelTable
    is_any: bool = False

    def read(self, values: Pixels) -> Pixels:
        """Return labels of the table from the values of a label image: black and white are 0 and 1."""
        if self.is_any:
            return (values > 0).astype(np.uint8)
        named = {label.value for label in self.table}
        if len(named) == 1 and _WHITE not in named and not ((values != 0) & (values != _WHITE)).any():
            return np.where(values == _WHITE, np.uint8(min(named)), np.uint8(0))
        return values


def read_meaning(folder: Path) -> Meaning | None:
    """Return what a folder's labels.json says, None where there is none.

    It is written {"nucleus": 1, "cytoplasm": 2} or {"1": "nucleus", "2": "cytoplasm"}; {"nucleus": "any"} takes
    every value above 0 as one structure.

    Raises:
        LayoutError: It cannot be read, or is no such object.
        LabelError: Labels that cannot be.
    """
    try:
        stated = json.loads((folder / NAME).read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise LayoutError(f"{NAME} cannot be read ({error}). Mend it at that place.") from error
    if isinstance(stated, Mapping) and len(stated) == 1 and next(iter(stated.values())) == _ANY:
        return Meaning(table=LabelTable.of(str(next(iter(stated)))), is_any=True)
    return Meaning(table=label_table(stated, name=NAME))


def find_meaning(paths: Iterable[Path]) -> Meaning | None:
    """Return what label images show by themselves: one structure where all are black and white, else "label 1", ….

    Reads every one of them; what cannot be read is passed over, and told of when its case is opened.

    Raises:
        LabelError: So many values that they number single objects.
    """
    found: set[int] = set()
    for path in paths:
        try:
            found |= {int(value) for value in np.unique(mask_values(path).values)}
        except InputError:
            continue
    values = sorted(value for value in found if value > 0)
    if not values:
        return None
    if values in ([_WHITE], [1]):
        return Meaning(table=LabelTable.of("label 1"))
    if len(values) > _MOST_STRUCTURES:
        raise LabelError(
            f"The label images hold {len(values)} values. Where they number single objects, write a {NAME} such as "
            '{"nucleus": "any"}, which takes all as one structure; else name each structure in it.'
        )
    if values[-1] > 65535:
        raise LabelError(f"The label images hold {values[-1]}; labels lie in 0..65535. Save them again as numbers.")
    return Meaning(table=LabelTable(labels=tuple(Label(value=value, name=f"label {value}") for value in values)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """A label image as it is stored.

    Args:
        values: (slice, row, column).
        digest: sha256 of its file.
        affine: Where it lies, as NIfTI says; None of a picture.
    """

    values: Pixels
    digest: str
    affine: Affine | None = None

    def require_place_of(self, volume: Volume) -> None:
        """Do nothing where it may lie on a volume: on its very place, of a picture turned alike.

        Raises:
            GridError: It says that it lies elsewhere.
        """
        if self.affine is None or self.values.shape != volume.shape:
            return  # what is of another size is told when it becomes the volume's mask
        if volume.is_planar:
            is_there = np.allclose(self.affine.directions, volume.affine.directions, atol=0.01)
        else:
            is_there = self.affine.is_close(volume.affine, shape=volume.shape, tolerance_mm=0.1)
        if not is_there:
            raise GridError(
                "The label image says that it lies elsewhere than its image, or is turned otherwise. Resample it onto "
                "the image; of a picture, save it as PNG."
            )


def mask_values(path: Path) -> Drawn:
    """Return a label image as it is stored.

    Raises:
        InputError: It cannot be read, or is no label image.
    """
    if is_raster(path):
        content, digest = read_steady(path, name=path.name)
        return Drawn(values=decode_labels(content, name=path.name), digest=digest)
    with steady(path, name=path.name) as digest:
        volume = read_nifti(path)
    return Drawn(values=volume.voxels, digest=digest, affine=volume.affine)
