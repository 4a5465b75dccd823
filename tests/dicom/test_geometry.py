"""What positions say, against grids that are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isocenter.dicom.verdict.geometry import Stack, affine_of, is_orientation, normal_of, stack

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
seeds = st.integers(0, 2**32 - 1)
counts = st.integers(2, 60)
steps = st.floats(0.3, 12.0)


def oblique(seed: int) -> tuple[float, ...]:
    """Return six cosines of a rotation drawn evenly."""
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return tuple(float(value) for value in (q * np.sign(np.diag(r)))[:, :2].T.reshape(-1))


def row_of_slices(orientation: tuple[float, ...], offsets: np.ndarray, seed: int) -> np.ndarray:
    origin = np.random.default_rng(seed).uniform(-500, 500, 3)
    return origin + np.outer(offsets, normal_of(orientation))


def judged(positions: np.ndarray, orientation: tuple[float, ...], pixel_mm: float = 1.0) -> Stack:
    return stack(positions, orientation=orientation, thickness_mm=1.0, pixel_mm=pixel_mm)


@settings(max_examples=60, deadline=None)
@given(seed=seeds, count=counts, step=steps, decimals=st.sampled_from([3, 6, 12]))
def test_even_slices_are_regular_in_any_orientation_and_order(
    seed: int, count: int, step: float, decimals: int
) -> None:
    orientation = oblique(seed)
    places = row_of_slices(orientation, np.arange(count) * step, seed)
    shuffled = np.random.default_rng(seed).permutation(count)
    found = judged(np.round(places[shuffled], decimals), orientation)
    assert found.flaws == ()
    assert [int(shuffled[index]) for index in found.order] == list(range(count))
    # positions rounded to 10**-decimals: each end may be off by half of it along three axes
    assert np.allclose(found.step, normal_of(orientation) * step, atol=2 * 10.0**-decimals)
    assert found.offsets == tuple(float(index) for index in range(count))


@settings(max_examples=40, deadline=None)
@given(seed=seeds, count=st.integers(8, 40), step=steps, data=st.data())
def test_a_missing_slice_is_found_wherever_it_was(seed: int, count: int, step: float, data: st.DataObject) -> None:
    gone = data.draw(st.integers(1, count - 2))
    orientation = oblique(seed)
    places = np.delete(row_of_slices(orientation, np.arange(count) * step, seed), gone, axis=0)
    found = judged(places, orientation)
    (flaw,) = found.flaws
    assert flaw.verdict == "missing slice"
    assert f"Slices {gone} and {gone + 1} lie {2 * step:.3f} mm apart" in flaw.reason
    assert found.offsets == tuple(float(index) for index in range(count) if index != gone)
    assert np.allclose(found.step, normal_of(orientation) * step, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(seed=seeds, count=st.integers(4, 40), step=st.floats(1.0, 6.0), degrees=st.floats(2.0, 35.0))
def test_a_tilt_is_told_in_degrees(seed: int, count: int, step: float, degrees: float) -> None:
    orientation = oblique(seed)
    aside = np.asarray(orientation[3:]) * np.tan(np.radians(degrees)) * step
    places = row_of_slices(orientation, np.arange(count) * step, seed) + np.outer(np.arange(count), aside)
    found = judged(places, orientation, pixel_mm=0.05)
    (flaw,) = found.flaws
    assert flaw.verdict == "tilted"
    assert f"({degrees:.1f} degrees)" in flaw.reason
    assert np.allclose(found.step, normal_of(orientation) * step + aside, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(seed=seeds, count=st.integers(4, 30), step=st.floats(1.0, 6.0), data=st.data())
def test_two_slices_at_one_place_are_duplicates(seed: int, count: int, step: float, data: st.DataObject) -> None:
    twice = data.draw(st.integers(0, count - 1))
    orientation = oblique(seed)
    places = row_of_slices(orientation, np.arange(count) * step, seed)
    found = judged(np.concatenate([places, places[twice : twice + 1]]), orientation)
    assert [flaw.verdict for flaw in found.flaws] == ["duplicate positions"]
    assert found.order == tuple(range(count))  # the first of each is kept


def test_a_slice_moved_along_the_stack_is_uneven() -> None:
    offsets = np.arange(12) * 3.0
    offsets[5] += 1.0
    (flaw,) = judged(row_of_slices(AXIAL, offsets, 1), AXIAL).flaws
    assert flaw.verdict == "uneven spacing"
    assert flaw.accept == "uneven"
    assert "2.000 to 4.000 mm apart, most of them 3.000 mm" in flaw.reason


def test_a_slice_moved_sideways_cannot_be_accepted() -> None:
    places = row_of_slices(AXIAL, np.arange(12) * 3.0, 1)
    places[7, 0] += 20
    verdicts = {(flaw.verdict, flaw.accept) for flaw in judged(places, AXIAL).flaws}
    assert ("uneven spacing", "") in verdicts


def test_positions_rounded_to_a_tenth_of_a_millimetre_are_still_regular() -> None:
    places = row_of_slices(AXIAL, np.arange(200) * 0.625, 3)
    assert judged(np.round(places, 1), AXIAL).flaws == ()


def test_one_slice_up_moves_along_the_normal() -> None:
    affine = affine_of((0, 0, 0), orientation=AXIAL, step=(0, 0, 2), spacing=(0.5, 0.7))
    assert np.allclose(affine.to_world((1, 0, 0)), (0, 0, 2))
    assert np.allclose(affine.to_world((0, 1, 0)), (0, 0.5, 0))  # one row down: to the back
    assert np.allclose(affine.to_world((0, 0, 1)), (0.7, 0, 0))  # one column on: to the left


@pytest.mark.parametrize(
    "cosines",
    [(), (1, 0, 0, 0, 1), (1, 0, 0, 1, 0, 0), (0, 0, 0, 0, 0, 0), (2, 0, 0, 0, 1, 0), (1, 0, 0, 0, float("nan"), 0)],
)
def test_cosines_that_are_no_orientation_are_refused(cosines: tuple[float, ...]) -> None:
    assert not is_orientation(cosines)
    assert is_orientation(AXIAL)
