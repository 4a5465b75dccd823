"""The door to reading: a model becomes what reads cases, whatever it answers."""

from collections.abc import Mapping
from pathlib import Path

from isocenter.learning.inference.predict import Reader
from isocenter.learning.inference.restoring import Lines
from isocenter.learning.inference.whole import WholeReader
from isocenter.models.model import Model


def open_reader(
    model: Model,
    *,
    device: str = "cpu",
    runtime: str | None = None,
    memory: Path | None = None,
    done: Mapping[str, Lines] | None = None,
) -> Reader | WholeReader:
    """Return what reads cases with a model: its `read(volumes)` gives a mask, or answers for the whole image.

    Args:
        model: As read_model checked it.
        device: As torch names it.
        runtime, memory: Of outlining: see Reader.
        done: What the volumes to be read have gone through already, by role, as a prepared data set says; of its own
            steps the model takes the rest. None is nothing.

    Raises:
        PlanError: The weights do not fit the network of the plan, or there is no such device.
        NotFoundError: The network, the task or a step of restoration comes from a plug-in that is not installed here.
        MissingExtraError: A step of restoration needs a package that is not installed.
        InputError: The volumes have gone through other steps than those that the model has learnt from.
    """
    if model.answers_voxels:
        return Reader(model, device=device, runtime=runtime, memory=memory, done=done)
    return WholeReader(model, device=device, done=done)
