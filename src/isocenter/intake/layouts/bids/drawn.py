"""Outlines among the derivatives of a BIDS data set: whose they are, what they name, and what each number means.

Source: BIDS specification 1.10, "Derivatives: Imaging: segmentations" (dseg, mask) and "label tables".
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from isocenter.case import Annotation
from isocenter.case.annotation import How
from isocenter.errors import InputError, LabelError, LayoutError
from isocenter.image import Label, LabelTable, Mask, Volume, read_nifti, read_nifti_mask
from isocenter.intake.layouts.bids.described import inherited
from isocenter.intake.layouts.bids.names import Name
from isocenter.intake.layouts.bids.tables import read_tsv
from isocenter.intake.layouts.folder import name_in

_NATIVE = ("", "orig", "individual", "native", "scanner")
_IGNORE = "ignore"
_MOST_STRUCTURES = 64  # a longer table is the lookup of an atlas, of which most structures never occur


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One file of outlines.

    Args:
        path, name: The file, and what its name says.
        reader: Folder of the derivative, with the description or atlas that tells several of its outlines apart.
        names: Number in the file to structure; for a binary mask, 1.
        colours: Structure to (red, green, blue), where a table says so.
    """

    path: Path
    name: Name
    reader: str
    how: How
    names: Mapping[int, str]
    colours: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)

    @property
    def space(self) -> str:
        """The space that the file says it is in, "" where it says none."""
        return self.name.entities.get("space", "")

    def is_native(self, suffixes: Iterable[str]) -> bool:
        """Return whether it lies on an image of its own session, as far as its name says."""
        return self.space.lower() in (*_NATIVE, *(suffix.lower() for suffix in suffixes))

    def read(self, table: LabelTable) -> Mask:
        """Return its mask, numbered as the data set's table numbers structures.

        Raises:
            FileError: It cannot be read.
            LabelError: A number that its table does not name, or a mask of several numbers.
        """
        numbers = {name: values[0] for name, values in table.structures.items()}
        labels, volume = self._labels()
        found = np.zeros(int(labels.max(initial=0)) + 1, dtype=np.uint16)
        for value, name in self.names.items():
            if value < len(found):
                found[value] = (table.ignore or 0) if name.lower() == _IGNORE else numbers[name]
        return Mask(labels=found[labels], affine=volume.affine, table=table)

    def _labels(self) -> tuple[npt.NDArray[np.generic], Volume | Mask]:
        if self.name.suffix == "dseg":
            own = tuple(Label(value=value, name=f"{value}") for value in self.names)
            mask = read_nifti_mask(self.path, table=LabelTable(labels=own))
            return mask.labels, mask
        volume = read_nifti(self.path)
        values = [float(value) for value in np.unique(volume.voxels)]
        if len([value for value in values if value != 0]) > 1:
            raise LabelError(f"{self.path.name} is called a mask and holds {len(values)} different values, not two.")
        return (volume.voxels != 0).astype(np.uint8), volume


def drawn_of(path: Path, name: Name, *, folder: Path, root: Path, how: How) -> Drawn:
    """Return what a file of outlines is, its table read.

    Args:
        path, name: The file, and what its name says.
        folder: The data set.
        root: The derivative that the file is in.
        how: How the derivative's outlines came about.

    Raises:
        LayoutError: No table says what the numbers of a dseg mean, or it cannot be used.
    """
    entities = name.entities
    told_apart = [entities[key] for key in ("atlas", "seg", "desc") if key in entities]
    reader = "-".join([root.name, *told_apart])
    if name.suffix == "mask":
        label = entities.get("label") or entities.get("desc") or "mask"
        hemi = entities.get("hemi")
        names = {1: f"{label} {hemi}" if hemi else label}
        return Drawn(path=path, name=name, reader=reader, how=how, names=names)
    tables = inherited(path, root, ending=".tsv") or inherited(path, folder, ending=".tsv")
    if not tables:
        raise LayoutError(
            f"{name_in(path, folder)}: no table says what its numbers mean. Put a {name.suffix}.tsv with the columns "
            f"'index' and 'name' into {name_in(root, folder)}."
        )
    names, colours = _lookup(tables[-1], folder)
    return Drawn(path=path, name=name, reader=reader, how=how, names=names, colours=colours)


def _lookup(path: Path, folder: Path) -> tuple[dict[int, str], dict[str, tuple[int, int, int]]]:
    names: dict[int, str] = {}
    colours: dict[str, tuple[int, int, int]] = {}
    for line, row in enumerate(read_tsv(path), 2):
        index, name = row.get("index", ""), row.get("name", "")
        if not index.isdigit() or not name or int(index) in names or int(index) > 65535:
            raise LayoutError(
                f"{name_in(path, folder)}, line {line}: a line has an 'index' from 0 to 65535, once, and a 'name'."
            )
        if int(index) == 0:
            continue
        names[int(index)] = name
        colour = row.get("color", "").removeprefix("#")
        if len(colour) == 6 and all(digit in "0123456789abcdefABCDEF" for digit in colour):
            red, green, blue = bytes.fromhex(colour)
            colours[name] = (red, green, blue)
    if not names:
        raise LayoutError(f"{name_in(path, folder)} names no structure. It needs the columns 'index' and 'name'.")
    return names, colours


