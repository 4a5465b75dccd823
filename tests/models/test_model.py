"""A model's folder: whole or not there, and no byte of it can be changed unseen."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from isocenter.errors import FileError, InputError, IsocenterError, SealError
from isocenter.image import LabelTable
from isocenter.models.card import write_card
from isocenter.models.model import Description, Model, check_weights, read_model, write_model
from isocenter.recipe import Channel, Plan, Scaling, Variation
from isocenter.result import Score

PLAN = Plan(
    channels=(Channel(role="ct", scaling=Scaling(kind="window", low=-100.0, high=300.0), modality="CT", unit="HU"),),
    orientation="SPL", spacing_mm=(2.0, 1.0, 1.0), network="unet", width=8, depth=2, patch=(16, 32, 32), batch=2,
    steps=100, minutes=0.0, rate=1e-3, weight_decay=1e-5, average=0.99, precision="fp32", foreground=0.5,
    variation=Variation(), overlap=0.5, flips=(), fold=None, seed=3, recipe="0123456789abcdef", dataset="d" * 64,
    reasons={"training.patch": "covers a kidney | at this spacing"},
)  # fmt: skip
DESCRIPTION = Description(
    plan=PLAN,
    table=LabelTable.of("left kidney", "right kidney"),
    dataset="d" * 64,
    scores=(Score(name="dice", label="left kidney", value=0.91, low=0.88, high=0.93, n=12),),
    volume_errors={"left kidney": (0.97, 1.02, 1.05)},
    facts={"patients learnt from": 56},
    created="2026-11-21T00:00:00Z",
    version="0.1.0",
)


def made(folder: Path) -> Model:
    weights = folder / "weights.safetensors"
    rng = np.random.default_rng(0)
    save_file({"a": rng.normal(size=(3, 4)).astype(np.float32), "b": np.arange(5, dtype=np.int64)}, weights)
    return write_model(folder / "model", weights=weights, description=DESCRIPTION, card=write_card(DESCRIPTION))


def test_what_was_written_is_read(tmp_path: Path) -> None:
    model = made(tmp_path)
    again = read_model(tmp_path / "model")
    assert again == model
    assert again.description == DESCRIPTION
    assert again.plan == PLAN


def test_the_same_contents_have_the_same_id(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    assert made(tmp_path / "here").id == made(tmp_path / "there").id


def test_other_contents_have_another_id(tmp_path: Path) -> None:
    first = made(tmp_path)
    other = replace(DESCRIPTION, facts={})
    second = write_model(tmp_path / "other", weights=first.weights, description=other, card=write_card(other))
    assert second.id != first.id


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(draw=st.data())
def test_one_changed_byte_anywhere_is_refused(tmp_path: Path, draw: st.DataObject) -> None:
    folder = tmp_path / "model"
    if not folder.exists():
        made(tmp_path)
    path = draw.draw(st.sampled_from(sorted(folder.iterdir())))
    whole = path.read_bytes()
    place = draw.draw(st.integers(0, len(whole) - 1))
    other = draw.draw(st.integers(0, 255).filter(lambda value: value != whole[place]))
    try:
        path.write_bytes(whole[:place] + bytes([other]) + whole[place + 1 :])
        with pytest.raises((SealError, FileError), match=r"card\.md|model\.json|safetensors|manifest|newer"):
            read_model(folder)
    finally:
        path.write_bytes(whole)
    assert read_model(folder).plan == PLAN


def test_a_changed_file_is_named(tmp_path: Path) -> None:
    model = made(tmp_path)
    card = model.folder / "card.md"
    card.write_text(card.read_text(encoding="utf-8").replace("0.910", "0.990"), encoding="utf-8")
    with pytest.raises(SealError, match=r"card\.md"):
        read_model(model.folder)


def test_a_file_that_was_added_or_lost_is_named(tmp_path: Path) -> None:
    model = made(tmp_path)
    stranger = model.folder / "run.py"
    stranger.write_text("print()", encoding="utf-8")
    with pytest.raises(SealError, match=r"run\.py"):
        read_model(model.folder)
    stranger.unlink()
    model.weights.unlink()
    with pytest.raises(SealError, match="gone"):
        read_model(model.folder)


def test_a_model_never_replaces_another(tmp_path: Path) -> None:
    model = made(tmp_path)
    with pytest.raises(FileError, match="already"):
        write_model(model.folder, weights=model.weights, description=DESCRIPTION, card="")
    assert read_model(model.folder) == model


def test_a_pickle_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    weights = tmp_path / "weights.pt"
    weights.write_bytes(b"\x80\x04\x95" + bytes(100))
    with pytest.raises(FileError, match="safetensors"):
        write_model(tmp_path / "model", weights=weights, description=DESCRIPTION, card="")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["weights.pt"]


@pytest.mark.parametrize("cut", [0, 4, 30, -1])
def test_truncated_weights_are_refused(tmp_path: Path, cut: int) -> None:
    weights = made(tmp_path).weights
    short = tmp_path / "short.safetensors"
    short.write_bytes(weights.read_bytes()[:cut])
    with pytest.raises(FileError, match=r"short\.safetensors"):
        check_weights(short)


@pytest.mark.parametrize("header", [b"[]", b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}', b'{"a":{}}'])
def test_headers_that_cannot_be_are_refused(tmp_path: Path, header: bytes) -> None:
    path = tmp_path / "odd.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(12))
    with pytest.raises(FileError, match=r"odd\.safetensors"):
        check_weights(path)


def test_a_folder_that_is_no_model_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="not a model"):
        read_model(tmp_path)


def test_a_model_of_a_newer_isocenter_asks_for_an_upgrade(tmp_path: Path) -> None:
    model = made(tmp_path)
    manifest = model.folder / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"format":2', b'"format":3'))
    with pytest.raises(IsocenterError, match="newer"):
        read_model(model.folder)


def test_a_model_that_found_what_is_not_there_in_a_validation_patient_can_still_be_described() -> None:
    assert replace(DESCRIPTION, volume_errors={"left kidney": (1.0, 0.0)}).volume_errors["left kidney"] == (1.0, 0.0)


@pytest.mark.parametrize("ratio", [-1.0, float("inf"), float("nan")])
def test_a_ratio_of_volumes_that_cannot_be_is_refused(ratio: float) -> None:
    with pytest.raises(InputError, match="left kidney"):
        replace(DESCRIPTION, volume_errors={"left kidney": (1.0, ratio)})


def test_every_figure_of_the_card_bears_its_interval_and_count() -> None:
    assert "| dice | left kidney | 0.910 [0.880, 0.930] (n = 12) |" in write_card(DESCRIPTION)


def test_the_card_says_what_is_not_known() -> None:
    card = write_card(DESCRIPTION)
    assert "12 patient(s), fewer than 20" in card
    assert "Volumes without an interval, for want of patients who have them: right kidney." in card
    assert "not for clinical use" in card
    assert "has not been measured" in write_card(replace(DESCRIPTION, scores=()))
