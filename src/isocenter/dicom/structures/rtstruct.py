"""A radiotherapy structure set as a mask on the grid of its image."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from isocenter.dicom.objects import read_object, told
from isocenter.dicom.seg.read import Overlap
from isocenter.dicom.structures.contours import fill_contours
from isocenter.errors import GridError, LabelError
from isocenter.image import Code, Label, LabelTable, Mask, Volume

_STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
_NAME = "structure set"
_OFF_PLANE = 0.25  # share of a slice's step by which a contour may lie beside its slice, or bend out of it


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Structure:
    """One region of interest: its label, and its contours (points, 3) in LPS mm."""

    label: Label
    contours: tuple[npt.NDArray[np.float64], ...]


def read_rtstruct(
    path: Path, *, volume: Volume, only: Collection[str] | None = None, overlap: Overlap = "refuse"
) -> Mask:
    """Return the structures of an RTSTRUCT as a mask on the grid of the image they were drawn on.

    A voxel belongs to a structure where its centre lies inside the contours of its slice; contours inside contours
    are holes (even-odd). Slices without a contour stay empty: nothing is interpolated between them. The grid may
    be oblique, sheared, or laid along other axes than the planes of the contours.

    Args:
        path: The structure set.
        volume: The image.
        only: Names of the structures wanted; None takes all that have areas.
        overlap: Where two structures claim a voxel: refuse, or keep the first or the last in the set's order.

    Raises:
        FileError: No structure set, or damaged.
        GridError: Contours that do not lie in slices of the image.
        LabelError: No structure, one asked for that is not there, or two that overlap.
    """
    with told(path, _NAME):
        dataset = read_object(path, classes=(_STRUCTURE_SET,), name=_NAME)
        return _mask(list(_structures(dataset, only)), volume, overlap)


def read_structures(path: Path) -> tuple[Label, ...]:
    """Return the structures that have areas in an RTSTRUCT, numbered as `read_rtstruct` numbers them.

    Raises:
        FileError: No structure set, or damaged.
    """
    with told(path, _NAME):
        dataset = read_object(path, classes=(_STRUCTURE_SET,), name=_NAME)
        return tuple(structure.label for structure in _structures(dataset, None))


def _structures(dataset: Dataset, only: Collection[str] | None) -> Iterator[_Structure]:
    """Yield the structures that have areas, or have nothing yet; marks and lines are no areas.

    Raises:
        LabelError: A structure asked for is not there.
    """
    drawn = {int(item.ReferencedROINumber): item for item in dataset.get("ROIContourSequence", [])}
    coded = {int(item.ReferencedROINumber): item for item in dataset.get("RTROIObservationsSequence", [])}
    seen: set[str] = set()
    value = 0
    for region in dataset.StructureSetROISequence:
        number = int(region.ROINumber)
        name = str(region.get("ROIName") or f"structure {number}").strip()
        item = drawn.get(number)
        shapes = list(item.get("ContourSequence", [])) if item is not None else []
        areas = [shape for shape in shapes if shape.ContourGeometricType in ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")]
        if (only is not None and name not in only) or (shapes and not areas):
            continue
        value += 1
        label = Label(
            value=value,
            name=name if name not in seen else f"{name} ({number})",
            code=_code(coded.get(number)),
            colour=_colour(item),
        )
        seen.add(name)
        yield _Structure(label=label, contours=tuple(_points(shape) for shape in areas))
    missing = sorted(set(only or ()) - seen)
    if missing:
        raise LabelError(f"The set has no area named {', '.join(missing)}.")


def _points(shape: Dataset) -> npt.NDArray[np.float64]:
    return np.array(shape.ContourData, dtype=np.float64).reshape(-1, 3)


def _code(item: Dataset | None) -> Code | None:
    codes = item.get("RTROIIdentificationCodeSequence") if item is not None else None
    if not codes:
        return None
    first = codes[0]
    return Code(value=str(first.CodeValue), scheme=str(first.CodingSchemeDesignator), meaning=str(first.CodeMeaning))


def _colour(item: Dataset | None) -> tuple[int, int, int]:
    value = item.get("ROIDisplayColor") if item is not None else None
    if value is None or len(value) != 3:
        return (0, 0, 0)
    red, green, blue = (int(part) for part in value)
    return red, green, blue


def _mask(structures: list[_Structure], volume: Volume, overlap: Overlap) -> Mask:
    labels = np.zeros(volume.shape, dtype=np.uint16)
    double = 0
    for structure in structures:
        inside = _inside(structure, volume)
        both = inside & (labels > 0)
        double += int(np.count_nonzero(both))
        labels[inside if overlap == "last" else inside & ~both] = structure.label.value
    if double and overlap == "refuse":
        raise LabelError(
            f"Structures overlap in {double} voxels; a mask holds one label each. Name the structures that are "
            "wanted, or say which is to win (overlap first or last)."
        )
    table = LabelTable(labels=tuple(structure.label for structure in structures))
    return Mask(labels=labels, affine=volume.affine, table=table)


def _inside(structure: _Structure, volume: Volume) -> npt.NDArray[np.bool_]:
    """Return where a structure lies, bool (slice, row, column)."""
    inside = np.zeros(volume.shape, dtype=bool)
    by_plane: dict[tuple[int, int], list[npt.NDArray[np.float64]]] = defaultdict(list)
    for contour in structure.contours:
        index = volume.affine.to_index(contour)
        axis, level = _plane_of(index, volume, structure.label.name)
        by_plane[axis, level].append(np.delete(index, axis, axis=1))
    for (axis, level), contours in by_plane.items():
        plane = np.moveaxis(inside, axis, 0)[level]
        # |=: two directions of drawing in one structure add up; within a plane the even-odd rule has decided
        plane |= fill_contours(contours, (plane.shape[0], plane.shape[1]))
    return inside


def _plane_of(index: npt.NDArray[np.float64], volume: Volume, name: str) -> tuple[int, int]:
    """Return the index axis that a contour lies across, and the slice along it.

    Raises:
        GridError: It lies between slices, runs through them, or is outside the image.
    """
    spread = np.ptp(index, axis=0)
    axis = int(spread.argmin())
    along = float(index[:, axis].mean())
    level = round(along)
    step = volume.affine.spacing[axis]
    if spread[axis] > _OFF_PLANE:
        raise GridError(
            f"A contour of {name} runs through slices of the image ({spread[axis] * step:.2f} mm along their normal). "
            "Load the series that it was drawn on."
        )
    if abs(along - level) > _OFF_PLANE:
        raise GridError(
            f"A contour of {name} lies {abs(along - level) * step:.2f} mm beside the nearest slice, of slices "
            f"{step:.2f} mm apart. Load the series that it was drawn on."
        )
    if not 0 <= level < volume.shape[axis]:
        raise GridError(f"A contour of {name} lies outside the image; is it the structure set of another series?")
    return axis, level
