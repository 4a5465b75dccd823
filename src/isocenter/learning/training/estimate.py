"""What a run will take on this machine, by taking a few of its steps before it begins."""

import time
from dataclasses import dataclass, replace
from math import ceil, prod
from pathlib import Path
from tempfile import TemporaryDirectory

from isocenter.errors import PlanError
from isocenter.image import LabelTable
from isocenter.learning.inference.window import starts
from isocenter.learning.tasks import find_task
from isocenter.learning.training.fingerprint import Fingerprint
from isocenter.learning.training.fit import SHELF_SHARE, material_of
from isocenter.learning.training.material import Cases
from isocenter.learning.training.plan.machine import (
    INTERPRETER_BYTES,
    SHARE,
    Geometry,
    Machine,
    case_bytes,
    memory_now,
    reading_bytes,
)
from isocenter.learning.training.trial import Trial, attempt
from isocenter.recipe import Plan
from isocenter.recipe.plan import Estimate

_LOOKS, _LOOK_SHARE = 10, 0.05
_AROUND_S = 1.5  # writing weights, card and model
_LEAST_STEPS = 10
_SURE_S = 1.0  # what took longer is not timed a second time


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Seconds that went before a plan was decided.

    Args:
        looking: In which all learning cases were loaded and looked at, while their fingerprint was taken.
        fitting: In which steps of restoration learnt from them.
        restoring: In which they were restored.
    """

    looking: float
    fitting: float = 0.0
    restoring: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """What the cases take here.

    Args:
        spent: On the cases to learn from, before anything was decided.
        prepared_seconds: In which one was prepared that had been loaded.
        shown: Validation cases that are looked at on the way.
        validation: Those that are read at the end.
    """

    spent: Spent
    validation: int
    prepared_seconds: float = 0.0
    shown: int = 0


def ways_of(plan: Plan, cases: Cases, *, spent: Spent) -> Ways:
    """Return what the cases of a run take, by preparing the first one as the run will.

    Args:
        plan: As decided.
        cases: Of both sides.
        spent: On those to learn from, so far.

    Raises:
        InputError: The first case cannot be prepared as the plan says.
    """
    task = find_task(plan.goal, table=cases.table, spacing_mm=plan.spacing_mm)
    case = cases.train[0]()
    first = replace(cases, train=[lambda: case])
    taken: list[float] = []
    # the first time a machine warms up, which a long preparation does not notice
    while len(taken) < 2 and sum(taken) < _SURE_S:
        with TemporaryDirectory() as folder:
            material = material_of(plan, task, cases=first, folder=Path(folder))
            began = time.monotonic()
            material.prepare(0)
            taken.append(time.monotonic() - began)
    return Ways(
        spent=spent, prepared_seconds=min(taken), shown=material.looked_at,
        validation=len(cases.validation),
    )  # fmt: skip


def require_room(plan: Plan) -> None:
    """Do nothing where a plan that was kept fits into this machine.

    Raises:
        PlanError: It was estimated on a machine with more memory; the message says the number.
    """
    if plan.estimate is not None:
        _require(plan.estimate.memory_bytes, measured="as measured where it was begun")


def estimated(
    plan: Plan, fingerprint: Fingerprint, *, table: LabelTable | None, ways: Ways, device: str = "cpu"
) -> Plan:
    """Return a plan with what it is expected to take here: peak memory of the process, and time.

    A few of its steps are taken in a process of their own (see trial). A deterministic plan with a budget in minutes
    comes back with the steps that fit into them.

    Args:
        plan: As decided.
        fingerprint: Of the learning cases.
        table: What labels mean, where outlines are learnt.
        ways: How long the cases took.
        device: Where the steps will be taken.

    Raises:
        PlanError: The steps do not fit into this machine's memory; the message says the number.
    """
    trial = attempt(plan, table=table, device=device)
    learning = _learning_memory(plan, fingerprint, trial=trial, shown=ways.shown)
    reading = reading_memory(plan, fingerprint, table=table)
    _require(learning, measured="measured on a few of its steps")
    _require(reading, measured="to outline its largest case at the end")
    costs = Costs.of(plan, fingerprint, trial=trial, ways=ways)
    paced = _paced(plan, costs)
    measured = f"{trial.step_seconds:.3g} s a step and {trial.memory_bytes / 1e9:.2f} GB, measured on a few steps"
    estimate = Estimate(memory_bytes=max(learning, reading), seconds=costs.seconds(paced))
    return replace(paced, estimate=estimate, reasons={**paced.reasons, "estimate": measured})


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Seconds of a run's parts: planning, preparing cases, a step, all looks at validation cases, what comes after."""

    planning: float
    preparing: float
    step: float
    looks: float
    after: float

    @classmethod
    def of(cls, plan: Plan, fingerprint: Fingerprint, *, trial: Trial, ways: Ways) -> "Costs":
        """Return what the parts of a run by a plan take."""
        spent, count = ways.spent, max(1, fingerprint.cases)
        loading, restoring = spent.looking / count, spent.restoring / count
        preparing = ways.prepared_seconds * _share_of_first(fingerprint)
        reading = _windows(plan, fingerprint) * trial.read_seconds
        return cls(
            planning=spent.looking + spent.fitting + spent.restoring + ways.prepared_seconds + trial.seconds,
            # cases to learn from have been restored by then, and kept
            preparing=(fingerprint.cases + ways.shown) * (loading + preparing) + ways.shown * restoring,
            step=trial.step_seconds,
            looks=_LOOKS * ways.shown * reading,
            after=_AROUND_S + ways.validation * (2 * loading + restoring + preparing + reading * 2 ** len(plan.flips)),
        )

    def seconds(self, plan: Plan) -> float:
        """Return what the whole run takes."""
        learning = plan.steps * self.step
        run = 60 * plan.minutes or self.preparing + learning + min(_LOOK_SHARE * learning, self.looks)
        return self.planning + run + self.after


