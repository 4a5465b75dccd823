"""A run as a page: its curves, what was decided and why, and what it has reached."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from isocenter.pages.curves import Curve, draw_curve
from isocenter.pages.html import render, save
from isocenter.pages.whiskers import draw_panels
from isocenter.pages.words import say
from isocenter.recipe import Plan
from isocenter.result.score import Score

State = Literal["going", "done", "stopped", "failed"]
_RENEW_S = 10
_SPEAKS_OF = {"intensity": "channels", "volumes": "channels", "strength": "variation"}  # a recipe's key: a plan's
_ELSEWHERE = ("reasons", "recipe", "dataset")  # shown in the head of the page
_OPTIONAL = ("minutes", "fold")


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
    values = {
        "run": run,
        "renew": _RENEW_S if run.state == "going" else 0,
        "curves": [(curve, draw_curve(curve, lang=lang)) for curve in run.curves if any(curve.lines.values())],
        "panels": draw_panels(run.scores, lang=lang),
        "decisions": _decisions(run.plan),
        "spent": _duration(run.seconds),
        "left": _duration(run.seconds_left),
        "title": f"{say('run.title', lang=lang)} {run.plan.id}",
    }
    save(render(Path(__file__).with_name("run.html"), values, lang=lang), path)


def _decisions(plan: Plan) -> list[tuple[str, str, str]]:
    """Return (key, value, reason) of each decision, and at the end the reasons that speak of no single value."""
    reasons: dict[str, list[tuple[str, str]]] = {}
    for key, reason in plan.reasons.items():
        name = key.rpartition(".")[2].partition(" ")[0]
        reasons.setdefault(_SPEAKS_OF.get(name, name), []).append((key, reason))
    rows = []
    for name, value in plan.to_document().items():
        told = reasons.pop(name, [])
        if name in _ELSEWHERE or (not told and value in (None, 0.0) and name in _OPTIONAL):
            continue
        rows.append((told[0][0] if told else name, _plain(value), "; ".join(reason for _, reason in told)))
    return rows + [(key, "–", reason) for told in reasons.values() for key, reason in told]


def _plain(value: Any) -> str:
    """Return a plan's value as people read it."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(inner)}" for key, inner in value.items() if inner not in (0, 0.0, [], ""))
    if isinstance(value, list | tuple):
        apart = "; " if any(isinstance(inner, Mapping) for inner in value) else " × "
        return apart.join(_plain(inner) for inner in value) or "–"
    if isinstance(value, float):
        return f"{value:.4g}"
    return "–" if value is None else str(value)


def _duration(seconds: float) -> str:
    """Return minutes and seconds, or hours and minutes, as digits that every language reads."""
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02d} h"
