"""From a plan and cases to trained weights."""

import json
import math
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from isocenter.errors import TrainingError
from isocenter.image import LabelTable
from isocenter.learning.inference.window import Tiling, label_volume
from isocenter.learning.tasks import Task, find_task
from isocenter.learning.training.aside import written_aside
from isocenter.learning.training.loop import Learner, learn
from isocenter.learning.training.patches import Loader, Sample, Shelf, draw_batch
from isocenter.learning.training.plan import Machine
from isocenter.learning.training.progress import Progress
from isocenter.learning.training.run import CHECKPOINT, WEIGHTS, Notes, resume_run, save_run, write_weights
from isocenter.learning.training.watch import Watch, missing_structures, unfound_structures
from isocenter.models import build_network
from isocenter.recipe import Plan

Report = Callable[[Progress], None]

FITTED = "fitted.json"
_CACHE_SHARE = 0.25  # of the machine's memory for prepared cases; what does not fit is mapped from files
_SAVE_SECONDS = 30.0  # between checkpoints: what a crash costs at most
_REPORT_SECONDS = 0.5
_POINTS = 200  # of the curves kept
_PREPARE_SHARE = 0.33  # of a run by the clock
_LOOKS = 10  # at validation cases, in a run
_LOOKED_AT = 8  # of them, at most; all of them are scored by the reading that follows a run
_LOOK_SHARE = 0.05  # of the time so far, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """What a run learns from and looks at: loaders of annotated cases, each called once, and what labels mean."""

    train: Sequence[Loader]
    validation: Sequence[Loader]
    table: LabelTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """What a run left.

    Args:
        weights: A safetensors file of the averaged weights.
        steps, seconds: Taken in all, earlier sittings counted.
        scores: Structure to mean Dice of the validation cases looked at; for watching, not for quoting.
        history: The run's moments in order: what curves are drawn from.
        notices: What a person should know.
    """

    weights: Path
    steps: int
    seconds: float
    scores: Mapping[str, float] = field(default_factory=dict)
    history: tuple[Progress, ...] = ()
    notices: tuple[str, ...] = ()


def fit(plan: Plan, cases: Cases, *, folder: Path, report: Report | None = None, device: str = "cpu") -> Fitted:
    """Return trained weights; a run that was stopped goes on where it was, one that had ended is handed back.

    Args:
        plan: Obeyed to the letter; its id names the run.
        cases: Loaded once each.
        folder: The run's own. It holds the checkpoint while the run lasts, then `weights.safetensors`.
        report: Told how it goes, at most twice a second.
        device: As torch names it.

    Raises:
        TrainingError: Nothing to learn from, a loss that is no number, a run that learns nothing, a full disk, or a
            folder of another plan. What was learnt until then stays in the checkpoint, except where it is spoilt.
        InputError: A case does not fit the plan.
    """
    done = _ended(folder, plan)
    if done is not None:
        return done
    folder.mkdir(parents=True, exist_ok=True)
    sitting = _Sitting(plan, cases, folder=folder, report=report or (lambda _: None), device=device)
    sitting.prepare()
    try:
        sitting.learn()
    except KeyboardInterrupt:
        sitting.save()
        raise
    return sitting.finish()


