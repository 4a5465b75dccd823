"""A body of two known structures, and what a model said of it."""

import hashlib
from collections.abc import Callable

import numpy as np
import pytest

from isocenter.clinic.reporting import compose_report
from isocenter.image import Affine, Code, Label, LabelTable, Mask, Region, Volume
from isocenter.result import Prediction, Score, Verdict
from isocenter.result.report import Evaluated, ModelSummary, Report

TABLE = LabelTable(
    labels=(
        Label(value=1, name="liver", code=Code(value="10200004", scheme="SCT", meaning="Liver")),
        Label(value=2, name="cyst"),
        Label(value=3, name="nodule"),
    ),
    regions=(Region(name="both", values=(1, 2)),),
)


def digest(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()


@pytest.fixture
def mask() -> Mask:
    """Liver 10 × 20 × 30 mm at the patient's right, a cyst in two parts; 5 × 2 × 2 mm voxels, "SPL"."""
    labels = np.zeros((12, 40, 50), dtype=np.uint8)
    labels[3:5, 10:20, 5:20] = 1
    labels[7, 20, 30] = 2
    labels[9, 30, 40] = 2
    affine = Affine.from_parts(origin=(-50, -40, -30), directions=np.eye(3)[:, ::-1], spacing=(5, 2, 2))
    return Mask(labels=labels, affine=affine, table=TABLE)


@pytest.fixture
def volume(mask: Mask) -> Volume:
    noise = np.random.default_rng(0).normal(0, 10, mask.shape)
    return Volume(voxels=(noise + 300 * (mask.labels > 0)).astype(np.float32), affine=mask.affine, modality="MR")


def volumes(mask: Mask) -> tuple[Score, ...]:
    found = {name: mask.volume_ml(name) for name in mask.table.structures}
    return tuple(
        Score(name="volume", label=name, value=ml, low=0.9 * ml, high=1.1 * ml, n=12, unit="ml")
        for name, ml in found.items()
    )


@pytest.fixture
def prediction(mask: Mask) -> Prediction:
    return Prediction(
        case="case-17",
        model=digest("model"),
        dataset=digest("data"),
        table=mask.table,
        volumes=volumes(mask),
        verdict=Verdict(
            decision="review",
            reasons=("No check of release has been set up for this model, so every result goes to a person.",),
        ),
        plan={"network": "unet", "spacing_mm": [2.5, 2.0, 2.0], "patch": [32, 64, 64], "overlap": 0.5},
        seconds={"read": 0.4, "total": 2.7},
        input={"kind": "dicom", "modality": "MR", "shape": [12, 40, 50], "spacing_mm": [5.0, 2.0, 2.0]},
        files={"mask.nii.gz": digest("mask")},
        receipts=(digest("predict"), digest("train")),
    )


@pytest.fixture
def model() -> ModelSummary:
    return ModelSummary(
        id=digest("model"),
        dataset=digest("data"),
        dataset_name="livers",
        patients={"train": 20, "validation": 12, "test": 8},
        scores=(Score(name="dice", label="liver", value=0.91, low=0.89, high=0.93, n=12),),
        receipt=digest("train"),
    )


@pytest.fixture
def evaluated() -> Evaluated:
    return Evaluated(
        dataset=digest("data"),
        dataset_name="livers",
        scores=(
            Score(name="dice", label="liver", value=0.87, low=0.83, high=0.9, n=8),
            Score(name="hd95", label="liver", value=4.2, low=2.1, high=6.0, n=8, unit="mm"),
        ),
        tolerance_mm=2.0,
        subgroups={"sex = F": (Score(name="dice", label="liver", value=0.86, low=0.8, high=0.9, n=3),)},
        receipt=digest("evaluate"),
    )


@pytest.fixture
def report(
    prediction: Prediction, volume: Volume, mask: Mask, model: ModelSummary, evaluated: Evaluated
) -> Callable[..., Report]:
    """Return a composer that takes other parts in place of these."""

    def compose(**other: object) -> Report:
        parts: dict[str, object] = {"volume": volume, "mask": mask, "model": model, "evaluated": evaluated}
        given = parts | {"prediction": prediction, "at": "2026-11-21T00:35:00Z"} | other
        return compose_report(given.pop("prediction"), **given)  # type: ignore[arg-type]

    return compose
