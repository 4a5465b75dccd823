"""Two runs side by side as a page: what was asked and decided otherwise, scores, curves over each other."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from isocenter.pages.curves import Curve, draw_curve
from isocenter.pages.html import render, save
from isocenter.pages.whiskers import draw_panels
from isocenter.pages.words import say
from isocenter.result.score import Score


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of two runs.

    Args:
        name: What it is called on the page.
        dataset: Id of the version that it learnt from.
        scores: On its validation patients; empty where it has left no model.
        curves: As it went; empty where that was not kept.
    """

    name: str
    dataset: str
    scores: tuple[Score, ...] = ()
    curves: tuple[Curve, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffPage:
    """What the page of two runs tells.

    Args:
        sides: The two runs.
        asked: Key of the recipe to what each asked for; None where that was not kept.
        decided: Key of the plan to what each decided.
    """

    sides: tuple[Side, Side]
    asked: Mapping[str, tuple[str, str]] | None
    decided: Mapping[str, tuple[str, str]]


def write_diff(diff: DiffPage, path: Path, *, lang: str) -> None:
    """Write two runs side by side as one HTML file; it appears whole or not at all.

    Raises:
        NotFoundError: No such language.
        StoreError: The folder cannot be written to, or the disk is full.
    """
    values = {
        "diff": diff,
        "is_one_version": diff.sides[0].dataset == diff.sides[1].dataset,
        "panels": draw_panels(_beside(diff), lang=lang),
        "curves": [(curve, draw_curve(curve, lang=lang)) for curve in _over_each_other(diff)],
        "title": say("diff.title", lang=lang),
    }
    save(render(Path(__file__).with_name("diff.html"), values, lang=lang), path)


def _beside(diff: DiffPage) -> list[Score]:
    """Return both runs' scores, each measure of a structure beside the same one of the other run."""
    first, second = diff.sides
    names = list(dict.fromkeys((score.name, score.label) for side in diff.sides for score in side.scores))
    of = [{(score.name, score.label): score for score in side.scores} for side in (first, second)]
    return [
        replace(scores[name], label=f"{name[1]} · {side.name}")
        for name in names
        for side, scores in zip(diff.sides, of, strict=True)
        if name in scores
    ]


def _over_each_other(diff: DiffPage) -> list[Curve]:
    """Return a curve for each quantity that both runs kept, with a line of each."""
    of = [{curve.name: curve for curve in side.curves} for side in diff.sides]
    curves = []
    for name in of[0]:
        if name not in of[1]:
            continue
        shared = [line for line in of[0][name].lines if line in of[1][name].lines]
        line = "mean" if "mean" in shared else next(iter(shared), None)
        lines = {side.name: held[name].lines[line] for side, held in zip(diff.sides, of, strict=True) if line}
        if any(lines.values()):
            curves.append(Curve(name=name, lines=lines))
    return curves
