"""Two runs side by side: what differs, scores beside each other, curves over each other."""

import math
from dataclasses import replace
from pathlib import Path

from isocenter.learning.training.page import kept_curves, write_curves
from isocenter.pages.curves import Curve
from isocenter.pages.diff import DiffPage, Side, write_diff
from isocenter.result import Score


def side(name: str, dice: float) -> Side:
    return Side(
        name=name,
        dataset="da7a",
        scores=(Score(name="dice", label="liver", value=dice, low=dice - 0.02, high=dice + 0.02, n=9),),
        curves=(Curve(name="loss", lines={"train": [(1, 1.0), (2, dice)]}), Curve(name="rate", lines={"rate": []})),
    )


DIFF = DiffPage(
    sides=(side("aaaa", 0.81), side("bbbb", 0.85)),
    asked={"training.rate": ("0.01", "")},
    decided={"models.width": ("16", "<32>")},
)


def page(diff: DiffPage, folder: Path, lang: str = "en") -> str:
    write_diff(diff, folder / "diff.html", lang=lang)
    return (folder / "diff.html").read_text(encoding="utf-8")


def test_what_differs_and_both_scores_are_shown(tmp_path: Path) -> None:
    text = page(DIFF, tmp_path)
    for told in ("training.rate", "models.width", "&lt;32&gt;", "[0.790, 0.830]", "[0.830, 0.870]", "same version"):
        assert told in text
    assert text.index("liver · aaaa") < text.index("liver · bbbb")
    assert text.count('class="curve"') == 1, "a curve without a point is left out"
    assert "<script" not in text


def test_scores_of_two_versions_are_said_not_to_compare(tmp_path: Path) -> None:
    first, second = DIFF.sides
    other = replace(DIFF, sides=(first, replace(second, dataset="0ther")), asked=None)
    text = page(other, tmp_path)
    assert "cannot be compared" in " ".join(text.split())
    assert "What was asked otherwise" not in text, "nobody kept what was asked"
    assert "不可比较" in page(other, tmp_path, "zh")


def test_runs_that_are_alike_say_so(tmp_path: Path) -> None:
    assert page(replace(DIFF, asked={}, decided={}), tmp_path).count("Nothing.") == 2


def test_curves_come_back_from_a_run_s_folder(tmp_path: Path) -> None:
    assert kept_curves(tmp_path) == ()
    write_curves((Curve(name="loss", lines={"train": [(1, math.nan), (2, 0.5)]}),), tmp_path)
    (curve,) = kept_curves(tmp_path)
    assert curve.name == "loss"
    assert math.isnan(curve.lines["train"][0][1])
    assert curve.lines["train"][1] == (2.0, 0.5)


def test_means_of_two_runs_are_named_in_the_language_of_the_page(tmp_path: Path) -> None:
    auc = Score(name="auc", label="mean", value=0.9, low=0.8, high=0.95, n=40)
    both = tuple(replace(one, scores=(auc,)) for one in DIFF.sides)
    text = page(replace(DIFF, sides=both), tmp_path, "zh")
    assert "总体 · aaaa" in text
    assert "mean · " not in text
