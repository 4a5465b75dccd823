"""A volume as a classic DICOM series, one file a slice: for volumes that come from elsewhere, without a patient."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid
from pydicom.valuerep import DSfloat

from isocenter.errors import FileError, InputError
from isocenter.image import Affine, Volume

_SOP_CLASSES = {"CT": CTImageStorage, "MR": MRImageStorage}


def write_series(volume: Volume, folder: Path, *, progress: Callable[[int, int], None] | None = None) -> None:
    """Write a volume as a new series of a patient without a name; the folder appears whole or not at all.

    UIDs depend on the voxels and the grid alone, so the same volume makes the same series.

    Args:
        volume: Modality "CT" or "MR", one channel, at right angles. Slice k of it is slice k of the series.
        folder: That does not exist yet, or is empty.
        progress: Told (slices done, slices).

    Raises:
        InputError: Another modality, colour, a sheared grid, or pixels of a size that nobody has stated.
        FileError: The folder holds something, or cannot be written.

    Source: DICOM PS3.3 A.3 (CT image), A.4 (MR image), C.7.6.2 (image plane).
    """
    _require_classic(volume)
    if folder.exists() and any(folder.iterdir()):
        raise FileError(f"{folder} holds files already; name a new folder for the series.")
    aside = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        aside.mkdir(parents=True)
        _write_slices(volume, aside, progress)
        if folder.exists():
            folder.rmdir()
        aside.rename(folder)
    except OSError as error:
        shutil.rmtree(aside, ignore_errors=True)
        raise FileError(f"The series cannot be written to {folder}: {error.strerror}.") from error


def _require_classic(volume: Volume) -> None:
    if volume.modality not in _SOP_CLASSES or volume.channels != 1:
        raise InputError(
            f"A series is written as CT or MR in one channel; this volume is {volume.modality}. "
            "Say which with --modality CT or --modality MR."
        )
    if not volume.has_size:
        raise InputError(
            "Nobody has stated how large a pixel of this picture is, and a CT or MR series says so in mm. Convert it "
            "to NIfTI, or start from a file that says it."
        )
    if volume.affine.is_sheared:
        raise InputError("The volume's axes are not at right angles; resample it before it becomes a series.")


def _write_slices(volume: Volume, folder: Path, progress: Callable[[int, int], None] | None) -> None:
    stored, slope, intercept = _stored(volume)
    name = hashlib.sha256(stored.tobytes() + volume.affine.matrix.tobytes()).hexdigest()
    for index in range(volume.shape[0]):
        made = _header(volume, name=name, index=index)
        if volume.modality == "CT" or (slope, intercept) != (1.0, 0.0):  # an MR without them keeps its IOD
            made.RescaleSlope, made.RescaleIntercept = decimals([slope, intercept])
            made.RescaleType = "HU" if volume.modality == "CT" else "US"
        fill_pixels(made, stored[index])
        made.save_as(folder / f"{index + 1:06d}.dcm", enforce_file_format=True)
        if progress is not None:
            progress(index + 1, volume.shape[0])


def _stored(volume: Volume) -> tuple[npt.NDArray[np.uint16], float, float]:
    """Return unsigned 16-bit values with slope and intercept; whole numbers that fit stay exact."""
    values = volume.voxels
    low, high = float(values.min()), float(values.max())
    is_whole = values.dtype.kind in "bui" or bool(np.array_equal(values, np.rint(values)))
    if is_whole and low >= 0 and high <= 65535:
        low = 0.0
    slope = 1.0 if is_whole and high - low <= 65535 else max(high - low, 1e-12) / 65535
    return np.rint((values.astype(np.float64) - low) / slope).astype(np.uint16), slope, low


def _header(volume: Volume, *, name: str, index: int) -> FileDataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = _SOP_CLASSES[volume.modality]
    meta.MediaStorageSOPInstanceUID = _uid(name, index)
    made = FileDataset("", Dataset(), file_meta=meta, preamble=b"\0" * 128)
    made.SpecificCharacterSet = "ISO_IR 192"
    made.SOPClassUID, made.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    made.StudyInstanceUID, made.SeriesInstanceUID = _uid(name, "study"), _uid(name, "series")
    made.FrameOfReferenceUID, made.PositionReferenceIndicator = _uid(name, "frame of reference"), ""
    made.PatientName, made.PatientID = "", name[:16]
    made.PatientBirthDate = made.PatientSex = made.StudyDate = made.StudyTime = made.AccessionNumber = ""
    made.ReferringPhysicianName = made.StudyID = made.Laterality = made.PatientPosition = ""
    made.Modality, made.Manufacturer, made.SeriesDescription = volume.modality, "isocenter", "converted volume"
    made.SeriesNumber, made.InstanceNumber, made.AcquisitionNumber = 1, index + 1, 1
    made.ImageType = ["DERIVED", "SECONDARY", "AXIAL" if volume.modality == "CT" else "OTHER"]
    made.ImagePositionPatient = decimals(volume.affine.to_world((index, 0, 0)))
    made.ImageOrientationPatient = cosines(volume.affine)
    made.PixelSpacing = decimals(volume.affine.spacing[1:])
    made.SliceThickness = decimals([volume.affine.spacing[0]])[0]
    if volume.modality == "CT":
        made.KVP = None
    else:
        made.ScanningSequence, made.SequenceVariant, made.ScanOptions = "RM", "NONE", ""
        made.MRAcquisitionType, made.RepetitionTime, made.EchoTime, made.EchoTrainLength = "", None, None, None
    return made


def fill_pixels(made: Dataset, pixels: npt.NDArray[np.uint16]) -> None:
    """Put (row, column) or (frame, row, column) of unsigned 16-bit values into a data set."""
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.Rows, made.Columns = pixels.shape[-2:]
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 16, 15, 0
    made.PixelData = pixels.astype("<u2").tobytes()


def _uid(*parts: object) -> UID:
    return generate_uid(entropy_srcs=["isocenter", *map(str, parts)])


def cosines(affine: Affine) -> list[DSfloat]:
    """Return Image Orientation (Patient): where a row runs, then where a column runs (PS3.3 C.7.6.2)."""
    return decimals([*affine.directions[:, 2], *affine.directions[:, 1]])


def decimals(values: npt.ArrayLike) -> list[DSfloat]:
    """Return numbers as decimal strings of at most 16 characters, as exact as those allow (PS3.5 6.2, DS)."""
    return [DSfloat(float(value) + 0.0, auto_format=True) for value in np.asarray(values, dtype=np.float64)]
