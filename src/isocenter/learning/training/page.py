"""What a run shows while it lasts: the bar in the terminal, and run.html."""

import math
import time
from collections.abc import Callable
from pathlib import Path

from isocenter.learning.training.fit import Fitted
from isocenter.learning.training.progress import Progress
from isocenter.pages import Curve, RunPage, write_run
from isocenter.pages.run import State
from isocenter.recipe import Plan
from isocenter.result import Score

_PAGE_EVERY_S = 10.0

Watch = Callable[[str, float, float, str], None]


class Page:
    """Takes a run's moments as they come, passes them on, and redraws run.html now and then."""

    NAME = "run.html"

    def __init__(self, plan: Plan, *, name: str, folder: Path, progress: Watch | None) -> None:
        self._plan, self._name, self._path, self._progress = plan, name, folder / self.NAME, progress
        self._moments: list[Progress] = []
        self._drawn = 0.0

    def see(self, moment: Progress) -> None:
        """Take one moment of the run."""
        if self._progress is not None:
            self._tell(self._progress, moment)
        if moment.stage != "learn":
            return
        self._moments.append(moment)
        if time.monotonic() - self._drawn > _PAGE_EVERY_S:
            self._drawn = time.monotonic()
            self._draw("going", scores=(), model="", remarks=())

    def finish(self, fitted: Fitted, *, scores: tuple[Score, ...], model: str) -> None:
        """Draw the page of a run that has ended."""
        self._moments = [moment for moment in fitted.history if moment.stage == "learn"] or self._moments
        self._draw("done", scores=scores, model=model, remarks=fitted.notices)

    def _tell(self, progress: Watch, moment: Progress) -> None:
        # no Dice here: the few cases looked at on the way have no interval, and the curve is for watching
        note = "" if math.isnan(moment.loss) else f"loss {moment.loss:.3f}"
        if self._plan.minutes and moment.stage == "learn":
            progress("learn", moment.seconds, moment.seconds + moment.seconds_left, f"{note}, step {moment.step}")
        else:
            progress(moment.stage, moment.step, moment.steps, note)

    def _draw(self, state: State, *, scores: tuple[Score, ...], model: str, remarks: tuple[str, ...]) -> None:
        last = self._moments[-1] if self._moments else None
        page = RunPage(
            plan=self._plan, dataset_name=self._name, state=state, step=last.step if last else 0,
            seconds=last.seconds if last else 0.0, seconds_left=last.seconds_left if last else 0.0,
            curves=self._curves(), scores=scores, remarks=remarks, model=model,
        )  # fmt: skip
        write_run(page, self._path, lang="en")

    def _curves(self) -> tuple[Curve, ...]:
        loss = [(moment.step, moment.loss) for moment in self._moments]
        rate = [(moment.step, moment.rate) for moment in self._moments]
        dice: dict[str, list[tuple[int, float]]] = {}
        for moment in self._moments:
            for structure, value in moment.validation.items():
                dice.setdefault(structure, []).append((moment.step, value))
        return (
            Curve(name="loss", lines={"train": loss}),
            Curve(name="dice", lines=dice),
            Curve(name="rate", lines={"rate": rate}),
        )
