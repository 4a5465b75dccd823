"""Pictures with a table become models that answer, are scored on unseen patients, and answer about new ones."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from isocenter import pipeline
from isocenter.errors import InputError
from isocenter.learning.inference.scoring.rows import AnswersEvaluation
from isocenter.store import open_store
from tests.flows.world import isocenter

_SMALL = ("training.patch=[1,32,32]", "models.width=8", "training.batch=8", "transforms.strength=0")
_STEPS = "training.steps=40"  # a bright spot is soon found; these tests prove the way, not the accuracy


def write_pictures(folder: Path, *, count: int = 48, seed: int = 0) -> Path:
    """Write pictures with a disc of three sizes in one of them, and the table that tells of them."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    lines = ["path,patient,label,severity,width,spot,site,age"]
    for number in range(count):
        grade = number % 3
        radius = (0, 6, 11)[grade]
        voxels = rng.normal(90, 12, (48, 40))
        row, column = rng.integers(16, 30), rng.integers(14, 26)
        rows, columns = np.indices(voxels.shape)
        voxels[(rows - row) ** 2 + (columns - column) ** 2 < radius**2] += 110
        Image.fromarray(voxels.clip(0, 255).astype(np.uint8)).save(folder / f"p{number:03d}.png")
        label = "normal" if grade == 0 else "disc"
        lines.append(
            f"p{number:03d}.png,p{number // 3:03d},{label},{('none', 'small', 'large')[grade]},{2 * radius},"
            f"{int(grade > 0)},{'AB'[number // 3 % 2]},{20 + number}"
        )
    (folder / "table.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store with the pictures as the data set "discs"."""
    folder = tmp_path_factory.mktemp("answers")
    pipeline.init(folder / "store")
    pipeline.ingest(write_pictures(folder / "discs"), dataset="discs", store=folder / "store")
    return folder / "store"


def trained(store: Path, *changes: str, steps: str = _STEPS) -> str:
    return pipeline.train(None, data="discs", set_=(*_SMALL, steps, *changes), store=store).model


def score(scores: list[Mapping[str, Any]], name: str, label: str) -> Mapping[str, Any]:
    return next(one for one in scores if (one["name"], one["label"]) == (name, label))


def new_picture(store: Path) -> Path:
    folder = store.parent / "new"
    if not folder.exists():
        write_pictures(folder, count=3, seed=7)
    return folder / "p002.png"


@pytest.fixture(scope="module")
def answering(pictures: Path) -> str:
    """Return the id of a model that tells discs from none."""
    return trained(pictures, "tasks.kind=classification")


def test_a_picture_folder_becomes_a_model_that_answers(pictures: Path, answering: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    said = isocenter("predict", answering, new_picture(pictures), "--out", out, "--store", pictures, "--json").document
    (answer,) = said["answers"]
    assert (answer["kind"], answer["target"]) == ("classification", "label")
    assert answer["value"] in ("normal", "disc")
    assert answer["point"] is not None
    assert (said["volumes"], said["labels"], said["verdict"]["decision"]) == ([], None, "review")
    assert sorted(path.name for path in out.iterdir()) == ["prediction.json", "receipts"]
    assert json.loads((out / "prediction.json").read_text())["answers"] == said["answers"]
    links = pipeline.verify(out, store=pictures).links
    assert [step for step, _ in links][:2] == ["predict", "train"]


def test_it_is_scored_on_patients_that_it_has_not_seen(pictures: Path, answering: str) -> None:
    found = pipeline.evaluate(answering, data="discs", store=pictures).to_json()
    assert (found["side"], found["learnt_from"], found["notes"]) == ("test", 0, [])
    auc = score(found["scores"], "auc", "disc")
    assert auc["low"] <= auc["value"] <= auc["high"]
    assert {"severity = none", "severity = small", "severity = large"} <= set(found["subgroups"])
    assert not any(name.startswith("label") for name in found["subgroups"])
    assert {row["truth"] for row in found["rows"]} <= {"normal", "disc"}
    assert all(abs(sum(row["probabilities"].values()) - 1) < 1e-6 for row in found["rows"])


def test_what_is_shown_names_answers_probabilities_and_scores(pictures: Path, answering: str, tmp_path: Path) -> None:
    shown = isocenter("evaluate", answering, "--data", "discs", "--store", pictures).out
    assert re.search(r"auc +disc +\d\.\d{3}", shown)
    assert re.search(r"subgroup +patients +auc ", shown)
    assert re.search(r"severity = none +\d ", shown)
    out = tmp_path / "out"
    shown = isocenter("predict", answering, new_picture(pictures), "--out", out, "--store", pictures).out
    assert re.search(r"label +(normal|disc) +(normal|disc) \d\.\d+, (normal|disc) \d\.\d+ +\w+ from \d\.\d+", shown)
    assert "May it leave? review" in shown


@pytest.mark.parametrize(
    ("changes", "measure", "label", "kept"),
    [
        (("tasks.kind=grading", 'tasks.target=["severity"]', 'tasks.grades=["none","small","large"]'),
         "quadratic_kappa", "mean", "at least large"),
        (("tasks.kind=regression", 'tasks.target=["width"]'), "mae", "width", "width"),
        (("tasks.kind=multilabel", 'tasks.target=["spot"]'), "auc", "spot", "spot"),
        (("tasks.kind=classification", 'tasks.target=["severity"]'), "balanced_accuracy", "mean", "large"),
    ],
    ids=["grading", "regression", "multilabel", "three classes"],
)  # fmt: skip
def test_each_task_is_learnt_scored_and_answered(
    pictures: Path, tmp_path: Path, changes: tuple[str, ...], measure: str, label: str, kept: str
) -> None:
    model = trained(pictures, *changes)
    evaluated = pipeline.evaluate(model, data="discs", store=pictures).to_json()
    assert score(evaluated["scores"], measure, label)["n"] > 1
    assert kept in {one["label"] for one in evaluated["scores"]}
    said = pipeline.predict(model, new_picture(pictures), out=tmp_path / "out", store=pictures).to_json()
    (answer,) = said["answers"]
    if "regression" in changes[0]:
        assert answer["low"] <= answer["value"] <= answer["high"]
    else:
        assert sum(answer["probabilities"].values()) == pytest.approx(1.0)
    with open_store(pictures) as house:
        kept_evaluations = house.evaluations.of(model)
    rows = AnswersEvaluation.from_document(kept_evaluations[0][1]["evaluation"]).rows
    assert len(rows) == evaluated["cases"]
    assert not any(re.fullmatch(r"p\d{3}", row.patient) for row in rows)  # pseudonyms stand there


def test_a_picture_in_colour_is_refused_with_what_the_model_wants(
    pictures: Path, answering: str, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (48, 40, 3)).astype(np.uint8)).save(tmp_path / "colour.png")
    with pytest.raises(InputError, match="in colour; the model has learnt from one grey value"):
        pipeline.predict(answering, tmp_path / "colour.png", out=tmp_path / "out", store=pictures)
    assert not (tmp_path / "out").exists()
