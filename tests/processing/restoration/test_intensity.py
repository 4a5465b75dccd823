"""Values come to the range asked for, exactly, and what is said brings them back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isocenter.errors import InputError, MissingExtraError, RecipeError
from isocenter.image import Volume
from isocenter.processing.restoration import Restored, Step
from isocenter.processing.restoration.contrast import clahe
from isocenter.processing.restoration.intensity import percentiles, symmetric, unit, window, zscore
from tests.processing.restoration.scans import magnitude, noisy, picture, scan, tissue


def hounsfield() -> Volume:
    rng = np.random.default_rng(0)
    return scan(rng.integers(-1024, 3072, (4, 24, 24), dtype=np.int16), modality="CT", unit="HU")


def brought_back(done: Restored) -> np.ndarray:
    return done.volume.voxels.astype(np.float64) * float(done.said["scale"]) + float(done.said["shift"])


def test_a_window_is_exact() -> None:
    hu = np.array([-3000, -1024, -160, -159, 40, 239, 240, 241, 3000], dtype=np.int16).reshape(1, 1, 9)
    done = window(scan(hu, modality="CT", unit="HU"), low=-160, high=240)
    wanted = np.clip((hu.astype(np.float64) + 160) / 400, 0, 1)
    assert np.allclose(done.volume.voxels, wanted, atol=1e-7)
    assert done.volume.voxels.min() == 0
    assert done.volume.voxels.max() == 1
    assert done.said["clipped_share"] == pytest.approx(4 / 9)
    assert done.volume.unit == "1"


@settings(max_examples=40, deadline=None)
@given(low=st.integers(-1000, 400), width=st.integers(1, 3000), start=st.floats(-5, 5), span=st.floats(0.1, 10))
def test_windows_keep_their_range_and_are_undone(low: int, width: int, start: float, span: float) -> None:
    before = hounsfield()
    done = window(before, low=low, high=low + width, to=(start, start + span))
    assert done.volume.voxels.min() >= np.float32(start)
    assert done.volume.voxels.max() <= np.float32(start + span)
    # seven digits of float32, of which the place of the range takes some
    assert np.allclose(
        brought_back(done), np.clip(before.voxels, low, low + width), atol=width * 1e-5 * (1 + 10 / span)
    )


def test_lowest_and_highest_become_the_ends() -> None:
    for step, low in ((unit, 0), (symmetric, -1)):
        done = step(hounsfield())
        assert (done.volume.voxels.min(), done.volume.voxels.max()) == (low, 1)
        assert np.allclose(brought_back(done), hounsfield().voxels, atol=1e-3)


def test_sixteen_bits_do_not_wrap() -> None:
    voxels = np.array([0, 1, 65534, 65535], dtype=np.uint16).reshape(1, 2, 2)
    assert np.allclose(unit(scan(voxels)).volume.voxels.ravel(), [0, 1 / 65535, 65534 / 65535, 1])
    assert np.isclose(zscore(scan(voxels), within="all").volume.voxels.std(), 1)


def test_a_zscore_is_that_of_the_body() -> None:
    clean = tissue()
    volume = scan(magnitude(clean, 5.0))
    inside = zscore(volume).volume.voxels[clean > 0]
    assert abs(inside.mean()) < 0.02  # the body is found to a voxel
    assert inside.std() == pytest.approx(1, abs=0.02)
    everywhere = zscore(volume, within="all").volume.voxels
    assert abs(everywhere.mean()) < 1e-4
    assert everywhere.std() == pytest.approx(1, abs=1e-4)


def test_percentiles_of_the_body_fill_the_range() -> None:
    clean = tissue()
    done = percentiles(scan(magnitude(clean, 5.0)), low=5, high=95, to=(-1, 1))
    inside = done.volume.voxels[clean > 0]
    assert (inside <= -1).mean() == pytest.approx(0.05, abs=0.01)
    assert (inside >= 1).mean() == pytest.approx(0.05, abs=0.01)


def test_colours_share_one_scale() -> None:
    rgb = np.stack([np.full((16, 16), 10.0), np.full((16, 16), 20.0), np.linspace(0, 40, 256).reshape(16, 16)])
    done = unit(picture(rgb))
    assert np.allclose(done.volume.voxels[:2, 0], np.array([0.25, 0.5])[:, None, None])
    with pytest.raises(InputError, match="colour"):
        zscore(picture(rgb))
    assert zscore(picture(rgb), within="all").volume.channels == 3


@pytest.mark.parametrize("name", ["unit", "symmetric", "percentiles", "zscore", "clahe", "mask_body", "crop_body"])
@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_a_constant_image_is_refused(name: str, dtype: type) -> None:
    with pytest.raises(InputError, match="constant"):
        Step(name=name).apply(scan(np.full((4, 16, 16), 5, dtype=dtype)))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_reaches_no_step(value: float) -> None:
    voxels = tissue()
    voxels[0, 0, 0] = value
    with pytest.raises(InputError, match="NaN or infinite"):
        scan(voxels)


def test_a_window_of_another_unit_is_refused() -> None:
    scaled = zscore(hounsfield(), within="all").volume
    with pytest.raises(InputError, match="scaled before"):
        window(scaled, low=40, high=400)
    with pytest.raises(RecipeError, match="low end"):
        window(hounsfield(), low=40, high=40)
    with pytest.raises(RecipeError, match="two ends"):
        window(hounsfield(), low=0, high=40, to=(1, 0))
    with pytest.raises(RecipeError, match="0 to 100"):
        percentiles(hounsfield(), low=50, high=101)


def test_most_of_an_image_in_one_value_has_no_percentiles() -> None:
    voxels = np.zeros((4, 16, 16))
    voxels[0, 0, 0] = 1
    with pytest.raises(InputError, match="both 0"):
        percentiles(scan(voxels), within="all")


def faint() -> np.ndarray:
    """Return a slope on which small squares stand out little."""
    voxels = np.tile(np.linspace(0, 1000, 64, dtype=np.float32), (3, 64, 1))
    voxels[:, 4::8, 4::8] += 20
    return voxels


def test_contrast_rises_and_the_range_stays() -> None:
    before = noisy(faint(), 1.0)
    done = clahe(scan(before), limit=4.0)
    after = done.volume.voxels
    assert after.min() >= before.min()
    assert after.max() <= before.max()
    assert np.abs(np.diff(after[:, 30:36], axis=1)).mean() > 1.5 * np.abs(np.diff(before[:, 30:36], axis=1)).mean()
    assert done.said["low"] == before.min()
    assert done.said["high"] == before.max()


@settings(max_examples=25, deadline=None)
@given(limit=st.floats(1, 10), tiles=st.integers(1, 12), seed=st.integers(0, 99))
def test_values_of_one_tile_keep_their_order(limit: float, tiles: int, seed: int) -> None:
    voxels = np.random.default_rng(seed).gamma(2.0, 50.0, (2, 24, 31))
    after = clahe(scan(voxels), limit=limit, tiles=tiles).volume.voxels
    assert after.min() >= np.float32(voxels.min()) - 1e-3
    assert after.max() <= np.float32(voxels.max()) + 1e-3
    if tiles == 1:
        order = np.argsort(voxels[0], axis=None)
        assert (np.diff(after[0].ravel()[order]) >= -1e-3).all()


def test_no_curve_is_steeper_than_the_limit() -> None:
    steps = np.linspace(0, 1, 4096, dtype=np.float32).reshape(64, 64) ** 4
    after = clahe(picture(steps), limit=2.5, tiles=1).volume.voxels.ravel()
    rises = np.diff(after) / np.diff(steps.ravel())[: after.size - 1].clip(1e-6)
    assert np.quantile(rises[2000:], 0.99) <= 2.5 * 1.01  # float32


def test_a_limit_of_one_changes_nothing() -> None:
    before = noisy(faint(), 5.0)
    assert np.allclose(clahe(scan(before), limit=1.0).volume.voxels, before, atol=0.01)


def test_contrast_agrees_with_scikit_image() -> None:
    exposure = pytest.importorskip("skimage.exposure", reason="scikit-image (the extra 'restore') is not installed")
    plane = np.random.default_rng(0).beta(2, 5, (64, 64)).astype(np.float32)
    plane += np.linspace(0, 1, 64, dtype=np.float32)
    plane = (plane - plane.min()) / np.ptp(plane)
    theirs = exposure.equalize_adapthist(plane, kernel_size=16, clip_limit=3 / 256)
    ours = clahe(picture(plane), limit=3.0, tiles=4).volume.voxels[0]
    # theirs spreads the excess again and again and stretches to its own range
    assert np.corrcoef(theirs.ravel(), ours.ravel())[0, 1] > 0.98


def test_hue_stays_where_contrast_rises() -> None:
    value = faint()[0] + 100
    done = clahe(picture(np.stack([value, value / 2, value / 4])))
    red, green, blue = done.volume.voxels
    assert np.allclose(green, red / 2, rtol=1e-4)
    assert np.allclose(blue, red / 4, rtol=1e-4)


@pytest.mark.parametrize("parameters", [{"limit": 0.5}, {"tiles": 0}, {"tiles": 65}])
def test_contrast_refuses_what_cannot_be(parameters: dict[str, float]) -> None:
    with pytest.raises(RecipeError, match="clahe takes"):
        Step(name="clahe", parameters=parameters).apply(scan(faint()))


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "skimage", None)
    monkeypatch.setitem(sys.modules, "skimage.restoration", None)
    monkeypatch.delitem(sys.modules, "isocenter.processing.restoration.similar", raising=False)
    with pytest.raises(MissingExtraError, match="skimage"):
        Step(name="nlm")
