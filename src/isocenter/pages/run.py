"""A run as a page: its curves, what was decided and why, and what it has reached."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from isocenter.pages.curves import Curve, draw_curve
from isocenter.pages.html import render, save
from isocenter.pages.whiskers import draw_panels
from isocenter.pages.words import say
from isocenter.recipe import Plan, decisions_of
from isocenter.result.score import Score

State = Literal["going", "done", "stopped", "failed"]
_RENEW_S = 10
_OF_TRAINING = ("loss", "rate")  # curves that are not of a measure on validation cases


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """What the page of a run tells.

    Args:
        dataset_name: What people call the data set; its id stands in the plan.
        state: "going" pages renew themselves.
        step: Optimiser steps done.
        seconds, seconds_left: Spent, and expected to go.
        scores: On the validation patients, once there are any.
        remarks: What was noticed, in plain words: NaN, not learning, an empty class.
        model: Id of the model that the run left; empty before.
    """

    plan: Plan
    dataset_name: str
    state: State
    step: int
    seconds: float
    seconds_left: float = 0.0
    curves: tuple[Curve, ...] = ()
    scores: tuple[Score, ...] = ()
    remarks: tuple[str, ...] = ()
    model: str = ""


def write_run(run: RunPage, path: Path, *, lang: str) -> None:
    """Write a run's page as one HTML file; it appears whole or not at all, so it may be written again and again.

    Raises:
        NotFoundError: No such language.
        StoreError: The folder cannot be written to, or the disk is full.
    """
    drawn = [curve for curve in run.curves if any(curve.lines.values())]
    values = {
        "run": run,
        "renew": _RENEW_S if run.state == "going" else 0,
        "curves": [(curve, draw_curve(curve, lang=lang)) for curve in drawn],
        "looked_at": max((curve.cases for curve in drawn), default=0),
        "looks": any(curve.name not in _OF_TRAINING for curve in drawn),
        "panels": draw_panels(run.scores, lang=lang),
        "decisions": decisions_of(run.plan),
        "spent": _duration(run.seconds),
        "left": _duration(run.seconds_left),
        "title": f"{say('run.title', lang=lang)} {run.plan.id}",
    }
    save(render(Path(__file__).with_name("run.html"), values, lang=lang), path)


def _duration(seconds: float) -> str:
    """Return minutes and seconds, or hours and minutes, as digits that every language reads."""
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02d} h"
