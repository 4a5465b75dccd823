"""From a plan and cases to trained weights."""

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from isocenter.errors import TrainingError
from isocenter.learning.tasks import ImageTask, VoxelTask, find_task
from isocenter.learning.training.exact import computed
from isocenter.learning.training.fitted import PREPARED, Fitted, kept_fitted, write_fitted
from isocenter.learning.training.images import Images
from isocenter.learning.training.loop import fresh, learn
from isocenter.learning.training.material import Cases, Material
from isocenter.learning.training.patches import Patches
from isocenter.learning.training.plan import Machine
from isocenter.learning.training.progress import Progress
from isocenter.learning.training.run import WEIGHTS, Notes, resume_run, save_run, write_weights
from isocenter.learning.training.watch import Watch
from isocenter.recipe import Plan

Report = Callable[[Progress], None]

SHELF_SHARE = 0.25  # of the machine's memory for prepared cases; what does not fit is mapped from files
_SAVE_SECONDS = 30.0  # between checkpoints: what a crash costs at most
_REPORT_SECONDS = 0.5
_POINTS = 200  # of the curves kept
_PREPARE_SHARE = 0.33  # of a run by the clock
_LOOKS = 10  # at validation cases, in a run
_LOOK_SHARE = 0.05  # of the time so far, at most


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
    done = kept_fitted(folder, plan=plan)
    if done is not None:
        return done
    folder.mkdir(parents=True, exist_ok=True)
    sitting = _Sitting(plan, cases, folder=folder, report=report or (lambda _: None), device=device)
    sitting.prepare()
    try:
        with computed(plan):
            sitting.learn()
    except KeyboardInterrupt:
        if not plan.deterministic:  # it may have come in the midst of a step, and half a step is not repeated
            sitting.save()
        raise
    return sitting.finish()


class _Sitting:
    """One go at a run, from where the last one stopped."""

    def __init__(self, plan: Plan, cases: Cases, *, folder: Path, report: Report, device: str) -> None:
        self.began = time.monotonic()
        self.plan, self.folder, self.report = plan, folder, report
        self.device = torch.device(device)
        self.task = find_task(plan.goal, table=cases.table, spacing_mm=plan.spacing_mm)
        self.learner = fresh(plan, outputs=self.task.outputs, device=self.device)
        notes = resume_run(folder, self.learner, plan=plan.id)
        if notes and plan.deterministic:
            torch.set_num_threads(notes.threads)
        self.before = notes.seconds if notes else 0.0
        self.history = [Progress.from_document(said) for said in notes.history] if notes else []
        losses = (moment.loss for moment in self.history if math.isfinite(moment.loss))
        self.watch = Watch(plan, first=next(losses, math.nan))
        self.material = material_of(plan, self.task, cases=cases, folder=folder / PREPARED, device=self.device)
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
            TrainingError: There is nothing to learn.
        """
        total = len(self.material)
        for place in range(total):
            if self.plan.minutes and self.elapsed(0) > _PREPARE_SHARE:
                return
            self.material.prepare(place)
            self.tell("prepare", step=place + 1, steps=total)
        self.notice(self.material.missing())

    def learn(self) -> None:
        """Go through the loop to the end of the run, saving, telling and looking on the way.

        Raises:
            TrainingError: See fit.
        """
        saved = told = self.seconds
        for beat in learn(self.learner, self.material.draw, plan=self.plan, task=self.task, elapsed=self.elapsed):
            share = self.elapsed(beat.step)
            self.watch.see(beat.step, beat.loss, share=share)
            scores = self.look() if self.is_time_to_look(share) else {}
            if scores or share >= 1 or self.seconds - told > _REPORT_SECONDS:
                told = self.seconds
                facts = {"rate": beat.rate, "validation": scores, "looked_at": len(scores) and self.material.looked_at}
                self.tell("learn", step=beat.step, steps=self.steps(beat.step), **facts)
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
        self.notice(self.material.unlearnt(scores))
        fitted = Fitted(
            weights=self.folder / WEIGHTS, steps=self.learner.step, seconds=self.seconds, scores=scores,
            history=tuple(self.history), notices=tuple(self.notices),
        )  # fmt: skip
        write_fitted(self.folder, fitted, plan=self.plan)
        return fitted

    def is_time_to_look(self, share: float) -> bool:
        """Return whether the validation cases are due: at even shares of the run if cheap, and at its end."""
        if share >= 1:
            return True
        looked = sum(1 for moment in self.history if moment.validation)
        cheap = self.spent_looking <= _LOOK_SHARE * (time.monotonic() - self.began)
        return cheap and share >= (looked + 1) / _LOOKS

    def look(self) -> Mapping[str, float]:
        """Return what the material says of the averaged weights on validation cases."""
        began = time.monotonic()
        found = self.material.look(self.learner.average.eval())
        self.spent_looking += time.monotonic() - began
        return found

    def steps(self, step: int) -> int:
        """Return the run's steps: the plan's, or by the clock what they will come to."""
        share = self.elapsed(step)
        return round(step / share) if self.plan.minutes and 0 < share < 1 else max(step, self.plan.steps)

    def save(self) -> None:
        """Write the checkpoint.

        Raises:
            TrainingError: The disk is full.
        """
        history = tuple(moment.to_document() for moment in self.history)
        notes = Notes(
            plan=self.plan.id,
            step=self.learner.step,
            seconds=self.seconds,
            threads=torch.get_num_threads(),
            history=history,
        )
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
        is_due = moment.validation or moment.seconds - kept >= (moment.seconds + left) / _POINTS
        if stage == "learn" and is_due and math.isfinite(moment.loss):  # a notice may come before the first step
            self.history.append(moment)
        self.report(moment)


def material_of(
    plan: Plan, task: VoxelTask | ImageTask, *, cases: Cases, folder: Path, device: torch.device | None = None
) -> Material:
    """Return cases as a run learns from them: patches of outlines, or whole images.

    Args:
        plan, task: How they are prepared.
        cases: Loaded once each, when they are prepared.
        folder: Where what does not fit into memory is mapped from.
        device: Where what is drawn is varied, and learnt from; None takes the CPU.
    """
    device = device or torch.device("cpu")
    room = int(SHELF_SHARE * Machine.here().memory)
    if task.answers == "voxels":
        return Patches(cases, plan=plan, task=task, folder=folder, room=room, device=device)
    return Images(cases, plan=plan, task=task, folder=folder, room=room, device=device)
