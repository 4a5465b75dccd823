"""Outlines as integers on a grid, and what each integer means."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from isocenter.errors import GridError, LabelError
from isocenter.image.affine import Affine
from isocenter.image.volume import Volume, _reorient

# Okabe and Ito's palette, told apart by colour-blind readers (Nature Methods 8:441, 2011), then mixtures of it.
_PALETTE = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167),
    (158, 137, 117), (43, 169, 174), (120, 193, 90), (120, 171, 122), (107, 104, 89), (209, 108, 84),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A coded concept: what DICOM (PS3.3 8.8) and FHIR call a coding.

    Args:
        value: Such as "10200004".
        scheme: Coding scheme designator, such as "SCT" for SNOMED CT, or "99ISO" for one of our own.
        meaning: In English, at most 64 characters.
    """

    value: str
    scheme: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One structure: the integer that stands for it, its name, its code and its colour.

    Raises:
        LabelError: A value below 1 or above 65535, or no name.
    """

    value: int
    name: str
    code: Code | None = None
    colour: tuple[int, int, int] = (0, 0, 0)

    def __post_init__(self) -> None:
        if not 1 <= self.value <= 65535:
            raise LabelError(f"A label lies in 1..65535 (0 is background); {self.name!r} has {self.value}.")
        if not self.name.strip():
            raise LabelError(f"Label {self.value} has no name.")
        if self.colour == (0, 0, 0):
            object.__setattr__(self, "colour", _PALETTE[(self.value - 1) % len(_PALETTE)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Several labels taken as one structure, such as "whole tumour" for core, oedema and enhancement."""

    name: str
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelTable:
    """What the integers of a mask mean. 0 is background and is not listed.

    Args:
        labels: One per structure.
        regions: Unions of labels that are scored beside the labels.
        ignore: The integer of voxels that nobody judged: not learnt from, not scored.

    Raises:
        LabelError: A value or a name twice, a region of unknown labels, or no label at all.
    """

    labels: tuple[Label, ...]
    regions: tuple[Region, ...] = ()
    ignore: int | None = None

    def __post_init__(self) -> None:
        values = [label.value for label in self.labels]
        names = [label.name for label in self.labels] + [region.name for region in self.regions]
        if not values:
            raise LabelError("A label table without a label says nothing.")
        for stated in (values, names):
            twice = [thing for thing, count in Counter(stated).items() if count > 1]
            if twice:
                raise LabelError(f"{twice[0]!r} stands twice in the label table.")
        if self.ignore in values:
            raise LabelError(f"{self.ignore} is both a structure and the mark for voxels to ignore.")
        for region in self.regions:
            if not region.values or not set(region.values) <= set(values):
                raise LabelError(f"Region {region.name!r} names labels {region.values} outside {values}.")

    def __iter__(self) -> Iterator[Label]:
        return iter(self.labels)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def structures(self) -> dict[str, tuple[int, ...]]:
        """Name to label values: each label, then each region."""
        single = {label.name: (label.value,) for label in self.labels}
        return single | {region.name: region.values for region in self.regions}

    @classmethod
    def of(cls, *names: str) -> "LabelTable":
        """Return a table that numbers the names from 1."""
        return cls(labels=tuple(Label(value=value, name=name) for value, name in enumerate(names, 1)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mask:
    """Integer labels (slice, row, column) on a grid in LPS mm, with the table that names them.

    Raises:
        LabelError: Values outside the table.
        GridError: Not three axes.
    """

    labels: npt.NDArray[Any]
    affine: Affine
    table: LabelTable
    present: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        labels = np.asarray(self.labels).view()
        if labels.ndim != 3:
            raise GridError(f"A mask has the shape (slice, row, column); this one has {labels.shape}.")
        if labels.dtype.kind not in "bui":
            whole = np.rint(labels)
            if not np.array_equal(whole, labels):
                raise LabelError("A mask holds whole numbers; this one holds fractions (probabilities?).")
            labels = whole
        low, high = (int(labels.min()), int(labels.max())) if labels.size else (0, 0)
        if low < 0 or high > 65535:
            raise LabelError(f"Mask values run from {low} to {high}; labels lie in 0..65535.")
        labels = labels.astype(np.uint8 if high < 256 else np.uint16, copy=False)
        present = _values(labels)
        allowed = {0, *(label.value for label in self.table), self.table.ignore}
        strange = [value for value in present if value not in allowed]
        if strange:
            known = ", ".join(f"{label.value} {label.name}" for label in self.table)
            raise LabelError(f"The mask holds {strange[:8]}, which the table does not name ({known}).")
        labels.setflags(write=False)
        object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "present", tuple(value for value in present if value != 0))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of (slices, rows, columns)."""
        s, r, c = self.labels.shape
        return int(s), int(r), int(c)

    def binary(self, structure: str) -> npt.NDArray[np.bool_]:
        """Return where a label or region of that name lies, bool (slice, row, column).

        Raises:
            LabelError: The table has no such name.
        """
        values = self.table.structures.get(structure)
        if values is None:
            raise LabelError(f"No structure {structure!r}; the table has {', '.join(self.table.structures)}.")
        found = self.labels == values[0]
        for value in values[1:]:
            found |= self.labels == value
        return np.asarray(found)

    def volume_ml(self, structure: str) -> float:
        """Return the volume of a structure in millilitres.

        Raises:
            LabelError: The table has no such name.
        """
        return float(self.binary(structure).sum()) * self.affine.voxel_ml

    def oriented(self, orientation: str) -> "Mask":
        """Return the same mask with its index axes laid towards three letters, such as "SPL"; a view.

        Raises:
            GridError: The letters are no orientation.
        """
        labels, affine = _reorient(self.labels, self.affine, orientation)
        return Mask(labels=labels, affine=affine, table=self.table)

    def in_table(self, table: LabelTable) -> "Mask":
        """Return the same outlines in another table's numbers, structure by structure of the same name.

        Raises:
            LabelError: The table does not name a structure that is outlined.
        """
        numbers = {label.name: label.value for label in table}
        lookup = np.zeros(65536, dtype=np.uint16)
        for label in self.table:
            if label.name in numbers:
                lookup[label.value] = numbers[label.name]
            elif label.value in self.present:
                raise LabelError(f"{label.name!r} is outlined, and the table names {', '.join(numbers)} only.")
        if self.table.ignore in self.present:
            if table.ignore is None:
                raise LabelError("Voxels are marked to be ignored, and the table has no number for that.")
            lookup[self.table.ignore] = table.ignore
        return Mask(labels=lookup[self.labels], affine=self.affine, table=table)

    def require_grid_of(self, volume: "Volume | Mask") -> None:
        """Do nothing where both lie on one grid.

        Raises:
            GridError: They do not; the message says by how much.
        """
        if self.shape != volume.shape:
            raise GridError(
                f"The mask has {self.shape} voxels, its image {volume.shape}. Resample the mask onto the image; "
                "copying the header would move the structures."
            )
        if not self.affine.is_close(volume.affine, shape=self.shape, tolerance_mm=_GRID_TOLERANCE_MM):
            off = np.abs(self.affine.matrix - volume.affine.matrix).max()
            raise GridError(
                f"Mask and image have the same number of voxels on different grids: spacing "
                f"{self.affine.spacing} against {volume.affine.spacing} mm, orientation {self.affine.orientation} "
                f"against {volume.affine.orientation}, matrices up to {off:.3g} apart. Resample the mask onto the "
                "image; copying the header would move the structures."
            )


def _values(labels: npt.NDArray[Any]) -> list[int]:
    """Return the integers that occur, sorted; slice by slice, since bincount widens what it counts to int64."""
    counts = np.zeros(65536, dtype=np.int64)
    for plane in labels:
        found = np.bincount(plane.reshape(-1))
        counts[: len(found)] += found
    return [int(value) for value in np.flatnonzero(counts)]


# 0.1 mm over the whole grid: a float32 NIfTI header is off by up to 0.03 mm at 500 mm from the origin
_GRID_TOLERANCE_MM = 0.1
