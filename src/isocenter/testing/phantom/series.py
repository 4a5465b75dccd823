"""A volume as a classic DICOM series: one file a slice."""

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom.dataset import FileDataset
from pydicom.uid import CTImageStorage, MRImageStorage

from isocenter.dicom.export import cosines, decimals, fill_pixels
from isocenter.errors import InputError
from isocenter.image import Affine, Volume
from isocenter.testing.phantom.header import Header, begin

HU_OFFSET = 1024  # stored values of a CT are unsigned here, so that a reader must apply the intercept


def write_series(
    volume: Volume,
    folder: Path,
    *,
    header: Header | None = None,
    leave_out: Collection[int] = (),
    order: Sequence[int] | None = None,
) -> tuple[Path, ...]:
    """Write a CT or MR volume of whole numbers as a series; a sheared grid becomes a tilted gantry.

    Args:
        volume: Modality "CT" or "MR", one channel. Slice k of it is slice k of the series, whatever its orientation.
        folder: Made where it is not there.
        header: Who and what; a made-up patient by default.
        leave_out: Slices that are not written: a hole.
        order: Instance number and file name of each slice, from 0; by default as the slices follow each other.

    Returns:
        The files by slice, first slice first, without those left out.

    Raises:
        InputError: Neither CT nor MR, colour, or fractions.
    """
    header = header or Header()
    stored = stored_values(volume)
    folder.mkdir(parents=True, exist_ok=True)
    numbers = list(range(volume.shape[0])) if order is None else list(order)
    paths = []
    for index, number in enumerate(numbers):
        if index in leave_out:
            continue
        made = _slice(volume, stored[index], header, index)
        made.InstanceNumber = number + 1
        paths.append(folder / f"{number:06d}.dcm")
        made.save_as(paths[-1], enforce_file_format=True)
    return tuple(paths)


def _slice(volume: Volume, pixels: npt.NDArray[np.uint16], header: Header, index: int) -> FileDataset:
    is_ct = volume.modality == "CT"
    sop_class = CTImageStorage if is_ct else MRImageStorage
    made = begin(header, sop_class=sop_class, modality=volume.modality, instance=index)
    made.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL" if is_ct else "OTHER"]
    made.AcquisitionNumber = 1
    made.ImagePositionPatient = decimals(volume.affine.to_world((index, 0, 0)))
    made.ImageOrientationPatient = cosines(volume.affine)
    made.PixelSpacing = decimals(volume.affine.spacing[1:])
    made.SliceThickness = decimals([thickness(volume.affine)])[0]
    fill_pixels(made, pixels)
    if is_ct:
        made.KVP, made.RescaleIntercept, made.RescaleSlope, made.RescaleType = 120, -HU_OFFSET, 1, "HU"
    else:
        made.ScanningSequence, made.SequenceVariant, made.ScanOptions = "GR", "NONE", ""
        made.MRAcquisitionType, made.RepetitionTime, made.EchoTime, made.EchoTrainLength = "3D", 10, 3, 1
    return made


def stored_values(volume: Volume) -> npt.NDArray[np.uint16]:
    """Return the values as they lie in a file: unsigned 16 bits.

    Raises:
        InputError: Neither CT nor MR, colour, fractions, or out of range.
    """
    if volume.modality not in ("CT", "MR") or volume.channels != 1:
        raise InputError(f"A phantom's series is CT or MR in one channel, not {volume.modality}.")
    values = volume.voxels.astype(np.int64) + (HU_OFFSET if volume.modality == "CT" else 0)
    if volume.voxels.dtype.kind == "f" and not np.array_equal(volume.voxels, np.rint(volume.voxels)):
        raise InputError("A phantom's series holds whole numbers; round the voxels first.")
    if values.min() < 0 or values.max() > 65535:
        raise InputError(f"Stored values of {values.min()}..{values.max()} do not fit into 16 bits.")
    return values.astype(np.uint16)


def thickness(affine: Affine) -> float:
    """Return the distance of two slices along their normal, in mm."""
    normal = np.cross(affine.directions[:, 2], affine.directions[:, 1])
    return float(abs(affine.matrix[:3, 0] @ normal))
