"""A mask as a DICOM segmentation of the series that it was found in."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from highdicom import PixelMeasuresSequence, PlaneOrientationSequence, PlanePositionSequence
from highdicom.seg import Segmentation, SegmentationTypeValues
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from isocenter import __version__
from isocenter.dicom.files.slow import BROKEN
from isocenter.dicom.objects import unheard
from isocenter.dicom.proof import prove_seg
from isocenter.dicom.seg.describe import PRIVATE_SCHEME, describe, property_type
from isocenter.dicom.seg.identity import give_identity
from isocenter.dicom.seg.plane import Plane
from isocenter.dicom.seg.sources import Sources, read_sources
from isocenter.errors import GridError, SeriesError
from isocenter.image import Mask
from isocenter.result import Check

_SERIES_OFFSET = 9000  # far from the numbers that scanners and workstations give


def write_seg(mask: Mask, *, sources: Sequence[Path], path: Path, algorithm: str, version: str) -> tuple[Check, ...]:
    """Write a mask as a DICOM SEG (BINARY) that refers to its series slice by slice; it is proved, then named.

    Every label of the table becomes a segment, numbered from 1 in the table's order, found or not. A structure
    that was not found has no frame; where none was found each has one empty frame on the first slice, since an
    object of no frames cannot be (PS3.3 C.7.6.6). Voxels marked to be ignored are not written.

    Args:
        mask: On the series' own slices, its axes laid in any order.
        sources: The files of the series; one file where it is multi-frame.
        path: Where the object is to lie. It bears the identity of its source, as DICOM demands.
        algorithm, version: Who found the structures; an empty algorithm says that a person drew them.

    Returns:
        What the proof looked at: side, centroid and volume of each structure, read back from the written bytes.

    Raises:
        FileError: A source cannot be read.
        GridError: The mask does not lie on the series' slices, as one of a resampled volume does not.
        ProofError: The object as written says something else than the mask; no file is left.
        SeriesError: Sources of several series, or without a place in a patient.
    """
    aside = path.with_name(f".{path.name}.part")
    try:
        with unheard():
            read = read_sources(sources)
            _encode(mask, read, algorithm=algorithm, version=version).save_as(aside)
        checks = prove_seg(aside, mask)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return checks


def _encode(mask: Mask, read: Sources, *, algorithm: str, version: str) -> Segmentation:
    """Return the object of a mask.

    Raises:
        SeriesError: Headers that a segmentation cannot be made of.
    """
    cuts = _cuts(mask, read)
    try:
        made = _segmentation(mask, read, cuts, algorithm=algorithm, version=version)
    except BROKEN as error:
        # its words may quote a header's values, so only its kind is told, and nothing of it handed on
        raise SeriesError(
            f"The series' headers cannot be carried over into a segmentation ({type(error).__name__}). "
            "The mask as NIfTI can be had without."
        ) from None
    give_identity(made, read.identity)
    return made


def _cuts(mask: Mask, read: Sources) -> dict[int, npt.NDArray[np.uint16]]:
    """Return source slice number to its segment numbers (row, column), for slices that hold any; else the first.

    Raises:
        GridError: A labelled voxel that lies in no slice of the series.
    """
    numbers = _numbers(mask)
    cuts: dict[int, npt.NDArray[np.uint16]] = {}
    taken: set[int] = set()
    off_mm = np.inf
    for index, plane in enumerate(read.planes):
        slot = plane.slot_on(mask.affine)
        off_mm = min(off_mm, slot.off_mm if slot else np.inf)
        if slot is None or not slot.is_on or slot.start[slot.axes[0]] in taken:
            continue
        taken.add(slot.start[slot.axes[0]])
        view, kept = slot.window(mask.labels, plane.shape)
        if view.any():
            cuts[index] = np.zeros(plane.shape, dtype=np.uint16)
            cuts[index][kept] = numbers[view]
    found = sum(int(np.count_nonzero(cut)) for cut in cuts.values())
    wanted = int(np.count_nonzero(mask.labels))
    if mask.table.ignore:
        wanted -= int(np.count_nonzero(mask.labels == mask.table.ignore))
    if not taken or wanted != found:
        raise GridError(_misfit(wanted - found if taken else 0, off_mm))
    found_in = {index: cut for index, cut in cuts.items() if cut.any()}
    return found_in or {0: np.zeros(read.planes[0].shape, dtype=np.uint16)}


def _misfit(lost: int, off_mm: float) -> str:
    if not lost:
        how = f"the nearest slice of the series lies {off_mm:.2f} mm off" if off_mm < np.inf else "no axis is shared"
        why = f"The mask does not lie on the series' slices ({how})."
    else:
        why = f"{lost} labelled voxels of the mask lie in no slice of the series."
    return (
        f"{why} A DICOM segmentation refers to slices as they are stored: a mask of a resampled image (a tilted "
        "gantry made straight, another spacing) is first resampled back, or written as NIfTI."
    )


def _numbers(mask: Mask) -> npt.NDArray[np.uint16]:
    """Return a table from label value to segment number, 0 for background and what is to be ignored."""
    numbers = np.zeros(65536, dtype=np.uint16)
    for number, label in enumerate(mask.table, 1):
        numbers[label.value] = number
    return numbers


def _segmentation(
    mask: Mask, read: Sources, cuts: dict[int, npt.NDArray[np.uint16]], *, algorithm: str, version: str
) -> Segmentation:
    source = read.datasets[0]
    first = read.planes[0]
    measures = source if not read.is_enhanced else source.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    made = Segmentation(
        source_images=list(read.datasets),
        pixel_array=np.stack(list(cuts.values())),
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=describe(mask.table, algorithm=algorithm, version=version),
        series_instance_uid=generate_uid(prefix=None),
        series_number=_SERIES_OFFSET + int(source.get("SeriesNumber") or 0),
        sop_instance_uid=generate_uid(prefix=None),
        instance_number=1,
        manufacturer="isocenter",
        manufacturer_model_name=algorithm[:64] or "isocenter",
        software_versions=__version__,
        device_serial_number=version[:64],
        content_label="SEGMENTATION",
        content_description=(f"Found by {algorithm}" if algorithm else "Drawn by a person")[:64],
        series_description="Segmentation, machine result" if algorithm else "Segmentation",
        specific_character_set=read.identity.SpecificCharacterSet,
        omit_empty_frames=any(cut.any() for cut in cuts.values()),
        pixel_measures=PixelMeasuresSequence(first.spacing, measures.SliceThickness, measures.SpacingBetweenSlices),
        plane_orientation=PlaneOrientationSequence("PATIENT", _cosines(first)),
        plane_positions=[PlanePositionSequence("PATIENT", read.planes[index].origin.tolist()) for index in cuts],
    )
    if any(property_type(label).scheme == PRIVATE_SCHEME for label in mask.table):
        made.CodingSchemeIdentificationSequence = [_private_scheme()]
    return made


def _cosines(plane: Plane) -> list[float]:
    return [*(plane.across / plane.spacing[1]).tolist(), *(plane.down / plane.spacing[0]).tolist()]


def _private_scheme() -> Dataset:
    """Return who answers for the private codes (PS3.3 C.12.1.1.1)."""
    scheme = Dataset()
    scheme.CodingSchemeDesignator = PRIVATE_SCHEME
    scheme.CodingSchemeName = "isocenter: structures named by their label table"
    scheme.CodingSchemeResponsibleOrganization = "isocenter"
    return scheme
