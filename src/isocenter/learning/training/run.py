"""What a run leaves on disk while it learns: one checkpoint, whole or not there, from which it goes on. No pickle."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from isocenter.errors import TrainingError
from isocenter.learning.training.aside import written_aside
from isocenter.learning.training.loop import Learner

CHECKPOINT = "checkpoint.safetensors"
WEIGHTS = "weights.safetensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """What a checkpoint says beside the tensors: whose run, how far, after how long, and how it went.

    Args:
        threads: That computed it: sums come out in another order, and so in other bits, with another number.
    """

    plan: str
    step: int
    seconds: float
    threads: int
    history: tuple[Mapping[str, Any], ...] = ()


def save_run(folder: Path, learner: Learner, notes: Notes) -> None:
    """Write the checkpoint of a run; the one before stays until the new one is whole.

    Raises:
        TrainingError: The disk is full.
    """
    tensors = {f"network.{name}": value for name, value in learner.network.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in learner.average.state_dict().items()}
    for number, values in learner.optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{number}.{name}": value for name, value in values.items()}
    said = {
        "plan": notes.plan, "step": notes.step, "seconds": notes.seconds, "threads": notes.threads,
        "history": list(notes.history),
    }  # fmt: skip
    write_tensors(folder / CHECKPOINT, tensors, said=json.dumps(said))


def resume_run(folder: Path, learner: Learner, *, plan: str) -> Notes | None:
    """Put a learner where the folder's checkpoint was; None where there is none.

    Raises:
        TrainingError: The checkpoint is another plan's, or damaged.
    """
    path = folder / CHECKPOINT
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            said = json.loads(file.metadata()["notes"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a dict)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise TrainingError(
            f"{path.name} in the run's folder is damaged ({error}). Delete it to start the run anew."
        ) from error
    if said["plan"] != plan:
        raise TrainingError(f"The run's folder holds a checkpoint of plan {said['plan']}, not of {plan}.")
    _put(learner, tensors)
    learner.step = int(said["step"])
    return Notes(
        plan=plan, step=learner.step, seconds=float(said["seconds"]), threads=int(said["threads"]),
        history=tuple(said["history"]),
    )  # fmt: skip


def write_weights(path: Path, network: nn.Module) -> None:
    """Write a network's weights as safetensors; the file appears whole or not at all.

    Raises:
        TrainingError: The disk is full.
    """
    write_tensors(path, network.state_dict(), said="{}")


def write_tensors(path: Path, tensors: Mapping[str, Tensor], *, said: str) -> None:
    """Write tensors and a note; the file appears whole or not at all.

    Raises:
        TrainingError: The disk is full.
    """
    kept = {name: value.detach().to("cpu").contiguous() for name, value in tensors.items()}
    with written_aside(path, size=sum(value.nbytes for value in kept.values())) as aside:
        aside.write_bytes(save(kept, metadata={"notes": said}))


def _put(learner: Learner, tensors: Mapping[str, Tensor]) -> None:
    parts: dict[str, dict[str, Tensor]] = {"network": {}, "average": {}, "optimiser": {}}
    for name, value in tensors.items():
        part, _, rest = name.partition(".")
        parts[part][rest] = value
    learner.network.load_state_dict(parts["network"])
    learner.average.load_state_dict(parts["average"])
    state = learner.optimiser.state_dict()
    numbered: dict[int, dict[str, Tensor]] = {}
    for name, value in parts["optimiser"].items():
        number, _, rest = name.partition(".")
        numbered.setdefault(int(number), {})[rest] = value
    state["state"] = numbered
    learner.optimiser.load_state_dict(state)
    for weight, held in learner.optimiser.state.items():
        for name, value in held.items():
            if value.shape == weight.shape:  # laid out in memory as the weight is: the same kernels, the same bits
                held[name] = torch.empty_like(weight).copy_(value)
