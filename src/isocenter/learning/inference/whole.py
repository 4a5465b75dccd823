"""One case answered as a whole by one model: a class, findings, a grade or a number."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import torch
from scipy.special import stdtrit
from torch import Tensor

from isocenter.errors import PlanError
from isocenter.image import Volume
from isocenter.learning.inference.clock import Clock
from isocenter.learning.inference.fitting import Reading, fitting
from isocenter.learning.inference.images import bring
from isocenter.learning.inference.prepare import laid_volume, network_grid
from isocenter.learning.inference.restoring import Lines, chains_of, restored_by
from isocenter.learning.inference.runtime import autocast, device_of
from isocenter.learning.inference.weights import load_network
from isocenter.learning.inference.window import Progress
from isocenter.learning.tasks import find_task
from isocenter.models import network_of
from isocenter.models.model import Model
from isocenter.recipe import Plan
from isocenter.result import Answer

_AXES = {"slice": -3, "row": -2, "column": -1}


class WholeReader:
    """A model ready to answer for whole images: its weights are loaded once."""

    def __init__(self, model: Model, *, device: str = "cpu", done: Mapping[str, Lines] | None = None) -> None:
        """Load a model.

        Args:
            model: As read_model checked it.
            device: As torch names it.
            done: What the volumes to be read have gone through already, by role; None is nothing.

        Raises:
            PlanError: The weights do not fit the network of the plan, or there is no such device.
            NotFoundError: The network, the task or a step of restoration comes from a plug-in that is not installed.
            MissingExtraError: A step of restoration needs a package that is not installed.
            InputError: The volumes have gone through other steps than those that the model has learnt from.
        """
        self.model = model
        task = find_task(model.plan.goal, table=model.description.table)
        if task.answers != "image":
            raise PlanError(f"Model {model.id[:12]} outlines; it answers nothing for a whole image.")
        self.task = task
        self._chains = chains_of(model.plan, done=done)
        self._network = load_network(model, outputs=task.outputs, device=device)
        self.device = device_of(self._network)

    def read(self, volumes: Mapping[str, Volume], *, progress: Progress | None = None) -> Reading:
        """Return what the model says of a case.

        Args:
            volumes: By role. A model of one channel takes a single volume whatever its role is called.
            progress: Told (1, 1) at the end: a whole image is read at once.

        Raises:
            InputError: A role is missing, or a volume is unlike what the model has learnt from.
            PlanError: The network answers in another shape than its task wants.
        """
        clock = Clock()
        wanted, towards = fitting(volumes, self.model), self.model.plan.orientation
        restored = restored_by(self._chains, wanted, orientation=towards, clock=clock)
        with clock.stage("prepare"):
            image = bring(restored.volumes, plan=self._shown(restored.volumes))
        with clock.stage("network"):
            scores = self._scores(image)
            answers = self.task.decode(scores, points=self.model.description.points)
        if progress is not None:
            progress(1, 1)
        return Reading(
            answers=tuple(with_interval(answer, residuals=self.model.description.residuals) for answer in answers),
            seconds=clock.seconds,
            said=restored.said,
        )

    def _shown(self, volumes: Mapping[str, Volume]) -> Plan:
        """Return the plan by which a case is brought: all slices of a stack, to a network that reads any number."""
        plan = self.model.plan
        if not network_of(plan.network).any_length or plan.dimensions == "2-D":
            return plan
        first = laid_volume(volumes, plan.channels[0], plan=plan)
        _, (slices, _, _) = network_grid(first.affine, shape=first.shape, spacing_mm=plan.spacing_mm)
        return replace(plan, patch=(max(slices, plan.patch[0]), *plan.patch[1:]))

    @torch.inference_mode()
    def _scores(self, image: Tensor) -> Tensor:
        """Return scores (looks, outputs) float32 on the CPU, one look for each of the plan's mirrorings."""
        axes = [_AXES[name] for name in self.model.plan.flips]
        turns = [turn for count in range(len(axes) + 1) for turn in combinations(axes, count)]
        batch = image[None].to(self.device)
        with autocast(self.model.plan.precision, device=self.device):
            looks = [self._network(batch.flip(turn) if turn else batch).float() for turn in turns]
        if looks[0].shape != (1, self.task.outputs):
            raise PlanError(
                f"The network answers {tuple(looks[0].shape)} where {self.task.outputs} figures of one image are "
                "wanted. Its plan belongs to another network."
            )
        return torch.cat(looks).cpu()


def with_interval(answer: Answer, *, residuals: Sequence[float]) -> Answer:
    """Return a number with the 95 % interval in which this one patient's true value is expected.

    A new patient's truth less answer is drawn like those of the model's n validation patients, which are taken as
    normal. The interval is widened to hold the answer. None below two such patients; other answers stay as they are.

    Source: prediction interval for one further draw, Hahn and Meeker 1991, Statistical Intervals, 4.7.
    """
    if isinstance(answer.value, str) or len(residuals) < 2:
        return answer
    n = len(residuals)
    middle = float(np.mean(residuals))
    reach = float(stdtrit(n - 1, 0.975)) * float(np.std(residuals, ddof=1)) * math.sqrt(1 + 1 / n)
    value = answer.value
    return replace(answer, low=min(value, value + middle - reach), high=max(value, value + middle + reach))