def without_idle(drawn: Sequence[Drawn]) -> tuple[Drawn, ...]:
    """Return the same outlines, lookups of whole atlases cut down to the structures that a reader outlined at all.

    What cannot be read is passed over, and told of when its case is opened.
    """
    used: dict[str, set[int]] = {}
    for one in drawn:
        if len(one.names) > _MOST_STRUCTURES:
            values = used.setdefault(one.reader, set())
            with suppress(InputError):
                values |= {int(value) for value in np.unique(read_nifti(one.path).voxels)}
    return tuple(
        replace(one, names={value: name for value, name in one.names.items() if value in used[one.reader]})
        if len(one.names) > _MOST_STRUCTURES else one
        for one in drawn
    )  # fmt: skip


def table_of(drawn: Sequence[Drawn]) -> LabelTable | None:
    """Return the label table of a data set; None where nothing is outlined.

    Numbers are those of the files where all files agree; else structures are numbered by their names.
    """
    told = {(value, name) for one in drawn if one.name.suffix == "dseg" for value, name in one.names.items()}
    ignore = next((value for value, name in sorted(told) if name.lower() == _IGNORE), None)
    told = {(value, name) for value, name in told if name.lower() != _IGNORE}
    names = sorted({name for one in drawn for name in one.names.values() if name.lower() != _IGNORE})
    if not names:
        return None
    numbers = {name: value for value, name in told}
    if not len(told) == len(numbers) == len(set(numbers.values()) - {ignore}):
        numbers, ignore = {}, None if ignore is None else len(names) + 1
    free = (value for value in range(1, 65536) if value not in {*numbers.values(), ignore})
    numbers |= {name: next(free) for name in names if name not in numbers}
    colours = {name: colour for one in drawn for name, colour in one.colours.items()}
    labels = tuple(
        Label(value=value, name=name, colour=colours.get(name, (0, 0, 0)))
        for name, value in sorted(numbers.items(), key=lambda pair: pair[1])
    )
    return LabelTable(labels=labels, ignore=ignore)


def annotations_of(drawn: Sequence[Drawn], *, table: LabelTable) -> tuple[Annotation, ...]:
    """Return the outlines of a session, one mask a reader: its files are joined.

    Raises:
        FileError: A file cannot be read.
        GridError: Files of one reader lie on different grids.
        LabelError: Structures of one reader overlap, or numbers that no table names.
    """
    return tuple(_joined(reader, drawn, table) for reader in dict.fromkeys(one.reader for one in drawn))


def _joined(reader: str, drawn: Sequence[Drawn], table: LabelTable) -> Annotation:
    own = [one for one in drawn if one.reader == reader]
    masks = [one.read(table) for one in own]
    labels = masks[0].labels.copy()
    for mask in masks[1:]:
        mask.require_grid_of(masks[0])
        if (twice := (labels != 0) & (mask.labels != 0)).any():
            raise LabelError(
                f"Structures of reader {reader} overlap in {int(twice.sum())} voxels. A mask holds one structure a "
                "voxel; say in desc-… that they are different readings, or mend them."
            )
        labels = np.maximum(labels, mask.labels)
    return Annotation(reader=reader, how=own[0].how, mask=Mask(labels=labels, affine=masks[0].affine, table=table))


def without_other_spaces(
    drawn: Sequence[Drawn], suffixes: Iterable[str]
) -> tuple[tuple[Drawn, ...], tuple[Drawn, ...], tuple[Drawn, ...]]:
    """Return a session's outlines on its own images, those whose only copy lies in another space, and further copies.

    Args:
        drawn: Of one session.
        suffixes: Of its images.
    """
    native = [one for one in drawn if one.is_native(suffixes)]
    kept = tuple(_first_copies(native))
    readers = {one.reader for one in kept}
    foreign = tuple(one for one in drawn if one not in native and one.reader not in readers)
    return kept, foreign, tuple(one for one in drawn if one not in kept and one not in foreign)


def _first_copies(drawn: Sequence[Drawn]) -> Iterator[Drawn]:
    """Yield of each reader the files of one space and resolution, the plainest."""
    plainest: dict[str, tuple[str, str]] = {}
    for one in sorted(drawn, key=_copy):
        plainest.setdefault(one.reader, _copy(one))
    yield from (one for one in drawn if _copy(one) == plainest[one.reader])


def _copy(one: Drawn) -> tuple[str, str]:
    return one.name.entities.get("res", ""), one.space
