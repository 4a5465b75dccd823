"""Overlap and volume: values that can be worked out, and MONAI as oracle."""

import math

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from monai.metrics import compute_dice

from isocenter.errors import GridError
from isocenter.metrics import dice, volume_error

EMPTY = np.zeros((4, 5, 6), dtype=bool)
FULL = np.ones((4, 5, 6), dtype=bool)


@pytest.mark.parametrize("seed", range(5))
def test_dice_equals_the_oracle(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.random((2, 8, 9, 10)) < 0.2 + 0.1 * seed
    oracle = compute_dice(torch.tensor(a)[None, None], torch.tensor(b)[None, None]).item()
    assert dice(a, b) == pytest.approx(oracle, abs=1e-6)  # the oracle counts in float32


def test_dice_of_two_empty_outlines_is_not_known() -> None:
    assert math.isnan(dice(EMPTY, EMPTY))


def test_dice_with_one_empty_outline_is_zero() -> None:
    assert dice(EMPTY, FULL) == 0.0
    assert dice(FULL, EMPTY) == 0.0


def test_a_quarter_too_much_is_an_error_of_25_percent() -> None:
    reference, predicted = EMPTY.copy(), EMPTY.copy()
    reference[:, :4, :1] = True
    predicted[:, :, :1] = True
    assert volume_error(predicted, reference) == pytest.approx(25.0)


@pytest.mark.parametrize("seed", range(5))
def test_volume_error_equals_the_oracle(seed: int) -> None:
    rng = np.random.default_rng(seed)
    predicted, reference = rng.random((2, 8, 9, 10)) < np.reshape((0.1 + 0.15 * seed, 0.4), (2, 1, 1, 1))
    oracle = sitk.LabelOverlapMeasuresImageFilter()
    oracle.Execute(*(sitk.GetImageFromArray(mask.astype(np.uint8)) for mask in (predicted, reference)))
    similarity = oracle.GetVolumeSimilarity()  # 2 (predicted - reference) / (predicted + reference)
    assert volume_error(predicted, reference) == pytest.approx(100 * ((2 + similarity) / (2 - similarity) - 1))
    assert dice(predicted, reference) == pytest.approx(oracle.GetDiceCoefficient())


def test_volume_error_without_a_reference_is_not_known() -> None:
    assert math.isnan(volume_error(FULL, EMPTY))


def test_two_shapes_are_refused() -> None:
    with pytest.raises(GridError, match="resample"):
        dice(EMPTY, EMPTY[1:])
