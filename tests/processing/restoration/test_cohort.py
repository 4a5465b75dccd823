"""One tissue has one value after it, whatever the scanner; what was learnt is plain values."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isocenter.errors import InputError, RecipeError
from isocenter.image import Volume
from isocenter.processing.restoration.cohort import fit_match, fit_nyul, match, nyul
from tests.processing.restoration.scans import magnitude, picture, scan, tissue


def first_scanner(seed: int) -> Volume:
    return scan(magnitude(tissue(), 6.0, seed=seed))


def second_scanner(seed: int) -> Volume:
    """Return the same body with another gain and curve."""
    return scan((magnitude(tissue(), 6.0, seed=seed) / 400) ** 0.7 * 3000)


def means(volume: Volume) -> np.ndarray:
    clean = tissue()
    return np.array([volume.voxels[clean == value].mean() for value in (150, 200, 400)])


@pytest.mark.parametrize(("fit", "step"), [(fit_nyul, nyul), (fit_match, match)])
def test_two_scanners_agree_after_it(fit, step) -> None:  # type: ignore[no-untyped-def]
    learnt = fit([first_scanner(0), second_scanner(1), first_scanner(2), second_scanner(3)])
    learnt = json.loads(json.dumps(learnt))
    one, other = step(first_scanner(4), **learnt), step(second_scanner(5), **learnt)
    scale = means(one.volume).max()
    assert np.abs(means(first_scanner(4)) - means(second_scanner(5))).max() > 5 * scale * 0.02
    assert np.abs(means(one.volume) - means(other.volume)).max() < 0.02 * scale
    body = tissue() > 0
    levels = np.linspace(5, 95, 19)
    quantiles = [np.percentile(done.volume.voxels[body], levels) for done in (one, other)]
    assert np.abs(quantiles[0] - quantiles[1]).max() < 0.03 * scale
    assert one.said["bend_share"] > 0.01


@settings(max_examples=15, deadline=None)
@given(gain=st.floats(0.01, 100.0), seed=st.integers(0, 99))
def test_the_order_of_values_is_kept_and_gain_is_forgotten(gain: float, seed: int) -> None:
    voxels = np.random.default_rng(seed).gamma(2.0, 50.0, (2, 20, 20))
    landmarks = [0.0, 20.0, 45.0, 100.0]
    done = nyul(scan(voxels), landmarks=landmarks, percentiles=[1, 30, 60, 99], within="all").volume.voxels
    assert (np.diff(done.ravel()[np.argsort(voxels, axis=None)]) >= -1e-4).all()
    scaled = nyul(scan(voxels * gain), landmarks=landmarks, percentiles=[1, 30, 60, 99], within="all").volume.voxels
    assert np.allclose(done, scaled, atol=0.01)


def test_percentiles_come_to_lie_on_the_landmarks() -> None:
    voxels = np.random.default_rng(0).gamma(2.0, 50.0, (4, 40, 40))
    done = nyul(scan(voxels), landmarks=[0, 30, 100], percentiles=[1, 50, 99], within="all").volume.voxels
    assert np.allclose(np.percentile(done, [1, 50, 99]), [0, 30, 100], atol=0.2)  # between two of 6,400 voxels


def test_a_reference_that_is_its_own_changes_nothing() -> None:
    volume = first_scanner(0)
    assert np.allclose(match(volume, **fit_match([volume])).volume.voxels, volume.voxels, atol=0.05)


def test_many_equal_values_are_taken() -> None:
    voxels = np.zeros((2, 20, 20), dtype=np.uint8)
    voxels[:, 10:] = np.arange(20)
    done = match(scan(voxels), reference=list(np.linspace(0, 1, 21)), within="all").volume.voxels
    assert np.isfinite(done).all()
    assert done.min() >= 0
    assert done.max() <= 1


@pytest.mark.parametrize("fit", [fit_nyul, fit_match])
def test_a_cohort_that_teaches_nothing_is_refused(fit) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=r"no volume|0 of 0"):
        fit([])
    with pytest.raises(InputError, match="constant"):
        fit([first_scanner(0), scan(np.ones((3, 8, 8)))])
    with pytest.raises(InputError, match="same on every scanner"):
        fit([scan(tissue() - 1000, modality="CT", unit="HU")])
    with pytest.raises(InputError, match="colour"):
        fit([picture(np.random.default_rng(0).random((3, 8, 8)))])
    coarse = scan(np.where(tissue() > 300, 1, 0).astype(np.uint8))
    if fit is fit_nyul:
        with pytest.raises(InputError, match="landmarks"):
            fit([coarse], within="all")


@pytest.mark.parametrize(
    ("landmarks", "levels"), [([0, 1], [1, 50, 99]), ([0, 2, 1], [1, 50, 99]), ([0, 1], [5, 5]), ([0, 1], [-1, 99])]
)
def test_landmarks_that_do_not_rise_are_refused(landmarks: list[float], levels: list[float]) -> None:
    with pytest.raises(RecipeError, match="rise"):
        nyul(first_scanner(0), landmarks=landmarks, percentiles=levels)
    with pytest.raises(RecipeError, match="rise"):
        match(first_scanner(0), reference=[2.0, 1.0])
