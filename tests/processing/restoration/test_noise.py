"""Noise is told from the image alone, whatever else is in it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isocenter.errors import InputError
from isocenter.processing.restoration.noise import estimate_noise
from tests.processing.restoration.scans import magnitude, noisy, picture, scan, tissue

NEAR = 0.05  # some 20,000 places of tissue: a figure is off by 1 % for want of more, edges add up to 3 %


@pytest.mark.parametrize("sigma", [0.5, 2.0, 8.0, 30.0, 60.0])
@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), (6.0, 0.7, 0.7)])
def test_noise_is_told_to_a_few_percent(sigma: float, spacing_mm: tuple[float, float, float]) -> None:
    told = estimate_noise(scan(noisy(tissue(), sigma), modality="CT", spacing_mm=spacing_mm))
    assert told.method == "wavelet"
    assert told.sigma == pytest.approx(sigma, rel=NEAR)


@pytest.mark.parametrize("sigma", [1.0, 5.0, 30.0])
def test_the_air_of_an_mr_tells_its_noise(sigma: float) -> None:
    told = estimate_noise(scan(magnitude(tissue(), sigma)))
    assert told.method == "background"
    assert told.sigma == pytest.approx(sigma, rel=0.02)  # air is all that it goes by


def test_masked_air_is_not_asked() -> None:
    clean = tissue()
    masked = np.where(clean > 0, magnitude(clean, 6.0), 0)
    told = estimate_noise(scan(masked))
    assert told.method == "wavelet"
    assert told.sigma == pytest.approx(6.0, rel=NEAR)
    with pytest.raises(InputError, match="not that of a magnitude MR"):
        estimate_noise(scan(masked), method="background")


@pytest.mark.parametrize("sigma", [2.0, 20.0])
def test_whole_numbers_are_told_as_well(sigma: float) -> None:
    voxels = np.rint(noisy(tissue(), sigma) - 1024).astype(np.int16)
    told = estimate_noise(scan(voxels, modality="CT", unit="HU")).sigma
    assert told == pytest.approx(np.hypot(sigma, 12**-0.5), rel=NEAR)  # rounding is noise of 1/sqrt(12)


def test_an_image_without_noise_has_none() -> None:
    assert estimate_noise(scan(tissue())).sigma == 0
    assert estimate_noise(scan(np.full((3, 8, 8), 7, dtype=np.uint16))).sigma == 0


@settings(max_examples=15, deadline=None)
@given(gain=st.floats(0.01, 1000.0), offset=st.floats(-1000.0, 1000.0))
def test_noise_scales_with_the_values(gain: float, offset: float) -> None:
    voxels = noisy(tissue((4, 48, 48)), 10.0).astype(np.float64)
    plain = estimate_noise(scan(voxels, modality="CT")).sigma
    scaled = estimate_noise(scan(voxels * gain + offset, modality="CT")).sigma
    assert scaled == pytest.approx(plain * gain, rel=0.01)  # float32 keeps seven digits, of which an offset takes some


def test_immerkaer_agrees_where_there_are_no_edges() -> None:
    flat = scan(noisy(np.full((8, 64, 64), 300.0), 10.0), modality="CT")
    assert estimate_noise(flat, method="immerkaer").sigma == pytest.approx(10.0, rel=0.02)
    assert estimate_noise(flat, method="wavelet").sigma == pytest.approx(10.0, rel=0.02)


def test_a_picture_has_noise_too() -> None:
    shown = picture(noisy(tissue((1, 96, 96))[0], 12.0))
    assert estimate_noise(shown).sigma == pytest.approx(12.0, rel=0.1)  # 5,000 places


@pytest.mark.parametrize("voxels", [np.ones((4, 2, 9)), np.zeros((3, 4, 9, 9))])
def test_what_shows_no_noise_is_refused(voxels: np.ndarray) -> None:
    with pytest.raises(InputError):
        estimate_noise(scan(voxels))
