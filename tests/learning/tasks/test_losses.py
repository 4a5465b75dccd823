"""Losses: torch and MONAI as oracles, closed forms, and slopes that stay finite."""

import math

import pytest
import torch
from monai.losses import DiceLoss, FocalLoss, TverskyLoss
from scipy.ndimage import distance_transform_edt
from torch import Tensor
from torch.nn import functional as F

from isocenter.errors import InputError, NotFoundError, RecipeError
from isocenter.image import Label, LabelTable
from isocenter.learning.tasks import find_task
from isocenter.learning.tasks.losses import IGNORE, LOSSES, Loss, grade_shares, loss_of, usual_loss
from isocenter.learning.tasks.losses.boundary import boundary, distances
from isocenter.learning.tasks.losses.overlap import dice, soft_dice
from isocenter.recipe import Goal

ALL = [(kind, name) for kind, names in LOSSES.items() for name in names]
WEIGHTS = torch.tensor([0.2, 1.0, 3.0])
SHAPES = ((6,), (2, 5, 6), (2, 4, 5, 6))


def classes(shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Return scores of three classes and classes, of images or of voxels."""
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn((shape[0], 3, *shape[1:]), generator=generator)
    return scores, torch.randint(0, 3, shape, generator=generator)


def example(kind: str) -> tuple[Tensor, Tensor, Tensor]:
    """Return scores, a target and the target of a batch that nobody judged."""
    scores, target = classes((2, 4, 5, 6) if kind == "segmentation" else (6,))
    if kind in ("segmentation", "classification"):
        return scores, target, torch.full_like(target, IGNORE)
    if kind == "grading":
        return scores, target[:, None] + torch.arange(6)[:, None] % 2, torch.full((6, 1), torch.nan)
    shares = torch.randn(6, 3, generator=torch.Generator().manual_seed(1))
    target = (shares > 0).float() if kind == "multilabel" else shares
    return scores, target, torch.full_like(target, torch.nan)


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_a_loss_falls_along_its_slope(kind: str, name: str) -> None:
    scores, target, _ = example(kind)
    scores.requires_grad_()
    loss = loss_of(kind, name)
    before = loss(scores, target)
    before.backward()
    assert before.ndim == 0
    assert scores.grad is not None
    assert loss(scores - 0.01 * scores.grad / scores.grad.norm(), target) < before


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_a_slope_stays_finite_at_the_extremes(kind: str, name: str) -> None:
    scores, target, nobody = example(kind)
    for made, wanted in (
        (scores * 1e4, target),  # saturated, right and wrong
        (scores, torch.zeros_like(target)),  # one class, the others absent
        (scores * 1e4, torch.ones_like(target)),
        (scores, nobody),
    ):
        leaf = made.clone().requires_grad_()
        cost = loss_of(kind, name)(leaf, wanted)
        cost.backward()
        assert torch.isfinite(cost)
        assert leaf.grad is not None
        assert torch.isfinite(leaf.grad).all()
        if wanted is nobody:
            assert not leaf.grad.any()


@pytest.mark.parametrize(("kind", "name"), [pair for pair in ALL if pair[0] != "regression"])
def test_nobody_judged_with_weights_is_no_nan(kind: str, name: str) -> None:
    scores, _, nobody = example(kind)
    assert math.isfinite(float(loss_of(kind, name)(scores, nobody, weights=torch.ones(4 if kind == "grading" else 3))))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_is_torchs(shape: tuple[int, ...], weights: Tensor | None, smoothing: float) -> None:
    scores, target = classes(shape)
    target.view(-1)[::5] = IGNORE
    expected = F.cross_entropy(scores, target, weight=weights, label_smoothing=smoothing, ignore_index=IGNORE)
    found = loss_of("classification", "cross_entropy")(scores, target, weights=weights, smoothing=smoothing)
    assert float(found) == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_shares_of_one_class_cost_what_the_class_costs(weights: Tensor | None, smoothing: float) -> None:
    scores, target = classes((6,))
    loss = loss_of("classification")
    asked = {"weights": weights, "smoothing": smoothing}
    hot = F.one_hot(target, 3).float()
    if weights is None or not smoothing:  # weighted smoothing spreads over weighted classes in both, by other sums
        assert float(loss(scores, hot, **asked)) == pytest.approx(float(loss(scores, target, **asked)), rel=1e-5)
    mixed = torch.full((6, 3), 1 / 3)
    assert float(loss(scores, mixed)) == pytest.approx(float(F.cross_entropy(scores, mixed)), rel=1e-5)


def test_classes_of_images_may_come_as_columns_of_floats() -> None:
    scores, target = classes((6,))
    column = target[:, None].float()
    column[0] = torch.nan
    expected = F.cross_entropy(scores[1:], target[1:])
    assert float(loss_of("classification")(scores, column)) == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_focal_is_monais(shape: tuple[int, ...]) -> None:
    scores, target = classes(shape)
    oracle = FocalLoss(gamma=2, use_softmax=True, to_onehot_y=True, reduction="none")
    # MONAI counts each class's share apart and means over them; ours sums them, as cross-entropy does
    expected = oracle(scores, target[:, None]).sum() / target.numel()
    assert float(loss_of("classification", "focal")(scores, target)) == pytest.approx(float(expected), rel=1e-5)


def test_focal_of_an_even_share_is_its_closed_form() -> None:
    cost = loss_of("classification", "focal")(torch.zeros(4, 3), torch.tensor([0, 1, 2, 1]))
    assert float(cost) == pytest.approx((2 / 3) ** 2 * math.log(3))
    cost = loss_of("multilabel", "binary_focal")(torch.zeros(4, 3), torch.ones(4, 3))
    assert float(cost) == pytest.approx(0.25 * math.log(2))


@pytest.mark.parametrize("shape", SHAPES[1:])
def test_dice_and_tversky_are_monais(shape: tuple[int, ...]) -> None:
    scores, target = classes(shape)
    given = {"softmax": True, "to_onehot_y": True, "include_background": False, "batch": True}
    expected = DiceLoss(smooth_nr=1, smooth_dr=1, **given)(scores, target[:, None])
    assert float(dice(scores, target)) == pytest.approx(float(expected), rel=1e-5)
    assert float(1 - soft_dice(scores.softmax(1), target)) == pytest.approx(float(expected), rel=1e-5)
    expected = TverskyLoss(alpha=0.3, beta=0.7, smooth_nr=0.5, smooth_dr=0.5, **given)(scores, target[:, None])
    found = loss_of("segmentation", "tversky")(scores, target)
    assert float(found) == pytest.approx(float(expected), rel=1e-5)


def test_the_weight_of_one_structure_alone_leaves_its_dice() -> None:
    scores, target = classes((2, 4, 5, 6))
    alone = dice(scores, target, weights=torch.tensor([7.0, 0.0, 1.0]))
    shares = scores.softmax(1)[:, 2]
    there = (target == 2).float()
    expected = 1 - (2 * (shares * there).sum() + 1) / (shares.sum() + there.sum() + 1)
    assert float(alone) == pytest.approx(float(expected), rel=1e-5)


def test_a_missed_voxel_costs_more_tversky_than_a_false_one() -> None:
    target = torch.zeros(1, 4, 4, 4, dtype=torch.long)
    target[0, :2] = 1
    more, less = target.clone(), target.clone()
    more[0, 2, 0], less[0, 1, 0] = 1, 0
    loss = loss_of("segmentation", "tversky")
    assert loss(F.one_hot(less, 2).movedim(-1, 1) * 40.0, target) > loss(
        F.one_hot(more, 2).movedim(-1, 1) * 40.0, target
    )


def test_distances_of_a_slab_are_counted_in_mm() -> None:
    target = torch.zeros(1, 6, 3, 3, dtype=torch.long)
    target[0, :3] = 1
    far = distances(target, classes=3, spacing_mm=(2.5, 1.0, 1.0))
    assert far[0, 0, :, 1, 1].tolist() == [-7.5, -5.0, -2.5, 2.5, 5.0, 7.5]
    assert not far[0, 1].any()  # not in this patch


def test_the_boundary_loss_is_the_mean_distance_of_what_is_found() -> None:
    target = torch.zeros(1, 6, 3, 3, dtype=torch.long)
    target[0, :3] = 1
    found = torch.zeros_like(target)
    found[0, :4] = 1  # one slice too many
    scores = F.one_hot(found, 2).movedim(-1, 1) * 80.0
    cost = boundary(scores, target, spacing_mm=(2.5, 1.0, 1.0))
    assert float(cost) == pytest.approx((-7.5 - 5.0 - 2.5 + 2.5) / 6, rel=1e-5)
    assert cost > boundary(F.one_hot(target, 2).movedim(-1, 1) * 80.0, target, spacing_mm=(2.5, 1.0, 1.0))


def test_a_mistake_far_away_costs_more_boundary_than_a_near_one() -> None:
    target = torch.zeros(1, 1, 20, 20, dtype=torch.long)
    target[0, 0, :4] = 1
    near, far = target.clone(), target.clone()
    near[0, 0, 5], far[0, 0, 18] = 1, 1
    costs = [boundary(F.one_hot(made, 2).movedim(-1, 1) * 40.0, target) for made in (target, near, far)]
    assert costs[0] < costs[1] < costs[2]


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_binary_cross_entropy_is_torchs_over_what_was_judged(smoothing: float) -> None:
    scores, target, _ = example("multilabel")
    target[0, 1] = target[3, 2] = torch.nan
    known = ~target.isnan()
    expected = F.binary_cross_entropy_with_logits(
        scores[known], target[known] * (1 - smoothing) + smoothing / 2, pos_weight=WEIGHTS.expand(6, 3)[known]
    )
    found = loss_of("multilabel")(scores, target, weights=WEIGHTS, smoothing=smoothing)
    assert float(found) == pytest.approx(float(expected), rel=1e-5)


def test_binary_focal_is_monais() -> None:
    scores, target, _ = example("multilabel")
    expected = FocalLoss(gamma=2)(scores, target)
    assert float(loss_of("multilabel", "binary_focal")(scores, target)) == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize("name", ["conditional", "cumulative"])
def test_shares_of_grades_minimise_their_loss(name: str) -> None:
    """One score for all cases: the best one says how common each grade is."""
    grades = torch.tensor([0, 0, 0, 0, 0, 1, 1, 1, 2, 2], dtype=torch.float32)[:, None]
    scores = torch.zeros(1, 2, requires_grad=True)
    optimiser = torch.optim.LBFGS([scores], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        cost = loss_of("grading", name)(scores.expand(10, 2), grades)
        cost.backward()
        return cost

    optimiser.step(closure)
    assert grade_shares(scores, loss=name)[0].tolist() == pytest.approx([0.5, 0.3, 0.2], abs=1e-3)


def test_two_grades_are_one_yes_or_no_question() -> None:
    scores, grades = torch.randn(6, 1), torch.tensor([0.0, 1, 1, 0, 1, 0])[:, None]
    expected = F.binary_cross_entropy_with_logits(scores, grades)
    for name in LOSSES["grading"]:
        assert float(loss_of("grading", name)(scores, grades)) == pytest.approx(float(expected), rel=1e-5)


def test_a_conditional_step_asks_only_those_who_reached_it() -> None:
    scores = torch.zeros(2, 2, requires_grad=True)
    loss_of("grading", "conditional")(scores, torch.tensor([[0], [2]])).backward()
    assert scores.grad is not None
    assert scores.grad[0, 1] == 0.0
    assert scores.grad[1, 1] < 0.0


@pytest.mark.parametrize("name", ["conditional", "cumulative"])
def test_shares_of_grades_are_none_below_0_and_sum_to_1(name: str) -> None:
    shares = grade_shares(torch.randn(50, 4) * 5, loss=name)
    assert shares.min() >= 0
    # 1e-6: float32
    assert shares.sum(1).tolist() == pytest.approx([1.0] * 50, abs=1e-6)


def test_a_worse_grade_costs_more() -> None:
    sure_of_0 = torch.full((1, 3), -6.0)
    for name in LOSSES["grading"]:
        costs = [float(loss_of("grading", name)(sure_of_0, torch.tensor([[grade]]))) for grade in range(2)]
        assert costs[0] < costs[1]


@pytest.mark.parametrize(("name", "oracle"), [("mse", F.mse_loss), ("mae", F.l1_loss), ("huber", F.huber_loss)])
def test_losses_of_numbers_are_torchs_over_what_was_measured(name: str, oracle: Loss) -> None:
    scores, target, _ = example("regression")
    target[2] = torch.nan
    known = ~target.isnan()
    expected = oracle(scores[known], target[known])
    assert float(loss_of("regression", name)(scores, target)) == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize("kind", ["multilabel", "regression"])
def test_a_target_of_another_shape_is_refused_and_not_spread(kind: str) -> None:
    with pytest.raises(InputError, match="do not fit"):
        loss_of(kind)(torch.zeros(6, 1), torch.zeros(6))


def test_what_a_loss_does_not_know_is_refused() -> None:
    scores, target = classes((2, 4, 5, 6))
    for name in ("dice", "tversky", "boundary"):
        with pytest.raises(RecipeError, match="label_smoothing"):
            loss_of("segmentation", name)(scores, target, smoothing=0.1)
    with pytest.raises(RecipeError, match="class_weights"):
        loss_of("regression")(torch.zeros(2, 1), torch.zeros(2, 1), weights=torch.ones(1))


def test_an_unknown_loss_is_answered_with_a_near_one() -> None:
    with pytest.raises(NotFoundError, match="'tversky'"):
        loss_of("segmentation", "tverski")
    with pytest.raises(NotFoundError, match="huber"):
        loss_of("regression", "dice")


def test_each_task_has_a_usual_loss() -> None:
    for kind in LOSSES:
        assert loss_of(kind) is loss_of(kind, usual_loss(kind))


TABLE = LabelTable(labels=(Label(value=1, name="liver"), Label(value=2, name="spleen")))


@pytest.mark.parametrize("name", LOSSES["segmentation"])
def test_a_segmentation_takes_the_loss_that_its_goal_names(name: str) -> None:
    scores, target = classes((2, 4, 5, 6))
    goal = Goal(loss=name, weights=(0.2, 1.0, 3.0))
    expected = loss_of("segmentation", name)(scores, target, weights=WEIGHTS)
    assert float(find_task(goal, table=TABLE).loss(scores, target)) == float(expected)


def test_a_segmentation_counts_its_boundary_in_mm_of_its_grid() -> None:
    scores, target = classes((2, 4, 5, 6))
    task = find_task(Goal(loss="boundary"), table=TABLE, spacing_mm=(2.5, 1.0, 0.7))
    expected = boundary(scores, target, spacing_mm=(2.5, 1.0, 0.7))
    assert float(task.loss(scores, target)) == pytest.approx(float(expected))
    assert float(expected) != pytest.approx(float(boundary(scores, target)))


def test_a_picture_has_no_slice_spacing_and_yet_a_boundary() -> None:
    scores, target = classes((2, 1, 5, 6))
    expected = boundary(scores[:, :, 0], target[:, 0], spacing_mm=(1.0, 0.7))
    assert float(boundary(scores, target, spacing_mm=(math.nan, 1.0, 0.7))) == pytest.approx(float(expected))


@pytest.mark.parametrize("share", [0.05, 0.5, 0.97])
def test_signed_distances_are_those_of_both_sides(share: float) -> None:
    inside = torch.rand(7, 8, 9, generator=torch.Generator().manual_seed(1)) < share
    far = distances(inside.long()[None], classes=2, spacing_mm=(2.5, 1.0, 0.7))[0, 0]
    either = [distance_transform_edt(side.numpy(), sampling=(2.5, 1.0, 0.7)) for side in (~inside, inside)]
    # 1e-5: float32
    assert far.numpy() == pytest.approx(either[0] - either[1], abs=1e-5)


def test_a_segmentation_obeys_its_goals_smoothing() -> None:
    scores, target = classes((2, 4, 5, 6))
    expected = F.cross_entropy(scores, target, label_smoothing=0.1)
    found = find_task(Goal(loss="cross_entropy", smoothing=0.1), table=TABLE).loss(scores, target)
    assert float(found) == pytest.approx(float(expected), rel=1e-5)


def test_a_goal_whose_loss_or_weights_cannot_be_is_refused_before_it_is_learnt() -> None:
    with pytest.raises(NotFoundError, match="dice"):
        find_task(Goal(loss="dise"), table=TABLE)
    with pytest.raises(RecipeError, match="2 class weights and 3 classes"):
        find_task(Goal(weights=(1.0, 2.0)), table=TABLE)
