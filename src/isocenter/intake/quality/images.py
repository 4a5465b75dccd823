"""Images that nothing can be learnt from: one value throughout, or hardly any voxel."""

from collections.abc import Iterator

import numpy as np

from isocenter.case import Case
from isocenter.image import Volume
from isocenter.intake.issue import Issue

_LEAST_VOXELS = 4  # along an axis: below it a 3-D structure has no inside; planar pictures have one slice by nature
_CT_LOWEST_HU = -1100  # air is -1000; a CT that never comes near it and never below 0 was not rescaled
_MOSTLY_CONSTANT = 0.999
_SAMPLE = 1001  # voxels by which it is told what nearly all are


def check_images(case: Case) -> Iterator[Issue]:
    """Yield what is wrong with the volumes of a case."""
    for role, volume in case.volumes.items():
        where = case.id if len(case.volumes) == 1 else f"{case.id} ({role})"
        yield from _values(volume, where)
        yield from _shape(volume, where)


def _values(volume: Volume, where: str) -> Iterator[Issue]:
    low, high = float(volume.voxels.min()), float(volume.voxels.max())
    if low == high:
        yield Issue(
            check="constant image", where=where, figure=f"every voxel is {low:g}", limit="an image with contrast",
            mend="Export the image again; this one is blank.",
        )  # fmt: skip
        return
    few = np.sort(volume.voxels.ravel()[:: max(1, volume.voxels.size // _SAMPLE)])
    usual = few[len(few) // 2]  # what nearly all voxels are, if they are
    share = float((volume.voxels == usual).mean())
    if share > _MOSTLY_CONSTANT:
        yield Issue(
            check="constant image", where=where, figure=f"{share:.2%} of the voxels are {usual:g}",
            limit=f"at most {_MOSTLY_CONSTANT:.1%}", mend="Look at the image; it may be cropped to nothing.",
            severity="warn",
        )  # fmt: skip
    if volume.modality == "CT" and low >= 0 and high > -_CT_LOWEST_HU:
        yield Issue(
            check="Hounsfield units", where=where, figure=f"a CT with values from {low:g} to {high:g}",
            limit="air near -1000 HU", mend="Apply the rescale slope and intercept before the file is written.",
            severity="warn",
        )  # fmt: skip


def _shape(volume: Volume, where: str) -> Iterator[Issue]:
    axes = volume.shape[1:] if volume.is_planar else volume.shape
    if min(axes) < _LEAST_VOXELS:
        yield Issue(
            check="image size", where=where, figure=f"{'×'.join(map(str, volume.shape))} voxels",
            limit=f"at least {_LEAST_VOXELS} along each axis", mend="Look whether slices were lost on the way.",
            severity="warn",
        )  # fmt: skip
