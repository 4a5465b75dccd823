"""What the flows share: how a command is run, a cohort of phantoms, and the world that holds a trained model."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.image import write_nifti
from isocenter.testing.phantom import Body, Header, axis_grid

SHAPE, SPACING_MM = (24, 32, 28), (4.0, 2.5, 3.0)  # slices of a CT of 4 mm, small enough for two cores
CANARY = Header(
    name="Canary^Yellow=金丝雀", patient="CANARY-4711", born="19610704", study="canary study", charset="ISO_IR 192"
)
STEPS = 250  # enough for the big organs to be found; these tests prove the way, not the accuracy
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout."""
        found: dict[str, Any] = json.loads(self.out)
        return found


def isocenter(*words: object, code: int | None = 0) -> Ended:
    """Run a command as a stranger would, and hold it to an exit code."""
    command = [sys.executable, "-m", "isocenter", *map(str, words)]
    ended = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, check=False, timeout=600)
    if code is not None:
        assert ended.returncode == code, f"{words}: exit {ended.returncode}\n{ended.stdout}\n{ended.stderr}"
    assert "Traceback" not in ended.stderr, ended.stderr
    return Ended(code=ended.returncode, out=ended.stdout, err=ended.stderr)


def write_cohort(folder: Path, *, count: int, seed: int = 0) -> Path:
    """Write phantoms of several patients in the MSD layout."""
    rng = np.random.default_rng(seed)
    grid = axis_grid("SPL", shape=SHAPE, spacing_mm=SPACING_MM)
    (folder / "imagesTr").mkdir(parents=True)
    (folder / "labelsTr").mkdir()
    training = []
    body = Body().only("liver", "heart")
    for number in range(count):
        volume, mask = body.varied(rng).sample(grid, SHAPE, rng=rng)
        name = f"body_{number:03d}.nii.gz"
        write_nifti(volume, folder / "imagesTr" / name)
        write_nifti(mask, folder / "labelsTr" / name)
        training.append({"image": f"./imagesTr/{name}", "label": f"./labelsTr/{name}"})
    described = {
        "name": "Bodies",
        "licence": "CC0-1.0",
        "modality": {"0": "CT"},
        "labels": {"0": "background", "1": "liver", "2": "heart"},
        "training": training,
    }
    (folder / "dataset.json").write_text(json.dumps(described))
    return folder


@dataclass(frozen=True)
class World:
    """What the flows share: a store with a data set and a trained model, and a study to read."""

    folder: Path
    store: Path
    cohort: Path
    study: Path
    model: str
    trained: dict[str, Any]

    def run(self, *words: object, code: int | None = 0) -> Ended:
        """Run a command on the store."""
        return isocenter(*words, "--store", self.store, code=code)
