"""The rate's curve and the running average."""

from collections.abc import Callable
from copy import deepcopy
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from isocenter.learning.tasks import find_task
from isocenter.learning.training.loop import Learner, curve, follow, learn, pairs, sizes
from isocenter.recipe import Goal, Plan


def test_the_rate_rises_shortly_then_falls_to_nothing() -> None:
    shape = [curve(step / 1000, step=step, steps=1000) for step in range(1001)]
    assert max(shape) == pytest.approx(1, abs=0.01)  # the cosine has fallen by less than 1 % when the rise ends
    assert shape.index(max(shape)) < 50
    assert shape[0] < 0.1
    assert shape[1000] == pytest.approx(0, abs=1e-12)
    assert all(later <= earlier for earlier, later in pairwise(shape[50:]))


def test_a_run_by_the_clock_rises_too_when_preparing_has_taken_its_time() -> None:
    assert curve(0.3, step=0, steps=1000) < 0.1


def test_the_average_follows_quickly_at_first_and_slowly_later() -> None:
    network = nn.Linear(1, 1, bias=False)
    learner = Learner(network=network, average=deepcopy(network), optimiser=torch.optim.SGD(network.parameters()))
    with torch.no_grad():
        learner.average.weight.fill_(0.0)  # type: ignore[union-attr]
        network.weight.fill_(1.0)
    follow(learner, decay=0.99)
    assert learner.average.weight.item() == pytest.approx(0.9)  # type: ignore[operator]
    with torch.no_grad():
        learner.average.weight.fill_(0.0)  # type: ignore[union-attr]
    learner.step = 10_000
    follow(learner, decay=0.99)
    assert learner.average.weight.item() == pytest.approx(0.01)  # type: ignore[operator]


class Noisy(nn.Module):
    """Draws a number of its own at every step, as a stranger's network may, and keeps it."""

    def __init__(self) -> None:
        super().__init__()
        self.weigh = nn.Linear(1, 1)
        self.drawn: list[float] = []

    def forward(self, images: Tensor) -> Tensor:
        self.drawn.append(float(torch.rand(())))
        scores: Tensor = self.weigh(images.flatten(1)).repeat(1, 2)
        return scores


def test_what_a_network_draws_for_itself_is_drawn_again_by_a_run_that_goes_on(make_plan: Callable[..., Plan]) -> None:
    goal = Goal(kind="classification", target=("label",), answers=("a", "b"))
    drawn = []
    for first in (0, 2):
        network = Noisy()
        learner = Learner(
            network=network, average=deepcopy(network), optimiser=torch.optim.SGD(network.parameters()), step=first
        )
        batch = torch.ones(1, 1, 1, 1, 1), torch.zeros(1, 1)
        torch.rand(first)  # whatever was drawn before
        list(learn(
            learner, lambda _, batch=batch: batch, plan=make_plan(dropout=0.0), task=find_task(goal, table=None),
            elapsed=lambda step: step / 4,
        ))  # fmt: skip
        drawn.append(network.drawn)
    assert drawn[0][2:] == drawn[1]


def test_the_sizes_leaves_offsets_out() -> None:
    network = nn.Linear(2, 1)
    with torch.no_grad():
        network.weight.copy_(torch.tensor([[-3.0, 4.0]]))
        network.bias.fill_(100.0)
    assert sizes(network).item() == 7.0


class Seen(nn.Module):
    """Keeps what it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.weigh = nn.Linear(1, 2)
        self.images: list[Tensor] = []

    def forward(self, images: Tensor) -> Tensor:
        self.images.append(images)
        scores: Tensor = self.weigh(images.flatten(1))
        return scores


def test_images_of_a_batch_are_blended_and_so_are_their_losses(make_plan: Callable[..., Plan]) -> None:
    network = Seen()
    before = deepcopy(network)
    learner = Learner(
        network=network, average=deepcopy(network), optimiser=torch.optim.SGD(network.parameters(), lr=1.0)
    )
    task = find_task(Goal(kind="classification", target=("label",), answers=("a", "b")), table=None)
    images, targets = torch.tensor([1.0, 10.0, 100.0]).view(3, 1, 1, 1, 1), torch.tensor([[0.0], [1.0], [1.0]])
    plan = make_plan(mix=0.4, batch=3, seed=2, precision="fp32")
    (beat,) = learn(learner, lambda _: (images, targets), plan=plan, task=task, elapsed=float)
    torch.manual_seed(2 * 1_000_033)
    share, others = pairs(0.4, count=3)
    assert 0.5 <= share <= 1
    assert sorted(others) == [0, 1, 2]
    blended = share * images + (1 - share) * images[others]
    assert torch.equal(network.images[0], blended)
    scores = before(blended)
    loss = share * task.loss(scores, targets) + (1 - share) * task.loss(scores, targets[others])
    assert beat.loss == pytest.approx(loss.item())
