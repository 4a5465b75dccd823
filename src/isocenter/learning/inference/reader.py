"""The door to reading: a model becomes what reads cases, whatever it answers."""

from pathlib import Path

from isocenter.learning.inference.predict import Reader
from isocenter.learning.inference.whole import WholeReader
from isocenter.models.model import Model


def open_reader(
    model: Model, *, device: str = "cpu", runtime: str | None = None, memory: Path | None = None
) -> Reader | WholeReader:
    """Return what reads cases with a model: its `read(volumes)` gives a mask, or answers for the whole image.

    Args:
        model: As read_model checked it.
        device: As torch names it.
        runtime, memory: Of outlining: see Reader.

    Raises:
        PlanError: The weights do not fit the network of the plan, or there is no such device.
        NotFoundError: The network or the task comes from a plug-in that is not installed here.
    """
    if model.answers_voxels:
        return Reader(model, device=device, runtime=runtime, memory=memory)
    return WholeReader(model, device=device)
