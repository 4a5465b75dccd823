"""The body is found where there is air around it; a coil's shading is found and divided out."""

import numpy as np
import pytest
import SimpleITK as sitk

from isocenter.errors import InputError, RecipeError
from isocenter.image import Mask, Volume
from isocenter.processing.restoration.bias import n4
from isocenter.processing.restoration.body import body_mask, mask_body
from isocenter.testing.phantom import axis_grid, head
from tests.processing.restoration.scans import magnitude, noisy, picture, scan, tissue


def shaded_head() -> tuple[Volume, Mask, np.ndarray]:
    """Return a head under a coil's shading, its mask, and the field (2 to 1 from end to end)."""
    shape = (40, 74, 60)
    affine = axis_grid("SPL", shape=shape, spacing_mm=(4.5, 3.0, 3.0), centre=(0, 0, -20))
    volume, mask = head().sample(affine, shape, modality="MR", rng=np.random.default_rng(0))
    _, r, c = np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij")
    field = np.exp(0.2 * np.sin(2 * c) + 0.15 * r).astype(np.float32)
    return Volume(voxels=volume.voxels * field, affine=affine, modality="MR"), mask, field


def variation(volume: Volume, mask: Mask) -> float:
    brain = volume.voxels[mask.binary("brain")]
    return float(brain.std() / brain.mean())


def test_shading_goes_and_contrast_stays() -> None:
    volume, mask, field = shaded_head()
    done = n4(volume)
    assert variation(volume, mask) > 0.1
    assert variation(done.volume, mask) < 0.04  # noise alone makes 0.02
    assert done.said["bias_range"] == pytest.approx(field.max() / field.min(), rel=0.2)  # told between percentiles
    body = body_mask(volume)
    assert done.volume.voxels[body].mean() == pytest.approx(volume.voxels[body].mean(), rel=0.05)


def test_an_even_image_is_hardly_shaded() -> None:
    volume, mask, field = shaded_head()
    even = Volume(voxels=volume.voxels / field, affine=volume.affine, modality="MR")
    brain = mask.binary("brain")
    gone = np.log(even.voxels[brain] / n4(even).volume.voxels[brain])
    assert np.ptp(np.percentile(gone, [1, 99])) < 0.1  # a head of few parts: some of their contrast is taken for it


def test_the_field_has_the_same_bits_whatever_the_threads() -> None:
    volume = scan(magnitude(tissue(), 5.0))
    usual = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    try:
        found = set()
        for threads in (1, 3):
            sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
            found.add(n4(volume, rounds=5).volume.voxels.tobytes())
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(usual)
    assert len(found) == 1


@pytest.mark.parametrize("shape", [(1, 64, 64), (2, 40, 40), (5, 12, 90)])
def test_few_slices_and_small_ones_are_taken(shape: tuple[int, int, int]) -> None:
    done = n4(scan(magnitude(tissue(shape), 4.0), spacing_mm=(5.0, 1.0, 1.0)), rounds=5)
    assert done.volume.shape == shape
    assert done.said["bias_range"] >= 1


def test_values_below_zero_are_taken() -> None:
    voxels = magnitude(tissue(), 4.0) - 50
    plain, lower = n4(scan(voxels + 50), rounds=5), n4(scan(voxels), rounds=5)
    # counted from the lowest, which is not quite the scanner's zero
    assert np.allclose(lower.volume.voxels, plain.volume.voxels - 50, atol=2.0)


def test_what_no_coil_has_shaded_is_refused() -> None:
    with pytest.raises(InputError, match="HU"):
        n4(scan(tissue() - 1000, modality="CT", unit="HU"))
    with pytest.raises(InputError, match="constant"):
        n4(scan(np.full((4, 16, 16), 9.0)))
    with pytest.raises(InputError, match="colour"):
        n4(picture(np.random.default_rng(0).random((3, 16, 16))))
    with pytest.raises(RecipeError, match="shrink = 0"):
        n4(scan(tissue()), shrink=0)


@pytest.mark.parametrize("sigma", [2.0, 10.0, 40.0])
def test_the_body_of_an_mr_is_what_stands_out_from_air(sigma: float) -> None:
    clean = tissue()
    found, true = body_mask(scan(magnitude(clean, sigma))), clean > 0
    assert 2 * (found & true).sum() / (found.sum() + true.sum()) > 0.97


def test_the_body_of_a_ct_leaves_the_couch_and_keeps_the_lungs() -> None:
    hu = np.where(tissue() > 0, 40.0, -1000.0)
    hu[:, 20:44, 24:40] = -850  # a lung, enclosed
    couch = hu.copy()
    couch[:, 61:62] = 300
    found = body_mask(scan(noisy(couch, 10.0).astype(np.int16), modality="CT", unit="HU"))
    assert np.array_equal(found, tissue() > 0)


def test_a_crop_without_air_is_all_body() -> None:
    inside = tissue((16, 128, 128))[:, 45:83, 45:83]
    assert body_mask(scan(magnitude(inside, 10.0))).all()
    hu = scan(np.full((4, 20, 20), 30.0) + np.arange(20), modality="CT", unit="HU")
    assert body_mask(hu).all()


@pytest.mark.parametrize("unit", ["HU", "1"])
def test_nothing_but_air_is_refused(unit: str) -> None:
    voxels = np.full((4, 20, 20), -1000.0)
    if unit == "HU":
        voxels[0, 0, 0] = -990.0
    with pytest.raises(InputError, match=r"air|constant"):
        body_mask(scan(voxels, modality="CT", unit=unit))


def test_all_around_the_body_takes_one_value() -> None:
    clean = tissue()
    done = mask_body(scan(magnitude(clean, 5.0)), fill=-3.0)
    assert (done.volume.voxels[clean == 0] == -3).mean() > 0.99
    assert done.said["body_share"] == pytest.approx((clean > 0).mean(), rel=0.03)
    whole = np.where(clean > 0, clean, -0.0).astype(np.uint16)
    kept = mask_body(scan(whole)).volume.voxels
    assert np.array_equal(kept, whole)
    assert kept.dtype == np.uint16
