"""Scores as dots with their intervals: one panel a measure, one row a structure."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from isocenter.pages.axis import short, ticks
from isocenter.pages.html import figure, interval, measured
from isocenter.pages.words import knows, say
from isocenter.result.score import Score

_WIDTH, _ROW, _FOOT = 720, 28, 30
_LEFT, _RIGHT = 236, 490  # of the plot; names stand left of it, figures right

_FEW = 4  # measures of one row each: from so many on they stand beside each other in one panel
_HIGH = (
    "dice", "nsd", "auc", "average_precision", "accuracy", "balanced_accuracy", "sensitivity", "specificity", "f1",
    "quadratic_kappa", "off_by_one", "r2",
)  # fmt: skip
_LOW = ("hd95", "volume_error", "brier", "log_loss", "calibration_error", "mae", "rmse")
_BETTER = {
    **dict.fromkeys(_HIGH, "high"),
    **dict.fromkeys(_LOW, "low"),
    **dict.fromkeys(("volume_bias", "bias"), "zero"),
}


_OF_OUTLINES = ("dice", "nsd", "hd95", "volume_error", "volume_bias")  # their "mean" is over structures
_NAMED = {
    "scores.at_least": re.compile(r"at least (?P<grade>.+)"),
    "scores.below": re.compile(r"(?P<fact>.+) = below (?P<value>[-\d.e+]+.*)"),
    "scores.from": re.compile(r"(?P<fact>.+) = from (?P<value>[-\d.e+]+.*)"),
    "scores.above": re.compile(r"(?P<fact>.+) = (?P<value>\d+) and above"),
    "scores.range": re.compile(r"(?P<fact>.+) = (?P<low>\d+) to (?P<high>\d+)"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One measure: its name in words, which way is better, its plot, and the same figures for who cannot see it."""

    heading: str
    better: str
    plot: Markup
    told: str


def draw_panels(scores: Sequence[Score], *, lang: str, tolerance_mm: float | None = None) -> tuple[Panel, ...]:
    """Return a panel for each measure and unit among the scores, in the order of their first.

    Four or more measures that speak of one and the same thing stand in one panel, a row each.

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
    alone = [rows[0] for rows in groups.values() if len(rows) == 1]
    if len(alone) < _FEW or len({score.label for score in alone}) > 1:
        alone = []
    panels = [
        _panel(rows, heading=measure_name(name, lang=lang, tolerance_mm=tolerance_mm), lang=lang)
        for (name, _), rows in groups.items()
        if rows[0] not in alone
    ]
    return (*_together(alone, lang=lang), *panels)


def _panel(scores: Sequence[Score], *, heading: str, lang: str) -> Panel:
    return Panel(
        heading=heading,
        better=_better(scores[0].name, lang=lang),
        plot=whiskers(scores, lang=lang),
        told="; ".join(f"{one.label}: {figure(one)} {interval(one)}, n = {one.n}" for one in scores),
    )


def _together(scores: Sequence[Score], *, lang: str) -> tuple[Panel, ...]:
    """Return measures of one and the same thing beside each other, where unit and better side are the same."""
    groups: dict[tuple[str, str], list[Score]] = {}
    for score in scores:
        groups.setdefault((score.unit, _BETTER.get(score.name, "")), []).append(score)
    return tuple(
        _panel(
            [replace(one, label=measure_name(one.name, lang=lang)) for one in rows],
            heading=_mean_name(rows[0], lang=lang) if rows[0].label == "mean" else rows[0].label,
            lang=lang,
        )
        for rows in groups.values()
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
    label, apart, run = score.label.partition(" · ")  # two runs side by side add whose it is
    name = (_mean_name(score, lang=lang) if label == "mean" else _named(label, lang=lang)) + apart + run
    parts = [Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(_LEFT - 14, y + 4.5, name)]
    if not math.isnan(score.low):
        bar = Markup('<line class="whisker" x1="{}" x2="{}" y1="{y}" y2="{y}"/>')
        parts.append(bar.format(_x(score.low, marks), _x(score.high, marks), y=y))
    if not math.isnan(score.value):
        parts.append(Markup('<circle cx="{}" cy="{}" r="4.5"/>').format(_x(score.value, marks), y))
    told = Markup(
        '<text x="{x}" y="{y}"><tspan class="value">{value}</tspan>'
        '<tspan class="interval" dx="8">{interval}</tspan><tspan class="count" dx="8">n = {n}</tspan></text>'
    ).format(
        x=_RIGHT + 18,
        y=y + 4.5,
        value=measured(score, lang=lang),
        interval=interval(score),
        n=score.n,
    )
    return Markup('<g class="{}">{}</g>').format("mean" if mean else "one", Markup("").join([*parts, told]))


def _named(label: str, *, lang: str) -> str:
    """Return a label as a page writes it: evaluations name steps of grades and bands of numbers in English."""
    for key, pattern in _NAMED.items():
        if found := pattern.fullmatch(label):
            return say(key, lang=lang, **found.groupdict())
    return label


def _mean_name(score: Score, *, lang: str) -> str:
    return say("scores.mean" if score.name in _OF_OUTLINES else "scores.whole", lang=lang)
