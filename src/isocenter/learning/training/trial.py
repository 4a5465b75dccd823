"""A few steps of a plan, taken for nothing but their time and memory, in a process of their own.

usage: python -m isocenter.learning.training.trial < {"plan": …, "table": …, "threads": …, "device": …}

A process's memory only ever grows, and what the caller holds already would hide what a step takes; so the steps are
taken elsewhere, and what they took is written to stdout as JSON.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import islice
from statistics import median

import torch
from torch import Tensor

from isocenter.case import Fact, table_from
from isocenter.errors import IsocenterError, PlanError
from isocenter.image import LabelTable
from isocenter.learning.inference.runtime import autocast
from isocenter.learning.tasks import ImageTask, VoxelTask, find_task
from isocenter.learning.training.exact import computed
from isocenter.learning.training.loop import Beat, fresh, learn
from isocenter.learning.training.plan.machine import memory_now, memory_peak
from isocenter.processing.transforms import vary
from isocenter.recipe import Goal, Plan

_WARM_UP = 2  # steps: the first ones choose kernels and touch memory for the first time
_SECONDS = 4.0  # of steps that count, unless one alone takes longer
_MOST_STEPS = 40
_PATIENCE_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a plan's steps take here.

    Args:
        step_seconds: Of one step: augmentation, forth, back and the optimiser.
        read_seconds: Of one window, or one image, forth only.
        memory_bytes: That the steps add to a process at their highest.
        seconds: That the trial itself took.
    """

    step_seconds: float
    read_seconds: float
    memory_bytes: int
    seconds: float = 0.0


def attempt(plan: Plan, *, table: LabelTable | None, device: str = "cpu") -> Trial:
    """Return what a plan's steps take on this machine, by taking some; a few seconds.

    Args:
        plan: As decided.
        table: What labels mean, where outlines are learnt.
        device: Where they are taken, as torch names it.

    Raises:
        PlanError: The steps do not fit into memory, or cannot be taken; the message holds what was said.
    """
    asked = {
        "plan": plan.to_document(),
        "table": None if table is None else asdict(table),
        "threads": torch.get_num_threads(),
        "device": device,
    }
    # -P: a file of the user's that is called torch.py, where this was started, is not ours to import
    command = [sys.executable, "-P", "-m", "isocenter.learning.training.trial"]
    began = time.monotonic()
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            command, input=json.dumps(asked).encode(), capture_output=True, timeout=_PATIENCE_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise PlanError(
            f"A few steps of this plan take longer than {_PATIENCE_S:.0f} s here. A smaller training.patch or "
            "training.batch, or a narrower models.width, is quicker."
        ) from error
    if done.returncode < 0:
        raise PlanError(
            "The system stopped the steps that were tried for this plan: they need more memory than is free. A "
            "smaller training.patch or training.batch takes less."
        )
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise PlanError(f"The steps that were tried for this plan failed: {' '.join(last)[:500]}")
    return replace(Trial(**json.loads(done.stdout)), seconds=time.monotonic() - began)


def main() -> None:
    """Take the steps that stdin asks for, and write what they took to stdout."""
    asked = json.load(sys.stdin)
    table = None if asked["table"] is None else table_from(asked["table"])
    torch.set_num_threads(asked["threads"])
    try:
        tried = _tried(Plan.from_document(asked["plan"]), table, torch.device(asked["device"]))
    except IsocenterError as error:
        sys.exit(str(error))
    json.dump(asdict(tried), sys.stdout)


def _tried(plan: Plan, table: LabelTable | None, device: torch.device) -> Trial:
    before = memory_now()
    task = find_task(plan.goal, table=table)
    learner = fresh(plan, outputs=task.outputs, device=device)
    images = torch.randn(plan.batch, plan.inputs, *plan.patch).to(device)
    targets = torch.stack([_target(task, plan, table) for _ in range(plan.batch)]).to(device)
    labels = targets if task.answers == "voxels" else None
    rng = torch.Generator().manual_seed(plan.seed)

    def draw(_: int) -> tuple[Tensor, Tensor]:
        seen, marked = vary(images, labels, variation=plan.variation, spacing_mm=plan.spacing_mm, rng=rng)
        return seen, targets if marked is None else marked

    with computed(plan):
        step_seconds = _step_seconds(learn(learner, draw, plan=plan, task=task, elapsed=lambda _: 0.0))
    return Trial(
        step_seconds=step_seconds,
        read_seconds=_read_seconds(learner.average.eval(), images[:1], plan),
        memory_bytes=max(0, memory_peak() - before),
    )


def _step_seconds(steps: Iterator[Beat]) -> float:
    seconds = []
    began = time.monotonic()
    for number, _ in enumerate(islice(steps, _WARM_UP + _MOST_STEPS)):
        now = time.monotonic()
        if number >= _WARM_UP:
            seconds.append(now - began)
        if sum(seconds) > _SECONDS:
            break
        began = now
    return median(seconds)


@torch.inference_mode()
def _read_seconds(network: torch.nn.Module, image: Tensor, plan: Plan) -> float:
    taken = []
    for _ in range(3):
        began = time.monotonic()
        with autocast(plan.precision, device=image.device):
            float(network(image.to(memory_format=torch.channels_last_3d)).flatten()[0])  # waits for an accelerator
        taken.append(time.monotonic() - began)
    return min(taken)


def _target(task: VoxelTask | ImageTask, plan: Plan, table: LabelTable | None) -> Tensor:
    """Return a made-up target of one member."""
    if task.answers == "image":
        return task.encode(_facts(plan.goal))
    values = torch.tensor([0, *(label.value for label in table or ())])
    return task.encode(values[torch.randint(len(values), plan.patch)])


def _facts(goal: Goal) -> Mapping[str, Fact]:
    if goal.number is not None:
        return {name: Fact(value=goal.number.shift, unit=goal.number.unit) for name in goal.target}
    if goal.target == goal.answers:  # each finding is a fact of its own
        return {name: Fact(value=float(place % 2)) for place, name in enumerate(goal.target)}
    return {name: Fact(value=goal.answers[0]) for name in goal.target}


if __name__ == "__main__":
    main()
