"""Prepared cases, and the patches that are cut from them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from isocenter.case import Case
from isocenter.learning.inference.evaluate import reference_mask
from isocenter.learning.inference.prepare import prepare, prepare_mask
from isocenter.learning.tasks import Task
from isocenter.learning.tasks.losses import IGNORE
from isocenter.learning.training.aside import written_aside
from isocenter.processing.transforms import vary
from isocenter.recipe import Plan

Loader = Callable[[], Case]

_CENTRES = 2000  # voxels of each class remembered as centres of patches


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """A prepared case.

    Args:
        image: (channel, s, r, c) float32.
        target: (s, r, c) int16, as the task encodes it.
        present: Classes that occur, background left out.
        centres: For each of them, (n, 3) places of some of its voxels.
    """

    image: Tensor
    target: Tensor
    present: tuple[int, ...]
    centres: tuple[Tensor, ...]


class Shelf:
    """Cases prepared once and kept: in memory while they fit into a share of it, else as files mapped into it.

    Args:
        loaders: Each loads one case, annotated; called once.
        plan, task: How a case is prepared and its labels encoded.
        folder: Where mapped files go; they are overwritten freely and may be deleted after the run.
        room: Bytes of memory that samples may fill.
    """

    def __init__(self, loaders: Sequence[Loader], *, plan: Plan, task: Task, folder: Path, room: int) -> None:
        self._loaders = tuple(loaders)
        self._plan, self._task, self._folder, self._room = plan, task, folder, room
        self._samples: dict[int, Sample] = {}
        self._filled = 0

    def __len__(self) -> int:
        return len(self._loaders)

    def __getitem__(self, place: int) -> Sample:
        """Return a sample, prepared now if it has not been.

        Raises:
            InputError: The case cannot be prepared as the plan says.
            TrainingError: The disk is full.
        """
        if place not in self._samples:
            self._samples[place] = self._kept(place, _sample(self._loaders[place](), self._plan, self._task))
        return self._samples[place]

    def _kept(self, place: int, sample: Sample) -> Sample:
        size = sample.image.nbytes + sample.target.nbytes
        if self._filled + size <= self._room:
            self._filled += size
            return sample
        self._folder.mkdir(parents=True, exist_ok=True)
        image = _mapped(sample.image, self._folder / f"{place}.image.npy")
        target = _mapped(sample.target, self._folder / f"{place}.target.npy")
        return replace(sample, image=image, target=target)


def draw_batch(shelf: Shelf, *, plan: Plan, step: int) -> tuple[Tensor, Tensor]:
    """Return a step's images (b, channel, *patch) and targets (b, *patch), varied.

    What is drawn depends on the plan's seed and the step alone, so a run that goes on draws what it would have drawn.
    """
    rng = torch.Generator().manual_seed(plan.seed * 1_000_003 + step)
    pairs = [_patch(shelf[place], plan=plan, rng=rng) for place in _turns(len(shelf), plan=plan, step=step)]
    images, targets = torch.stack([image for image, _ in pairs]), torch.stack([target for _, target in pairs])
    images, varied = vary(images, targets, variation=plan.variation, spacing_mm=plan.spacing_mm, rng=rng)
    return images, targets if varied is None else varied


def _turns(count: int, *, plan: Plan, step: int) -> list[int]:
    """Return whose turn it is: every case once in an epoch, in another order each time."""
    chosen = []
    for turn in range(step * plan.batch, (step + 1) * plan.batch):
        epoch, place = divmod(turn, count)
        order = torch.randperm(count, generator=torch.Generator().manual_seed(plan.seed * 7_919 + epoch))
        chosen.append(int(order[place]))
    return chosen


def _sample(case: Case, plan: Plan, task: Task) -> Sample:
    prepared = prepare(case.volumes, plan=plan)
    target = task.encode(prepare_mask(reference_mask(case), prepared))
    classes = tuple(int(value) for value in target.unique() if int(value) not in (0, IGNORE))
    places = ((target == value).nonzero() for value in classes)
    centres = tuple(found[:: max(1, len(found) // _CENTRES)].clone() for found in places)
    return Sample(image=prepared.image, target=target, present=classes, centres=centres)


def _patch(sample: Sample, *, plan: Plan, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return one patch; where the case is smaller, its far sides are filled with its lowest values, as in reading."""
    low = _corner(sample, plan=plan, rng=rng)
    window = tuple(slice(start, start + edge) for start, edge in zip(low, plan.patch, strict=True))
    image, target = sample.image[(slice(None), *window)], sample.target[window]
    short = [edge - have for edge, have in zip(plan.patch, target.shape, strict=True)]
    if not any(short):
        return image, target
    padding = [0, short[2], 0, short[1], 0, short[0]]
    filled = torch.stack([F.pad(channel, padding, value=float(channel.min())) for channel in image])
    return filled, F.pad(target, padding, value=0)


def _corner(sample: Sample, *, plan: Plan, rng: torch.Generator) -> list[int]:
    """Return the patch's first voxel: around a structure with the plan's chance, else anywhere."""
    most = torch.tensor([max(0, n - edge) for n, edge in zip(sample.target.shape, plan.patch, strict=True)])
    if sample.centres and float(torch.rand((), generator=rng)) < plan.foreground:
        places = sample.centres[int(torch.randint(len(sample.centres), (), generator=rng))]
        centre = places[int(torch.randint(len(places), (), generator=rng))]
        within = (torch.rand(3, generator=rng) * 0.5 + 0.25) * torch.tensor(plan.patch)
        start = torch.minimum((centre - within).long().clamp_min(0), most)
    else:
        start = (torch.rand(3, generator=rng) * (most + 1)).long()
    return [int(n) for n in start]


def _mapped(values: Tensor, path: Path) -> Tensor:
    """Write a tensor and return it mapped from its file."""
    with written_aside(path, size=values.nbytes) as aside, aside.open("wb") as file:
        np.save(file, values.numpy())
    # copy-on-write: torch wants writable memory, and nothing here writes
    return torch.from_numpy(np.load(path, mmap_mode="c"))
