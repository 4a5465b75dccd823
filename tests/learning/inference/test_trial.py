"""The trial: the quickest way that agrees is taken, one that does not never, and what was found is remembered."""

import json
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from isocenter.learning.inference import trial
from isocenter.learning.inference.pace import Pace, recall, remember
from isocenter.learning.inference.runtime import has_bf16
from isocenter.learning.inference.trial import Choice, Tried, agreement, agreement_on_part, choose
from isocenter.learning.inference.window import Tiling

needs_bf16 = pytest.mark.skipif(not has_bf16(), reason="without bfloat16 there is nothing to choose from")
TILING = Tiling(patch=(8, 16, 16))


class Steps(nn.Module):
    """Classes by brightness, clearly told apart; in bfloat16 as sure as in float32, or made unsure of itself there."""

    def __init__(self, *, slow_s: float = 0.0, unsure: bool = False) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(10.0))
        self.slow_s = slow_s
        self.unsure = unsure

    def forward(self, images: Tensor) -> Tensor:
        if self.slow_s:
            time.sleep(self.slow_s * (1.0 if images.dtype == torch.float32 else 0.2))
        bright = self.scale * images
        if self.unsure and images.dtype == torch.bfloat16:
            bright = bright.roll(1, dims=-1)
        return torch.cat([-bright, bright], dim=1)


def blocks(*shape: int) -> Tensor:
    """Return an image of light and dark blocks; no value lies near the middle."""
    signs = torch.ones(shape)
    for axis in range(1, 4):
        turned = (torch.arange(shape[axis]) // 6) % 2 * 2.0 - 1.0
        signs *= turned.reshape([-1 if place == axis else 1 for place in range(4)])
    return signs


@needs_bf16
def test_the_quickest_way_that_agrees_is_taken() -> None:
    choice, ready = choose(Steps(slow_s=0.05).eval(), blocks(1, 24, 64, 64), tiling=TILING, classes=2)
    assert choice.runtime == ready.name == "torch-bf16"
    assert choice.agreement == 1.0
    assert {one.runtime for one in choice.tried} == {"torch", "torch-bf16"}  # too short a reading to convert for


@needs_bf16
def test_a_quicker_way_that_says_something_else_is_not_taken() -> None:
    choice, ready = choose(Steps(slow_s=0.05, unsure=True).eval(), blocks(1, 24, 64, 64), tiling=TILING, classes=2)
    assert choice.runtime == ready.name == "torch"
    half = next(one for one in choice.tried if one.runtime == "torch-bf16")
    assert half.agreement < trial.AGREES
    assert half.seconds < choice.seconds


def test_what_is_over_at_once_is_read_in_the_reference() -> None:
    choice, ready = choose(Steps().eval(), blocks(1, 8, 16, 16), tiling=TILING, classes=2)
    assert (choice.runtime, ready.name, choice.agreement, choice.tried) == ("torch", "torch", 1.0, ())


@needs_bf16
def test_windows_become_fewer_where_that_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "_LONG_S", 1.0)
    monkeypatch.setattr(trial, "available", lambda _: ("torch", "torch-bf16"))
    choice, _ = choose(Steps(slow_s=0.02).eval(), blocks(1, 24, 128, 128), tiling=TILING, classes=2)
    assert choice.is_thorough
    assert choice.overlap < TILING.overlap
    assert choice.agreement >= trial.AGREES


