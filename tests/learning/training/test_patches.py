"""Patches: whose turn, from where, and what fills what a case does not have."""

import math
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from isocenter.case import Annotation, Case
from isocenter.image import Affine, Label, LabelTable, Mask, Region, Volume
from isocenter.learning.tasks import find_task
from isocenter.learning.training.figures import outlined
from isocenter.learning.training.patches import draw_batch, outlined_sample
from isocenter.learning.training.shelf import Shelf
from isocenter.recipe import Goal, Plan

TABLE = LabelTable.of("speck")
CPU = torch.device("cpu")


def numbered(number: int, *, shape: tuple[int, int, int] = (40, 24, 24)) -> Case:
    """Return a case whose values rise along the columns, with one labelled voxel in a corner."""
    affine = Affine.from_parts(origin=(0, 0, 0), directions=np.eye(3)[:, ::-1], spacing=(1, 1, 1))
    voxels = np.broadcast_to(np.arange(shape[2], dtype=np.float32) + 1, shape).copy()
    labels = np.zeros(shape, dtype=np.uint8)
    labels[-2, 2, -3] = 1
    mask = Mask(labels=labels, affine=affine, table=TABLE)
    return Case(
        id=str(number), patient=str(number), volumes={"image": Volume(voxels=voxels, affine=affine)},
        annotations=(Annotation(reader="r", mask=mask),),
    )  # fmt: skip


def shelf(plan: Plan, folder: Path, *, count: int = 1, shape: tuple[int, int, int] = (40, 24, 24)) -> Shelf:
    loaders = [lambda n=n: numbered(n, shape=shape) for n in range(count)]  # type: ignore[misc]
    task = find_task(Goal(kind="segmentation"), table=TABLE)
    return Shelf(loaders, partial(outlined_sample, plan=plan, task=task), folder=folder, room=10**9)


def test_patches_centred_on_a_structure_hold_it(tmp_path: Path, make_plan: Callable[..., Plan]) -> None:
    plan = make_plan(foreground=1.0, batch=4)
    images, targets = draw_batch(shelf(plan, tmp_path), plan=plan, step=0, device=CPU)
    assert images.shape == (4, 1, 16, 16, 16)
    assert targets.sum(dim=(1, 2, 3)).tolist() == [1, 1, 1, 1]


def test_other_patches_come_from_everywhere(tmp_path: Path, make_plan: Callable[..., Plan]) -> None:
    plan = make_plan(foreground=0.0, batch=64)
    images, _ = draw_batch(shelf(plan, tmp_path), plan=plan, step=0, device=CPU)
    assert len(images[:, 0, 0, 0, 0].unique()) == 9  # every column where 16 of 24 can start, in 64 draws


def test_every_case_has_its_turn_once_in_an_epoch(tmp_path: Path, make_plan: Callable[..., Plan]) -> None:
    taken: list[int] = []

    class Counting(Shelf):
        def __getitem__(self, place: int):  # type: ignore[no-untyped-def]
            taken.append(place)
            return super().__getitem__(place)

    plan = make_plan(batch=3)
    loaders = [lambda n=n: numbered(n) for n in range(4)]  # type: ignore[misc]
    task = find_task(Goal(kind="segmentation"), table=TABLE)
    counting = Counting(loaders, partial(outlined_sample, plan=plan, task=task), folder=tmp_path, room=10**9)
    for step in range(8):
        draw_batch(counting, plan=plan, step=step, device=CPU)
    assert Counter(taken) == dict.fromkeys(range(4), 6)


def test_a_step_draws_the_same_whatever_was_drawn_before(tmp_path: Path, make_plan: Callable[..., Plan]) -> None:
    plan = make_plan(batch=2)
    one, two = shelf(plan, tmp_path, count=3), shelf(plan, tmp_path, count=3)
    draw_batch(one, plan=plan, step=4, device=CPU)
    assert torch.equal(
        draw_batch(one, plan=plan, step=5, device=CPU)[0], draw_batch(two, plan=plan, step=5, device=CPU)[0]
    )


def test_what_a_small_case_lacks_is_filled_as_in_reading(tmp_path: Path, make_plan: Callable[..., Plan]) -> None:
    plan = make_plan(foreground=0.0)
    images, targets = draw_batch(shelf(plan, tmp_path, shape=(10, 16, 12)), plan=plan, step=0, device=CPU)
    assert images.shape == (2, 1, 16, 16, 16)
    assert targets.shape == (2, 16, 16, 16)
    low = images[:, :, :10, :, :12].min()
    assert (images[:, :, 10:] == low).all()
    assert (images[..., 12:] == low).all()
    assert not targets[:, 10:].any()


def test_a_look_finds_the_dice_of_labels_and_regions_where_somebody_has_judged() -> None:
    regions = (Region(name="whole", values=(3, 300)),)
    table = LabelTable(labels=(Label(value=3, name="core"), Label(value=300, name="oedema")), regions=regions)
    found, truth = np.array([3, 3, 300, 0, 3]), np.array([3, 300, 300, 0, 0])
    dice = outlined(found, truth, judged=np.array([True, True, True, True, False]), table=table)
    assert dice == {"core": pytest.approx(2 / 3), "oedema": pytest.approx(2 / 3), "whole": 1.0}
    nothing = outlined(found * 0, truth * 0, judged=found >= 0, table=table)
    assert all(math.isnan(value) for value in nothing.values())
