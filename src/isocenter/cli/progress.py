"""Progress on the screen: a bar with the time left and a run's curves, on stderr, so that stdout stays one document."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from isocenter.pages import Curve

Watch = Callable[[str, float, float, str], None]
Draw = Callable[["Sequence[Curve]"], None]

_PLAIN_EVERY_S = 20.0  # in a log file a line now and then, not a bar
_BAR_LINES = 6  # stages of a run with a bar each, and room for the cursor


@contextmanager
def watching() -> Iterator[Watch]:
    """Give a function (stage, done, total, note) that draws one bar a stage."""
    with drawing(is_plain=False) as (watch, _):
        yield watch


@contextmanager
def drawing(*, is_plain: bool) -> Iterator[tuple[Watch, Draw | None]]:
    """Give what draws one bar a stage, and what draws a run's curves above the bars.

    Where stderr is no terminal that can move its cursor, and where plain lines are asked for, the first writes lines
    and there is no second.
    """
    if is_plain or not _is_terminal():
        yield _plain(), None
        return
    from rich.console import Console

    with screen(Console(stderr=True)) as both:
        yield both


@contextmanager
def screen(console: "Console") -> Iterator[tuple[Watch, Draw | None]]:
    """Give what draws bars, and what draws curves above them, on a terminal; leaving it keeps what was drawn last."""
    from rich.console import Group
    from rich.live import Live
    from rich.progress import TaskID
    from rich.text import Text

    from isocenter.cli.curves import CHART_LINES, draw_charts

    bars: dict[str, TaskID] = {}
    progress = _bars(console)
    latest: list[Curve] = []
    charts: dict[int, Text] = {}  # by width: the screen is drawn more often than the curves grow

    def drawn() -> Group:
        # a terminal may be resized at any time, and one that knows no Unicode has no dots
        width, height = console.size
        if not latest or height < CHART_LINES + _BAR_LINES or not console.encoding.startswith("utf"):
            return Group(progress)
        if width not in charts:
            charts[width] = draw_charts(latest, width=width - 1)
        return Group(charts[width], progress) if charts[width] else Group(progress)

    def watch(stage: str, done: float, total: float, note: str = "") -> None:
        if stage not in bars:
            bars[stage] = progress.add_task(stage, total=total, note=note)
        progress.update(bars[stage], completed=done, total=total, note=note)

    def draw(curves: "Sequence[Curve]") -> None:
        latest[:] = curves
        charts.clear()

    with Live(get_renderable=drawn, console=console, refresh_per_second=4):
        yield watch, draw


def _bars(console: "Console") -> "Progress":
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description:<10}"),
        BarColumn(bar_width=28),
        TaskProgressColumn(),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[note]}"),
        console=console,
        auto_refresh=False,
    )


def _is_terminal() -> bool:
    """Return whether stderr is a terminal on which lines can be drawn anew; a CI's log is none, whatever it says."""
    return (
        sys.stderr.isatty() and os.environ.get("TERM", "dumb") not in ("", "dumb", "unknown") and "CI" not in os.environ
    )


def _plain() -> Watch:
    told: dict[str, float] = {}
    begun: dict[str, float] = {}

    def watch(stage: str, done: float, total: float, note: str = "") -> None:
        now = time.monotonic()
        begun.setdefault(stage, now)
        finished = total > 0 and done >= total
        if now - told.get(stage, 0.0) < _PLAIN_EVERY_S and not finished:
            return
        if finished and told.get(stage) == float("inf"):
            return
        told[stage] = float("inf") if finished else now
        share = done / total if total else 0.0
        left = (now - begun[stage]) * (1 - share) / share if share > 0 else 0.0
        sys.stderr.write(f"{stage}: {share:4.0%}, {left:.0f} s left{'  ' + note if note else ''}\n")
        sys.stderr.flush()

    return watch
