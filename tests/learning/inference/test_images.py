"""Pictures and stacks of any size become tensors of one size."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from isocenter.errors import InputError
from isocenter.image import Affine, Volume
from isocenter.learning.inference import room
from isocenter.learning.inference.images import bring
from isocenter.learning.inference.prepare import prepare
from isocenter.recipe import Channel, Plan, Scaling

AS_IT_IS = Scaling(kind="unit", low=0, high=100, shift=0, scale=100)
GREY = Channel(role="image", scaling=AS_IT_IS)
COLOUR = Channel(role="image", scaling=AS_IT_IS, colours=3)


def picture(voxels: np.ndarray, *, spacing: tuple[float, float] = (1.0, 1.0)) -> Volume:
    affine = Affine.from_parts(origin=(0, 0, 0), directions=np.eye(3)[:, ::-1], spacing=(1, *spacing))
    return Volume(voxels=voxels[..., None, :, :], affine=affine, is_planar=True)


@pytest.fixture
def plan(make_plan: Callable[..., Plan]) -> Plan:
    return make_plan(dimensions="2-D", patch=(1, 32, 32), channels=(GREY,))


def test_a_wide_picture_keeps_its_aspect_and_lies_in_the_middle(plan: Plan) -> None:
    brought = bring({"image": picture(np.full((100, 200), 50))}, plan=plan)
    assert brought.shape == (1, 1, 32, 32)
    assert torch.allclose(brought, torch.tensor(0.5))  # filled with the lowest value, which is the only one
    bright = np.full((100, 200), 50)
    bright[:12, :12] = 0
    brought = bring({"image": picture(bright)}, plan=plan)
    rows = (brought[0, 0, :, 16] > 0.49).nonzero()[:, 0]
    assert (int(rows.min()), int(rows.max())) == (8, 23)


def test_pixels_that_are_not_square_are_made_square(plan: Plan) -> None:
    tall = np.full((50, 100), 80)
    tall[0, 0] = 0
    brought = bring({"image": picture(tall, spacing=(2.0, 1.0))}, plan=plan)
    assert torch.all(brought[0, 0, 2:, 2:] > 0.79)


def test_fine_stripes_are_averaged_and_not_skipped(plan: Plan) -> None:
    stripes = np.zeros((320, 320))
    stripes[:, ::2] = 100
    brought = bring({"image": picture(stripes)}, plan=plan)
    assert brought[0, 0, 4:-4, 4:-4].sub(0.5).abs().max() < 0.05


def test_colours_keep_their_balance_and_grey_is_shown_three_times(make_plan: Callable[..., Plan]) -> None:
    plan = make_plan(dimensions="2-D", patch=(1, 8, 8), channels=(COLOUR,))
    red = np.stack([np.full((8, 8), value) for value in (90, 30, 10)])
    assert bring({"image": picture(red)}, plan=plan)[:, 0, 4, 4].tolist() == pytest.approx([0.9, 0.3, 0.1])
    grey = bring({"image": picture(np.full((8, 8), 70))}, plan=plan)
    assert grey.shape == (3, 1, 8, 8)
    assert torch.all(grey == 0.7)


def test_a_stack_is_cut_and_filled_around_its_centre(make_plan: Callable[..., Plan]) -> None:
    plan = make_plan(dimensions="3-D", patch=(4, 8, 8), channels=(GREY,))
    affine = Affine.from_parts(origin=(0, 0, 0), directions=np.eye(3)[:, ::-1], spacing=(1, 1, 1))
    voxels = np.arange(10)[:, None, None] * np.ones((10, 6, 8)) + 20
    brought = bring({"image": Volume(voxels=voxels.astype(np.int16), affine=affine)}, plan=plan)
    assert brought.shape == (1, 4, 8, 8)
    seen = sorted(round(100 * float(value)) for value in brought[0, :, 4, 4])
    assert seen == [23, 24, 25, 26]
    assert torch.all(brought[0, :, 0] == 0.20)


def lung(shape: tuple[int, int, int], *, origin: tuple[float, float, float] = (0, 0, 0)) -> Volume:
    voxels = np.random.default_rng(0).integers(0, 100, shape).astype(np.int16)
    affine = Affine.from_parts(origin=origin, directions=np.eye(3)[:, ::-1], spacing=(2.0, 0.8, 0.8))
    return Volume(voxels=voxels, affine=affine)


def test_the_middle_of_a_stack_is_that_of_the_whole_one_resampled(make_plan: Callable[..., Plan]) -> None:
    plan = make_plan(dimensions="3-D", patch=(6, 16, 16), channels=(GREY,), spacing_mm=(3.0, 1.5, 1.5))
    case = {"image": lung((40, 80, 80))}
    brought, whole = bring(case, plan=plan), prepare(case, plan=plan).image
    first = [(have - want) // 2 for have, want in zip(whole.shape[1:], plan.patch, strict=True)]
    middle = whole[(slice(None), *(slice(at, at + n) for at, n in zip(first, plan.patch, strict=True)))]
    # the recursive blur starts a few voxels outside instead of at the rim
    assert torch.allclose(brought, middle, atol=1e-3)


def test_only_the_middle_of_a_stack_is_resampled(
    make_plan: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = make_plan(dimensions="3-D", patch=(6, 16, 16), channels=(GREY,), spacing_mm=(3.0, 1.5, 1.5))
    monkeypatch.setattr(room, "memory_free", lambda: 100_000)  # the middle takes 18 kB, the whole stack 460 kB
    assert bring({"image": lung((80, 80, 80))}, plan=plan).shape == (1, 6, 16, 16)
    with pytest.raises(InputError, match="memory are free"):
        prepare({"image": lung((80, 80, 80))}, plan=plan)


def test_a_case_that_is_scaled_by_itself_is_scaled_by_all_of_it(make_plan: Callable[..., Plan]) -> None:
    by_itself = Channel(role="image", scaling=Scaling(kind="zscore", low=0.5, high=99.5))
    plan = make_plan(dimensions="3-D", patch=(4, 4, 4), channels=(by_itself,), spacing_mm=(1.0, 1.0, 1.0))
    affine = Affine.from_parts(origin=(0, 0, 0), directions=np.eye(3)[:, ::-1], spacing=(1.0, 1.0, 1.0))
    voxels = np.random.default_rng(0).normal(100, 10, (24, 24, 24))
    voxels[10:14, 10:14, 10:14] += 30
    brought = bring({"image": Volume(voxels=voxels, affine=affine)}, plan=plan)
    assert float(brought.mean()) > 2.0  # by its own middle it would be 0


def test_what_the_network_has_not_learnt_from_is_refused(plan: Plan, make_plan: Callable[..., Plan]) -> None:
    with pytest.raises(InputError, match="in colour; the network has learnt from grey"):
        bring({"image": picture(np.zeros((3, 8, 8)))}, plan=plan)
    with pytest.raises(InputError, match=r"'image'; this case has cxr"):
        bring({"cxr": picture(np.zeros((8, 8)))}, plan=plan)
    affine = Affine.from_parts(origin=(0, 0, 0), directions=np.eye(3)[:, ::-1], spacing=(1, 1, 1))
    with pytest.raises(InputError, match="has 4 slices"):
        bring({"image": Volume(voxels=np.zeros((4, 8, 8)), affine=affine)}, plan=plan)
    with pytest.raises(InputError, match="a picture of one slice"):
        bring({"image": picture(np.zeros((8, 8)))}, plan=make_plan(channels=(GREY,)))
