"""Fewer voxels, or others: crops and resampling, with the place in the body kept."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from isocenter.errors import InputError, RecipeError
from isocenter.image import Volume, resample_volume, spaced
from isocenter.processing.restoration.body import body_mask
from isocenter.processing.restoration.restored import Restored

_SAME = 1e-6  # of a step: closer ones are the same, written by another hand


def crop_body(volume: Volume, *, margin_mm: float = 10.0) -> Restored:
    """Return the box around the body, no voxel altered.

    Args:
        volume: Of one channel.
        margin_mm: Left around it; 0 where nobody has stated how large a voxel is.

    Raises:
        InputError: No body can be found (see body_mask), or a margin in mm where there are none.
        RecipeError: A margin below 0.
    """
    if margin_mm < 0:
        raise RecipeError(f"margin_mm = {margin_mm} cannot be: it is 0 or more.")
    _require_size(volume, "crop_body", needs=margin_mm > 0)
    body = body_mask(volume)
    low, high = [], []
    for axis, step in enumerate(volume.affine.spacing):
        inside = np.flatnonzero(body.any(axis=tuple(other for other in range(3) if other != axis)))
        margin = int(np.ceil(margin_mm / step))
        low.append(max(0, int(inside[0]) - margin))
        high.append(min(volume.shape[axis], int(inside[-1]) + 1 + margin))
    return _cut(volume, low, high)


def crop_centre(volume: Volume, *, size_mm: Sequence[float]) -> Restored:
    """Return the middle of a volume, no voxel altered; an axis that is shorter stays as it is.

    Args:
        volume: Grey or in colour.
        size_mm: Of (slice, row, column); of a picture the first is not looked at.

    Raises:
        InputError: Nobody has stated how large a voxel is.
        RecipeError: Not three sizes above 0.
    """
    _require_three(size_mm, name="size_mm")
    _require_size(volume, "crop_centre", needs=True)
    wanted = [max(1, round(size / step)) for size, step in zip(size_mm, volume.affine.spacing, strict=True)]
    kept = [min(count, most) for count, most in zip(volume.shape, wanted, strict=True)]
    low = [(count - left) // 2 for count, left in zip(volume.shape, kept, strict=True)]
    return _cut(volume, low, [first + left for first, left in zip(low, kept, strict=True)])


def resample(volume: Volume, *, spacing_mm: Sequence[float]) -> Restored:
    """Return a volume with another spacing on the same box, linearly interpolated, float32.

    Coarser axes are smoothed before, so that nothing fine comes up as something coarse.

    Args:
        volume: Grey, or in colour (channel by channel).
        spacing_mm: Of (slice, row, column); of a picture the first is not looked at.

    Raises:
        InputError: Nobody has stated how large a voxel is.
        RecipeError: Not three steps above 0.
    """
    _require_three(spacing_mm, name="spacing_mm")
    _require_size(volume, "resample", needs=True)
    before = volume.affine.spacing
    wanted = [before[0] if volume.is_planar else spacing_mm[0], *spacing_mm[1:]]
    if np.allclose(before, wanted, rtol=_SAME, atol=0.0):
        return Restored(volume=volume, said=_steps(volume, volume))
    affine, shape = spaced(volume.affine, shape=volume.shape, spacing_mm=wanted)
    planes = volume.voxels if volume.channels > 1 else volume.voxels[None]
    each = [resample_volume(replace(volume, voxels=plane), affine=affine, shape=shape) for plane in planes]
    after = each[0] if len(each) == 1 else replace(each[0], voxels=np.stack([one.voxels for one in each]))
    return Restored(volume=after, said=_steps(volume, after))


def _cut(volume: Volume, low: Sequence[int], high: Sequence[int]) -> Restored:
    s, r, c = (slice(first, last) for first, last in zip(low, high, strict=True))
    voxels = volume.voxels[..., s, r, c].copy()  # a view would keep the whole volume in memory
    said: dict[str, float | str] = {}
    for name, first, last in zip(("slice", "row", "column"), low, high, strict=True):
        said |= {f"first_{name}": first, f"{name}s": last - first}
    said["kept_share"] = voxels.size / volume.voxels.size
    return Restored(volume=replace(volume, voxels=voxels, affine=volume.affine.shifted(low)), said=said)


def _steps(before: Volume, after: Volume) -> dict[str, float | str]:
    said: dict[str, float | str] = {}
    for axis, name in enumerate(("slice", "row", "column")):
        if not (before.is_planar and axis == 0):
            said |= {f"{name}_before_mm": before.affine.spacing[axis], f"{name}_after_mm": after.affine.spacing[axis]}
    return said


def _require_size(volume: Volume, step: str, *, needs: bool) -> None:
    if needs and not volume.has_size:
        raise InputError(f"Nobody has stated how large a voxel of this image is: the step {step!r} cannot go by mm.")


def _require_three(lengths: Sequence[float], *, name: str) -> None:
    if len(lengths) != 3 or min(lengths) <= 0:
        raise RecipeError(f"{name} takes three lengths above 0, of (slice, row, column); this is {list(lengths)}.")