class _Sitting:
    """One go at a run, from where the last one stopped."""

    def __init__(self, plan: Plan, cases: Cases, *, folder: Path, report: Report, device: str) -> None:
        self.began = time.monotonic()
        self.plan, self.folder, self.report = plan, folder, report
        self.device, self.table = torch.device(device), cases.table
        self.task: Task = find_task(plan.task, table=cases.table)
        self.learner = _fresh(plan, outputs=self.task.outputs, device=self.device)
        notes = resume_run(folder, self.learner, plan=plan.id)
        self.before = notes.seconds if notes else 0.0
        self.history = [_moment(said) for said in notes.history] if notes else []
        self.watch = Watch(plan, first=self.history[0].loss if self.history else math.nan)
        room = int(_CACHE_SHARE * Machine.here().memory)
        shown = cases.validation[:: max(1, math.ceil(len(cases.validation) / _LOOKED_AT))]
        kept = folder / "prepared"
        self.shelf = Shelf(cases.train, plan=plan, task=self.task, folder=kept, room=room)
        self.shown = Shelf(shown, plan=plan, task=self.task, folder=kept / "shown", room=room // 4)
        self.notices: list[str] = []
        self.spent_looking = 0.0

    @property
    def seconds(self) -> float:
        """Since the run began, earlier sittings counted."""
        return self.before + time.monotonic() - self.began

    def elapsed(self, step: int) -> float:
        """Return the share of the run that is over."""
        return self.seconds / (60 * self.plan.minutes) if self.plan.minutes else step / self.plan.steps

    def prepare(self) -> None:
        """Prepare cases before the first step, so that what is wrong with one is found before an hour is spent.

        A run by the clock gives this a third of its time; the rest are prepared when their turn comes.

        Raises:
            TrainingError: No case has any structure.
        """
        total = len(self.shelf) + len(self.shown)
        counts = torch.zeros(self.task.outputs, dtype=torch.long)
        for place in range(total):
            if self.plan.minutes and self.elapsed(0) > _PREPARE_SHARE:
                return
            is_learnt = place < len(self.shelf)
            sample = self.shelf[place] if is_learnt else self.shown[place - len(self.shelf)]
            counts[list(sample.present if is_learnt else ())] += 1
            self.tell("prepare", step=place + 1, steps=total)
        self.notice(missing_structures(counts[1:].tolist(), table=self.table))

    def learn(self) -> None:
        """Go through the loop to the end of the run, saving, telling and looking on the way.

        Raises:
            TrainingError: See fit.
        """
        saved = told = self.seconds
        for beat in learn(self.learner, self.draw, plan=self.plan, task=self.task, elapsed=self.elapsed):
            share = self.elapsed(beat.step)
            self.watch.see(beat.step, beat.loss, share=share)
            scores = self.look() if self.is_time_to_look(share) else {}
            if scores or share >= 1 or self.seconds - told > _REPORT_SECONDS:
                told = self.seconds
                self.tell("learn", step=beat.step, steps=self.steps(beat.step), rate=beat.rate, validation=scores)
            if self.seconds - saved > _SAVE_SECONDS:
                saved = self.seconds
                self.save()

    def finish(self) -> Fitted:
        """Write the weights and what there is to say of the run, and take the checkpoint away.

        Raises:
            TrainingError: The disk is full, or the budget was over before the first step.
        """
        if self.learner.step == 0:
            raise TrainingError(
                f"Preparing the cases took {self.seconds:.0f} s, all of the run's {self.plan.minutes:g} minutes. "
                "Set a larger training.minutes."
            )
        write_weights(self.folder / WEIGHTS, self.learner.average)
        scores = next((moment.validation for moment in reversed(self.history) if moment.validation), {})
        self.notice(unfound_structures(scores))
        fitted = Fitted(
            weights=self.folder / WEIGHTS, steps=self.learner.step, seconds=self.seconds, scores=scores,
            history=tuple(self.history), notices=tuple(self.notices),
        )  # fmt: skip
        _write_end(self.folder, fitted, plan=self.plan)
        (self.folder / CHECKPOINT).unlink(missing_ok=True)
        shutil.rmtree(self.folder / "prepared", ignore_errors=True)
        return fitted

    def draw(self, step: int) -> tuple[Tensor, Tensor]:
        """Return a step's images and targets on the run's device."""
        images, targets = draw_batch(self.shelf, plan=self.plan, step=step)
        return images.to(self.device), targets.to(self.device)

    def is_time_to_look(self, share: float) -> bool:
        """Return whether the validation cases are due: at even shares of the run if cheap, and at its end."""
        if share >= 1:
            return True
        looked = sum(1 for moment in self.history if moment.validation)
        cheap = self.spent_looking <= _LOOK_SHARE * (time.monotonic() - self.began)
        return cheap and share >= (looked + 1) / _LOOKS

    def look(self) -> Mapping[str, float]:
        """Return the mean Dice of each structure over the validation cases kept for looking, and of all as "mean"."""
        began = time.monotonic()
        network = self.learner.average.eval()
        tiling = Tiling.of(replace(self.plan, flips=()))
        found = [self._scored(network, self.shown[place], tiling=tiling) for place in range(len(self.shown))]
        self.spent_looking += time.monotonic() - began
        return _means(found)

    def _scored(self, network: nn.Module, sample: Sample, *, tiling: Tiling) -> Mapping[str, float]:
        classes = label_volume(network, sample.image, tiling=tiling, classes=self.task.outputs)
        return self.task.score(torch.from_numpy(classes.astype(np.int16)), sample.target)

    def steps(self, step: int) -> int:
        """Return the run's steps: the plan's, or by the clock what they will come to."""
        share = self.elapsed(step)
        return round(step / share) if self.plan.minutes and 0 < share < 1 else max(step, self.plan.steps)

    def save(self) -> None:
        """Write the checkpoint.

        Raises:
            TrainingError: The disk is full.
        """
        history = tuple(_said(moment) for moment in self.history)
        notes = Notes(plan=self.plan.id, step=self.learner.step, seconds=self.seconds, history=history)
        save_run(self.folder, self.learner, notes)

    def notice(self, words: str) -> None:
        """Keep what a person should know, and tell it at once."""
        if words:
            self.notices.append(words)
            self.tell("learn", step=self.learner.step, steps=self.plan.steps, notice=words)

    def tell(self, stage: str, **facts: Any) -> None:
        """Report a moment; moments of learning that move the curves on are kept."""
        step = self.learner.step
        share = min(1.0, self.elapsed(step))
        left = self.seconds * (1 - share) / share if share > 0 and self.plan.minutes == 0 else 0.0
        if self.plan.minutes:
            left = max(0.0, 60 * self.plan.minutes - self.seconds)
        moment = Progress(stage=stage, seconds=self.seconds, seconds_left=left, loss=self.watch.loss, **facts)
        kept = self.history[-1].seconds if self.history else 0.0
        if stage == "learn" and (moment.validation or moment.seconds - kept >= (moment.seconds + left) / _POINTS):
            self.history.append(moment)
        self.report(moment)


def _fresh(plan: Plan, *, outputs: int, device: torch.device) -> Learner:
    torch.manual_seed(plan.seed)
    network = build_network(plan, classes=outputs).to(device)
    network = network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]  # torch's stubs lag
    optimiser = torch.optim.AdamW(network.parameters(), lr=plan.rate, weight_decay=plan.weight_decay)
    return Learner(network=network, average=deepcopy(network).requires_grad_(False), optimiser=optimiser)


