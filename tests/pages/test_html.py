"""Figures as they are written on a page."""

import math
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from isocenter.pages.html import figure, interval, moment, render, save
from isocenter.result import Score


@pytest.mark.parametrize(
    ("value", "low", "high", "unit", "text"),
    [
        (0.8834, 0.86, 0.9, "1", "0.883 [0.860, 0.900]"),
        (4.236, 3.9, 4.5, "ml", "4.24 [3.90, 4.50]"),
        (965.24, 907.3, 1023.2, "ml", "965 [907, 1023]"),
        (-3.11, -6.6, 0.2, "%", "\u22123.11 [\u22126.60, 0.20]"),
        (12.3, math.nan, math.nan, "mm", "12.3 –"),
    ],
)
def test_a_figure_and_its_interval_have_the_same_digits(
    value: float, low: float, high: float, unit: str, text: str
) -> None:
    score = Score(name="x", label="y", value=value, low=low, high=high, n=1 if math.isnan(low) else 9, unit=unit)
    assert f"{figure(score)} {interval(score)}" == text


def test_a_time_is_written_for_people() -> None:
    assert moment("2026-11-21T00:35:12Z") == "2026-11-21 00:35 UTC"
    assert moment("unknown") == "unknown"


def test_a_template_that_asks_for_what_is_not_there_fails(tmp_path: Path) -> None:
    template = tmp_path / "broken.html"
    template.write_text("{{ nothing_of_that_name }}", encoding="utf-8")
    with pytest.raises(UndefinedError):
        render(template, {}, lang="en")


def test_values_are_escaped(tmp_path: Path) -> None:
    template = tmp_path / "one.html"
    template.write_text("{{ value }}", encoding="utf-8")
    assert render(template, {"value": "<b>&"}, lang="en") == "&lt;b&gt;&amp;"


def test_saving_replaces_the_whole_page(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    save("long old page", path)
    save("new", path)
    assert path.read_text(encoding="utf-8") == "new"
    assert [one.name for one in tmp_path.iterdir()] == ["page.html"]
