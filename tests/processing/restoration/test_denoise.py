"""Noise goes, as much as there is, and what is clean stays clean."""

import numpy as np
import pytest
import SimpleITK as sitk

from isocenter.errors import InputError, RecipeError
from isocenter.image import Volume
from isocenter.processing.restoration import Step
from isocenter.processing.restoration.denoise import curvature, median
from tests.processing.restoration.scans import grid, noisy, picture, rmse, scan, tissue

NEEDS_SKIMAGE = {"nlm", "tv"}
METHODS = ["median", "curvature", "nlm", "tv"]


@pytest.fixture(params=METHODS)
def method(request: pytest.FixtureRequest) -> str:
    if request.param in NEEDS_SKIMAGE:
        pytest.importorskip("skimage", reason="scikit-image (the extra 'restore') is not installed")
    return str(request.param)


@pytest.mark.parametrize("sigma", [5.0, 25.0])
@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), (6.0, 1.0, 1.0)])
def test_an_image_comes_nearer_to_the_clean_one(
    method: str, sigma: float, spacing_mm: tuple[float, float, float]
) -> None:
    clean = tissue()
    done = Step(name=method).apply(scan(noisy(clean, sigma), spacing_mm=spacing_mm))
    assert rmse(done.volume, clean) < 0.8 * sigma  # the least of what any of them reaches here is 0.7
    assert done.said["noise_before"] == pytest.approx(sigma, rel=0.06)
    assert done.said["noise_after"] < 0.6 * sigma
    assert done.said["change_rms"] == pytest.approx(sigma, rel=0.5)


def test_a_clean_image_stays_as_it_is(method: str) -> None:
    clean = tissue()
    done = Step(name=method).apply(scan(clean))
    assert np.array_equal(done.volume.voxels, clean)
    assert done.said["noise_before"] == done.said["change_rms"] == 0


def test_a_smooth_image_is_hardly_changed(method: str) -> None:
    row, column = np.mgrid[0:64, 0:64] / 10
    smooth = np.stack([100 + 40 * np.sin(row + k / 4) * np.cos(column) for k in range(8)]).astype(np.float32)
    done = Step(name=method).apply(scan(smooth))
    assert rmse(done.volume, smooth) < 0.01 * smooth.std()


def test_thick_slices_lend_each_other_nothing(method: str) -> None:
    clean = tissue()
    clean[8:] = clean[8:, ::-1] + 50
    voxels = noisy(clean, 10.0)
    other = voxels.copy()
    other[9] = noisy(clean, 10.0, seed=5)[9]
    settled = {"sigma": 10.0}  # told from the whole volume, noise would differ a little
    first, second = (Step(name=method, parameters=settled).apply(scan(one, spacing_mm=(20.0, 1.0, 1.0))).volume.voxels
                     for one in (voxels, other))  # fmt: skip
    assert np.abs(first[:7] - second[:7]).max() < 0.5  # diffusion lends by the square of the distance


def test_sixteen_bits_and_colour_and_pictures_are_taken(method: str) -> None:
    clean = tissue((1, 64, 64))[0]
    whole = picture(np.rint(noisy(clean, 20.0) + 1000).astype(np.uint16))
    done = Step(name=method).apply(whole)
    assert done.volume.voxels.dtype == np.float32
    assert done.volume.is_planar
    assert rmse(done.volume, clean[None] + 1000) < 16
    coloured = picture(np.stack([noisy(clean, 20.0), noisy(clean, 5.0, seed=1), clean]))
    done = Step(name=method).apply(coloured)
    assert done.volume.channels == 3
    assert done.said["red_noise_before"] == pytest.approx(20, rel=0.15)
    assert done.said["green_noise_before"] == pytest.approx(5, rel=0.15)
    assert np.array_equal(done.volume.voxels[2, 0], clean)


def test_a_constant_image_stays_constant(method: str) -> None:
    done = Step(name=method).apply(scan(np.full((6, 16, 16), 42, dtype=np.int16)))
    assert (done.volume.voxels == 42).all()


def test_a_median_takes_single_wrong_pixels_out_where_asked() -> None:
    clean = tissue()
    wrong = clean.copy()
    wrong[5, 40, 40] = 4000
    assert median(scan(wrong)).volume.voxels[5, 40, 40] == 4000
    assert median(scan(wrong), unlimited=True).volume.voxels[5, 40, 40] == clean[5, 40, 40]


def test_no_voxel_moves_further_than_the_limit() -> None:
    before = noisy(tissue(), 10.0)
    after = median(scan(before), sigma=10.0, limit=1.5).volume.voxels
    assert np.abs(after - before).max() <= 15.0 + 1e-3  # float32


def test_diffusion_gives_the_same_bits_whatever_the_threads() -> None:
    volume = scan(noisy(tissue(), 10.0))
    usual = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    try:
        found = set()
        for threads in (1, 3):
            sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
            found.add(curvature(volume).volume.voxels.tobytes())
            assert sitk.ProcessObject.GetGlobalDefaultNumberOfThreads() == threads
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(usual)
    assert len(found) == 1


def test_the_size_of_a_pixel_changes_no_picture() -> None:
    plane = noisy(tissue((1, 48, 48)), 10.0)
    one, other = (
        Volume(voxels=plane, affine=grid((1.0, step, step), plane.shape), is_planar=True) for step in (0.2, 3.0)
    )
    assert np.array_equal(curvature(one).volume.voxels, curvature(other).volume.voxels)


@pytest.mark.parametrize("key", ["sigma", "strength"])
def test_below_nothing_is_refused(key: str) -> None:
    with pytest.raises(RecipeError, match=key):
        curvature(scan(tissue()), **{key: -1.0})


def test_a_line_of_pixels_is_refused(method: str) -> None:
    with pytest.raises(InputError, match="too small"):
        Step(name=method).apply(scan(np.arange(64, dtype=np.float32).reshape(8, 1, 8)))


@pytest.mark.parametrize("name", sorted(NEEDS_SKIMAGE))
def test_slabs_leave_no_seam(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    similar = pytest.importorskip("isocenter.processing.restoration.similar", exc_type=ImportError)
    volume = scan(noisy(tissue((36, 40, 40)), 15.0))
    whole = getattr(similar, name)(volume, by="volume").volume.voxels
    monkeypatch.setattr(similar, "_SLAB", 12)
    parts = getattr(similar, name)(volume, by="volume").volume.voxels
    # non-local means reaches no further than its margin; total variation fades with distance
    assert np.abs(parts - whole).max() < (1e-2 if name == "nlm" else 3.0)