def _means(cases: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return each structure's mean over the cases that have it, and the mean of these as "mean"."""
    names = cases[0] if cases else {}
    found = {name: [case[name] for case in cases if not math.isnan(case[name])] for name in names}
    means = {name: sum(values) / len(values) for name, values in found.items() if values}
    return means | ({"mean": sum(means.values()) / len(means)} if means else {})


def _said(moment: Progress) -> dict[str, Any]:
    """Return a moment as JSON holds it, which knows no nan."""
    return asdict(moment) | {"loss": None if math.isnan(moment.loss) else moment.loss}


def _moment(said: Mapping[str, Any]) -> Progress:
    return Progress(**(dict(said) | {"loss": math.nan if said["loss"] is None else said["loss"]}))


def _write_end(folder: Path, fitted: Fitted, *, plan: Plan) -> None:
    said = {
        "plan": plan.id, "steps": fitted.steps, "seconds": fitted.seconds, "scores": dict(fitted.scores),
        "history": [_said(moment) for moment in fitted.history], "notices": list(fitted.notices),
    }  # fmt: skip
    text = json.dumps(said, indent=1)
    with written_aside(folder / FITTED, size=len(text)) as aside:
        aside.write_text(text, encoding="utf-8")


def _ended(folder: Path, plan: Plan) -> Fitted | None:
    """Return what a run left that had already ended in a folder."""
    try:
        said = json.loads((folder / FITTED).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    if said["plan"] != plan.id or not (folder / WEIGHTS).is_file():
        return None
    return Fitted(
        weights=folder / WEIGHTS, steps=said["steps"], seconds=said["seconds"], scores=said["scores"],
        history=tuple(_moment(moment) for moment in said["history"]), notices=tuple(said["notices"]),
    )  # fmt: skip
