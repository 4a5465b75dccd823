"""Surface distances: shifted boxes whose distances are known, and MONAI as oracle."""

import math

import numpy as np
import numpy.typing as npt
import pytest
import torch
from monai.metrics import compute_hausdorff_distance, compute_surface_dice
from scipy.ndimage import correlate, distance_transform_edt, gaussian_filter

from isocenter.errors import GridError
from isocenter.metrics import hd95, nsd, surface_distances

SPACING = (3.0, 0.75, 0.5)
EMPTY = np.zeros((12, 40, 44), dtype=bool)
Binary = npt.NDArray[np.bool_]


def box(start: tuple[int, int, int], size: tuple[int, int, int]) -> Binary:
    made = EMPTY.copy()
    made[tuple(slice(a, a + n) for a, n in zip(start, size, strict=True))] = True
    return made


def blobs(seed: int, spacing: tuple[float, float, float]) -> tuple[Binary, Binary]:
    """Return two smooth outlines that differ about as much as two readers would."""
    rng = np.random.default_rng(seed)
    places = np.indices((24, 48, 48)) - np.reshape((11.5, 23.5, 23.5), (3, 1, 1, 1))
    radius = np.linalg.norm(places * np.reshape(spacing, (3, 1, 1, 1)), axis=0) / min(9 * spacing[0], 15 * spacing[2])
    first, second = (gaussian_filter(rng.normal(size=radius.shape), 6.0 / np.asarray(spacing)) for _ in range(2))
    return radius + 0.1 * first / first.std() < 1, radius + 0.1 * second / second.std() < 1


def tensor(mask: Binary) -> torch.Tensor:
    return torch.tensor(mask)[None, None].float()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_box_shifted_along_an_axis_lies_that_shift_away(axis: int) -> None:
    start = [2, 8, 8]
    start[axis] += 2
    a, b = box((2, 8, 8), (6, 20, 20)), box((start[0], start[1], start[2]), (6, 20, 20))
    distances = surface_distances(a, b, spacing_mm=SPACING)
    assert distances.quantile(1.0) == pytest.approx(2 * SPACING[axis])
    assert distances.within(2 * SPACING[axis]) == 1.0
    assert distances.within(2 * SPACING[axis] - 0.01) < 1.0


def test_the_area_of_a_large_box_is_that_of_its_sides() -> None:
    distances = surface_distances(box((1, 1, 1), (10, 38, 42)), EMPTY, spacing_mm=SPACING)
    a, b, c = 10 * 3.0, 38 * 0.75, 42 * 0.5
    # edges are cut like a bevel: 6 % at this size, less on larger ones
    assert distances.there_areas.sum() == pytest.approx(2 * (a * b + b * c + a * c), rel=0.06)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 0.75, 0.75)])
def test_nsd_equals_the_oracle(seed: int, spacing: tuple[float, float, float]) -> None:
    a, b = blobs(seed, spacing)
    oracle = compute_surface_dice(
        tensor(a), tensor(b), class_thresholds=[1.0], include_background=True, spacing=spacing, use_subvoxels=True
    ).item()
    # 0.02: same places and distances, but the oracle takes areas from triangles, we from the vector sum of faces
    assert nsd(a, b, spacing_mm=spacing, tolerance_mm=1.0) == pytest.approx(oracle, abs=0.02)


@pytest.mark.parametrize("seed", range(3))
def test_hd95_equals_the_oracle(seed: int) -> None:
    a, b = blobs(seed, (1.0, 1.0, 1.0))
    oracle = compute_hausdorff_distance(
        tensor(a), tensor(b), percentile=95, include_background=True, spacing=(1.0, 1.0, 1.0)
    ).item()
    # half a voxel's diagonal: the oracle measures between centres of the outermost voxels, not between outlines
    assert hd95(a, b, spacing_mm=(1.0, 1.0, 1.0)) == pytest.approx(oracle, abs=0.87)


@pytest.mark.parametrize("seed", range(3))
def test_the_largest_distance_equals_a_distance_map(seed: int) -> None:
    a, b = blobs(seed, SPACING)
    first, second = (corners(mask) for mask in (a, b))
    to_first, to_second = (distance_transform_edt(~places, sampling=SPACING) for places in (first, second))
    oracle = max(to_second[first].max(), to_first[second].max())
    assert surface_distances(a, b, spacing_mm=SPACING).quantile(1.0) == pytest.approx(oracle)


def corners(mask: Binary) -> Binary:
    """Return the voxel corners that an outline passes, found by a box filter rather than by counting cells."""
    share = correlate(np.pad(mask, 1).astype(float), np.full((2, 2, 2), 1 / 8), mode="constant", origin=0)[1:, 1:, 1:]
    return (share > 0.01) & (share < 0.99)


def test_distances_do_not_depend_on_the_order_of_axes_or_masks() -> None:
    a, b = blobs(7, SPACING)
    straight = hd95(a, b, spacing_mm=SPACING)
    turned = hd95(b.transpose(2, 0, 1)[::-1], a.transpose(2, 0, 1)[::-1], spacing_mm=(0.5, 3.0, 0.75))
    assert turned == pytest.approx(straight, abs=1e-9)


def test_one_stray_voxel_decides_the_largest_distance_but_not_hd95() -> None:
    a = box((2, 8, 8), (6, 20, 20))
    stray = a.copy()
    stray[11, 39, 43] = True
    distances = surface_distances(stray, a, spacing_mm=SPACING)
    assert distances.quantile(0.95) == 0.0
    assert distances.quantile(1.0) > 10.0


def test_equal_outlines_lie_nowhere_apart() -> None:
    a = box((2, 8, 8), (6, 20, 20))
    assert hd95(a, a, spacing_mm=SPACING) == 0.0
    assert nsd(a, a, spacing_mm=SPACING, tolerance_mm=0.0) == 1.0


def test_two_empty_outlines_give_no_figure() -> None:
    assert math.isnan(hd95(EMPTY, EMPTY, spacing_mm=SPACING))
    assert math.isnan(nsd(EMPTY, EMPTY, spacing_mm=SPACING, tolerance_mm=1.0))


def test_one_empty_outline_is_as_far_off_as_the_grid_is_large() -> None:
    a = box((2, 8, 8), (6, 20, 20))
    diagonal = float(np.linalg.norm(np.asarray(EMPTY.shape) * SPACING))
    for pair in ((a, EMPTY), (EMPTY, a)):
        assert hd95(*pair, spacing_mm=SPACING) == pytest.approx(diagonal)
        assert nsd(*pair, spacing_mm=SPACING, tolerance_mm=100.0) == 0.0


def test_two_shapes_are_refused() -> None:
    with pytest.raises(GridError, match="resample"):
        hd95(EMPTY, EMPTY[1:], spacing_mm=SPACING)
