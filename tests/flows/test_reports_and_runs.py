"""Reports in print, and two runs side by side, by the commands that a stranger types."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.flows.world import World

pytestmark = pytest.mark.xdist_group("flows")


def test_a_report_in_print_is_sealed_verified_and_bears_no_identity(world: World, tmp_path: Path) -> None:
    pytest.importorskip("typst", reason="the extra 'report' is not installed")
    out = tmp_path / "printed"
    world.run("predict", world.model, world.study, "--out", out)
    found = world.run("report", out, "--formats", "html,pdf", "--lang", "en,zh", "--json").document
    names = {"report.en.html", "report.zh.html", "report.en.pdf", "report.zh.pdf"}
    assert {Path(path).name for path in found["files"]} == names
    assert not list(out.glob(".*")), "nothing is left beside them"
    world.run("verify", out / "report.zh.pdf")
    if shutil.which("pdftotext"):
        text = subprocess.run(["pdftotext", out / "report.zh.pdf", "-"], capture_output=True, text=True, check=True)
        assert "须由人工复核" in text.stdout
        assert not {"Canary", "金丝雀", "CANARY", "4711"} & set(text.stdout.replace("^", " ").split())
    changed = out / "report.en.pdf"
    changed.write_bytes(changed.read_bytes() + b"\n")
    assert "report.en.pdf" in world.run("verify", out, code=5).err


def test_a_prediction_with_printed_reports_is_replaced_by_a_new_one(world: World, tmp_path: Path) -> None:
    pytest.importorskip("typst", reason="the extra 'report' is not installed")
    out = tmp_path / "again"
    world.run("predict", world.model, world.study, "--out", out)
    world.run("report", out, "--formats", "pdf")
    world.run("predict", world.model, world.study, "--out", out)
    assert not list(out.glob("report.*"))


def test_a_format_that_is_not_there_is_refused_with_what_is(world: World, tmp_path: Path) -> None:
    out = tmp_path / "refused"
    world.run("predict", world.model, world.study, "--out", out)
    refused = world.run("report", out, "--formats", "html,docx", code=3)
    assert "docx" in refused.err
    assert not list(out.glob("*report*"))


def test_two_runs_stand_side_by_side(world: World, tmp_path: Path) -> None:
    other = world.run("train", "--data", "bodies", "--set", "training.steps=3", "--set", "models.width=4", "--json")
    page = tmp_path / "diff.html"
    found = world.run("runs", "diff", world.trained["run"], other.document["run"], "--out", page, "--json").document
    asked = {row["key"]: (row["first"], row["second"]) for row in found["recipe"]}
    assert asked["models.width"] == (8, 4)
    assert {"training.steps", "models.width"} <= set(asked)
    assert {row["key"] for row in found["plan"]} >= {"training.steps", "models.width"}
    assert found["one_version"] is True
    dice = next(row for row in found["scores"] if (row["name"], row["label"]) == ("dice", "liver"))
    assert dice["first"]["value"] > dice["second"]["value"], "three steps teach less"
    assert page.read_text(encoding="utf-8").count('class="curve"') >= 2
    told = world.run("runs", "diff", world.trained["run"], world.trained["run"]).out
    assert "Nothing was asked otherwise." in told
    assert world.run("runs", "diff", "latest", "f00dfeed", code=4).err
