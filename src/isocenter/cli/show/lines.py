"""Tables, lines and figures as a person reads them."""

import re
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

Document = dict[str, Any]
_MANY = 40  # rows shown before the rest is counted
_HASH = re.compile(r"[0-9a-f]{64}")


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under their heads, the first 40 of them."""
    grid = Table(*heads, box=None, pad_edge=False, header_style="dim")
    for row in rows[:_MANY]:
        grid.add_row(*(_cell(cell) for cell in row))
    _console().print(grid)
    if len(rows) > _MANY:
        say(f"… and {len(rows) - _MANY} more; --json lists all.")


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{text}\n")


def _cell(value: object) -> str:
    return escape(_plain(value))


def _plain(value: object) -> str:
    """Return a value as people read it: hashes by their first digits, lists and tables in a line."""
    if isinstance(value, dict) and set(value) == {"memory_bytes", "seconds"}:
        return f"{value['memory_bytes'] / 1e9:.1f} GB, {value['seconds']:.0f} s"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        apart = "; " if any(isinstance(one, dict) for one in value) else " × "
        return apart.join(_plain(one) for one in value)
    if isinstance(value, float):
        return f"{value:.4g}"
    text = "" if value is None else str(value)
    return text[:12] if _HASH.fullmatch(text) else text


def _console() -> Console:
    """Return a console on today's stdout; wide where nobody watches, so that log files are not wrapped."""
    return Console(width=None if sys.stdout.isatty() else 160, highlight=False)


def number(value: float | None, unit: str) -> str:
    """Return a figure with its unit."""
    if value is None:
        return "not measured"
    return f"{value:.3f}" if unit == "1" else f"{value:.2f} {unit}"


def interval(score: Document) -> str:
    """Return a score's interval; "none" where there is none."""
    return f"none (n = {score['n']})" if score["low"] is None else span_of(score)


def span_of(figure: Document) -> str:
    """Return the ends of an interval."""
    if figure["low"] is None:
        return "none: too few validation patients"
    digits = 3 if figure["unit"] == "1" else 2
    return f"{figure['low']:.{digits}f} to {figure['high']:.{digits}f}"


def grid(shape: Sequence[int]) -> str:
    """Return how many voxels there are along each axis."""
    return "×".join(str(n) for n in shape) if any(shape) else ""


def size(shape: Sequence[int], spacing: Sequence[float | None]) -> str:
    """Return how many voxels there are, and how large one is."""
    if not any(spacing):
        return f"{grid(shape)} pixels, whose size nobody has stated"
    return f"{grid(shape)} voxels of {steps_mm(spacing)} mm"


def steps_mm(spacing: Sequence[float | None]) -> str:
    """Return the steps of a grid; empty where nobody has stated them."""
    return "×".join("–" if one is None else f"{one:.3g}" for one in spacing) if any(spacing) else ""


def lasting(seconds: float) -> str:
    """Return a time as people say it."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def share(score: Document) -> str:
    """Return a share with its interval."""
    return "–" if score["value"] is None else f"{score['value']:.3f} [{score['low']:.3f}, {score['high']:.3f}]"


def sides(counts: Document) -> str:
    """Return how many there are on each side."""
    return ", ".join(f"{side} {count}" for side, count in counts.items())
