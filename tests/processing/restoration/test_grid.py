"""Crops and resampling keep every voxel where it lies in the body."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isocenter.errors import InputError, RecipeError
from isocenter.image import Affine, Volume
from isocenter.processing.restoration.grid import crop_body, crop_centre, resample
from isocenter.testing.phantom import axis_grid
from tests.processing.restoration.scans import magnitude, picture, scan, tissue


def same_places(before: Volume, after: Volume) -> bool:
    """Return whether each voxel of the crop shows what the whole shows at its place in the body."""
    places = after.affine.to_world(np.stack(np.indices(after.shape), axis=-1))
    s, r, c = np.moveaxis(np.rint(before.affine.to_index(places)).astype(int), -1, 0)
    return np.array_equal(before.voxels[..., s, r, c], after.voxels)


@pytest.mark.parametrize("orientation", ["SPL", "IAR", "LSP"])
def test_the_box_around_the_body_keeps_its_places(orientation: str) -> None:
    voxels = magnitude(tissue((16, 80, 80)), 4.0)
    voxels[:3] = voxels[:3, :1, :1] * 0 + np.abs(np.random.default_rng(0).normal(0, 4, (3, 80, 80)))
    affine = axis_grid(orientation, shape=voxels.shape, spacing_mm=(3.0, 1.5, 2.0), centre=(9.0, 1.0, -5.0))
    volume = Volume(voxels=voxels, affine=affine, modality="MR")
    done = crop_body(volume, margin_mm=3.0)
    assert same_places(volume, done.volume)
    inside = np.argwhere(tissue((16, 80, 80))[8] > 0)
    assert done.said["first_slice"] == pytest.approx(2, abs=1)
    assert done.said["first_row"] == pytest.approx(inside[:, 0].min() - 2, abs=1)
    assert done.said["columns"] == pytest.approx(np.ptp(inside[:, 1]) + 1 + 2 * 2, abs=2)


def test_a_body_that_fills_the_volume_is_not_cut() -> None:
    voxels = np.random.default_rng(0).normal(300, 5, (4, 20, 20))
    assert crop_body(scan(voxels)).volume.shape == (4, 20, 20)


@settings(max_examples=25, deadline=None)
@given(size=st.tuples(*[st.floats(1, 60)] * 3))
def test_the_middle_keeps_its_places(size: tuple[float, float, float]) -> None:
    voxels = np.random.default_rng(0).integers(0, 999, (9, 20, 31)).astype(np.int16)
    volume = scan(voxels, spacing_mm=(4.0, 1.0, 2.0))
    done = crop_centre(volume, size_mm=size).volume
    assert same_places(volume, done)
    assert done.voxels.dtype == np.int16
    assert all(
        n * step <= max(length + step, step) for n, step, length in zip(done.shape, (4, 1, 2), size, strict=True)
    )


def ramp(affine: Affine, shape: tuple[int, int, int]) -> np.ndarray:
    """Return values that rise evenly through the body, as its coordinates say."""
    x, y, z = np.moveaxis(affine.to_world(np.stack(np.indices(shape), axis=-1)), -1, 0)
    return 2 * x - y + 0.5 * z


@settings(max_examples=15, deadline=None)
@given(spacing=st.tuples(*[st.floats(0.6, 4.0)] * 3))
def test_resampled_values_lie_where_they_lay(spacing: tuple[float, float, float]) -> None:
    blank = scan(np.zeros((12, 20, 24)), spacing_mm=(3.0, 1.0, 1.5))
    volume = Volume(voxels=ramp(blank.affine, blank.shape), affine=blank.affine)
    done = resample(volume, spacing_mm=spacing).volume
    assert np.allclose(done.affine.spacing, spacing)
    inner = tuple(slice(int(4 / step) + 2, -int(4 / step) - 2) for step in spacing)  # the rim's value stands outside
    wanted = ramp(done.affine, done.shape)[inner]
    assert np.allclose(done.voxels[inner], wanted, atol=0.35)  # of 100; smoothing is short of values near the rim


def test_the_same_spacing_changes_nothing() -> None:
    volume = scan(tissue(), spacing_mm=(2.0, 1.0, 1.0))
    assert np.array_equal(resample(volume, spacing_mm=[2, 1, 1]).volume.voxels, volume.voxels)


def test_pictures_and_colours_are_resampled() -> None:
    shown = picture(np.stack([tissue((1, 60, 60))[0]] * 3))
    done = resample(shown, spacing_mm=(99.0, 2.0, 2.0))
    assert done.volume.voxels.shape == (3, 1, 30, 30)
    assert done.volume.is_planar
    assert "slice_before_mm" not in done.said
    assert done.said["row_after_mm"] == 2


@pytest.mark.parametrize("step", [lambda v: crop_body(v), lambda v: crop_centre(v, size_mm=(9, 9, 9)),
                                  lambda v: resample(v, spacing_mm=(1, 2, 2))])  # fmt: skip
def test_mm_are_refused_where_nobody_has_stated_any(step) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match="how large"):
        step(picture(magnitude(tissue((1, 60, 60))[0], 3.0), has_size=False))
    assert crop_body(picture(magnitude(tissue((1, 60, 60))[0], 3.0), has_size=False), margin_mm=0).volume.shape[1] < 60


@pytest.mark.parametrize("lengths", [[1, 1], [1, 1, 0], [1, -1, 1]])
def test_lengths_that_cannot_be_are_refused(lengths: list[float]) -> None:
    with pytest.raises(RecipeError, match="three lengths"):
        resample(scan(tissue()), spacing_mm=lengths)
    with pytest.raises(RecipeError, match="three lengths"):
        crop_centre(scan(tissue()), size_mm=lengths)
    with pytest.raises(RecipeError, match="margin_mm"):
        crop_body(scan(tissue()), margin_mm=-1)
