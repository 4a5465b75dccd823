"""Voxels with their place in the body and their unit."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from isocenter.errors import GridError, InputError
from isocenter.image.affine import Affine

Voxels = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Volume:
    """A scan: voxels (slice, row, column), or (3, slice, row, column) in colour, on a grid in LPS mm.

    Args:
        voxels: Integers or floats; kept read-only. A view is taken, not a copy.
        affine: Index (slice, row, column) to LPS mm.
        unit: What a value means: "HU", "SUV", or "1" where the scanner gives no unit.
        modality: DICOM's code, such as "CT", "MR", "US", "DX"; "OT" where it is not known.
        is_planar: A picture without a third axis: one slice whose step in the matrix is 1 and means nothing.
        has_size: False where nobody has stated how large a pixel is, as in most PNG and JPEG files: then a step of
            1 mm in the matrix stands for a pixel, and no figure in mm may be taken from it.

    Raises:
        InputError: Complex or non-finite values, a wrong number of axes, or no voxel at all.
        GridError: A planar picture of more than one slice.
    """

    voxels: Voxels
    affine: Affine
    unit: str = "1"
    modality: str = "OT"
    is_planar: bool = False
    has_size: bool = True

    def __post_init__(self) -> None:
        voxels = np.asarray(self.voxels).view()
        if voxels.dtype.kind not in "buif":
            raise InputError(f"Voxels are integers or floats; these are {voxels.dtype}.")
        if voxels.ndim not in (3, 4) or (voxels.ndim == 4 and voxels.shape[0] != 3):
            raise InputError(
                f"Voxels have the shape (slice, row, column), in colour (3, slice, row, column); "
                f"these have {voxels.shape}."
            )
        if voxels.size == 0:
            raise InputError(f"A volume of shape {voxels.shape} holds no voxel.")
        if voxels.dtype.kind == "f" and not np.isfinite(voxels).all():
            bad = int(voxels.size - np.isfinite(voxels).sum())
            raise InputError(
                f"{bad} of {voxels.size} voxels are NaN or infinite. Replace them by a value that means "
                "'nothing measured here', such as air, before the volume is used."
            )
        if self.is_planar and voxels.shape[-3] != 1:
            raise GridError(f"A planar picture has one slice; this one has {voxels.shape[-3]}.")
        voxels.setflags(write=False)
        object.__setattr__(self, "voxels", voxels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of (slices, rows, columns)."""
        s, r, c = self.voxels.shape[-3:]
        return int(s), int(r), int(c)

    @property
    def channels(self) -> int:
        """1, or 3 in colour (red, green, blue)."""
        return 1 if self.voxels.ndim == 3 else int(self.voxels.shape[0])

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Step along (slice, row, column) in mm; nan along slices of a picture, and wherever nobody has stated it."""
        unknown = float("nan")
        if not self.has_size:
            return unknown, unknown, unknown
        slice_mm, row_mm, column_mm = self.affine.spacing
        return (unknown if self.is_planar else slice_mm), row_mm, column_mm

    @property
    def voxel_size(self) -> tuple[float, str]:
        """How much of the body one voxel is, and in which unit: ml, of a picture mm², of an unknown size a count."""
        if not self.has_size:
            return 1.0, "pixels" if self.is_planar else "voxels"
        if self.is_planar:
            return self.affine.voxel_ml * 1000.0 / self.affine.spacing[0], "mm²"
        return self.affine.voxel_ml, "ml"

    def oriented(self, orientation: str) -> "Volume":
        """Return the same volume with its index axes laid towards three letters, such as "SPL"; a view.

        Raises:
            GridError: The letters are no orientation.
        """
        voxels, affine = _reorient(self.voxels, self.affine, orientation)
        return replace(self, voxels=voxels, affine=affine, is_planar=self.is_planar and voxels.shape[-3] == 1)


def _reorient(voxels: Voxels, affine: Affine, orientation: str) -> tuple[Voxels, Affine]:
    order, flips = affine.permutation_to(orientation)
    lead = voxels.ndim - 3
    axes = (*range(lead), *(lead + axis for axis in order))
    turned = voxels.transpose(axes)
    matrix = affine.matrix.copy()
    matrix[:, :3] = affine.matrix[:, list(order)]
    slices: list[slice] = [slice(None)] * lead
    for axis, backwards in enumerate(flips):
        slices.append(slice(None, None, -1) if backwards else slice(None))
        if backwards:
            matrix[:3, 3] += matrix[:3, axis] * (turned.shape[lead + axis] - 1)
            matrix[:3, axis] *= -1
    return turned[tuple(slices)], Affine(matrix=matrix)
