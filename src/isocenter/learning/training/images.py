"""Whole images of which something is known, prepared once and drawn by turns."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from isocenter.case import Case
from isocenter.learning.inference.images import bring
from isocenter.learning.inference.runtime import autocast
from isocenter.learning.tasks import ImageTask
from isocenter.learning.training.figures import figures, never_answered
from isocenter.learning.training.material import Cases, rng_of, turns
from isocenter.learning.training.shelf import Sample, Shelves
from isocenter.learning.training.watch import rare_answers, unlearnt_answers
from isocenter.models.slices import slices_shown
from isocenter.processing.transforms import vary
from isocenter.recipe import Plan

_LOOKED_AT = 512  # validation cases at most; all of them are scored by the reading that follows a run
# half precision: what it rounds off is a hundredth of the grain of a picture, and twice as many stay in memory
_KEPT = torch.float16


class Images(Shelves):
    """Whole images as the material of a run.

    Args:
        cases: Whose facts are known.
        plan, task: How a case is prepared and its facts encoded.
        folder: See Shelf.
        room: Bytes of memory that prepared images may fill.
        device: Where images are varied and handed over.
    """

    def __init__(
        self, cases: Cases, *, plan: Plan, task: ImageTask, folder: Path, room: int, device: torch.device
    ) -> None:
        make = partial(known_sample, plan=plan, task=task)
        super().__init__(cases, make, most=_LOOKED_AT, folder=folder, room=room)
        self._plan, self._task, self._device = plan, task, device
        self._never: tuple[str, ...] = ()

    def draw(self, step: int) -> tuple[Tensor, Tensor]:
        """Return a step's images (b, channel, *patch), varied, and targets (b, …): see Material."""
        samples = [self.learnt[place] for place in turns(len(self.learnt), plan=self._plan, step=step)]
        images = torch.stack([sample.image for sample in samples]).to(self._device).float()
        varied, _ = vary(
            images, None, variation=self._plan.variation, spacing_mm=self._plan.spacing_mm,
            rng=rng_of(self._plan, step=step),
        )  # fmt: skip
        return _with_padding(varied, images), torch.stack([sample.target for sample in samples]).to(self._device)

    def look(self, network: nn.Module) -> Mapping[str, float]:
        """Return the loss on some validation cases, and how well they are told apart: see figures."""
        if not len(self.shown):
            return {}
        samples = [self.shown[place] for place in range(len(self.shown))]
        targets = torch.stack([sample.target for sample in samples])
        scores = self._scores(network, [sample.image for sample in samples])
        self._never = never_answered(self._task, self._plan.goal, scores=scores, targets=targets)
        return {"loss": float(self._task.loss(scores, targets)), **figures(self._plan.goal, scores, targets)}

    def missing(self) -> str:
        """Return a notice of answers that hardly any case to learn from has."""
        return rare_answers(self._plan.goal)

    def unlearnt(self, scores: Mapping[str, float]) -> str:
        """Return a notice of what the last look found wanting."""
        return unlearnt_answers(scores, never=self._never)

    @torch.inference_mode()
    def _scores(self, network: nn.Module, images: Sequence[Tensor]) -> Tensor:
        device = next(network.parameters()).device
        found = []
        for first in range(0, len(images), self._plan.batch):
            some = torch.stack(list(images[first : first + self._plan.batch])).float().to(device)
            with autocast(self._plan.precision, device=device):
                found.append(network(some.to(memory_format=torch.channels_last_3d)).float().cpu())
        return torch.cat(found)


def known_sample(case: Case, *, plan: Plan, task: ImageTask) -> Sample:
    """Return a case prepared as a plan says: its image in half precision, its facts as the task encodes them.

    Raises:
        IsocenterError: It cannot be, or its facts are none that the goal knows.
    """
    target = task.encode(case.facts)
    return Sample(image=bring(case.volumes, plan=plan).to(_KEPT), target=target)


def _with_padding(varied: Tensor, images: Tensor) -> Tensor:
    """Return varied stacks whose slices that showed nothing show nothing still, so that they can be passed over."""
    if images.shape[2] == 1:
        return varied
    return torch.where(slices_shown(images)[:, None, :, None, None], varied, images)
