"""NIfTI-1 files: the one place where LPS turns into RAS and (slice, row, column) into (x, y, z).

nibabel is loaded when the first file is touched: with what it brings it costs a third of a second.
"""

import gzip
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from isocenter.errors import FileError, InputError
from isocenter.image.affine import Affine
from isocenter.image.aside import write_whole
from isocenter.image.mask import LabelTable, Mask
from isocenter.image.volume import Volume, Voxels

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Pair

_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_REVERSE = np.array([[0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]], dtype=np.float64)


def read_nifti(path: Path, *, unit: str = "1", modality: str = "OT") -> Volume:
    """Return the volume in a NIfTI file, scaled as its header says.

    Raises:
        FileError: Not a NIfTI file, truncated, or changed while it was read.
        InputError: Four axes (say which volume is meant), NaN, or complex values.
    """
    voxels, affine = _read(path)
    try:
        return Volume(voxels=voxels, affine=affine, unit=unit, modality=modality)
    except InputError as error:
        raise type(error)(f"{path.name}: {error}") from error


def read_nifti_channels(path: Path, *, count: int) -> tuple[Volume, ...]:
    """Return the volumes that a NIfTI file holds along its fourth axis.

    Args:
        path: The file.
        count: How many it should hold.

    Raises:
        FileError: Not a NIfTI file, or truncated.
        InputError: Another number of volumes, NaN, or complex values.
    """
    voxels, affine = _read(path, channels=count)
    try:
        return tuple(Volume(voxels=np.ascontiguousarray(one), affine=affine) for one in voxels)
    except InputError as error:
        raise type(error)(f"{path.name}: {error}") from error


def read_nifti_mask(path: Path, *, table: LabelTable) -> Mask:
    """Return the mask in a NIfTI file.

    Raises:
        FileError: Not a NIfTI file, or truncated.
        LabelError: Values outside the table, or fractions.
    """
    voxels, affine = _read(path)
    try:
        return Mask(labels=voxels, affine=affine, table=table)
    except InputError as error:
        raise type(error)(f"{path.name}: {error}") from error


def nifti_shape(path: Path) -> tuple[int, ...]:
    """Return the lengths of a NIfTI file's axes as its header says, trailing ones of 1 left out; no voxel is read.

    Raises:
        FileError: Not a NIfTI file, or one that cannot be read.
    """
    import nibabel
    from nibabel.filebasedimages import ImageFileError

    try:
        shape = tuple(int(n) for n in nibabel.load(path).shape)  # type: ignore[attr-defined]
    except (ImageFileError, OSError, EOFError, ValueError, zlib.error) as error:
        raise FileError(f"{path.name} is not a whole NIfTI file ({error}). Copy it again from its source.") from error
    return (*shape[:3], *(n for n in shape[3:] if n != 1))


def write_nifti(image: Volume | Mask, path: Path, *, has_size: bool = True) -> None:
    """Write a volume or a mask, gzipped where the name ends in .gz; the file appears whole or not at all.

    Args:
        image: A step of its matrix is written as it stands.
        path: The file.
        has_size: False for a mask of a picture of unknown size (see Volume): the file then names no unit of length.

    Raises:
        InputError: A colour volume, which NIfTI has no common form for.
        FileError: The folder cannot be written, or the disk is full.
    """
    array = image.labels if isinstance(image, Mask) else image.voxels
    if array.ndim != 3:
        raise InputError("NIfTI keeps one channel; write a colour picture as PNG or TIFF.")
    if array.dtype == np.bool_:
        array = array.astype(np.uint8)
    matrix = _RAS_TO_LPS @ image.affine.matrix @ _REVERSE
    import nibabel

    made = nibabel.Nifti1Image(array.transpose(2, 1, 0), matrix, dtype=array.dtype)
    sized = has_size and (isinstance(image, Mask) or image.has_size)
    made.header.set_xyzt_units("mm" if sized else "unknown")
    payload = made.to_bytes()
    if path.suffix == ".gz":
        payload = gzip.compress(payload, compresslevel=4, mtime=0)  # no time stamp: same mask, same bytes
    write_whole(payload, path)


def _read(path: Path, *, channels: int | None = None) -> tuple[Voxels, Affine]:
    """Return voxels (slice, row, column), with `channels` (channel, slice, row, column), and their grid."""
    import nibabel
    from nibabel.filebasedimages import ImageFileError

    try:
        loaded = nibabel.load(path)
        if not isinstance(loaded, nibabel.Nifti1Pair):
            raise FileError(f"{path.name} is not a NIfTI file.")
        shape = tuple(n for n in loaded.shape[3:] if n != 1)
        if channels is None and (shape or len(loaded.shape) < 3):
            raise InputError(
                f"{path.name} has the shape {loaded.shape}; one volume has three axes. "
                "Split a series of volumes into one file each, or name the one that is meant."
            )
        if channels is not None and (len(shape) > 1 or (shape or (1,)) != (channels,)):
            raise InputError(
                f"{path.name} has the shape {loaded.shape}; expected {channels} volumes along a fourth axis. "
                "Say in dataset.json how many channels there are, or mend the file."
            )
        array = _scaled(loaded)
    except MemoryError as error:
        raise FileError(
            f"{path.name} needs more memory than there is. Cut it into parts, or use a machine with more."
        ) from error
    except (ImageFileError, OSError, EOFError, ValueError, zlib.error) as error:
        if isinstance(error, InputError):
            raise
        if isinstance(error, FileNotFoundError | PermissionError):
            raise FileError(f"{path} cannot be read: {error.strerror or 'no such file'}.") from error
        raise FileError(f"{path.name} is not a whole NIfTI file ({error}). Copy it again from its source.") from error
    affine = Affine(matrix=_RAS_TO_LPS @ _to_ras_mm(loaded, path.name) @ _REVERSE)
    if channels is not None:
        return array.reshape(*array.shape[:3], channels).transpose(3, 2, 1, 0), affine
    return array.reshape(array.shape[:3]).transpose(2, 1, 0), affine


def _to_ras_mm(loaded: "Nifti1Pair", name: str) -> npt.NDArray[np.float64]:
    """Return the header's matrix from (x, y, z) index to RAS mm.

    Raises:
        FileError: It does not say how the image lies in the body, or says it in two ways, one mirroring the other.
    """
    header = loaded.header
    forms = {"qform_code": header.get_qform(), "sform_code": header.get_sform()}
    told = [form for code, form in forms.items() if header[code] > 0]
    if not told:
        raise FileError(
            f"{name} does not say how it lies in the body (qform_code and sform_code are 0): which side is left would "
            "be a guess. Convert it again from its DICOM series, or write the right matrix into its header."
        )
    if len(told) > 1 and np.linalg.det(told[0][:3, :3]) * np.linalg.det(told[1][:3, :3]) < 0:
        raise FileError(f"{name} says in two ways how it lies in the body (qform, sform), and one mirrors the other.")
    in_mm = {"meter": 1000.0, "micron": 0.001}.get(header.get_xyzt_units()[0], 1.0)
    return np.diag([in_mm, in_mm, in_mm, 1.0]) @ np.asarray(loaded.affine, dtype=np.float64)


def _scaled(loaded: "Nifti1Pair") -> npt.NDArray[np.generic]:
    """Return the values with slope and intercept applied; integers stay integers where nothing is scaled."""
    slope, intercept = loaded.header.get_slope_inter()
    if slope in (None, 1.0) and intercept in (None, 0.0):
        return np.asarray(loaded.dataobj)
    return np.asarray(loaded.get_fdata(dtype=np.float32))
