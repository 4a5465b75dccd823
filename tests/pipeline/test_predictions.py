"""A prediction's document is read again as it was written, and refused in words where it was changed."""

import json
from pathlib import Path

import pytest

from isocenter.errors import SealError
from isocenter.pipeline.predictions import read_prediction, write_prediction
from isocenter.result import Answer, Prediction, Verdict

PREDICTION = Prediction(
    case="case-17", model="m" * 64, dataset="d" * 64, table=None, volumes=(),
    answers=(Answer(kind="regression", target="age", value=61.5, low=50.0, high=73.0, unit="a"),),
    verdict=Verdict(decision="review", reasons=("A reason.",)), plan={"network": "resnet"}, seconds={"total": 0.4},
)  # fmt: skip


def test_what_was_answered_comes_back(tmp_path: Path) -> None:
    write_prediction(PREDICTION, tmp_path)
    assert read_prediction(tmp_path) == PREDICTION


@pytest.mark.parametrize("key", ["files", "input", "timings", "plan", "answers", "verdict"])
@pytest.mark.parametrize("value", [["x"], "x", 3, None])
def test_a_document_of_another_shape_was_changed(key: str, value: object, tmp_path: Path) -> None:
    write_prediction(PREDICTION, tmp_path)
    document = json.loads((tmp_path / "prediction.json").read_text())
    (tmp_path / "prediction.json").write_text(json.dumps(document | {key: value}))
    with pytest.raises(SealError, match="was changed: it is no prediction any more"):
        read_prediction(tmp_path)
