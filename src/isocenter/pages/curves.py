"""Curves over the steps of a run, as inline SVG."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from isocenter.pages.axis import short, ticks
from isocenter.pages.words import knows, say

_WIDTH, _HEIGHT = 720, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 640, 14, 196
_MOST = 400  # points of a line: more than a screen shows, few enough for a small file

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One panel: a quantity over the steps of a run.

    Args:
        name: Key of the words "curve.NAME", such as "loss", "rate", "dice"; another name is shown as it is.
        lines: Name of each line ("train", "validation", or a structure) to its points (step, value), steps rising;
            values that are not finite leave a gap.
        cases: How many validation cases were looked at for it; 0 where none were, or nobody says.
    """

    name: str
    lines: Mapping[str, Sequence[Point]]
    cases: int = 0


def draw_curve(curve: Curve, *, lang: str) -> Markup:
    """Return a curve as inline SVG: pale as it came, bold as its running mean where it came noisily.

    Raises:
        NotFoundError: No such language.
    """
    finite = {name: _finite(points) for name, points in curve.lines.items()}
    values = np.array([value for points in finite.values() for _, value in points] or [0.0])
    last = max((points[-1][0] for points in finite.values() if points), default=1.0)
    # a spike at the start must not flatten the rest: the axis ends at the 99th percentile of what came
    high = float(np.percentile(values, 99)) if len(values) > 100 else float(values.max())
    low = float(values.min())
    marks = ticks(min(0.0, low) if low < 0.5 * high else low, high)
    frame = _Frame(steps=max(last, 1.0), marks=marks)
    parts = [_grid(frame, lang=lang)]
    ends = _apart([_smooth(points)[-1][1] if points else math.nan for points in finite.values()], frame)
    for place, ((name, points), end) in enumerate(zip(finite.items(), ends, strict=True)):
        if points:
            parts.append(_line(points, frame, place=place))
            parts.append(_name(name, points, y=end, place=place, lang=lang, alone=len(finite) == 1))
    return Markup('<svg class="curve" viewBox="0 0 {} {}" role="img">{}</svg>').format(
        _WIDTH, _HEIGHT, Markup("").join(parts)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    steps: float
    marks: tuple[float, ...]

    def x(self, step: float) -> float:
        return round(_LEFT + (_RIGHT - _LEFT) * step / self.steps, 1)

    def y(self, value: float) -> float:
        share = (min(value, self.marks[-1]) - self.marks[0]) / (self.marks[-1] - self.marks[0])
        return round(_BOTTOM - (_BOTTOM - _TOP) * share, 1)


def _finite(points: Sequence[Point]) -> list[Point]:
    return [(float(step), float(value)) for step, value in points if math.isfinite(value)]


def _smooth(points: Sequence[Point]) -> list[Point]:
    """Return the running mean over a fortieth of the run; as it came where there are few points or no noise."""
    width = len(points) // 40
    if width < 2:
        return list(points)
    values = np.array([value for _, value in points])
    # a change of direction at each second step is noise; a smooth curve turns a few times in all
    if np.mean(np.diff(values)[1:] * np.diff(values)[:-1] < 0) < 0.2:
        return list(points)
    padded = np.concatenate([np.full(width // 2, values[0]), values, np.full(width - 1 - width // 2, values[-1])])
    means = np.convolve(padded, np.full(width, 1 / width), mode="valid")
    return [(step, float(mean)) for (step, _), mean in zip(points, means, strict=True)]


def _thinned(points: Sequence[Point]) -> Sequence[Point]:
    stride = max(1, math.ceil(len(points) / _MOST))
    kept = points[::stride]
    return kept if kept[-1] == points[-1] else [*kept, points[-1]]


def _path(points: Sequence[Point], frame: _Frame) -> str:
    return " ".join(f"{frame.x(step)},{frame.y(value)}" for step, value in _thinned(points))


def _line(points: Sequence[Point], frame: _Frame, *, place: int) -> Markup:
    smooth = _smooth(points)
    line = Markup('<polyline class="{} tone{}" points="{}"/>')
    bold = line.format("bold", place % 4, _path(smooth, frame))
    if smooth == list(points):
        step, value = smooth[-1]
        dot = Markup('<circle class="tone{}" cx="{}" cy="{}" r="3.5"/>').format(
            place % 4, frame.x(step), frame.y(value)
        )
        return bold + dot
    return line.format("pale", place % 4, _path(points, frame)) + bold


def _apart(values: Sequence[float], frame: _Frame) -> list[float]:
    """Return heights for the lines' names at their ends, two lines of text apart and above the axis."""
    places = [_BOTTOM if math.isnan(value) else frame.y(value) for value in values]
    order = sorted(range(len(places)), key=lambda index: places[index])
    least = 0.0
    for index in order:
        places[index] = max(places[index], least)
        least = places[index] + 30
    below = max(0.0, max(places, default=0.0) - (_BOTTOM - 12))
    return [place - below for place in places]


def _name(name: str, points: Sequence[Point], *, y: float, place: int, lang: str, alone: bool) -> Markup:
    value = short(float(f"{_smooth(points)[-1][1]:.3g}"))
    key = f"curve.{name}"
    told = "" if alone else say(key, lang=lang) if knows(key) else name
    text = Markup('<text class="tone{}" x="{}" y="{}">{}</text>')
    figure = text.format(f"{place % 4} end", _RIGHT + 10, y + 4, value)
    return figure + text.format(f"{place % 4} line", _RIGHT + 10, y + 17, told) if told else figure


def _grid(frame: _Frame, *, lang: str) -> Markup:
    across = Markup(
        '<line class="grid" x1="{left}" x2="{right}" y1="{y}" y2="{y}"/>'
        '<text class="tick" x="{at}" y="{text}" text-anchor="end">{mark}</text>'
    )
    parts = [
        across.format(
            left=_LEFT,
            right=_RIGHT,
            y=frame.y(mark),
            at=_LEFT - 8,
            text=frame.y(mark) + 4,
            mark=short(mark),
        )
        for mark in frame.marks
    ]
    up = Markup('<text class="tick" x="{}" y="{}" text-anchor="middle">{}</text>')
    steps = [step for step in ticks(0, frame.steps) if step <= frame.steps]
    parts += [up.format(frame.x(step), _BOTTOM + 18, short(step)) for step in steps]
    parts.append(
        Markup('<text class="tick" x="{}" y="{}">{}</text>').format(
            _RIGHT + 10, _BOTTOM + 18, say("run.step", lang=lang)
        )
    )
    parts.append(Markup('<line class="axis" x1="{}" x2="{}" y1="{y}" y2="{y}"/>').format(_LEFT, _RIGHT, y=_BOTTOM))
    return Markup("").join(parts)
