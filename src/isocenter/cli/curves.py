"""Curves in the terminal: a run's loss and what is watched beside it, in braille dots, eight to a character."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from rich.text import Text

from isocenter.pages import Curve

CHART_ROWS = 8
CHART_LINES = CHART_ROWS + 3  # with the title, the axis and the steps below it
NARROWEST = 40  # columns: with fewer, axis and labels leave no room for a curve

_WIDEST = 80
_LABELS = 7  # columns left of the axis
_GAP = 2
_HIDDEN = ("rate",)  # a schedule is known beforehand; run.html has it
_MEAN = "mean"
_LEARNT, _WATCHED = "", "#d55e00"  # the terminal's own colour; vermilion, told from it with any eyes (Okabe & Ito 2008)
_MARK = "●"  # what is looked at now and then is marked by a shape too, so that nothing hangs on colour

# Unicode 1988 standard, block U+2800: bit of each dot of a cell of 2 columns by 4 rows
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))

Point = tuple[float, float]


def draw_charts(curves: Sequence[Curve], *, width: int) -> Text:
    """Return the loss, and beside it the measure that is watched, as text of CHART_LINES lines.

    Args:
        curves: Of a run, as run.html shows them; those that have no points yet are left out.
        width: Columns of the terminal; at most 80 of them are used. Below 72 the loss stands alone.
    """
    width = min(width, _WIDEST)
    shown = [chart for curve in curves if (chart := _chart(curve))]
    if not shown or width < NARROWEST:
        return Text()
    count = 2 if len(shown) > 1 and width >= 72 else 1
    each = (width - _GAP * (count - 1)) // count
    last = max(step for chart in shown for step, _ in (*chart.line, *chart.marks)) or 1.0
    blocks = [_block(chart, width=each, last=last) for chart in shown[:count]]
    return Text("\n").join(Text(" " * _GAP).join(row) for row in zip(*blocks, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chart:
    """One panel: a line of dots, marks where validation cases were looked at, and what is said above."""

    title: str
    line: Sequence[Point]
    marks: Sequence[Point]

    @property
    def span(self) -> tuple[float, float]:
        """Least and greatest value; an outlier among the first of many does not flatten the rest."""
        values = sorted(value for _, value in (*self.line, *self.marks))
        high = values[math.ceil(0.98 * (len(values) - 1))]
        low = values[0]
        return (low, high) if high > low else (low, low + (abs(low) * 0.1 or 1.0))


def _chart(curve: Curve) -> _Chart | None:
    if curve.name in _HIDDEN:
        return None
    line = _finite(curve.lines.get("train", ()))
    # of many structures their mean is enough to watch
    looks = {name: points for name, points in curve.lines.items() if name != "train"}
    marks = _finite(looks[_MEAN] if _MEAN in looks else next(iter(looks.values()), ()))
    if not line and not marks:
        return None
    name = {"auc": "AUC", "mae": "MAE"}.get(curve.name, curve.name.capitalize())
    title = f"{name} {_short(line[-1][1])}" if line else name
    if marks:
        whose = f"{curve.cases} cases" if curve.cases else "validation"
        title += f" {_MARK} {_short(marks[-1][1])} ({whose}{'' if line else ', for watching'})"
    return _Chart(title=title, line=line, marks=marks)


def _finite(points: Iterable[Point]) -> list[Point]:
    return [(step, value) for step, value in points if math.isfinite(value)]


def _block(chart: _Chart, *, width: int, last: float) -> list[Text]:
    """Return a panel's lines, each of exactly `width` columns."""
    columns = width - _LABELS - 2
    low, high = chart.span
    rows = _rows(chart, columns=columns, last=last)
    labels = {0: _short(high), CHART_ROWS // 2: _short((low + high) / 2), CHART_ROWS - 1: _short(low)}
    title = Text(_fitted(chart.title, width))
    title.highlight_words([_MARK], _WATCHED)
    lines = [title]
    for number, row in enumerate(rows):
        label = labels.get(number, "")
        lines.append(Text(f"{label:>{_LABELS}} {'┤' if label else '│'}").append_text(row))
    lines.append(Text(" " * (_LABELS + 1) + "└" + "─" * columns))
    end = f"step {last:.0f}"
    lines.append(Text(_fitted(" " * (_LABELS + 2) + "0" + end.rjust(columns - 1), width)))
    return lines


def _rows(chart: _Chart, *, columns: int, last: float) -> list[Text]:
    """Return the rows of a panel, from the top: dots of the line, and marks over them."""
    low, high = chart.span
    wide, tall = 2 * columns - 1, 4 * CHART_ROWS - 1

    def place(point: Point) -> tuple[int, int]:
        share = (min(max(point[1], low), high) - low) / (high - low)
        return round(wide * point[0] / last), round(tall * (1 - share))

    cells = [[0] * columns for _ in range(CHART_ROWS)]
    for x, y in _joined([place(point) for point in _thinned(chart.line, width=last / wide)]):
        cells[y // 4][x // 2] |= _DOTS[x % 2][y % 4]
    marked = {(y // 4, x // 2) for x, y in map(place, chart.marks)}
    rows = []
    for number, row in enumerate(cells):
        text = Text()
        for column, dots in enumerate(row):
            is_mark = (number, column) in marked
            text.append(_MARK if is_mark else chr(0x2800 + dots) if dots else " ", _WATCHED if is_mark else _LEARNT)
        rows.append(text)
    return rows


def _thinned(points: Sequence[Point], *, width: float) -> list[Point]:
    """Return the mean of the points of each stretch of steps as wide as a dot: noise would blacken the rows."""
    stretches = (list(some) for _, some in groupby(points, key=lambda point: round(point[0] / width)))
    return [(some[-1][0], sum(value for _, value in some) / len(some)) for some in stretches]


def _joined(places: Sequence[tuple[int, int]]) -> Iterable[tuple[int, int]]:
    """Yield the places, and between each two the dots of a straight line."""
    yield from places[:1]
    for (x, y), (to_x, to_y) in pairwise(places):
        count = max(abs(to_x - x), abs(to_y - y), 1)
        for step in range(1, count + 1):
            yield round(x + (to_x - x) * step / count), round(y + (to_y - y) * step / count)


def _fitted(text: str, width: int) -> str:
    return text[:width].ljust(width)


def _short(value: float) -> str:
    """Return a figure in at most seven characters."""
    if value and not 1e-3 <= abs(value) < 1e5:
        return f"{value:.1e}".replace("e-0", "e-").replace("e+0", "e")
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
