"""Augmentation against what can be said exactly of it."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter, map_coordinates
from torch import Tensor

from isocenter.processing.transforms import altered, draw, moved, vary
from isocenter.recipe import Variation

EVERYTHING = Variation(
    rotation_degrees=(15.0, 15.0, 15.0), scale=0.2, shift=0.05, elastic_mm=3.0, brightness=0.2, contrast=0.2,
    gamma=0.3, noise=0.1, blur=1.0, bias=0.3, resolution=0.5, chance=1.0, flips=("column",),
)  # fmt: skip


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def ball(shape: tuple[int, int, int], *, spacing: tuple[float, float, float], centre: tuple[float, ...]) -> Tensor:
    """Return a ball of 8 mm radius whose centre lies so many mm from the middle, as (1, s, r, c) labels."""
    axes = [(torch.arange(n) - (n - 1) / 2) * step - off for n, step, off in zip(shape, spacing, centre, strict=True)]
    s, r, c = torch.meshgrid(*axes, indexing="ij")
    return ((s**2 + r**2 + c**2) < 64).long()[None]


def centroid_mm(labels: Tensor, *, spacing: tuple[float, float, float]) -> Tensor:
    places = labels[0].nonzero().float().mean(dim=0)
    middle = torch.tensor([(n - 1) / 2 for n in labels.shape[1:]])
    return (places - middle) * torch.tensor(spacing)


def test_no_variation_changes_nothing() -> None:
    images, labels = torch.randn(2, 1, 6, 8, 10), torch.randint(0, 3, (2, 6, 8, 10))
    same, kept = vary(images, labels, variation=Variation(), spacing_mm=(1, 1, 1), rng=rng())
    assert torch.equal(same, images)
    assert kept is not None
    assert torch.equal(kept, labels)


def test_one_seed_gives_one_result_and_leaves_the_input_alone() -> None:
    images, labels = torch.randn(3, 2, 12, 14, 16), torch.randint(0, 3, (3, 12, 14, 16))
    before = images.clone()
    first = vary(images, labels, variation=EVERYTHING, spacing_mm=(1, 1, 1), rng=rng(5))
    again = vary(images, labels, variation=EVERYTHING, spacing_mm=(1, 1, 1), rng=rng(5))
    other = vary(images, labels, variation=EVERYTHING, spacing_mm=(1, 1, 1), rng=rng(6))
    assert torch.equal(first[0], again[0])
    assert not torch.equal(first[0], other[0])
    assert torch.equal(images, before)
    assert first[0].isfinite().all()


def test_labels_stay_labels() -> None:
    labels = torch.tensor([0, 3, 7, 255])[torch.randint(0, 4, (2, 12, 12, 12))]
    _, moved = vary(torch.randn(2, 1, 12, 12, 12), labels, variation=EVERYTHING, spacing_mm=(1, 1, 1), rng=rng())
    assert moved is not None
    assert moved.dtype == labels.dtype
    assert set(moved.unique().tolist()) <= {0, 3, 7, 255}


def test_many_labels_stay_labels_too() -> None:
    labels = torch.arange(12**3).reshape(1, 12, 12, 12) // 40
    _, moved = vary(torch.randn(1, 1, 12, 12, 12), labels, variation=EVERYTHING, spacing_mm=(1, 1, 1), rng=rng())
    assert moved is not None
    assert set(moved.unique().tolist()) <= set(labels.unique().tolist())


def test_image_and_labels_move_together() -> None:
    shape, spacing = (24, 40, 40), (2.0, 1.0, 1.0)
    labels = ball(shape, spacing=spacing, centre=(4, -6, 5))
    variation = Variation(rotation_degrees=(25, 25, 25), scale=0.2, shift=0.05, elastic_mm=3)
    images, moved = vary(labels[:, None].float(), labels, variation=variation, spacing_mm=spacing, rng=rng(3))
    assert moved is not None
    assert not torch.equal(moved, labels)
    assert torch.equal((images[:, 0] > 0.5).long(), moved)  # the share's half is where the label changes


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 1.0, 1.0)])
def test_a_turn_is_a_turn_in_the_body_also_on_thick_slices(spacing: tuple[float, float, float]) -> None:
    shape = (48, 48, 48) if spacing[0] == 1 else (16, 48, 48)
    labels = ball(shape, spacing=spacing, centre=(0, 10, 0))
    variation = Variation(rotation_degrees=(0, 0, 40))
    _, moved = vary(torch.zeros(1, 1, *shape), labels, variation=variation, spacing_mm=spacing, rng=rng(1))
    assert moved is not None
    where = centroid_mm(moved, spacing=spacing)
    assert math.hypot(*where.tolist()) == pytest.approx(10, abs=0.5)  # half a millimetre: voxels of 3 mm are cut
    assert abs(float(where[0])) > 1  # it left its slice
    assert float(moved.sum()) == pytest.approx(float(labels.sum()), rel=0.05)  # a ball of 8 mm in such voxels


def test_flips_mirror_the_chosen_axis_alone() -> None:
    images = torch.randn(16, 1, 3, 4, 5)
    flipped, _ = vary(images, None, variation=Variation(flips=("row",)), spacing_mm=(1, 1, 1), rng=rng())
    mirrored = [torch.equal(a, b.flip(2)) for a, b in zip(flipped, images, strict=True)]
    same = [torch.equal(a, b) for a, b in zip(flipped, images, strict=True)]
    assert any(mirrored)
    assert any(same)
    assert all(a or b for a, b in zip(mirrored, same, strict=True))


@pytest.mark.parametrize(
    ("variation", "held"),
    [
        (Variation(brightness=0.5, chance=1.0), lambda a, b: torch.allclose(b.std(), a.std(), rtol=1e-4)),
        (Variation(contrast=0.5, chance=1.0), lambda a, b: torch.allclose(b.mean(), a.mean(), atol=1e-4)),
        (Variation(gamma=0.5, chance=1.0), lambda a, b: torch.allclose(b.amax(), a.amax(), atol=1e-4)),
        (Variation(blur=2.0, chance=1.0), lambda a, b: bool(b.std() < a.std())),
        (Variation(resolution=0.4, chance=1.0), lambda a, b: bool(b.std() < a.std())),
        (Variation(noise=0.5, chance=1.0), lambda a, b: bool(b.std() > a.std())),
        (Variation(bias=0.5, chance=1.0), lambda a, b: torch.allclose(b.amin(), a.amin(), atol=1e-4)),
    ],
)
def test_each_intensity_change_does_what_its_name_says(variation: Variation, held: object) -> None:
    image = torch.randn(1, 1, 12, 16, 16, generator=rng(9))
    changed, _ = vary(image, None, variation=variation, spacing_mm=(1, 1, 1), rng=rng(2))
    assert not torch.equal(changed, image)
    assert callable(held)
    assert held(image, changed)


def test_a_flat_picture_of_one_slice_can_be_varied() -> None:
    images, labels = vary(
        torch.randn(2, 3, 1, 20, 20), torch.ones(2, 1, 20, 20).long(), variation=EVERYTHING, spacing_mm=(1, 1, 1),
        rng=rng(),
    )  # fmt: skip
    assert images.shape == (2, 3, 1, 20, 20)
    assert images.isfinite().all()
    assert labels is not None
    assert labels.all()


def test_blur_is_a_gaussian_of_each_members_own_width() -> None:
    images = torch.rand(2, 1, 12, 15, 17, generator=torch.Generator().manual_seed(0))
    drawn = replace(draw(Variation(), count=2, rng=torch.Generator()), blur=torch.tensor([0.8, 1.4]))
    seen = altered(images, drawn=drawn, rng=torch.Generator())
    for member, sigma in enumerate((0.8, 1.4)):
        # the kernel reaches as far as the widest member's
        expected = gaussian_filter(images[member, 0].numpy(), sigma, mode="nearest", radius=round(3 * 1.4))
        assert np.allclose(seen[member, 0].numpy(), expected, atol=1e-5)


def test_bends_are_interpolated_between_control_points() -> None:
    rng = torch.Generator().manual_seed(3)
    drawn = draw(Variation(elastic_mm=4.0, shift=0.05), count=1, rng=rng)
    images = torch.rand(1, 1, 14, 18, 22, generator=rng)
    seen, _ = moved(images, None, drawn=drawn, spacing_mm=(2.0, 1.0, 0.5))
    shape, spacing = np.array([14, 18, 22]), np.array([2.0, 1.0, 0.5])
    index = np.indices(shape).reshape(3, -1)
    points = index / (shape[:, None] - 1) * 4  # five control points from end to end
    assert drawn.bend_mm is not None
    bend_mm = np.stack([map_coordinates(one.numpy(), points, order=1) for one in drawn.bend_mm[0]])
    place = index + bend_mm / spacing[:, None] + drawn.shift[0].numpy()[:, None] * shape[:, None]
    expected = map_coordinates(images[0, 0].numpy(), place, order=1, mode="nearest").reshape(shape)
    assert np.allclose(seen[0, 0].numpy(), expected, atol=1e-4)


def test_a_picture_is_looked_up_as_a_volume_of_one_slice_would_be() -> None:
    images = torch.rand(2, 3, 1, 20, 24, generator=torch.Generator().manual_seed(1))
    drawn = draw(Variation(rotation_degrees=(20, 0, 0), scale=0.2), count=2, rng=torch.Generator().manual_seed(2))
    flat, _ = moved(images, None, drawn=drawn, spacing_mm=(1, 1, 1))
    thick, _ = moved(images.repeat(1, 1, 3, 1, 1), None, drawn=drawn, spacing_mm=(1, 1, 1))
    assert torch.allclose(flat[:, :, 0], thick[:, :, 1], atol=1e-5)


def test_images_are_varied_where_they_lie() -> None:
    # tensors without values refuse, as an accelerator's do, to be mixed with those of the CPU; noise needs values
    everything = Variation(
        rotation_degrees=(15.0, 15.0, 15.0), scale=0.2, shift=0.1, elastic_mm=4.0, brightness=0.1, contrast=0.2,
        gamma=0.3, bias=0.3, blur=1.0, resolution=0.5, chance=1.0, flips=("row",),
    )  # fmt: skip
    images = torch.empty(2, 1, 16, 16, 16, device="meta")
    varied, _ = vary(
        images, None, variation=everything, spacing_mm=(1.0, 1.0, 1.0), rng=torch.Generator().manual_seed(0)
    )
    assert varied.device.type == "meta"
    assert varied.shape == images.shape
