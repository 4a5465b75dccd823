"""What a DICOM segmentation holds, frame by frame, decoded by pydicom alone."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.pixels.utils import iter_pixels

from isocenter.dicom.files.slow import BROKEN
from isocenter.dicom.objects import read_object, told
from isocenter.dicom.seg.colour import rgb_from_lab
from isocenter.dicom.seg.plane import Plane
from isocenter.errors import FileError, GridError
from isocenter.image import Code, Label

SEGMENTATION_CLASSES = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
_NAME = "DICOM segmentation"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """One frame: its plane, and whose it is.

    Args:
        plane: Where it lies.
        segment: Number of the segment; 0 in a label map, whose pixels are the numbers.
    """

    plane: Plane
    segment: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Segmentation:
    """A segmentation object as read: structures, frames, and pixels when asked for.

    Args:
        kind: "BINARY", "FRACTIONAL" or "LABELMAP".
        labels: One per segment; the value is the segment's number.
        frames: In the order of the pixel data.
        full: The stored value that means "wholly inside": 1, or Maximum Fractional Value.
        step_mm: Spacing Between Slices, else Slice Thickness, else None.
        dataset: The object itself, pixels included; bears identity, so it is not shown.
    """

    kind: str
    labels: tuple[Label, ...]
    frames: tuple[Frame, ...]
    full: int
    step_mm: float | None
    dataset: Dataset = field(repr=False)

    def pixels(self) -> Iterator[npt.NDArray[Any]]:
        """Yield the stored values (row, column) of each frame.

        Raises:
            FileError: Fewer pixels than frames, or a compression that cannot be undone.
        """
        count = 0
        try:
            for count, frame in enumerate(iter_pixels(self.dataset, raw=True), 1):  # noqa: B007
                yield frame
        except BROKEN as error:
            raise FileError(f"the pixels cannot be decoded ({type(error).__name__}).") from error
        if count != len(self.frames):
            raise FileError(f"{count} frames of pixels, {len(self.frames)} described.")


def read_segmentation(path: Path) -> Segmentation:
    """Return what a segmentation file holds.

    Raises:
        FileError: Not DICOM, damaged, or no segmentation.
        GridError: It says nothing of where its frames lie in a patient (a slide, or a plain picture).
    """
    with told(path, _NAME):
        dataset = read_object(path, classes=SEGMENTATION_CLASSES, name=_NAME)
        return _segmentation(dataset)


def _segmentation(dataset: Dataset) -> Segmentation:
    if "PixelData" not in dataset:
        raise FileError("the file ends before its pixels. Copy it again from its source.")
    kind = str(dataset.SegmentationType)
    shared = dataset.SharedFunctionalGroupsSequence[0]
    groups = dataset.PerFrameFunctionalGroupsSequence
    if len(groups) != int(dataset.NumberOfFrames):
        raise FileError(f"{len(groups)} frames are described, {dataset.NumberOfFrames} announced.")
    shape = (int(dataset.Rows), int(dataset.Columns))
    frames = tuple(
        Frame(plane=_plane(group, shared, shape), segment=0 if kind == "LABELMAP" else _segment(group, shared))
        for group in groups
    )
    measures = _group("PixelMeasuresSequence", groups[0], shared)
    step = measures.get("SpacingBetweenSlices") or measures.get("SliceThickness")
    return Segmentation(
        kind=kind,
        labels=_labels(dataset),
        frames=frames,
        full=int(dataset.get("MaximumFractionalValue", 1)),
        step_mm=None if step is None else abs(float(step)),
        dataset=dataset,
    )


def _group(keyword: str, frame: Dataset, shared: Dataset) -> Dataset:
    """Return a functional group of a frame, its own or the shared one.

    Raises:
        GridError: Neither is there.
    """
    for group in (frame, shared):
        items = group.get(keyword)
        if items:
            return items[0]  # type: ignore[no-any-return]  # a pydicom sequence is untyped
    raise GridError(
        f"The segmentation has no {keyword.removesuffix('Sequence')}: it belongs to a picture without a place in "
        "a patient, such as a slide or a radiograph."
    )


def _plane(frame: Dataset, shared: Dataset, shape: tuple[int, int]) -> Plane:
    measures = _group("PixelMeasuresSequence", frame, shared)
    cosines = np.array(_group("PlaneOrientationSequence", frame, shared).ImageOrientationPatient, dtype=np.float64)
    position = np.array(_group("PlanePositionSequence", frame, shared).ImagePositionPatient, dtype=np.float64)
    down_mm, across_mm = (float(value) for value in measures.PixelSpacing)
    return Plane(origin=position, down=cosines[3:] * down_mm, across=cosines[:3] * across_mm, shape=shape)


def _segment(frame: Dataset, shared: Dataset) -> int:
    return int(_group("SegmentIdentificationSequence", frame, shared).ReferencedSegmentNumber)


def _labels(dataset: Dataset) -> tuple[Label, ...]:
    labels: list[Label] = []
    seen: set[str] = set()
    for item in dataset.SegmentSequence:
        number = int(item.SegmentNumber)
        if number == 0:  # a label map may describe its background
            continue
        code = _code(item)
        name = str(item.get("SegmentLabel") or (code.meaning if code else "") or f"segment {number}").strip()
        name = name if name not in seen else f"{name} ({number})"
        seen.add(name)
        labels.append(Label(value=number, name=name, code=code, colour=_colour(item)))
    return tuple(labels)


def _code(item: Dataset) -> Code | None:
    codes = item.get("SegmentedPropertyTypeCodeSequence")
    if not codes or not codes[0].get("CodeValue"):
        return None
    code = codes[0]
    return Code(value=str(code.CodeValue), scheme=str(code.CodingSchemeDesignator), meaning=str(code.CodeMeaning))


def _colour(item: Dataset) -> tuple[int, int, int]:
    """Return the colour asked for; black, which means none, takes one of the palette."""
    value = item.get("RecommendedDisplayCIELabValue")
    return (0, 0, 0) if value is None or len(value) != 3 else rgb_from_lab([int(part) for part in value])
