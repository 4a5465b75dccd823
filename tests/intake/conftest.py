"""Small folders of NIfTI files in the layouts that people use."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
import pytest

from isocenter.image import Affine, LabelTable, Mask, Volume, write_nifti

SHAPE = (5, 6, 7)
TABLE = LabelTable.of("anterior", "posterior")


def grid(*, shift_mm: float = 0.0) -> Affine:
    matrix = np.diag([2.0, 1.0, 1.5, 1.0])[[2, 1, 0, 3]]  # slices along z, rows along y, columns along x
    matrix[0, 3] = shift_mm
    return Affine(matrix=matrix)


def image(seed: int) -> Volume:
    rng = np.random.default_rng(seed)
    return Volume(voxels=rng.integers(0, 900, SHAPE).astype(np.int16), affine=grid(), modality="MR")


def mask(*, shift_mm: float = 0.0, values: tuple[int, ...] = (1, 2)) -> Mask:
    labels = np.zeros(SHAPE, dtype=np.uint8)
    for place, value in enumerate(values):
        labels[2, 2 + place, 3] = value
    table = LabelTable.of(*(f"s{value}" for value in range(1, max(values, default=1) + 1)))
    return Mask(labels=labels, affine=grid(shift_mm=shift_mm), table=table)


def write_case(folder: Path, case: str, *, seed: int, outline: Mask | None = None) -> None:
    write_nifti(image(seed), folder / "imagesTr" / f"{case}.nii.gz")
    write_nifti(outline or mask(), folder / "labelsTr" / f"{case.removesuffix('_0000')}.nii.gz")


@pytest.fixture
def msd(tmp_path: Path) -> Path:
    """Return a folder of four cases in MSD layout."""
    folder = tmp_path / "set"
    for part in ("imagesTr", "labelsTr"):
        (folder / part).mkdir(parents=True)
    for seed in range(4):
        write_case(folder, f"case_{seed}", seed=seed)
    sheet = {
        "name": "Made up",
        "licence": "CC0-1.0",
        "modality": {"0": "MRI"},
        "labels": {"0": "background", "1": "anterior", "2": "posterior"},
        "numTraining": 4,
        "training": [
            {"image": f"./imagesTr/case_{k}.nii.gz", "label": f"./labelsTr/case_{k}.nii.gz"} for k in range(4)
        ],
    }
    (folder / "dataset.json").write_text(json.dumps(sheet), encoding="utf-8")
    return folder


@pytest.fixture
def edit() -> Callable[..., None]:
    """Return a function that changes keys of a folder's dataset.json; None takes a key out."""

    def change(folder: Path, **keys: object) -> None:
        path = folder / "dataset.json"
        document = json.loads(path.read_text(encoding="utf-8")) | keys
        kept = {key: value for key, value in document.items() if value is not None}
        path.write_text(json.dumps(kept), encoding="utf-8")

    return change


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Return a folder that any user of this machine may enter, unlike tmp_path."""
    folder = Path(tempfile.mkdtemp(prefix="isocenter-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def as_nobody() -> Callable[[], AbstractContextManager[None]]:
    """Return a context in which this process has an ordinary user's rights: root may read everything."""

    @contextmanager
    def dropped() -> Iterator[None]:
        if os.geteuid() != 0:
            yield
            return
        os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(0)

    return dropped
