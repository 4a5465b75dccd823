"""Prepared cases of outlines, and the patches that are cut from them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from isocenter.case import Case
from isocenter.learning.inference.evaluate import reference_mask
from isocenter.learning.inference.prepare import prepare, prepare_mask
from isocenter.learning.inference.window import Tiling, label_volume
from isocenter.learning.tasks import VoxelTask
from isocenter.learning.tasks.losses import IGNORE
from isocenter.learning.training.figures import outlined
from isocenter.learning.training.material import Cases, rng_of, turns
from isocenter.learning.training.shelf import Sample, Shelf, Shelves
from isocenter.learning.training.watch import missing_structures, unfound_structures
from isocenter.processing.transforms import vary
from isocenter.recipe import Plan

_CENTRES = 2000  # voxels of each class remembered as centres of patches
_LOOKED_AT = 8  # validation cases at most; all of them are scored by the reading that follows a run


class Patches(Shelves):
    """Outlined cases as the material of a run.

    Args:
        cases: With a label table.
        plan, task: How a case is prepared and its labels encoded.
        folder: See Shelf.
        room: Bytes of memory that prepared cases may fill.
        device: Where patches are varied and handed over.
    """

    def __init__(
        self, cases: Cases, *, plan: Plan, task: VoxelTask, folder: Path, room: int, device: torch.device
    ) -> None:
        super().__init__(
            cases, partial(outlined_sample, plan=plan, task=task), most=_LOOKED_AT, folder=folder, room=room
        )
        self._plan, self._task, self._cases, self._device = plan, task, cases, device
        self._counts = torch.zeros(task.outputs, dtype=torch.long)

    def prepare(self, place: int) -> None:
        """Prepare one case, and count its structures: see Material."""
        super().prepare(place)
        if place < len(self.learnt):
            self._counts[list(self.learnt[place].present)] += 1

    def draw(self, step: int) -> tuple[Tensor, Tensor]:
        """Return a step's patches: see draw_batch."""
        return draw_batch(self.learnt, plan=self._plan, step=step, device=self._device)

    def look(self, network: nn.Module) -> Mapping[str, float]:
        """Return the mean Dice of each structure over some validation cases, and of all as "mean"."""
        tiling = Tiling.of(replace(self._plan, flips=()))
        return _means([self._scored(network, self.shown[place], tiling=tiling) for place in range(len(self.shown))])

    def _scored(self, network: nn.Module, sample: Sample, *, tiling: Tiling) -> Mapping[str, float]:
        if self._cases.table is None:
            return {}
        classes = label_volume(network, sample.image, tiling=tiling, classes=self._task.outputs)
        judged = (sample.target != IGNORE).numpy()
        truth = self._task.decode(sample.target.clamp_min(0).numpy())
        return outlined(self._task.decode(classes), truth, judged=judged, table=self._cases.table)

    def missing(self) -> str:
        """Return a notice of structures that no case to learn from has.

        Raises:
            TrainingError: No case has any structure.
        """
        table = self._cases.table
        return "" if table is None else missing_structures(self._counts[1:].tolist(), table=table)

    def unlearnt(self, scores: Mapping[str, float]) -> str:
        """Return a notice of structures that were found nowhere."""
        return unfound_structures(scores)


def draw_batch(shelf: Shelf, *, plan: Plan, step: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return a step's images (b, channel, *patch) and targets (b, *patch), brought to a device and varied there.

    What is drawn depends on the plan's seed and the step alone, so a run that goes on draws what it would have drawn.
    """
    rng = rng_of(plan, step=step)
    pairs = [_patch(shelf[place], plan=plan, rng=rng) for place in turns(len(shelf), plan=plan, step=step)]
    images, targets = (torch.stack(members).to(device) for members in zip(*pairs, strict=True))
    images, varied = vary(images, targets, variation=plan.variation, spacing_mm=plan.spacing_mm, rng=rng)
    return images, targets if varied is None else varied


def outlined_sample(case: Case, *, plan: Plan, task: VoxelTask) -> Sample:
    """Return a case prepared as a plan says: its image float32, its labels as the task encodes them.

    Raises:
        IsocenterError: It cannot be.
    """
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


def _means(cases: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return each structure's mean over the cases that have it, and the mean of these as "mean"."""
    names = cases[0] if cases else {}
    found = {name: [case[name] for case in cases if not math.isnan(case[name])] for name in names}
    means = {name: sum(values) / len(values) for name, values in found.items() if values}
    return means | ({"mean": sum(means.values()) / len(means)} if means else {})
