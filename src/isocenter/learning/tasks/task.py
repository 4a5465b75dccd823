"""What a task must be able to do, and the tasks by name. Torch is loaded with the first task, not before.

A task answers either for every voxel or once for the whole image; the rooms above ask which, and nothing else.
"""

from collections.abc import Callable, Mapping
from dataclasses import is_dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, cast

import numpy.typing as npt

from isocenter.case import Fact
from isocenter.image import LabelTable
from isocenter.plugins import find
from isocenter.recipe import Goal
from isocenter.result import Answer

if TYPE_CHECKING:
    from torch import Tensor

TASKS = {
    "segmentation": "isocenter.learning.tasks.segmentation:make",
    "classification": "isocenter.learning.tasks.classification:make",
    "multilabel": "isocenter.learning.tasks.multilabel:make",
    "grading": "isocenter.learning.tasks.grading:make",
    "regression": "isocenter.learning.tasks.regression:make",
}


class Task(Protocol):
    """One thing to be learnt, made from a goal and a label table."""

    @property
    def outputs(self) -> int:
        """Number of channels of the network's answer."""
        ...

    def loss(self, scores: "Tensor", target: "Tensor") -> "Tensor":
        """Return how wrong the network's scores (b, outputs, …) are: one number with a slope."""
        ...


class VoxelTask(Task, Protocol):
    """A task that answers for every voxel."""

    answers: ClassVar[Literal["voxels"]]

    def encode(self, labels: "Tensor") -> "Tensor":
        """Return label values (s, r, c) as what `loss` compares with; kept small, since it is held for every case."""
        ...

    def decode(self, classes: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the network's most likely outputs as label values."""
        ...


class ImageTask(Task, Protocol):
    """A task that answers once for the whole image."""

    answers: ClassVar[Literal["image"]]

    def encode(self, facts: Mapping[str, Fact]) -> "Tensor":
        """Return what is known of a case, as a vector of one length, float32; nan for a finding nobody judged.

        Raises:
            LabelError: A target that is missing, or a value that the goal does not know.
        """
        ...

    def truth(self, facts: Mapping[str, Fact]) -> Mapping[str, str | float]:
        """Return what is known of a case, target to value, in the words of `decode`; one nobody judged is left out.

        A class that the goal does not know comes as its text: no answer of this task can be right there.

        Raises:
            LabelError: A value that cannot be an answer, such as a word where a number is learnt.
        """
        ...

    def decode(self, scores: "Tensor", *, points: Mapping[str, float]) -> tuple[Answer, ...]:
        """Return what scores of one image mean, one answer for each target.

        Args:
            scores: As the network gives them, (outputs,); or (looks, outputs) of several looks at it, such as
                mirrored ones: their probabilities or numbers are averaged, never their scores.
            points: A model's operating points (see Description); a target that is not named answers its likeliest.
        """
        ...


def find_task(
    goal: Goal, *, table: LabelTable | None, spacing_mm: tuple[float, float, float] | None = None
) -> VoxelTask | ImageTask:
    """Return the task of a goal.

    Args:
        goal: As the plan decided.
        table: What the labels of outlines mean; only tasks that learn outlines want one.
        spacing_mm: Of the grid that is learnt on; a task that has a field of that name is told it, for losses in mm.

    Raises:
        NotFoundError: Nobody offers a task of that name.
        MissingExtraError: It needs a package that is not installed.
        LabelError: The task learns outlines, and there is no label table.
    """
    make = cast(
        "Callable[[Goal, LabelTable | None], VoxelTask | ImageTask]",
        find(goal.kind, table=TASKS, group="isocenter.tasks"),
    )
    task = make(goal, table)
    if spacing_mm is not None and is_dataclass(task) and hasattr(task, "spacing_mm"):
        return replace(task, spacing_mm=spacing_mm)
    return task
