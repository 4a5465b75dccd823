"""Segmentation: each voxel gets one label."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from isocenter.errors import LabelError
from isocenter.image import LabelTable
from isocenter.learning.tasks.losses import IGNORE, cross_entropy_and_dice


@dataclass(frozen=True, slots=True)
class Segmentation:
    """Labels of a table as classes: 0 is background, the table's first label is class 1, and so on."""

    table: LabelTable

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
        """Return cross-entropy plus soft Dice of scores (b, classes, s, r, c) against classes (b, s, r, c)."""
        return cross_entropy_and_dice(scores, target)

    def decode(self, classes: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return classes as label values, uint8 or uint16."""
        return np.asarray(self._values()[classes])

    def score(self, classes: Tensor, target: Tensor) -> Mapping[str, float]:
        """Return the Dice of every label and region in one case; nan where neither side has it."""
        judged = target != IGNORE
        place = {label.value: number for number, label in enumerate(self.table, 1)}
        found: dict[str, float] = {}
        for name, values in self.table.structures.items():
            members = torch.tensor([place[value] for value in values])
            mine = torch.isin(classes, members) & judged
            truth = torch.isin(target, members)
            total = int(mine.sum()) + int(truth.sum())
            found[name] = 2 * int((mine & truth).sum()) / total if total else math.nan
        return found

    def _values(self) -> npt.NDArray[Any]:
        values = [0, *(label.value for label in self.table)]
        return np.array(values, dtype=np.uint8 if max(values) < 256 else np.uint16)
