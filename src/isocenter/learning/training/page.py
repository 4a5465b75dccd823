"""What a run shows while it lasts: the bar in the terminal, and run.html."""

import json
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from isocenter.errors import StoreError
from isocenter.learning.training.aside import written_aside
from isocenter.learning.training.fitted import Fitted
from isocenter.learning.training.progress import Progress
from isocenter.pages import Curve, RunPage, write_run
from isocenter.pages.run import State
from isocenter.recipe import Plan
from isocenter.result import Score

CURVES = "curves.json"
_PAGE_EVERY_S = 10.0
_CURVES_EVERY_S = 1.0

Watch = Callable[[str, float, float, str], None]
Draw = Callable[[Sequence[Curve]], None]


def write_curves(curves: Sequence[Curve], folder: Path) -> None:
    """Write a run's curves into its folder, whole or not at all; values that are not finite are null.

    Raises:
        TrainingError: The disk is full, or the folder cannot be written.
    """
    lines = [
        {
            "name": curve.name,
            "lines": {name: [_plain(point) for point in line] for name, line in curve.lines.items()},
            "cases": curve.cases,
        }
        for curve in curves
    ]
    content = json.dumps(lines, ensure_ascii=False).encode()
    with written_aside(folder / CURVES, size=len(content)) as aside:
        aside.write_bytes(content)


def kept_curves(folder: Path) -> tuple[Curve, ...]:
    """Return the curves that a run's folder holds; none where it is not finished.

    Raises:
        StoreError: They are damaged.
    """
    path = folder / CURVES
    if not path.is_file():
        return ()
    try:
        return tuple(
            Curve(
                name=one["name"],
                lines={name: [_point(*at) for at in line] for name, line in one["lines"].items()},
                cases=int(one.get("cases", 0)),
            )
            for one in json.loads(path.read_bytes())
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StoreError(f"{CURVES} of run {folder.name} is damaged. Remove the run and start it anew.") from error


def _plain(point: tuple[float, float]) -> tuple[float, float | None]:
    return point[0], point[1] if math.isfinite(point[1]) else None


def _point(step: float, value: float | None) -> tuple[float, float]:
    return float(step), math.nan if value is None else float(value)


class Page:
    """Takes a run's moments as they come, passes them on, and redraws run.html now and then."""

    NAME = "run.html"

    def __init__(self, plan: Plan, *, name: str, folder: Path, progress: Watch | None, curves: Draw | None) -> None:
        self._plan, self._name, self._path = plan, name, folder / self.NAME
        self._progress, self._show = progress, curves
        self._moments: list[Progress] = []
        self._drawn = self._shown = 0.0

    def see(self, moment: Progress) -> None:
        """Take one moment of the run."""
        if self._progress is not None:
            self._tell(self._progress, moment)
        if moment.stage != "learn":
            return
        self._moments.append(moment)
        if self._show is not None and (moment.validation or time.monotonic() - self._shown > _CURVES_EVERY_S):
            self._shown = time.monotonic()
            self._show(self._curves())
        if time.monotonic() - self._drawn > _PAGE_EVERY_S:
            self._drawn = time.monotonic()
            self._draw("going", scores=(), model="", remarks=())

    def finish(self, fitted: Fitted, *, scores: tuple[Score, ...], model: str) -> None:
        """Draw the page of a run that has ended."""
        self._moments = [moment for moment in fitted.history if moment.stage == "learn"] or self._moments
        write_curves(self._curves(), self._path.parent)
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
        looks: dict[str, list[tuple[int, float]]] = {}
        for moment in self._moments:
            for name, value in moment.validation.items():
                looks.setdefault(name, []).append((moment.step, value))
        cases = max((moment.looked_at for moment in self._moments), default=0)
        shown = (Curve(name="rate", lines={"rate": rate}),)
        if not self._plan.goal.target:
            return (Curve(name="loss", lines={"train": loss}), Curve(name="dice", lines=looks, cases=cases), *shown)
        both = {"train": loss, "validation": looks.pop("loss", [])}
        measures = (Curve(name=name, lines={"validation": line}, cases=cases) for name, line in looks.items())
        return (Curve(name="loss", lines=both, cases=cases), *measures, *shown)
