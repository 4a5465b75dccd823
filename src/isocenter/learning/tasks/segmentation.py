"""Segmentation: each voxel gets one label."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from isocenter.errors import LabelError, RecipeError
from isocenter.image import LabelTable
from isocenter.learning.tasks.losses import IGNORE, IN_MM, loss_of
from isocenter.recipe import Goal


def make(goal: Goal, table: LabelTable | None) -> "Segmentation":
    """Return the task of a goal.

    Raises:
        LabelError: There is no label table.
        NotFoundError: The goal's loss is not known.
        RecipeError: The goal's weights are not one for each class.
    """
    if table is None:
        raise LabelError("Segmentation learns outlines, and there are none. Ingest the labels with the images.")
    task = Segmentation(goal, table)
    loss_of(goal.kind, goal.loss)
    if goal.weights and len(goal.weights) != task.outputs:
        raise RecipeError(
            f"There are {len(goal.weights)} class weights and {task.outputs} classes, the background counted as first."
        )
    return task


@dataclass(frozen=True, slots=True)
class Segmentation:
    """Labels of a table as classes: 0 is background, the table's first label is class 1, and so on."""

    goal: Goal
    table: LabelTable
    spacing_mm: tuple[float, float, float] | None = None  # of the grid that is learnt on, where it is known

    answers: ClassVar[Literal["voxels"]] = "voxels"

    @property
    def outputs(self) -> int:
        """Classes, background counted."""
        return len(self.table) + 1

    def encode(self, labels: Tensor) -> Tensor:
        """Return label values as classes, int16; the table's `ignore` becomes IGNORE.

        Raises:
            LabelError: Values outside the table.
        """
        values = self._values()
        known = torch.full((65536,), -2, dtype=torch.int16)
        known[torch.from_numpy(values.astype(np.int64))] = torch.arange(len(values), dtype=torch.int16)
        if self.table.ignore is not None:
            known[self.table.ignore] = IGNORE
        classes = known[labels.long()]
        if bool((classes == -2).any()):
            strange = labels[classes == -2].unique().tolist()
            raise LabelError(f"The mask holds {strange[:8]}, which the label table does not name.")
        return classes

    def loss(self, scores: Tensor, target: Tensor) -> Tensor:
        """Return the goal's loss of scores (b, classes, s, r, c) against classes (b, s, r, c)."""
        weights = torch.tensor(self.goal.weights, device=scores.device) if self.goal.weights else None
        loss: Callable[..., Tensor] = loss_of(self.goal.kind, self.goal.loss)
        if self.goal.loss in IN_MM:
            loss = partial(loss, spacing_mm=self.spacing_mm)
        return loss(scores, target, weights=weights, smoothing=self.goal.smoothing)

    def decode(self, classes: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return classes as label values, uint8 or uint16."""
        return np.asarray(self._values()[classes])

    def _values(self) -> npt.NDArray[Any]:
        values = [0, *(label.value for label in self.table)]
        return np.array(values, dtype=np.uint8 if max(values) < 256 else np.uint16)
