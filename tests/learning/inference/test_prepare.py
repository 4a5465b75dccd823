"""From a case's grid to the network's and back."""

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
import torch

from isocenter.errors import InputError
from isocenter.image import Affine, LabelTable, Mask, Volume
from isocenter.learning.inference.prepare import prepare, prepare_mask, restore, scaled
from isocenter.recipe import Channel, Plan, Scaling

TABLE = LabelTable.of("heart", "liver")
ORIENTATIONS = ["".join(letters) for pair in permutations(("RL", "AP", "IS")) for letters in product(*pair)]


def case(shape: tuple[int, int, int] = (10, 12, 14), spacing: tuple[float, ...] = (1, 1, 1)) -> tuple[Volume, Mask]:
    rng = np.random.default_rng(0)
    affine = Affine.from_parts(origin=(5, -7, 30), directions=np.eye(3)[:, ::-1], spacing=spacing)
    labels = np.zeros(shape, dtype=np.uint8)
    labels[2:6, 3:9, 2:5], labels[6:9, 2:6, 8:13] = 1, 2
    voxels = rng.normal(100, 20, shape).astype(np.float32) + 50 * labels
    return Volume(voxels=voxels, affine=affine), Mask(labels=labels, affine=affine, table=TABLE)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_the_way_a_series_is_stored_changes_nothing(orientation: str, make_plan: Callable[..., Plan]) -> None:
    volume, mask = case()
    seen = prepare({"image": volume}, plan=make_plan())
    stored = volume.oriented(orientation)
    again = prepare({"image": stored}, plan=make_plan())
    assert torch.equal(seen.image, again.image)
    labels = prepare_mask(mask.oriented(orientation), again)
    assert torch.equal(labels, prepare_mask(mask, seen))
    back = restore(labels.numpy(), again, onto=stored, table=TABLE)
    assert np.array_equal(back.labels, mask.oriented(orientation).labels)
    assert back.affine is stored.affine


def test_another_spacing_comes_back_within_interpolation(make_plan: Callable[..., Plan]) -> None:
    volume, mask = case(shape=(20, 24, 28), spacing=(2.0, 1.5, 1.5))
    seen = prepare({"image": volume}, plan=make_plan(spacing_mm=(1.0, 1.0, 1.0)))
    assert seen.shape == (40, 36, 42)
    back = restore(prepare_mask(mask, seen).numpy(), seen, onto=volume, table=TABLE)
    back.require_grid_of(volume)
    for name in ("heart", "liver"):
        same = (back.binary(name) & mask.binary(name)).sum() * 2 / (back.binary(name).sum() + mask.binary(name).sum())
        assert same > 0.93  # boxes of 3 to 6 voxels lose their corners when interpolated twice


def test_restoring_slab_by_slab_is_restoring_whole(
    monkeypatch: pytest.MonkeyPatch, make_plan: Callable[..., Plan]
) -> None:
    volume, mask = case(shape=(20, 24, 28), spacing=(2.0, 1.5, 1.5))
    seen = prepare({"image": volume}, plan=make_plan(spacing_mm=(1.0, 1.0, 1.0)))
    labels = prepare_mask(mask, seen).numpy()
    whole = restore(labels, seen, onto=volume, table=TABLE)
    monkeypatch.setattr("isocenter.learning.inference.prepare._SLAB_VOXELS", 24 * 28 * 3)
    slabs = restore(labels, seen, onto=volume, table=TABLE)
    assert np.array_equal(whole.labels, slabs.labels)


def test_channels_are_laid_on_the_first_ones_grid(make_plan: Callable[..., Plan]) -> None:
    volume, _ = case()
    fine, _ = case(shape=(20, 24, 28), spacing=(0.5, 0.5, 0.5))
    channels = tuple(Channel(role=role, scaling=Scaling(kind="zscore", low=0, high=100)) for role in ("t1", "t2"))
    seen = prepare({"t2": fine, "t1": volume}, plan=make_plan(channels=channels))
    assert seen.image.shape == (2, 10, 12, 14)
    assert seen.image.isfinite().all()


def test_a_missing_role_is_named(make_plan: Callable[..., Plan]) -> None:
    volume, _ = case()
    with pytest.raises(InputError, match=r"role 'image'.*has flair"):
        prepare({"flair": volume}, plan=make_plan())


def test_zscore_does_not_mind_a_scale_of_a_thousand() -> None:
    volume, _ = case()
    scaling = Scaling(kind="zscore", low=0.5, high=99.5)
    np.testing.assert_allclose(
        scaled(volume.voxels * 1000, scaling=scaling), scaled(volume.voxels, scaling=scaling), atol=1e-4
    )  # float32


