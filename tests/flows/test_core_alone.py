"""A core without torch can scan, convert, take in, check, report and verify; what needs more says which extra."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.flows.world import ENVIRONMENT, World

pytestmark = pytest.mark.xdist_group("flows")

WITHOUT = (
    "import sys\nfor name in ('torch', 'safetensors'):\n    sys.modules[name] = None\n"
    "from isocenter.cli import main\nsys.argv = ['isocenter', *sys.argv[1:]]\nmain()"
)


def bare(*words: object) -> subprocess.CompletedProcess[str]:
    """Run a command where torch cannot be imported."""
    command = [sys.executable, "-c", WITHOUT, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, check=False)


@pytest.fixture(scope="module")
def result(world: World) -> Path:
    """Return a prediction's folder."""
    out = world.folder / "for-the-core"
    world.run("predict", world.model, world.study, "--out", out)
    return out


def test_the_core_does_everything_but_learn_and_read(world: World, result: Path, tmp_path: Path) -> None:
    store = ("--store", tmp_path / "store")
    for words in (
        ("scan", world.study),
        ("convert", world.study, tmp_path / "study.nii.gz"),
        ("ingest", world.cohort, "--dataset", "bodies", *store),
        ("check", "bodies", *store),
        ("verify", "bodies", *store),
        ("verify", result, "--store", world.store),
        ("report", result, "--store", world.store),
        ("models", "list", "--store", world.store),
    ):
        ended = bare(*words)
        assert ended.returncode == 0, f"{words}\n{ended.stderr}"


@pytest.mark.parametrize("step", ["plan", "train", "evaluate", "predict"])
def test_what_needs_more_says_which_extra(world: World, tmp_path: Path, step: str) -> None:
    words = {
        "plan": ("plan", "--data", "bodies"),
        "train": ("train", "--data", "bodies"),
        "evaluate": ("evaluate", "latest", "--data", "bodies"),
        "predict": ("predict", "latest", world.study, "--out", tmp_path / "out"),
    }[step]
    ended = bare(*words, "--store", world.store)
    assert ended.returncode == 8, ended.stderr
    assert "doctor" in ended.stderr
    assert not (tmp_path / "out").exists()


def test_a_prediction_can_be_checked_without_its_store(result: Path, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "isocenter", "verify", result], capture_output=True, text=True, env=ENVIRONMENT,
        cwd=tmp_path, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
