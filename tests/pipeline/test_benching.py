"""How long reading takes, stage by stage: of outlines and of whole images, made up or real."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from isocenter import pipeline
from isocenter.errors import InputError, NotFoundError
from isocenter.image import LabelTable, write_nifti
from isocenter.learning.inference.example import made_up
from isocenter.learning.inference.runtime import available
from isocenter.models import build_network
from isocenter.models.card import write_card
from isocenter.models.model import Description, write_model
from isocenter.recipe import Channel, Goal, Plan, Scaling, Variation

CT = Channel(role="ct", scaling=Scaling(kind="window", low=-500, high=500, scale=300), modality="CT", unit="HU")
PLAN = Plan(
    channels=(CT,),
    orientation="SPL", spacing_mm=(1.0, 1.0, 1.0), network="unet", width=4, depth=2, patch=(16, 16, 16), batch=1,
    steps=1, minutes=0.0, rate=0.003, weight_decay=0.01, average=0.9, precision="fp32", foreground=0.5,
    variation=Variation(), overlap=0.5, flips=(), fold=None, seed=0, recipe="r", dataset="d",
)  # fmt: skip


def written(folder: Path, plan: Plan, *, table: LabelTable | None, outputs: int) -> Path:
    torch.manual_seed(0)
    weights = folder / "weights.safetensors"
    save_file(
        {name: value.contiguous() for name, value in build_network(plan, classes=outputs).state_dict().items()}, weights
    )
    description = Description(plan=plan, table=table, dataset="d" * 64)
    return write_model(folder / "model", weights=weights, description=description, card=write_card(description)).folder


@pytest.fixture
def outliner(tmp_path: Path) -> Path:
    return written(tmp_path, PLAN, table=LabelTable.of("liver", "spleen"), outputs=3)


def test_every_way_of_reading_is_told_by_stage(outliner: Path, tmp_path: Path) -> None:
    found = pipeline.bench(outliner, rounds=3, store=tmp_path / "store").to_json()
    assert [way["name"] for way in found["runtimes"]] == ["auto", *available("cpu")]
    for way in found["runtimes"]:
        assert way["note"] == ""
        stages = {stage["stage"]: stage for stage in way["stages"]}
        assert {"load", "read", "prepare", "choose", "network", "blend", "label", "restore", "write"} == set(stages)
        assert 0 < way["p50_ms"] <= way["p95_ms"]
        # stages do not overlap, and little is left between them
        assert sum(stage["p50_ms"] or 0.0 for stage in stages.values()) <= 1.5 * way["p50_ms"]
        assert stages["load"]["p50_ms"] is None
    assert found["p50_ms"] == found["runtimes"][0]["p50_ms"]
    assert (found["runtimes"][1]["agreement"], found["runtimes"][1]["least"]) == (1.0, 1.0)
    assert found["image"]["shape"] == [32, 32, 32]


def test_an_image_that_is_named_is_read(outliner: Path, tmp_path: Path) -> None:
    volume = made_up(PLAN, rng=np.random.default_rng(1))["ct"]
    write_nifti(volume, tmp_path / "ct.nii.gz")
    found = pipeline.bench(
        outliner, tmp_path / "ct.nii.gz", runtimes=("torch",), rounds=1, store=tmp_path / "store"
    ).to_json()
    assert [way["name"] for way in found["runtimes"]] == ["torch"]
    assert found["image"]["kind"] == "nifti"


@pytest.mark.parametrize(("colours", "has_size"), [(1, True), (1, False), (3, False)])
def test_a_model_that_outlines_pictures_is_timed_on_a_picture(tmp_path: Path, colours: int, has_size: bool) -> None:
    scaling = Scaling(kind="unit", low=0, high=255, scale=255)
    channel = Channel(role="picture", scaling=scaling, colours=colours, has_size=has_size)
    plan = replace(PLAN, channels=(channel,), dimensions="2-D", patch=(1, 32, 32))
    folder = written(tmp_path, plan, table=LabelTable.of("lesion"), outputs=2)
    found = pipeline.bench(folder, runtimes=("torch",), rounds=1, store=tmp_path / "store").to_json()
    assert found["runtimes"][0]["note"] == ""
    assert found["image"]["shape"] == [1, 64, 64]


def test_a_picture_that_cannot_be_made_up_is_asked_for(tmp_path: Path) -> None:
    channel = Channel(role="picture", scaling=Scaling(kind="unit", low=0, high=255, scale=255), colours=3)
    plan = replace(PLAN, channels=(channel,), dimensions="2-D", patch=(1, 32, 32))
    with pytest.raises(InputError, match="--input"):
        pipeline.bench(written(tmp_path, plan, table=LabelTable.of("lesion"), outputs=2), store=tmp_path / "store")


def test_a_model_of_whole_images_is_timed_too(tmp_path: Path) -> None:
    goal = Goal(kind="classification", target=("finding",), answers=("no", "yes"), counts=(3, 3))
    channel = Channel(role="picture", scaling=Scaling(kind="unit", low=0, high=255, scale=255))
    plan = replace(PLAN, goal=goal, channels=(channel,), dimensions="2-D", network="resnet", patch=(1, 32, 32))
    folder = written(tmp_path, plan, table=None, outputs=2)
    found = pipeline.bench(folder, rounds=2, store=tmp_path / "store").to_json()
    assert [way["name"] for way in found["runtimes"]] == ["torch"]
    assert {"load", "read", "prepare", "network"} <= {stage["stage"] for stage in found["runtimes"][0]["stages"]}
    assert found["p50_ms"] > 0


def test_a_runtime_that_nobody_offers_is_refused(outliner: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="torch-bf16"):
        pipeline.bench(outliner, runtimes=("torch-bf61",), store=tmp_path / "store")


def test_no_rounds_are_refused(outliner: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="rounds"):
        pipeline.bench(outliner, rounds=0, store=tmp_path / "store")