class Middle(nn.Module):
    """Sure of itself at a window's centre only; at its edge it says nothing of worth."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(10.0))

    def forward(self, images: Tensor) -> Tensor:
        time.sleep(0.02 if images.dtype == torch.float32 else 0.004)
        bright = self.scale * images
        away = torch.linspace(-1, 1, images.shape[-1]).abs()
        far = torch.maximum(away[:, None], away) > 0.6
        bright = torch.where(far, -bright, bright)
        return torch.cat([-bright, bright], dim=1)


@needs_bf16
def test_windows_stay_as_they_are_where_fewer_would_change_the_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "_LONG_S", 1.0)
    monkeypatch.setattr(trial, "available", lambda _: ("torch", "torch-bf16"))
    choice, _ = choose(Middle().eval(), blocks(1, 24, 128, 128), tiling=TILING, classes=2)
    assert choice.overlap == TILING.overlap


def test_agreement_is_the_dice_of_the_structures_on_average_and_at_worst() -> None:
    one = np.array([0, 0, 0, 0, 1, 1, 2, 2])
    other = np.array([0, 0, 0, 0, 1, 1, 2, 1])
    assert agreement(one, one) == (1.0, 1.0)
    # structure 1: two voxels of 2 and 3; structure 2: one voxel of 2 and 1
    assert agreement(one, other) == pytest.approx(((4 / 5 + 2 / 3) / 2, 2 / 3))
    assert agreement(one, np.zeros(8, dtype=int)) == (0.0, 0.0)  # structures that only one of them holds
    assert agreement(np.zeros(8, dtype=int), np.zeros(8, dtype=int)) == (1.0, 1.0)


def test_on_a_part_a_structure_that_its_edge_cut_to_a_few_voxels_does_not_decide() -> None:
    one = np.zeros((10, 100, 100), dtype=np.uint8)
    one[:, 10:90, 10:90] = 1
    one[0, 0, :30] = 2
    other = one.copy()
    other[0, 0, 29] = 0
    assert agreement(one, other).least == pytest.approx(58 / 59)
    part = agreement_on_part(one, other)
    assert part.mean == part.least == pytest.approx(1 - 1 / (2 * 64_030 - 1))
    assert part.holds


@pytest.mark.parametrize("lost", [1, 2])
def test_on_a_part_a_large_structure_that_one_of_them_misses_decides(lost: int) -> None:
    one = np.ones((50, 200, 200), dtype=np.uint8)
    one[:1, :40, :40] = 2
    pair = one, np.where(one == 2, 0, one)
    found = agreement_on_part(*(pair if lost == 1 else pair[::-1]))
    assert found.least == 0.0
    assert found.mean > trial.AGREES
    assert not found.holds


@pytest.mark.parametrize(("mean", "least", "holds"), [(0.999, 0.99, True), (0.9989, 0.995, False), (1.0, 0.98, False)])
def test_a_small_structure_counts_beside_the_mean(mean: float, least: float, holds: bool) -> None:
    assert trial.Agreement(mean, least).holds is holds


CHOICE = Choice(
    runtime="torch-bf16", agreement=0.9995, least=0.997, overlap=0.25, batch=2, seconds=0.5, is_thorough=True,
    tried=(Tried(runtime="torch", seconds=0.5, agreement=1.0, least=1.0), Tried(runtime="openvino", note="not there")),
)  # fmt: skip


def test_a_choice_is_remembered_for_this_machine_only(tmp_path: Path) -> None:
    memory = tmp_path / "speeds" / "m.json"
    remember(memory, CHOICE, machine={"threads": 2})
    found = recall(memory, machine={"threads": 2})
    assert found is not None
    assert (found.runtime, found.overlap, found.tried[0]) == ("torch-bf16", 0.25, CHOICE.tried[0])
    assert recall(memory, machine={"threads": 4}) is None
    assert [path.name for path in memory.parent.iterdir()] == ["m.json"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"machine": {"threads": 2}, "choice": {"runtime": 1}}'])
def test_a_memory_that_cannot_be_read_is_no_memory(tmp_path: Path, text: str) -> None:
    memory = tmp_path / "m.json"
    memory.write_text(text)
    assert recall(memory, machine={"threads": 2}) is None


def test_a_memory_that_may_not_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "speeds").write_text("a file where a folder should be")
    remember(tmp_path / "speeds" / "m.json", CHOICE, machine={})


@needs_bf16
def test_what_was_tried_once_is_not_tried_again(tmp_path: Path) -> None:
    memory, image = tmp_path / "m.json", blocks(1, 24, 64, 64)

    def pace() -> Pace:
        return Pace(Steps(slow_s=0.05).eval(), tiling=TILING, classes=2, memory=memory)

    first, _, _ = pace().of(image)
    assert json.loads(memory.read_bytes())["choice"]["runtime"] == "torch-bf16"
    began = time.perf_counter()
    again, ready, _ = pace().of(image)
    assert time.perf_counter() - began < 0.05  # not even one window of the reference
    assert again == first
    assert ready.name == "torch-bf16"


@pytest.mark.parametrize("ask", ["torch", pytest.param("torch-bf16", marks=needs_bf16)])
def test_a_runtime_asked_for_by_name_is_taken_with_the_plans_windows(ask: str) -> None:
    choice, ready, tiling = Pace(Steps().eval(), tiling=TILING, classes=2, ask=ask).of(blocks(1, 8, 16, 16))
    assert choice.runtime == ready.name == ask
    assert tiling == TILING
