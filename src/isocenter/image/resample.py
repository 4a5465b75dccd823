"""One grid's values on another grid. SimpleITK is loaded with the first of them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from isocenter.errors import GridError
from isocenter.image.affine import Affine
from isocenter.image.mask import Mask
from isocenter.image.volume import Volume

if TYPE_CHECKING:
    import SimpleITK as sitk


def resample_volume(volume: Volume, *, affine: Affine, shape: Sequence[int], fill: float | None = None) -> Volume:
    """Return a volume's values on another grid, linearly interpolated, float32.

    Args:
        volume: Of one channel.
        affine: Of the grid wanted.
        shape: (slices, rows, columns) wanted.
        fill: Value outside the volume; None takes its minimum. Within half a voxel of the rim the rim's value stands.

    Raises:
        GridError: A colour volume; split it into channels first.
    """
    if volume.channels != 1:
        raise GridError("A colour volume is resampled channel by channel.")
    smooth = _without_aliasing(sitk_image(volume.voxels.astype(np.float32), volume.affine), affine)
    outside = float(volume.voxels.min()) if fill is None else fill
    voxels = _sampled(smooth, affine=affine, shape=shape, fill=outside)
    return Volume(
        voxels=voxels, affine=affine, unit=volume.unit, modality=volume.modality,
        is_planar=volume.is_planar and shape[0] == 1, has_size=volume.has_size,
    )  # fmt: skip


def resample_mask(mask: Mask, *, affine: Affine, shape: Sequence[int]) -> Mask:
    """Return a mask on another grid: each voxel takes the label whose share at that place is the largest.

    Shares are interpolated linearly, label by label, which keeps outlines smooth where nearest neighbours
    would leave steps. Outside the mask lies background.
    """
    shares = np.zeros(tuple(shape), dtype=np.float32)
    labels = np.zeros(tuple(shape), dtype=mask.labels.dtype)
    covered = np.zeros(tuple(shape), dtype=np.float32)
    for value in mask.present:
        image = sitk_image((mask.labels == value).astype(np.float32), mask.affine)
        smooth = _without_aliasing(image, affine)
        share = _sampled(smooth, affine=affine, shape=shape, fill=0.0)
        wins = share > shares
        labels[wins] = value
        np.maximum(shares, share, out=shares)
        covered += share
    labels[shares < 1.0 - covered] = 0
    return Mask(labels=labels, affine=affine, table=mask.table)


def spaced(affine: Affine, *, shape: Sequence[int], spacing_mm: Sequence[float]) -> tuple[Affine, tuple[int, ...]]:
    """Return the grid that covers the same box with another spacing: its affine and its shape."""
    old = np.asarray(affine.spacing)
    new = np.asarray(spacing_mm, dtype=np.float64)
    count = np.maximum(1, np.rint(np.asarray(shape) * old / new).astype(int))
    # outer faces are kept where they were: centre of the first voxel moves by half the difference of the steps
    first = (np.asarray(shape) * old - (count - 1) * new) / 2 / old - 0.5
    moved = affine.shifted(first.tolist())
    grid = Affine.from_parts(origin=moved.origin, directions=affine.directions, spacing=new.tolist())
    return grid, tuple(int(n) for n in count)


def sitk_image(voxels: npt.NDArray[Any], affine: Affine) -> "sitk.Image":
    """Return voxels as a SimpleITK image, whose axes run (column, row, slice) in LPS too."""
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(np.ascontiguousarray(voxels))
    image.SetOrigin(affine.origin)
    image.SetSpacing(affine.spacing[::-1])
    image.SetDirection(affine.directions[:, ::-1].reshape(-1).tolist())
    return image


def _without_aliasing(image: "sitk.Image", affine: Affine) -> "sitk.Image":
    """Blur along the axes that the new grid samples more coarsely."""
    steps = affine.matrix[:3, :3]
    axes = np.asarray(image.GetDirection()).reshape(3, 3)
    for axis, spacing in enumerate(image.GetSpacing()):
        factor = float(np.abs(axes[:, axis] @ steps).max() / spacing)
        if factor > 1.1:
            # sigma of a Gaussian whose width matches a box of `factor` voxels, less the voxel's own
            sigma = spacing * np.sqrt((factor**2 - 1) / 12)
            image = _blurred(image, axis=axis, sigma_mm=float(sigma))
    return image


def _blurred(image: "sitk.Image", *, axis: int, sigma_mm: float) -> "sitk.Image":
    """Blur along one axis; the recursive filter is quicker, and wants four voxels (ITK refuses fewer)."""
    import SimpleITK as sitk

    if image.GetSize()[axis] >= 4:
        blurred: sitk.Image = sitk.RecursiveGaussian(image, sigma=sigma_mm, direction=axis)
    else:
        variance = [sigma_mm**2 if other == axis else 0.0 for other in range(3)]
        blurred = sitk.DiscreteGaussian(image, variance=variance, maximumKernelWidth=32)
    return blurred


def _sampled(image: "sitk.Image", *, affine: Affine, shape: Sequence[int], fill: float) -> npt.NDArray[np.float32]:
    import SimpleITK as sitk

    filter_ = sitk.ResampleImageFilter()
    filter_.SetSize([int(n) for n in shape[::-1]])
    filter_.SetOutputOrigin(affine.origin)
    filter_.SetOutputSpacing(affine.spacing[::-1])
    filter_.SetOutputDirection(affine.directions[:, ::-1].reshape(-1).tolist())
    filter_.SetInterpolator(sitk.sitkLinear)
    filter_.SetDefaultPixelValue(float(fill))
    return np.asarray(sitk.GetArrayFromImage(filter_.Execute(image)))
