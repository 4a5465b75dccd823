"""The page of a run: renews itself while it goes, and says why each thing was decided."""

from dataclasses import replace
from pathlib import Path

import pytest

from isocenter.errors import NotFoundError, StoreError
from isocenter.pages import Curve, RunPage, write_run
from isocenter.recipe import Channel, Plan, Scaling, Variation
from isocenter.result import Score

PLAN = Plan(
    channels=(Channel(role="t1", scaling=Scaling(kind="zscore", low=0.5, high=99.5)),),
    orientation="SPL", spacing_mm=(1.0, 1.0, 1.0), network="unet", width=24, depth=3, patch=(40, 56, 40), batch=4,
    steps=1800, minutes=5.0, rate=2e-3, weight_decay=1e-4, average=0.995, precision="fp32", foreground=0.5,
    variation=Variation(), overlap=0.5, flips=(), fold=None, seed=0, recipe="c0ffee", dataset="da7a",
    reasons={"inference.intensity (t1)": "No unit: measured on each case.", "memory": "0.8 GB of 25 GB.",
             "training.patch": "Holds 95 % of the <cases>.", "depth": "Three halvings leave 5 voxels."},
)  # fmt: skip
RUN = RunPage(
    plan=PLAN,
    dataset_name="hippocampus",
    state="going",
    step=600,
    seconds=100.0,
    seconds_left=3700.0,
    curves=(Curve(name="loss", lines={"train": [(1, 1.0), (600, 0.3)]}), Curve(name="dice", lines={"mean": []})),
)


def page(run: RunPage, folder: Path, lang: str = "en") -> str:
    path = folder / "run.html"
    write_run(run, path, lang=lang)
    assert [one.name for one in folder.iterdir()] == ["run.html"], "nothing is left beside it"
    return path.read_text(encoding="utf-8")


def test_a_going_run_renews_itself_and_a_done_one_does_not(tmp_path: Path) -> None:
    assert 'http-equiv="refresh"' in page(RUN, tmp_path)
    done = replace(RUN, state="done", step=1800, model="feed" * 16)
    assert 'http-equiv="refresh"' not in page(done, tmp_path)
    assert "feed" * 16 in page(done, tmp_path)
    # with a budget in minutes the plan's steps are an estimate, so a run that is done is not "of" them
    assert "<p>1800 steps · 1:40 min spent" in page(done, tmp_path)


def test_it_says_how_far_it_is_and_what_is_left(tmp_path: Path) -> None:
    text = page(RUN, tmp_path)
    assert "step 600 of 1800 · 1:40 min spent · about 1:01 h left" in text
    assert "第 600 / 1800 步" in page(RUN, tmp_path, "zh")


def test_every_decision_stands_with_its_reason_and_the_ids(tmp_path: Path) -> None:
    text = page(RUN, tmp_path)
    for told in ("training.patch", "40 × 56 × 40", "Holds 95 % of the &lt;cases&gt;.", "Three halvings", "c0ffee",
                 "da7a", PLAN.id):  # fmt: skip
        assert told in text


def test_a_reason_stands_beside_the_value_that_it_speaks_of(tmp_path: Path) -> None:
    rows = page(RUN, tmp_path).split("<tr>")
    intensity = next(row for row in rows if "inference.intensity (t1)" in row)
    assert "zscore" in intensity
    assert "No unit: measured on each case." in intensity
    assert "0.8 GB of 25 GB." in rows[-1], "what speaks of no single value stands at the end"
    assert not any("<code>fold</code>" in row for row in rows), "no fold was asked for"


def test_only_curves_with_points_are_drawn_and_scores_bear_intervals(tmp_path: Path) -> None:
    score = Score(name="dice", label="mean", value=0.88, low=0.86, high=0.9, n=6)
    text = page(replace(RUN, scores=(score,)), tmp_path)
    assert text.count('class="curve"') == 1
    assert "[0.860, 0.900]" in text


def test_it_needs_no_network_and_no_script(tmp_path: Path) -> None:
    text = page(RUN, tmp_path)
    assert "<script" not in text
    assert "http://" not in text
    assert "https://" not in text
    assert "default-src 'none'" in text


def test_a_language_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="'de'"):
        write_run(RUN, tmp_path / "run.html", lang="de")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_said_in_plain_words(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        write_run(RUN, tmp_path / "gone" / "run.html", lang="en")


def test_curves_of_validation_are_said_to_be_for_watching_and_on_how_many_cases(tmp_path: Path) -> None:
    looked = Curve(name="auc", lines={"validation": [(1, 0.5), (2, 0.7)]}, cases=40)
    assert "taken on 40 validation cases" in page(replace(RUN, curves=(*RUN.curves, looked)), tmp_path)
    assert "for watching" not in page(RUN, tmp_path), "a loss of training is what it is"
