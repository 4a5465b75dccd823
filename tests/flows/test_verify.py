"""One changed byte anywhere is found, and the link that does not hold is named."""

import random
import shutil
from pathlib import Path

import pytest

from tests.flows.world import World

pytestmark = pytest.mark.xdist_group("flows")


@pytest.fixture(scope="module")
def folder(world: World) -> Path:
    """Return the folder of a prediction with its report."""
    out = world.folder / "sealed"
    world.run("predict", world.model, world.study, "--out", out)
    world.run("report", out, "--lang", "en")
    return out


def flip(path: Path, *, seed: int) -> None:
    """Change one byte of a file."""
    payload = bytearray(path.read_bytes())
    place = random.Random(seed).randrange(len(payload))  # noqa: S311 - which byte, not a secret
    payload[place] ^= 1 << random.Random(seed).randrange(8)  # noqa: S311
    path.write_bytes(bytes(payload))


def test_a_whole_chain_holds_back_to_the_images(world: World, folder: Path) -> None:
    for thing in (folder, folder / "report.en.html", world.model, "bodies"):
        links = world.run("verify", thing, "--json").document["links"]
        assert links
    steps = [link["step"] for link in world.run("verify", folder / "report.en.html", "--json").document["links"]]
    assert steps.index("report") < steps.index("predict") < steps.index("train") < steps.index("ingest")


def test_a_changed_byte_of_a_prediction_is_found(world: World, folder: Path, tmp_path: Path) -> None:
    names = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    assert len(names) >= 5
    for seed, name in enumerate(names):
        copy = tmp_path / str(seed)
        shutil.copytree(folder, copy)
        flip(copy / name, seed=seed)
        ended = world.run("verify", copy, code=None)
        assert ended.code == 5, f"{name}: exit {ended.code} {ended.out} {ended.err}"


def test_a_changed_byte_of_a_model_is_refused_by_everyone(world: World, tmp_path: Path) -> None:
    found = world.run("models", "show", world.model, "--json").document["thing"]
    for seed, name in enumerate(sorted(path.name for path in Path(found["folder"]).iterdir())):
        copy = tmp_path / f"model-{seed}"
        shutil.copytree(found["folder"], copy)
        flip(copy / name, seed=seed)
        assert world.run("verify", copy, code=None).code in (3, 5)
        assert world.run("predict", copy, world.study, "--out", tmp_path / "out", code=None).code in (3, 5)
        assert not (tmp_path / "out").exists()


def test_a_folder_mixed_from_two_predictions_is_found(world: World, folder: Path, tmp_path: Path) -> None:
    other, mixed = tmp_path / "other", tmp_path / "mixed"
    world.run("predict", world.model, world.cohort / "imagesTr" / "body_001.nii.gz", "--out", other)
    shutil.copytree(folder, mixed)
    shutil.copy(other / "mask.nii.gz", mixed)
    for receipt in (other / "receipts").iterdir():
        shutil.copy(receipt, mixed / "receipts")
    assert world.run("verify", mixed, code=5).code == 5


def test_a_tampered_prediction_gets_no_report(world: World, folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    path = copy / "prediction.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"review"', '"yes"'), encoding="utf-8")
    ended = world.run("report", copy, code=5)
    assert "changed after it was sealed" in ended.err


def test_a_short_fingerprint_proves_nothing(world: World, folder: Path) -> None:
    key = world.run("verify", folder, "--json").document["key"]
    world.run("verify", folder, "--key", key)
    world.run("verify", folder, "--key", key[:32].upper())
    world.run("verify", folder, "--key", key[:4], code=3)
    world.run("verify", folder, "--key", "0" * 64, code=5)


def test_predict_replaces_a_prediction_and_nothing_else(world: World, folder: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(folder, mine)
    (mine / "thesis.txt").write_text("not to be lost")
    ended = world.run("predict", world.model, world.study, "--out", mine, code=3)
    assert "something else" in ended.err
    assert (mine / "thesis.txt").read_text() == "not to be lost"
