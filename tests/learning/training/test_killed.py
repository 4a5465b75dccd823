"""A run killed at a random step goes on to the very bits of one that nobody stopped."""

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file

from isocenter.recipe import Plan, Variation

HERE = Path(__file__).parent
RUN = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import torch
import test_fit
from isocenter.learning.training import fit
from isocenter.recipe import Plan
torch.set_num_threads(int(sys.argv[4]))
sys.modules["isocenter.learning.training.fit"]._SAVE_SECONDS = 0.0  # a checkpoint after every step
fit(Plan.from_document(json.loads(sys.argv[3])), test_fit.cases(), folder=Path(sys.argv[2]))
"""


def started(plan: Plan, folder: Path, *, threads: int) -> subprocess.Popen[bytes]:
    document = json.dumps(plan.to_document())
    return subprocess.Popen([sys.executable, "-c", RUN, str(HERE), str(folder), document, str(threads)])


def killed_at_a_random_step(plan: Plan, folder: Path, *, rng: random.Random) -> None:
    """Start the run anew until it was killed twice in the midst of its steps."""
    for _ in range(2):
        before = (folder / "checkpoint.safetensors").stat().st_mtime_ns if folder.exists() else 0
        with started(plan, folder, threads=2) as process:
            while True:
                assert process.poll() is None, "the run ended before it could be killed"
                kept = folder / "checkpoint.safetensors"
                if kept.is_file() and kept.stat().st_mtime_ns > before:
                    break
                time.sleep(0.002)
            time.sleep(rng.uniform(0.0, 0.2))  # any moment: in a step, or while a checkpoint is written
            process.send_signal(signal.SIGKILL)
        assert not (folder / "weights.safetensors").exists()


def test_a_run_killed_at_random_steps_ends_in_the_same_bits(tmp_path: Path, make_plan: Callable[..., Plan]) -> None:
    varied = Variation(rotation_degrees=(9.0, 9.0, 9.0), scale=0.1, elastic_mm=1.0, noise=0.1, gamma=0.2, chance=0.5)
    plan = make_plan(steps=120, deterministic=True, variation=varied, dropout=0.2)
    with started(plan, tmp_path / "whole", threads=2) as process:
        assert process.wait() == 0
    killed_at_a_random_step(plan, tmp_path / "killed", rng=random.Random(time.time_ns()))  # noqa: S311
    # goes on with the threads that it began with, whatever this process was told
    with started(plan, tmp_path / "killed", threads=1) as process:
        assert process.wait() == 0
    one, two = (load_file(tmp_path / run / "weights.safetensors") for run in ("whole", "killed"))
    assert all(torch.equal(one[name], two[name]) for name in one)
