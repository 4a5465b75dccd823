"""The rate's curve and the running average."""

from copy import deepcopy
from itertools import pairwise

import pytest
import torch
from torch import nn

from isocenter.learning.training.loop import Learner, curve, follow


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
