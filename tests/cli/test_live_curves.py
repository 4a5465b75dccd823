"""A run's curves grow in the terminal; in a pipe there are plain lines."""

import io
import math
import os
import re
import sys

import pytest
from rich.console import Console
from rich.text import Text

from isocenter.cli.curves import CHART_LINES, draw_charts
from isocenter.cli.progress import drawing, screen
from isocenter.pages import Curve

STEPS = range(15, 601, 15)
LOSS = [(step, 1.5 * math.exp(-step / 90)) for step in STEPS]
LOOKS = [(step, step / 1000) for step in range(60, 601, 60)]
CURVES = (
    Curve(name="loss", lines={"train": LOSS}),
    Curve(name="dice", lines={"liver": [(60, 0.01)], "mean": LOOKS}, cases=8),
    Curve(name="rate", lines={"rate": LOSS}),
)


def terminal(*, width: int = 80, height: int = 24) -> Console:
    return Console(
        record=True, force_terminal=True, width=width, height=height, file=io.TextIOWrapper(io.BytesIO(), "utf-8")
    )


def shown(console: Console, *, curves: tuple[Curve, ...] = CURVES) -> str:
    """Return what stands on a terminal after a run drew its bar and its curves there."""
    with screen(console) as (watch, draw):
        watch("learn", 300, 600, "loss 0.100")
        assert draw is not None
        draw(curves)
    return console.export_text()


def heights(text: str, *, left: int, right: int) -> list[int]:
    """Return for each column of a panel the first row, from the top, in which something is drawn."""
    rows = [line[left:right] for line in text.splitlines()[1 : CHART_LINES - 2]]
    columns = [[row for row, cell in enumerate(column) if cell != " "] for column in zip(*rows, strict=True)]
    return [drawn[0] for drawn in columns if drawn]


def test_the_loss_stands_beside_what_is_watched_within_80_columns() -> None:
    lines = shown(terminal()).splitlines()
    assert re.match(r"Loss 0\.002 +Dice ● 0\.600 \(8 cases, for watching\) *$", lines[0])
    assert any(re.match(r"learn +\S+ +50% .*loss 0\.100", line) for line in lines)
    assert max(map(len, lines)) <= 80
    assert "rate" not in "".join(lines).lower()


def test_the_ends_of_the_axes_are_labelled() -> None:
    lines = draw_charts(CURVES, width=80).plain.splitlines()
    assert len(lines) == CHART_LINES
    assert lines[1].startswith("  1.270 ┤")
    assert "  0.600 ┤" in lines[1]
    assert lines[8].startswith("  0.002 ┤")
    assert "  0.060 ┤" in lines[8]
    assert re.match(r" +0 +step 600 +0 +step 600 *$", lines[10])


def test_a_loss_that_falls_falls_on_the_screen_and_a_measure_that_rises_rises() -> None:
    text = draw_charts(CURVES, width=80).plain
    falling, rising = heights(text, left=9, right=39), heights(text, left=50, right=80)
    assert falling == sorted(falling)
    assert (falling[0], falling[-1]) == (0, 7)
    assert rising == sorted(rising, reverse=True)
    assert (rising[0], rising[-1]) == (7, 0)
    assert len(rising) == len(LOOKS)


def test_what_is_watched_is_told_apart_by_its_shape_too() -> None:
    both = (Curve(name="loss", lines={"train": LOSS, "validation": LOOKS}, cases=18),)
    chart = draw_charts(both, width=80)
    title, *rows = chart.plain.splitlines()
    assert title.startswith("Loss 0.002 ● 0.600 (18 cases)")
    assert "".join(rows).count("●") == len(LOOKS)
    assert {str(span.style) for span in chart.spans if span.style} == {"#d55e00"}


def test_a_narrow_terminal_shows_the_loss_alone_and_a_tiny_one_the_bar_alone() -> None:
    narrow = shown(terminal(width=60))
    assert "Loss 0.002" in narrow
    assert "Dice" not in narrow
    assert max(map(len, narrow.splitlines())) <= 60
    for tiny in (terminal(width=30), terminal(height=10)):
        text = shown(tiny)
        assert "Loss" not in text
        assert "learn" in text


def test_a_terminal_without_unicode_shows_the_bar_alone() -> None:
    latin = Console(
        record=True, force_terminal=True, width=80, height=24, file=io.TextIOWrapper(io.BytesIO(), "latin-1")
    )
    text = shown(latin)
    assert "learn" in text
    assert "Loss" not in text


@pytest.mark.parametrize(
    "line", [[], [(0, math.nan)], [(1, 0.5)], [(1, 0.5), (2, 0.5)], [(1, 1e-9), (2, 1e9)], [(1, math.inf), (2, 0.0)]]
)
def test_odd_curves_are_drawn_or_left_out(line: list[tuple[float, float]]) -> None:
    chart = draw_charts([Curve(name="loss", lines={"train": line})], width=80)
    assert chart == Text() or [len(row) for row in chart.plain.splitlines()] == [80] * CHART_LINES


def test_a_spike_at_the_start_does_not_flatten_the_rest() -> None:
    spiky = [(1.0, 1000.0), *((step, 1.0 + 1 / step) for step in range(2, 200))]
    assert draw_charts([Curve(name="loss", lines={"train": spiky})], width=80).plain.splitlines()[1].startswith("  1.")


def test_ctrl_c_leaves_the_terminal_with_its_cursor_and_the_last_curves() -> None:
    console = terminal()

    def stopped() -> None:
        with screen(console) as (_, draw):
            assert draw is not None
            draw(CURVES)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    console.file.flush()
    written = console.file.buffer.getvalue().decode()  # type: ignore[attr-defined]
    assert written.count("\x1b[?25l") == written.count("\x1b[?25h") == 1
    assert written.rindex("\x1b[?25h") > written.rindex("Loss")
    assert written[: written.rindex("\x1b[?25h")].endswith("\n")


def test_a_pipe_has_plain_lines_and_no_curves(capsys: pytest.CaptureFixture[str]) -> None:
    with drawing(is_plain=False) as (watch, draw):
        watch("learn", 600, 600, "loss 0.100")
    assert draw is None
    told = capsys.readouterr().err
    assert told == "learn: 100%, 0 s left  loss 0.100\n"


@pytest.mark.skipif(os.name != "posix", reason="A pseudo-terminal needs POSIX.")
@pytest.mark.parametrize(
    ("environment", "is_plain", "curves"),
    [
        ({"TERM": "xterm-256color"}, False, True),
        ({"TERM": "xterm-256color"}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({}, False, False),
        ({"TERM": "xterm-256color", "CI": "true"}, False, False),
    ],
)
def test_only_a_terminal_that_can_draw_is_drawn_on(
    environment: dict[str, str], is_plain: bool, curves: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pty

    for name in ("TERM", "CI"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ours, theirs = pty.openpty()
    with open(theirs, "w", encoding="utf-8") as screen_, open(ours, "rb") as seen:  # noqa: PTH123 - descriptors
        monkeypatch.setattr(sys, "stderr", screen_)
        with drawing(is_plain=is_plain) as (watch, draw):
            watch("learn", 600, 600, "")
        screen_.flush()
        written = os.read(seen.fileno(), 65536)
    assert (draw is not None) == curves
    assert (b"\x1b" in written) == curves
