"""Whole images of which something is known, prepared once and drawn by turns."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from isocenter.case import Case
from isocenter.errors import InputError, IsocenterError
from isocenter.learning.inference.images import bring
from isocenter.learning.inference.runtime import autocast
from isocenter.learning.tasks import ImageTask
from isocenter.learning.training.figures import figures, never_answered
from isocenter.learning.training.material import Cases, Loader, mapped, spread, turns
from isocenter.learning.training.watch import rare_answers, unlearnt_answers
from isocenter.models.slices import slices_shown
from isocenter.processing.transforms import vary
from isocenter.recipe import Plan

_LOOKED_AT = 512  # validation cases at most; all of them are scored by the reading that follows a run
# half precision: what it rounds off is a hundredth of the grain of a picture, and twice as many stay in memory
_KEPT = torch.float16


class Album:
    """Images prepared once and kept: in memory while they fit into a share of it, else as files mapped into it.

    Args:
        loaders: Each loads one case whose facts are known; called once.
        plan, task: How a case is prepared and its facts encoded.
        folder: Where mapped files go; they are overwritten freely and may be deleted after the run.
        room: Bytes of memory that images may fill.
    """

    def __init__(self, loaders: Sequence[Loader], *, plan: Plan, task: ImageTask, folder: Path, room: int) -> None:
        self._loaders = tuple(loaders)
        self._plan, self._task, self._folder, self._room = plan, task, folder, room
        self._kept: dict[int, tuple[Tensor, Tensor]] = {}
        self._filled = 0

    def __len__(self) -> int:
        return len(self._loaders)

    def __getitem__(self, place: int) -> tuple[Tensor, Tensor]:
        """Return an image (channel, *patch) in half precision and its target, prepared now if it has not been.

        Raises:
            InputError: The case cannot be prepared as the plan says, or its facts are none that the goal knows.
            TrainingError: The disk is full.
        """
        if place not in self._kept:
            self._kept[place] = self._prepared(place, self._loaders[place]())
        return self._kept[place]

    def _prepared(self, place: int, case: Case) -> tuple[Tensor, Tensor]:
        try:
            target = self._task.encode(case.facts)
            image = bring(case.volumes, plan=self._plan).to(_KEPT)
        except IsocenterError as error:
            raise InputError(f"Case {case.id}: {error}") from error
        if self._filled + image.nbytes <= self._room:
            self._filled += image.nbytes
            return image, target
        self._folder.mkdir(parents=True, exist_ok=True)
        return mapped(image, self._folder / f"{place}.npy"), target


class Images:
    """Whole images as the material of a run.

    Args:
        cases: Whose facts are known.
        plan, task: How a case is prepared and its facts encoded.
        folder: See Album.
        room: Bytes of memory that prepared images may fill.
        device: Where images are varied and handed over.
    """

    def __init__(
        self, cases: Cases, *, plan: Plan, task: ImageTask, folder: Path, room: int, device: torch.device
    ) -> None:
        self._plan, self._task, self._device = plan, task, device
        shown = spread(cases.validation, most=_LOOKED_AT)
        self._learnt = Album(cases.train, plan=plan, task=task, folder=folder, room=room)
        self._shown = Album(shown, plan=plan, task=task, folder=folder / "shown", room=room // 4)
        self._never: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self._learnt) + len(self._shown)

    @property
    def looked_at(self) -> int:
        """How many validation cases a look looks at."""
        return len(self._shown)

    def prepare(self, place: int) -> None:
        """Prepare one case: see Material."""
        if place < len(self._learnt):
            self._learnt[place]
        else:
            self._shown[place - len(self._learnt)]

    def draw(self, step: int) -> tuple[Tensor, Tensor]:
        """Return a step's images (b, channel, *patch), varied, and targets (b, …): see Material."""
        rng = torch.Generator().manual_seed(self._plan.seed * 1_000_003 + step)
        pairs = [self._learnt[place] for place in turns(len(self._learnt), plan=self._plan, step=step)]
        images = torch.stack([image for image, _ in pairs]).to(self._device).float()
        varied, _ = vary(images, None, variation=self._plan.variation, spacing_mm=self._plan.spacing_mm, rng=rng)
        return _with_padding(varied, images), torch.stack([target for _, target in pairs]).to(self._device)

    def look(self, network: nn.Module) -> Mapping[str, float]:
        """Return the loss on some validation cases, and how well they are told apart: see figures."""
        if not len(self._shown):
            return {}
        pairs = [self._shown[place] for place in range(len(self._shown))]
        targets = torch.stack([target for _, target in pairs])
        scores = self._scores(network, [image for image, _ in pairs])
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


def _with_padding(varied: Tensor, images: Tensor) -> Tensor:
    """Return varied stacks whose slices that showed nothing show nothing still, so that they can be passed over."""
    if images.shape[2] == 1:
        return varied
    return torch.where(slices_shown(images)[:, None, :, None, None], varied, images)
