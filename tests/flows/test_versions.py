"""Versions on the command line: split, list, diff, pin, freeze; and what a model learnt from is told."""

import shutil
from pathlib import Path

import pytest

from isocenter import pipeline
from isocenter.errors import InputError
from tests.flows.world import Ended, World, isocenter

pytestmark = pytest.mark.xdist_group("flows")


@pytest.fixture(scope="module")
def store(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the world's store, pinned as it was learnt from, split anew, and frozen."""
    folder = shutil.copytree(world.store, tmp_path_factory.mktemp("versions") / "store")
    isocenter("version", "pin", "bodies", "paper", "--store", folder)
    isocenter("split", "bodies", "--seed", "1", "--by", "label", "--store", folder)
    return folder


@pytest.fixture(scope="module")
def frozen(store: Path) -> Ended:
    return isocenter("version", "freeze", "bodies", "--purpose", "the paper", "--store", store, "--json")


def test_either_order_of_words_lists_the_versions(store: Path) -> None:
    first, second = (
        isocenter("version", *words, "--store", store).out for words in (("list", "bodies"), ("bodies", "list"))
    )
    assert first == second
    assert "paper" in first
    assert "10 / 2 / 2" in first


def test_a_diff_is_told_in_chinese(store: Path) -> None:
    assert "划分种子：0 → 1。" in isocenter("version", "bodies", "diff", "--lang", "zh", "--store", store).out


def test_a_run_and_a_model_name_their_version(world: World, store: Path) -> None:
    for kind, name in (("runs", world.trained["run"]), ("models", world.model)):
        rows = pipeline.list_kept(kind, store=store).fields["rows"]
        (row,) = (row for row in rows if row["id"] == name)
        thing = pipeline.show_kept(kind, name, store=store).fields["thing"]
        assert row["data"] == thing["data"] == "bodies@paper"
        assert thing["dataset"] == world.trained["dataset"]
    assert "bodies@paper" in isocenter("runs", "list", "--store", store).out


def test_freezing_names_models_that_have_learnt_and_versions_that_would(
    world: World, store: Path, frozen: Ended
) -> None:
    (model,) = (one for one in frozen.document["models"] if one["id"] == world.model)
    (version,) = (one for one in frozen.document["versions"] if one["id"] == world.trained["dataset"])
    assert model["patients"] == version["patients"] > 0


def test_training_on_a_frozen_patient_exits_with_5_and_says_what_mends_it(store: Path, frozen: Ended) -> None:
    ended = isocenter("train", "--data", "bodies@paper", "--store", store, code=5)
    assert "frozen with the test side of bodies" in ended.err
    assert "isocenter split bodies" in ended.err


def test_a_model_is_scored_on_the_test_side_of_another_version(world: World, store: Path, frozen: Ended) -> None:
    found = pipeline.evaluate(world.model, data="bodies", side="test", store=store)
    assert (found.side, found.cases) == ("test", frozen.document["patients"])
    (model,) = (one for one in frozen.document["models"] if one["id"] == world.model)
    assert found.learnt_from == model["patients"]
    with pytest.raises(InputError, match="no side 'tset'"):
        pipeline.evaluate(world.model, data="bodies", side="tset", store=store)
