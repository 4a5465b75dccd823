"""What a run learns from: cases, prepared in turn, drawn step by step, and looked at on the way."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from isocenter.case import Case
from isocenter.image import LabelTable
from isocenter.learning.training.aside import written_aside
from isocenter.recipe import Plan

Loader = Callable[[], Case]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """What a run learns from and looks at: loaders of cases whose answers are known, each called once.

    Args:
        table: What the labels of outlines mean; None where facts are learnt.
    """

    train: Sequence[Loader]
    validation: Sequence[Loader]
    table: LabelTable | None = None


class Material(Protocol):
    """Cases as a run uses them: patches of outlines (see patches), or whole images (see images)."""

    def __len__(self) -> int:
        """Return how many cases there are to prepare, those to learn from first."""
        ...

    @property
    def looked_at(self) -> int:
        """How many validation cases a look looks at."""
        ...

    def prepare(self, place: int) -> None:
        """Prepare one case; what is wrong with it is said now.

        Raises:
            InputError: It cannot be prepared as the plan says.
            TrainingError: The disk is full.
        """
        ...

    def draw(self, step: int) -> tuple[Tensor, Tensor]:
        """Return a step's images (b, channel, s, r, c) and targets, varied, on the run's device.

        They are the same for the same step, plan and device.
        """
        ...

    def look(self, network: nn.Module) -> Mapping[str, float]:
        """Return named figures of a network on validation cases: for watching, not for quoting."""
        ...

    def missing(self) -> str:
        """Return a notice of what the prepared cases do not show, empty where nothing is missing.

        Raises:
            TrainingError: There is nothing to learn.
        """
        ...

    def unlearnt(self, scores: Mapping[str, float]) -> str:
        """Return a notice of what was not learnt, judged by the last look; empty where all was."""
        ...


def turns(count: int, *, plan: Plan, step: int) -> list[int]:
    """Return whose turn it is in a step: every case once in an epoch, in another order each time."""
    chosen = []
    for turn in range(step * plan.batch, (step + 1) * plan.batch):
        epoch, place = divmod(turn, count)
        order = torch.randperm(count, generator=torch.Generator().manual_seed(plan.seed * 7_919 + epoch))
        chosen.append(int(order[place]))
    return chosen


def rng_of(plan: Plan, *, step: int) -> torch.Generator:
    """Return what a step draws from: of the plan's seed and the step alone, so that a run that goes on draws alike."""
    return torch.Generator().manual_seed(plan.seed * 1_000_003 + step)


def spread(loaders: Sequence[Loader], *, most: int) -> Sequence[Loader]:
    """Return at most so many of the cases, evenly taken."""
    return loaders[:: max(1, -(-len(loaders) // most))]


def mapped(values: Tensor, path: Path) -> Tensor:
    """Write a tensor and return it mapped from its file.

    Raises:
        TrainingError: The disk is full.
    """
    with written_aside(path, size=values.nbytes) as aside, aside.open("wb") as file:
        np.save(file, values.numpy())
    # copy-on-write: torch wants writable memory, and nothing here writes
    return torch.from_numpy(np.load(path, mmap_mode="c"))
