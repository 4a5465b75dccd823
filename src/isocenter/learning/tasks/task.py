"""What a task must be able to do, and the tasks by name. Torch is loaded with the first task, not before."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy.typing as npt

from isocenter.image import LabelTable
from isocenter.plugins import find

if TYPE_CHECKING:
    from torch import Tensor

TASKS = {"segmentation": "isocenter.learning.tasks.segmentation:Segmentation"}


class Task(Protocol):
    """One thing to be learnt, made from a label table. `outputs` is what the network answers per place."""

    @property
    def outputs(self) -> int:
        """Number of channels of the network's answer."""
        ...

    def encode(self, labels: "Tensor") -> "Tensor":
        """Return label values as what `loss` compares with; kept small, since it is held for every case."""
        ...

    def loss(self, scores: "Tensor", target: "Tensor") -> "Tensor":
        """Return how wrong the network's scores (b, outputs, …) are: one number with a slope."""
        ...

    def decode(self, classes: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the network's most likely outputs as label values."""
        ...

    def score(self, classes: "Tensor", target: "Tensor") -> Mapping[str, float]:
        """Return for one case how well each structure was found, 0 to 1; nan where there was nothing to find."""
        ...


def find_task(name: str, *, table: LabelTable) -> Task:
    """Return the task of a name for a label table.

    Raises:
        NotFoundError: Nobody offers a task of that name.
        MissingExtraError: It needs a package that is not installed.
    """
    make = cast("Callable[[LabelTable], Task]", find(name, table=TASKS, group="isocenter.tasks"))
    return make(table)
