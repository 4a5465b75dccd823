"""Axes enclose what they show, dots lie at their values, and lines do not grow with the run."""

import math
import re
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocenter.pages.axis import short, ticks
from isocenter.pages.curves import Curve, draw_curve
from isocenter.pages.whiskers import draw_panels, whiskers
from isocenter.result import Score


def score(
    value: float, low: float, high: float, *, name: str = "dice", label: str = "liver", unit: str = "1", n: int = 9
) -> Score:
    return Score(name=name, label=label, value=value, low=low, high=high, n=n, unit=unit)


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_ticks_enclose_and_are_even(low: float, width: float) -> None:
    marks = ticks(low, low + width)
    assert len(marks) >= 2
    slack = 1e-6 * (abs(low) + width)  # of floats of that size
    assert marks[0] <= low + slack
    assert marks[-1] >= low + width - slack
    assert len(marks) <= 8


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.85, "0.85"), (0.0, "0"), (12000.0, "12\u202f000"), (3e-5, "3e-5"), (0.00125, "0.00125"), (-2.5, "\u22122.5")],
)
def test_a_tick_is_short(value: float, text: str) -> None:
    assert short(value) == text


def test_dots_lie_between_their_whiskers_and_every_figure_bears_interval_and_n() -> None:
    svg = whiskers([score(0.88, 0.86, 0.9), score(0.87, 0.85, 0.88, label="mean")], lang="en")
    dots = [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', svg)]
    bars = [(float(a), float(b)) for a, b in re.findall(r'class="whisker" x1="([\d.]+)" x2="([\d.]+)"', svg)]
    assert len(dots) == len(bars) == 2
    assert all(a < dot < b for dot, (a, b) in zip(dots, bars, strict=True))
    assert svg.count("n = 9") == 2
    assert "[0.860, 0.900]" in svg


def test_the_mean_stands_last() -> None:
    svg = whiskers([score(0.8, 0.7, 0.9, label="mean"), score(0.88, 0.86, 0.9)], lang="en")
    assert svg.index("liver") < svg.index("mean of structures")


def test_what_was_not_measured_is_said_and_not_drawn() -> None:
    svg = whiskers([score(math.nan, math.nan, math.nan, n=0), score(0.5, 0.4, 0.6, label="spleen")], lang="en")
    assert svg.count("<circle") == 1
    assert "n = 0" in svg
    assert "nan" not in svg


def test_names_cannot_break_the_page() -> None:
    svg = whiskers([score(0.5, 0.4, 0.6, label="<script>alert(1)</script>")], lang="en")
    assert "<script" not in svg


def test_each_measure_has_a_panel_that_says_which_way_is_better() -> None:
    scores = [score(0.9, 0.8, 1.0), score(2.0, 1.0, 3.0, name="hd95", unit="mm"), score(0.5, 0.4, 0.6, name="nsd")]
    panels = draw_panels(scores, lang="en", tolerance_mm=1.0)
    assert [panel.better for panel in panels] == ["higher is better", "lower is better", "higher is better"]
    assert panels[2].heading == "Surface agreement within 1 mm (NSD)"
    assert draw_panels([score(1, 0, 2, name="froc")], lang="zh")[0].heading == "froc"


def points(svg: str) -> Sequence[str]:
    return re.findall(r'points="([^"]+)"', svg)


def test_a_long_run_does_not_make_a_large_page() -> None:
    noisy = [(step, 1.0 + 0.1 * (-1) ** step) for step in range(50_000)]
    svg = draw_curve(Curve(name="loss", lines={"train": noisy}), lang="en")
    assert len(points(svg)) == 2, "pale as it came, bold as its mean"
    assert len(svg) < 20_000


def test_a_smooth_curve_is_drawn_as_it_is() -> None:
    line = [(step, 2e-3 * min(1.0, step / 50)) for step in range(1000)]
    assert len(points(draw_curve(Curve(name="rate", lines={"rate": line}), lang="en"))) == 1


def test_figures_that_are_not_finite_leave_a_gap() -> None:
    svg = draw_curve(Curve(name="loss", lines={"train": [(1, math.nan), (2, 0.5), (3, math.inf), (4, 0.4)]}), lang="en")
    assert "nan" not in svg
    assert len(points(svg)[0].split()) == 2


def test_a_curve_without_a_point_is_an_empty_frame() -> None:
    assert points(draw_curve(Curve(name="loss", lines={"train": []}), lang="zh")) == []


def test_names_at_the_lines_ends_do_not_cover_each_other() -> None:
    lines = {name: [(1, 0.5), (2, value)] for name, value in (("a", 0.80), ("b", 0.801), ("c", 0.802))}
    svg = draw_curve(Curve(name="dice", lines=lines), lang="en")
    heights = sorted(float(y) for y in re.findall(r'class="tone\d end" x="\d+" y="([\d.]+)"', svg))
    assert len(heights) == 3
    assert all(b - a >= 28 for a, b in pairwise(heights))  # two lines of 11 to 13 px


def test_a_curve_of_zeros_but_for_rounding_is_drawn() -> None:
    # quadratic kappa of a model that has learnt nothing yet
    assert ticks(0.0, 1e-17) == ticks(-1e-17, 0.0) == ticks(0.0, 0.0)
    assert "polyline" in draw_curve(Curve(name="validation", lines={"kappa": [(0, 0.0), (4, 1e-17)]}), lang="en")
