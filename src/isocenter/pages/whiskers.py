"""Scores as dots with their intervals: one panel a measure, one row a structure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from isocenter.pages.axis import short, ticks
from isocenter.pages.html import figure, interval
from isocenter.pages.words import knows, say
from isocenter.result.score import Score

_WIDTH, _ROW, _FOOT = 720, 28, 30
_LEFT, _RIGHT = 190, 470  # of the plot; names stand left of it, figures right

_BETTER = {"dice": "high", "nsd": "high", "hd95": "low", "volume_error": "low", "volume_bias": "zero"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One measure: its name in words, which way is better, and its plot."""

    heading: str
    better: str
    plot: Markup


def draw_panels(scores: Sequence[Score], *, lang: str, tolerance_mm: float | None = None) -> tuple[Panel, ...]:
    """Return a panel for each measure and unit among the scores, in the order of their first.

    Args:
        scores: Of any measures.
        lang: "en" or "zh".
        tolerance_mm: Within which two surfaces count as one (NSD); None where not known.

    Raises:
        NotFoundError: No such language.
    """
    groups: dict[tuple[str, str], list[Score]] = {}
    for score in scores:
        groups.setdefault((score.name, score.unit), []).append(score)
    return tuple(
        Panel(
            heading=measure_name(name, lang=lang, tolerance_mm=tolerance_mm),
            better=_better(name, lang=lang),
            plot=whiskers(group, lang=lang),
        )
        for (name, _), group in groups.items()
    )


def measure_name(name: str, *, lang: str, tolerance_mm: float | None = None) -> str:
    """Return a measure's name in words; as it is where the table of words does not know it.

    Raises:
        NotFoundError: No such language.
    """
    if name == "nsd" and tolerance_mm is not None:
        return say("score.nsd_within", lang=lang, mm=f"{tolerance_mm:g}")
    return say(f"score.{name}", lang=lang) if knows(f"score.{name}") else name


def _better(name: str, *, lang: str) -> str:
    return say(f"scores.better_{_BETTER[name]}", lang=lang) if name in _BETTER else ""


def whiskers(scores: Sequence[Score], *, lang: str) -> Markup:
    """Return an inline SVG of one measure's scores, each figure written beside its dot with interval and n.

    Args:
        scores: Of one measure and unit, one per structure; "mean" is set apart at the end.
        lang: "en" or "zh".

    Raises:
        NotFoundError: No such language.
    """
    known = [score for score in scores if not math.isnan(score.value)]
    marks = _marks(known)
    rows = sorted(scores, key=lambda score: score.label == "mean")
    height = len(rows) * _ROW + _FOOT
    parts = [_axis(marks, height - _FOOT)]
    parts += [_row(score, place * _ROW + _ROW / 2, marks, lang=lang) for place, score in enumerate(rows)]
    return Markup('<svg class="whiskers" viewBox="0 0 {} {}" role="img">{}</svg>').format(
        _WIDTH, height, Markup("").join(parts)
    )


def _marks(scores: Sequence[Score]) -> tuple[float, ...]:
    """Return ticks that enclose every interval; shares stay within 0..1 and end at 1 where they come near it."""
    ends = [end for score in scores for end in (score.value, score.low, score.high) if not math.isnan(end)] or [0.0]
    low, high = min(ends), max(ends)
    if scores and scores[0].unit == "1" and low >= 0 and high <= 1:
        low, high = max(0.0, low - 0.02), 1.0 if high > 0.5 else high
    elif low >= 0:
        low = 0.0  # a distance shows how far it is from none
    return ticks(low, high)


def _x(value: float, marks: Sequence[float]) -> float:
    return round(_LEFT + (_RIGHT - _LEFT) * (value - marks[0]) / (marks[-1] - marks[0]), 2)


def _axis(marks: Sequence[float], bottom: float) -> Markup:
    line = Markup(
        '<line class="grid" x1="{0}" x2="{0}" y1="0" y2="{1}"/><text class="tick" x="{0}" y="{2}" '
        'text-anchor="middle">{3}</text>'
    )
    lines = [line.format(_x(mark, marks), bottom + 4, bottom + 20, short(mark)) for mark in marks]
    base = Markup('<line class="axis" x1="{}" x2="{}" y1="{y}" y2="{y}"/>').format(_LEFT, _RIGHT, y=bottom + 4)
    return Markup("").join([*lines, base])


def _row(score: Score, y: float, marks: Sequence[float], *, lang: str) -> Markup:
    mean = score.label == "mean"
    name = say("scores.mean", lang=lang) if mean else score.label
    parts = [Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(_LEFT - 14, y + 4.5, name)]
    if not math.isnan(score.low):
        bar = Markup('<line class="whisker" x1="{}" x2="{}" y1="{y}" y2="{y}"/>')
        parts.append(bar.format(_x(score.low, marks), _x(score.high, marks), y=y))
    if not math.isnan(score.value):
        parts.append(Markup('<circle cx="{}" cy="{}" r="4.5"/>').format(_x(score.value, marks), y))
    unit = "" if score.unit == "1" else f" {score.unit}"
    told = Markup(
        '<text x="{x}" y="{y}"><tspan class="value">{value}</tspan>'
        '<tspan class="interval" dx="8">{interval}</tspan><tspan class="count" dx="8">n = {n}</tspan></text>'
    ).format(
        x=_RIGHT + 18,
        y=y + 4.5,
        value=figure(score) + ("" if math.isnan(score.value) else unit),
        interval=interval(score),
        n=score.n,
    )
    return Markup('<g class="{}">{}</g>').format("mean" if mean else "one", Markup("").join([*parts, told]))
