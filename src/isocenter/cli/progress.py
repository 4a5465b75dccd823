"""Progress on the screen: a bar with the time left, on stderr, so that stdout stays one document."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Watch = Callable[[str, float, float, str], None]

_PLAIN_EVERY_S = 20.0  # in a log file a line now and then, not a bar


@contextmanager
def watching() -> Iterator[Watch]:
    """Give a function (stage, done, total, note) that draws one bar a stage."""
    if not sys.stderr.isatty():
        yield _plain()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

    bars: dict[str, TaskID] = {}
    columns = (
        TextColumn("{task.description:<10}"),
        BarColumn(bar_width=28),
        TaskProgressColumn(),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True), refresh_per_second=4) as progress:

        def watch(stage: str, done: float, total: float, note: str = "") -> None:
            if stage not in bars:
                bars[stage] = progress.add_task(stage, total=total, note=note)
            progress.update(bars[stage], completed=done, total=total, note=note)

        yield watch


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
