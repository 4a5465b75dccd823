"""Answers as plots: how probable each class is, where a number lies, and what such probabilities meant before."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from isocenter.pages import words
from isocenter.pages.axis import short, ticks
from isocenter.pages.words import say
from isocenter.result.report import Band, Similar

_WIDTH, _LEFT, _RIGHT = 720, 236, 490  # names stand left of the plot, figures right, as beside whiskers
_ROW, _FOOT, _BAR = 28, 26, 12
_PLOT = (62, 640, 26, 196)  # left, right, top, bottom of what a probability meant


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """One row: a class or a finding, how probable it is, and from which probability on it is answered.

    Args:
        point: nan where the most probable class is answered.
        is_said: It is the answer.
    """

    name: str
    probability: float
    point: float = math.nan
    is_said: bool = False


def draw_chances(chances: Sequence[Chance], *, lang: str) -> Markup:
    """Return an inline SVG of bars from 0 to 1, the answer in colour, a mark at each operating point.

    Raises:
        NotFoundError: No such language.
    """
    height = len(chances) * _ROW + _FOOT
    parts = [_scale(ticks(0, 1), height - _FOOT)]
    parts += [_chance(chance, place * _ROW + _ROW / 2, lang=lang) for place, chance in enumerate(chances)]
    return _svg("chances", height, parts)


def _chance(chance: Chance, y: float, *, lang: str) -> Markup:
    point = not math.isnan(chance.point)
    told = say("found.from_point", lang=lang, point=f"{chance.point:.3f}") if point else ""
    mark = Markup('<line class="point" x1="{x}" x2="{x}" y1="{a}" y2="{b}"/>')
    return Markup(
        '<g class="{kind}"><text x="{name_x}" y="{text}" text-anchor="end">{name}</text>'
        '<rect class="share" x="{left}" y="{top}" width="{width}" height="{bar}"/>{mark}'
        '<text x="{right}" y="{text}">{value}<tspan class="told" dx="10">{told}</tspan></text></g>'
    ).format(
        kind="said" if chance.is_said else "one",
        name_x=_LEFT - 14, text=y + 4.5, name=chance.name, left=_LEFT, top=y - _BAR / 2, bar=_BAR,
        width=max(0.75, round((_RIGHT - _LEFT) * chance.probability, 2)), right=_RIGHT + 18,
        mark=mark.format(x=_x(chance.point, (0.0, 1.0)), a=y - _BAR / 2 - 4, b=y + _BAR / 2 + 4) if point else "",
        value=f"{chance.probability:.3f}", told=told,
    )  # fmt: skip


def draw_number(
    value: float, *, interval: tuple[float, float], learnt: tuple[float, float] | None, unit: str, lang: str
) -> Markup:
    """Return an inline SVG of a number on its scale, with its interval and the range that was learnt from.

    Args:
        value: The answer.
        interval: nan where it is not known.
        learnt: Smallest and largest number that was learnt from.
        unit: Written at the scale's end; "1" for none.
        lang: "en" or "zh".

    Raises:
        NotFoundError: No such language.
    """
    ends = [end for end in (value, *interval, *(learnt or ())) if not math.isnan(end)]
    marks = ticks(min(ends), max(ends))
    low, high = marks[0], marks[-1]
    parts = []
    if learnt is not None:
        ground = Markup('<rect class="learnt" x="{}" y="4" width="{}" height="30"/>')
        first, last = (_x(end, (low, high)) for end in learnt)
        parts.append(ground.format(first, round(last - first, 2)))
        told = Markup('<text x="{}" y="23.5" text-anchor="end">{}</text>')
        parts.append(told.format(_LEFT - 14, say("found.learnt_range", lang=lang)))
    parts.append(_scale(marks, 34))
    if not math.isnan(interval[0]):
        reach = Markup('<line class="reach" x1="{}" x2="{}" y1="19" y2="19"/>')
        parts.append(reach.format(*(_x(end, (low, high)) for end in interval)))
    parts.append(Markup('<circle cx="{}" cy="19" r="5"/>').format(_x(value, (low, high))))
    if unit != "1":
        parts.append(
            Markup('<text class="tick" x="{}" y="54">{}</text>').format(_RIGHT + 18, words.unit(unit, lang=lang))
        )
    return _svg("scale", 60, parts)


def draw_meaning(similar: Similar, probability: float, *, lang: str) -> Markup:
    """Return an inline SVG: across, the probability given; up, the share of patients of whom it was true.

    The band of this case is shaded, and this case marked; the broken line is where both are equal.

    Args:
        similar: Of a class.
        probability: Of that class in this case.
        lang: "en" or "zh".

    Raises:
        NotFoundError: No such language.
    """
    left, right, top, bottom = _PLOT
    x0, x1, at = (_across(value) for value in (similar.here.low, similar.here.high, probability))
    parts = [
        Markup('<rect class="here" x="{}" y="{}" width="{}" height="{}"/>').format(x0, top, x1 - x0, bottom - top),
        _frame(lang=lang),
        Markup('<line class="even" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(left, right, bottom, top),
        Markup('<line class="case" x1="{x}" x2="{x}" y1="{}" y2="{}"/>').format(top - 14, bottom, x=at),
        *(_band(band) for band in similar.bands),
    ]
    now = Markup('<text class="now" x="{}" y="{}" text-anchor="{}">{}</text>')
    side, dx = ("end", -6) if at > (left + right) / 2 else ("start", 6)
    parts.append(now.format(at + dx, top - 9, side, say("similar.this_case", lang=lang)))
    return _svg("meaning", bottom + 40, parts)


def _band(band: Band) -> Markup:
    x = _across((band.low + band.high) / 2)
    reach = Markup('<line class="reach" x1="{x}" x2="{x}" y1="{}" y2="{}"/><circle cx="{x}" cy="{}" r="4.5"/>')
    told = Markup('<text class="told" x="{}" y="{}" text-anchor="middle">{}</text>')
    score = band.score
    return reach.format(_up(score.low), _up(score.high), _up(score.value), x=x) + told.format(
        x, _PLOT[3] + 33, f"n = {score.n}"
    )


def _frame(*, lang: str) -> Markup:
    left, right, _, bottom = _PLOT
    across = Markup(
        '<line class="grid" x1="{left}" x2="{right}" y1="{y}" y2="{y}"/>'
        '<text class="tick" x="{at}" y="{text}" text-anchor="end">{mark}</text>'
    )
    up = Markup('<text class="tick" x="{}" y="{}" text-anchor="middle">{}</text>')
    parts = [
        across.format(left=left, right=right, y=_up(mark), at=left - 8, text=_up(mark) + 4, mark=short(mark))
        for mark in ticks(0, 1)
    ]
    parts += [up.format(_across(mark / 10), bottom + 17, short(mark / 10)) for mark in range(11)]
    parts.append(Markup('<line class="axis" x1="{}" x2="{}" y1="{y}" y2="{y}"/>').format(left, right, y=bottom))
    end = Markup('<text class="tick" x="{}" y="{}">{}</text>')
    parts.append(end.format(right + 12, bottom + 17, say("similar.across", lang=lang)))
    return Markup("").join(parts)


def _across(probability: float) -> float:
    left, right, _, _ = _PLOT
    return round(left + (right - left) * probability, 2)


def _up(share: float) -> float:
    _, _, top, bottom = _PLOT
    return round(bottom - (bottom - top) * share, 2)


def _x(value: float, ends: tuple[float, float]) -> float:
    return round(_LEFT + (_RIGHT - _LEFT) * (value - ends[0]) / (ends[1] - ends[0]), 2)


def _scale(marks: Sequence[float], bottom: float) -> Markup:
    line = Markup(
        '<line class="grid" x1="{0}" x2="{0}" y1="0" y2="{1}"/><text class="tick" x="{0}" y="{2}" '
        'text-anchor="middle">{3}</text>'
    )
    ends = (marks[0], marks[-1])
    lines = [line.format(_x(mark, ends), bottom + 4, bottom + 20, short(mark)) for mark in marks]
    base = Markup('<line class="axis" x1="{}" x2="{}" y1="{y}" y2="{y}"/>').format(_LEFT, _RIGHT, y=bottom + 4)
    return Markup("").join([*lines, base])


def _svg(kind: str, height: float, parts: Sequence[Markup]) -> Markup:
    return Markup('<svg class="{}" viewBox="0 0 {} {}" role="img">{}</svg>').format(
        kind, _WIDTH, height, Markup("").join(parts)
    )
