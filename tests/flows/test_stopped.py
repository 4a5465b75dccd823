"""Stopped at any moment, by Ctrl-C or by force, the same command goes on and nothing half-written is left."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.world import ENVIRONMENT, World, isocenter

pytestmark = pytest.mark.xdist_group("flows")


@pytest.fixture(autouse=True)
def heeded() -> Iterator[None]:
    """Let commands heed Ctrl-C even where the tests run in the background, whose children are told to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def begin(*words: object) -> subprocess.Popen[str]:
    """Start a command and hand it back while it runs."""
    command = [sys.executable, "-m", "isocenter", *map(str, words)]
    return subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(what: Path, *, pattern: str, seconds: float = 120) -> Path:
    """Return the first file that appears below a folder."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = next(iter(what.glob(pattern)), None)
        if found is not None:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{pattern} has not appeared in {seconds:.0f} s")


def test_ctrl_c_while_learning_leaves_a_run_that_goes_on(world: World, tmp_path: Path) -> None:
    store = tmp_path / "store"
    isocenter("ingest", world.cohort, "--dataset", "bodies", "--store", store)
    words = ("train", "--data", "bodies", "--set", "training.steps=150", "--set", "models.width=4", "--store", store)
    going = begin(*words)
    wait_for(store / "runs", pattern="*/run.html")
    going.send_signal(signal.SIGINT)
    _, told = going.communicate(timeout=120)
    assert going.returncode == 130, told
    assert "goes on" in told
    wait_for(store / "runs", pattern="*/checkpoint.safetensors", seconds=1)
    assert isocenter("models", "list", "--store", store, "--json").document["rows"] == []
    done = isocenter(*words, "--json").document
    assert done["reused"] is False
    assert isocenter(*words, "--json").document["model"] == done["model"]


@pytest.mark.parametrize("after_s", [0.4, 0.9, 1.4])
def test_a_killed_ingest_leaves_a_store_that_can_be_used(world: World, tmp_path: Path, after_s: float) -> None:
    store = tmp_path / "store"
    words = ("ingest", world.cohort, "--dataset", "bodies", "--store", store)
    going = begin(*words)
    time.sleep(after_s)
    going.kill()
    going.communicate()
    taken = isocenter(*words, "--json").document
    assert taken["cases"] == 14
    assert isocenter("verify", "bodies", "--store", store).code == 0


def test_a_killed_prediction_leaves_no_folder(world: World, tmp_path: Path) -> None:
    out = tmp_path / "out"
    going = begin("predict", world.model, world.study, "--out", out, "--store", world.store)
    time.sleep(2.0)
    going.kill()
    going.communicate()
    assert not out.exists() or (out / "prediction.json").is_file()
    world.run("predict", world.model, world.study, "--out", out)
    world.run("verify", out)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
