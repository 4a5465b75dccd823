"""What the segmentation task promises."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from isocenter.errors import LabelError, NotFoundError
from isocenter.image import Label, LabelTable, Region
from isocenter.learning.tasks import find_task
from isocenter.learning.tasks.losses import IGNORE, cross_entropy_and_dice, soft_dice
from isocenter.recipe import Goal

TABLE = LabelTable(
    labels=(Label(value=3, name="core"), Label(value=300, name="oedema")),
    regions=(Region(name="whole", values=(3, 300)),),
    ignore=255,
)


def test_labels_become_classes_and_come_back() -> None:
    task = find_task(Goal(kind="segmentation"), table=TABLE)
    labels = torch.tensor([[[0, 3, 300, 255]]], dtype=torch.int32)
    classes = task.encode(labels)
    assert classes.tolist() == [[[0, 1, 2, IGNORE]]]
    assert task.decode(np.array([0, 1, 2])).tolist() == [0, 3, 300]
    assert task.outputs == 3


def test_a_label_outside_the_table_is_refused() -> None:
    with pytest.raises(LabelError, match=r"\[7\]"):
        find_task(Goal(kind="segmentation"), table=TABLE).encode(torch.tensor([[[0, 7]]]))


def test_an_unknown_task_is_answered_with_the_known_ones() -> None:
    with pytest.raises(NotFoundError, match="segmentation"):
        find_task(Goal(kind="segmentatoin"), table=TABLE)


def test_a_certain_right_answer_costs_nothing_and_a_wrong_one_much() -> None:
    target = torch.randint(0, 3, (2, 4, 5, 6))
    right = F.one_hot(target, 3).permute(0, 4, 1, 2, 3).float() * 40
    # 0.01: the voxel that smooths the Dice
    assert float(cross_entropy_and_dice(right, target)) == pytest.approx(0, abs=0.01)
    assert float(cross_entropy_and_dice(-right, target)) > 2


def test_the_loss_is_torchs_cross_entropy_plus_one_minus_dice() -> None:
    scores, target = torch.randn(2, 3, 4, 5, 6), torch.randint(0, 3, (2, 4, 5, 6))
    weights = torch.tensor([0.2, 1.0, 3.0])
    expected = F.cross_entropy(scores, target, weight=weights) + 1 - soft_dice(scores.softmax(1), target)
    assert float(cross_entropy_and_dice(scores, target, weights=weights)) == pytest.approx(float(expected), rel=1e-5)


def test_what_is_ignored_has_no_slope() -> None:
    scores = torch.randn(1, 3, 2, 4, 4, requires_grad=True)
    target = torch.randint(0, 3, (1, 2, 4, 4))
    target[0, 1] = IGNORE
    cross_entropy_and_dice(scores, target).backward()
    assert scores.grad is not None
    assert not scores.grad[:, :, 1].any()
    assert scores.grad[:, :, 0].any()


def test_a_batch_of_ignored_voxels_alone_is_no_nan() -> None:
    loss = cross_entropy_and_dice(torch.randn(1, 3, 2, 2, 2), torch.full((1, 2, 2, 2), IGNORE))
    assert math.isfinite(float(loss))
