"""The images that a segmentation speaks of: their headers, and where each of their slices lies."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from isocenter.dicom.files.slow import BROKEN, read_dataset
from isocenter.dicom.seg.identity import take_identity
from isocenter.dicom.seg.plane import Plane
from isocenter.errors import SeriesError

# What an object has to name of its source, and cannot make up (PS3.3 C.7.2.1, C.7.3.1, C.12.1).
_NEEDED = ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sources:
    """The headers of one series, without pixels, and the planes of its slices.

    Args:
        datasets: One per file; one only where that is multi-frame. Patient and study are blank in them.
        identity: The patient and study of the first; not shown.
        planes: One per file, or one per frame of a multi-frame file.
        is_enhanced: Whether the planes are frames of one file.
    """

    datasets: tuple[Dataset, ...] = field(repr=False)
    identity: Dataset = field(repr=False)
    planes: tuple[Plane, ...]
    is_enhanced: bool


def read_sources(paths: Sequence[Path]) -> Sources:
    """Return the headers of a series' files, mended in memory where a segmentation needs more than they say.

    Raises:
        FileError: A file cannot be read.
        SeriesError: No file, files of several series, or slices without a place in a patient.
    """
    datasets = [read_dataset(path) for path in dict.fromkeys(paths)]
    if not datasets:
        raise SeriesError("A segmentation needs the files of the series that it speaks of; none was given.")
    for keyword in _NEEDED:
        if any(not dataset.get(keyword) for dataset in datasets):
            raise SeriesError(f"A file of the series has no {keyword}: a DICOM segmentation cannot refer to it.")
    series = {dataset.SeriesInstanceUID for dataset in datasets}
    is_enhanced = any("PerFrameFunctionalGroupsSequence" in dataset for dataset in datasets)
    if len(series) > 1 or (is_enhanced and len(datasets) > 1):
        raise SeriesError("A segmentation speaks of one series, or of one multi-frame file; these are several.")
    try:
        planes = _frame_planes(datasets[0]) if is_enhanced else [_plane(dataset, dataset) for dataset in datasets]
    except BROKEN as error:
        raise SeriesError(
            f"A slice without a place in the patient ({type(error).__name__}): a segmentation cannot refer to it. "
            "The mask as NIfTI can be had without."
        ) from error
    identity, *_ = (_mend(dataset, planes) for dataset in datasets)
    return Sources(datasets=tuple(datasets), identity=identity, planes=tuple(planes), is_enhanced=is_enhanced)


def _plane(dataset: Dataset, size: Dataset) -> Plane:
    """Return the plane that three attributes of a data set describe."""
    return _placed(dataset.ImagePositionPatient, dataset.ImageOrientationPatient, dataset.PixelSpacing, size)


def _placed(position: Iterable[float], cosines: Iterable[float], spacing: Iterable[float], size: Dataset) -> Plane:
    along = np.array(list(cosines), dtype=np.float64)
    down_mm, across_mm = (float(value) for value in spacing)
    return Plane(
        origin=np.array(list(position), dtype=np.float64),
        down=along[3:] * down_mm,
        across=along[:3] * across_mm,
        shape=(int(size.Rows), int(size.Columns)),
    )


def _frame_planes(dataset: Dataset) -> list[Plane]:
    """Return the plane of each frame; measures and orientation that only the frames hold are also shared."""
    shared = dataset.SharedFunctionalGroupsSequence[0]
    frames = dataset.PerFrameFunctionalGroupsSequence
    for keyword in ("PixelMeasuresSequence", "PlaneOrientationSequence"):
        if keyword not in shared:
            setattr(shared, keyword, frames[0][keyword].value)
    planes = []
    for frame in frames:
        measures, orientation = (
            (frame if keyword in frame else shared)[keyword].value[0]
            for keyword in ("PixelMeasuresSequence", "PlaneOrientationSequence")
        )
        position = (frame if "PlanePositionSequence" in frame else shared).PlanePositionSequence[0]
        cosines = orientation.ImageOrientationPatient
        planes.append(_placed(position.ImagePositionPatient, cosines, measures.PixelSpacing, dataset))
    return planes


def _mend(dataset: Dataset, planes: list[Plane]) -> Dataset:
    """Fill in memory what old or careless headers leave out; return whose it is, which is then blank."""
    if not dataset.get("FrameOfReferenceUID"):
        # one frame of reference per series is what a scanner without the attribute can mean
        dataset.FrameOfReferenceUID = generate_uid(entropy_srcs=[str(dataset.get("SeriesInstanceUID"))])
    if "SharedFunctionalGroupsSequence" in dataset:
        measures = dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    else:
        measures = dataset
    gap = _gap(planes) or measures.get("SpacingBetweenSlices") or measures.get("SliceThickness") or 1.0
    if not measures.get("SliceThickness"):
        measures.SliceThickness = gap
    measures.SpacingBetweenSlices = gap
    return take_identity(dataset)


def _gap(planes: list[Plane]) -> float:
    """Return the smallest distance of two slices along their normal, in mm; 0 where there is one slice."""
    along = np.unique(np.round([float(plane.origin @ planes[0].normal) for plane in planes], 6))
    steps = np.diff(along)
    return float(f"{steps.min():.8g}") if steps.size else 0.0
