"""A moving volume on the fixed one's grid, and the transform in the form that ITK reads."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy.ndimage import map_coordinates

from isocenter.errors import FileError
from isocenter.image import Affine, Volume, resample_volume, spaced
from isocenter.image.resample import sitk_image
from isocenter.processing.registration.transform import Transform

_SLAB = 8  # slices at once
_FIELD_MM = 4.0


def lay(moving: Volume, fixed: Volume, transform: Transform) -> Volume:
    """Return a moving volume on the fixed one's grid, linearly interpolated, float32; its lowest value around it."""
    if not transform.bends:
        seen = Affine(matrix=np.linalg.inv(transform.matrix) @ moving.affine.matrix)
        laid = resample_volume(replace(moving, affine=seen), affine=fixed.affine, shape=fixed.shape)
        return replace(laid, modality=moving.modality, unit=moving.unit)
    voxels, lowest = moving.voxels.astype(np.float32), float(moving.voxels.min())
    laid_ = np.empty(fixed.shape, dtype=np.float32)
    for first in range(0, fixed.shape[0], _SLAB):
        slab = np.indices((min(_SLAB, fixed.shape[0] - first), *fixed.shape[1:])).reshape(3, -1).T
        index = moving.affine.to_index(transform.places(fixed.affine.to_world(slab + np.array([first, 0, 0]))))
        values = map_coordinates(voxels, index.T, order=1, mode="constant", cval=lowest)
        laid_[first : first + _SLAB] = values.reshape(-1, *fixed.shape[1:])
    return replace(moving, voxels=laid_, affine=fixed.affine)


def write_itk(transform: Transform, path: Path, *, fixed: Volume) -> None:
    """Write a transform from the fixed volume's LPS mm to the moving one's, as ITK, 3D Slicer and ANTs read it.

    Args:
        transform: Linear into text (.tfm); with a bend into HDF5 (.h5), the bend as a displacement field of 4 mm.
        path: The file.
        fixed: The volume whose box the field covers; outside of it ITK bends nothing.

    Raises:
        FileError: The file cannot be written.
    """
    linear = sitk.AffineTransform(transform.matrix[:3, :3].ravel().tolist(), transform.matrix[:3, 3].tolist())
    made: sitk.Transform = linear
    if transform.bends:
        affine, shape = spaced(fixed.affine, shape=fixed.shape, spacing_mm=(_FIELD_MM,) * 3)
        index = np.indices(shape).reshape(3, -1).T
        field = transform.displaced(affine.to_world(index)).reshape(*shape, 3)
        image = sitk.GetImageFromArray(field, isVector=True)
        image.CopyInformation(sitk_image(field[..., 0], affine))
        made = sitk.CompositeTransform([linear, sitk.DisplacementFieldTransform(image)])  # the last is applied first
    try:
        sitk.WriteTransform(made, str(path))
    except RuntimeError as error:
        raise FileError(
            f"{path.name} cannot be written; look for space on the disk and rights to the folder."
        ) from error