def test_zscore_leaves_padding_out_of_its_measure() -> None:
    values = np.zeros((10, 10, 10), dtype=np.float32)
    values[3:7, 3:8, 3:8] = np.random.default_rng(0).normal(100, 10, (4, 5, 5))
    seen = scaled(values, scaling=Scaling(kind="zscore", low=0, high=100))
    assert abs(float(seen[3:7, 3:8, 3:8].mean())) < 1e-4  # float32


def test_a_window_runs_from_its_low_to_its_high_end() -> None:
    values = np.array([-1000, -150, 50, 250, 3000], dtype=np.int16)
    scaling = Scaling(kind="window", low=-150, high=250, shift=50, scale=200)
    assert scaled(values, scaling=scaling).tolist() == [-1, -1, 0, 1, 1]


def test_a_constant_image_stays_finite() -> None:
    seen = scaled(np.full((4, 4, 4), 7, dtype=np.int16), scaling=Scaling(kind="zscore", low=0, high=100))
    assert not seen.any()


def test_volumes_of_different_places_are_not_laid_on_each_other(make_plan: Callable[..., Plan]) -> None:
    first, _ = case()
    away = replace(first, affine=first.affine.shifted((1000, 0, 0)))
    channels = tuple(replace(make_plan().channels[0], role=role) for role in ("t1", "flair"))
    with pytest.raises(InputError, match="do not overlap"):
        prepare({"t1": first, "flair": away}, plan=make_plan(channels=channels))


def flat(voxels: np.ndarray, *, spacing: tuple[float, float] = (1.0, 1.0), has_size: bool = True) -> Volume:
    affine = Affine.from_parts(origin=(0, 0, 0), directions=np.eye(3)[:, ::-1], spacing=(1, *spacing))
    return Volume(voxels=voxels, affine=affine, is_planar=True, has_size=has_size)


AS_IT_IS = Scaling(kind="unit", low=0, high=255, shift=0, scale=1)


def test_a_picture_in_colour_is_three_planes_and_a_grey_one_among_them_three_times_the_same(
    make_plan: Callable[..., Plan],
) -> None:
    plan = make_plan(channels=(Channel(role="image", scaling=AS_IT_IS, colours=3),), dimensions="2-D")
    colours = np.random.default_rng(0).integers(0, 255, (3, 1, 6, 8)).astype(np.uint8)
    assert np.array_equal(prepare({"image": flat(colours)}, plan=plan).image.numpy(), colours)
    grey = prepare({"image": flat(colours[0])}, plan=plan).image
    assert torch.equal(grey[0], grey[1])
    assert torch.equal(grey[0], grey[2])


def test_colours_are_resampled_plane_by_plane(make_plan: Callable[..., Plan]) -> None:
    plan = make_plan(channels=(Channel(role="image", scaling=AS_IT_IS, colours=3),), dimensions="2-D")
    colours = np.stack([np.full((1, 6, 8), value, dtype=np.uint8) for value in (10, 20, 30)])
    seen = prepare({"image": flat(colours, spacing=(2.0, 2.0))}, plan=plan)
    assert seen.shape == (1, 12, 16)
    assert seen.image.mean(dim=(1, 2, 3)).tolist() == pytest.approx([10, 20, 30])


def test_a_grey_plan_refuses_a_picture_in_colour(make_plan: Callable[..., Plan]) -> None:
    with pytest.raises(InputError, match="one grey value"):
        prepare({"image": flat(np.zeros((3, 1, 6, 8), np.uint8))}, plan=make_plan(dimensions="2-D"))


def test_pictures_of_unknown_size_are_read_pixel_by_pixel_and_come_back(make_plan: Callable[..., Plan]) -> None:
    plan = make_plan(channels=(Channel(role="image", scaling=AS_IT_IS, has_size=False),), dimensions="2-D")
    labels = np.zeros((1, 6, 8), np.uint8)
    labels[0, 2:4, 3:7] = 1
    sized = flat(np.arange(48, dtype=np.uint8).reshape(1, 6, 8), spacing=(0.14, 0.14))
    seen = prepare({"image": sized}, plan=plan)
    assert seen.shape == (1, 6, 8)  # not shrunk to 1 mm: the model knows pixels only
    mask = Mask(labels=labels, affine=sized.affine, table=TABLE)
    back = restore(prepare_mask(mask, seen).numpy(), seen, onto=sized, table=TABLE)
    assert np.array_equal(back.labels, labels)
    assert back.affine is sized.affine