def _share_of_first(fingerprint: Fingerprint) -> float:
    """Return how much larger the cases are on average than the first one."""
    voxels = [prod(shape) for shape in fingerprint.shapes]
    return sum(voxels) / len(voxels) / voxels[0]


def _paced(plan: Plan, costs: Costs) -> Plan:
    """Return a plan with the steps that its minutes hold; where it is deterministic, steps decide from now on."""
    if not plan.minutes:
        return plan
    learning = (60 * plan.minutes - costs.preparing) / (1 + _LOOK_SHARE)
    steps = max(_LEAST_STEPS, int(learning / costs.step))
    told = f"what {plan.minutes:g} minutes hold at {costs.step:.3g} s a step, measured"
    if plan.deterministic:
        told += "; steps decide from now on, since a deterministic run must not depend on the clock"
    minutes = 0.0 if plan.deterministic else plan.minutes
    return replace(plan, steps=steps, minutes=minutes, reasons={**plan.reasons, "training.steps": told})


def _windows(plan: Plan, fingerprint: Fingerprint) -> float:
    """Return how many windows a case takes on average; one where the network answers for the whole image."""
    if plan.goal.answers:
        return 1.0
    counts: list[int] = [
        prod(len(starts(count, edge, overlap=plan.overlap)) for count, edge in zip(shape, plan.patch, strict=True))
        for shape in _shown(plan, fingerprint)
    ]
    return sum(counts) / len(counts)


def _shown(plan: Plan, fingerprint: Fingerprint) -> list[tuple[int, ...]]:
    """Return each case's shape on the network's grid."""
    pairs = zip(fingerprint.shapes, fingerprint.spacings_mm, strict=True)
    return [
        tuple(
            max(1, ceil(count * step / wanted))
            for count, step, wanted in zip(shape, spacing, plan.spacing_mm, strict=True)
        )
        for shape, spacing in pairs
    ]


def _learning_memory(plan: Plan, fingerprint: Fingerprint, *, trial: Trial, shown: int) -> int:
    """Return what the process will hold at its highest: what it holds now, the prepared cases, and the steps.

    Args:
        plan, fingerprint: As decided, and from what.
        trial: What the steps took.
        shown: Validation cases that are kept as well.
    """
    machine = Machine.here()
    shapes = [plan.patch] * fingerprint.cases if plan.goal.answers else _shown(plan, fingerprint)
    a_voxel = 2 * plan.inputs if plan.goal.answers else 4 * plan.inputs + 2  # as the shelves keep them
    kept, room = a_voxel * sum(map(prod, shapes)), int(SHELF_SHARE * machine.memory)
    shelves = min(kept, room) + min(kept * shown // fingerprint.cases, room // 4)
    pairs = zip(fingerprint.shapes, shapes, strict=True)
    preparing = max(case_bytes(stored, size, channels=plan.inputs) for stored, size in pairs)
    return memory_now() + shelves + max(trial.memory_bytes, preparing)


def reading_memory(plan: Plan, fingerprint: Fingerprint, *, table: LabelTable | None) -> int:
    """Return what the process will hold while it outlines a case as large as the largest, when the run is over."""
    if plan.goal.answers:
        return 0
    pairs = zip(_shown(plan, fingerprint), fingerprint.shapes, strict=True)
    shown, stored = max(pairs, key=lambda pair: prod(pair[0]))
    shape = Geometry(patch=plan.patch, depth=plan.depth, width=plan.width, batch=plan.batch)
    reading = reading_bytes(shape, case=shown, channels=plan.inputs, classes=len(table or ()) + 1)
    return memory_now() + reading - INTERPRETER_BYTES + case_bytes(stored, shown, channels=plan.inputs)


def _require(memory: int, *, measured: str) -> None:
    """Do nothing where there is so much memory.

    Raises:
        PlanError: There is not.
    """
    machine = Machine.here()
    if memory > SHARE * machine.memory:
        raise PlanError(
            f"Training by this plan would take {memory / 1e9:.1f} GB, {measured}; a plan may count on "
            f"{SHARE * machine.memory / 1e9:.1f} of this machine's {machine.memory / 1e9:.1f} GB. A smaller "
            "training.patch or training.batch, a narrower models.width, or a coarser inference.spacing_mm takes less."
        )
