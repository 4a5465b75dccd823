"""What goes wrong gets one clear sentence, a non-zero exit, and leaves nothing half-written."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pytest

from isocenter.image import Affine, LabelTable, Mask, read_nifti, write_nifti
from tests.flows.world import ENVIRONMENT, World, isocenter, write_cohort

pytestmark = pytest.mark.xdist_group("flows")


def refused(*words: object, saying: str, code: int = 3) -> None:
    """Run a command that must be refused in words that hold `saying`."""
    ended = isocenter(*words, code=code)
    assert ended.err.startswith("error: ") or "\nerror: " in ended.err
    assert saying.lower() in ended.err.lower(), ended.err


@pytest.fixture
def cohort(world: World, tmp_path: Path) -> Path:
    """Return a copy of the cohort, to be spoilt."""
    return Path(shutil.copytree(world.cohort, tmp_path / "cohort"))


def rewrite(path: Path, voxels: np.ndarray) -> None:
    """Replace the voxels of a NIfTI file."""
    nibabel.save(nibabel.Nifti1Image(voxels, nibabel.load(path).affine), path)


def test_an_empty_folder_is_refused_everywhere(world: World, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    refused("scan", empty, saying="no file")
    refused("ingest", empty, "--dataset", "x", "--store", tmp_path / "store", saying="empty")
    refused("predict", world.model, empty, "--out", tmp_path / "out", "--store", world.store, saying="file")
    assert not (tmp_path / "out").exists()


def test_a_device_that_is_not_there_is_refused_before_anything_is_done(world: World, tmp_path: Path) -> None:
    elsewhere = ("--device", "cuda:99", "--store", world.store)
    refused("plan", "--data", "bodies", *elsewhere, saying="torch", code=7)
    refused("train", "--data", "bodies", *elsewhere, saying="no device 'cuda:99'", code=7)
    refused("evaluate", world.model, "--data", "bodies", *elsewhere, saying="sees cpu", code=7)
    refused("predict", world.model, world.study, "--out", tmp_path / "out", *elsewhere, saying="sees cpu", code=7)
    refused("bench", world.model, *elsewhere, saying="sees cpu", code=7)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_not_there_is_named(world: World, tmp_path: Path) -> None:
    refused("scan", tmp_path / "none", saying="no such")
    refused("ingest", tmp_path / "none", "--dataset", "x", "--store", tmp_path / "store", saying="no such")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not read a folder")
def test_a_folder_without_permission_is_refused_in_words(world: World, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "a.dcm").write_bytes(b"x")
    closed.chmod(0o700)
    for path in tmp_path.parents:
        path.chmod(path.stat().st_mode | 0o011)  # pytest keeps its folders closed to others
    tmp_path.chmod(0o755)
    script = (
        "import os, sys\nfrom isocenter import IsocenterError, scan\n"
        "scan(sys.argv[2])\n"  # loads what a scan needs while this Python's own folders can still be read
        "os.seteuid(65534)\n"
        "try:\n    scan(sys.argv[1])\nexcept IsocenterError as error:\n    sys.exit(f'{error.exit_code} {error}')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, closed, world.study],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        check=False,
    )
    assert ended.stderr.startswith("3 "), ended.stderr
    assert "permission" in ended.stderr


def test_a_zip_that_climbs_out_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("../../outside.dcm", b"x")
    refused("scan", tmp_path / "evil.zip", saying="..")
    assert not (tmp_path.parent / "outside.dcm").exists()


def test_a_bad_case_refuses_the_folder_and_names_every_problem(world: World, cohort: Path, tmp_path: Path) -> None:
    images, labels = cohort / "imagesTr", cohort / "labelsTr"
    voxels = np.asarray(nibabel.load(images / "body_000.nii.gz").dataobj)
    rewrite(images / "body_000.nii.gz", np.where(voxels == voxels.max(), np.nan, voxels).astype(np.float32))
    rewrite(images / "body_001.nii.gz", np.stack([voxels, voxels], axis=-1))
    (images / "body_002.nii.gz").write_bytes(b"")
    strange = np.asarray(nibabel.load(labels / "body_003.nii.gz").dataobj).copy()
    strange[0, 0, 0] = 9
    rewrite(labels / "body_003.nii.gz", strange)
    table = LabelTable.of("liver", "heart")
    grid = Affine.from_parts(origin=(0, 0, 0), directions=np.eye(3), spacing=(1, 1, 1))
    write_nifti(Mask(labels=np.ones((5, 5, 5), dtype=np.uint8), affine=grid, table=table), labels / "body_004.nii.gz")
    (labels / "body_005.nii.gz").unlink()
    store = tmp_path / "store"
    ended = isocenter("ingest", cohort, "--dataset", "x", "--store", store, code=3)
    for number in range(5):
        assert f"body_{number:03d}" in ended.err + ended.out, f"body_{number:03d} is not named"
    isocenter("check", "x", "--store", store, code=4)
    found = isocenter("check", cohort, "--store", store, "--json", code=5).document
    named = {issue["where"].split("/")[-1].split(".")[0] for issue in found["issues"]}
    assert named >= {f"body_{number:03d}" for number in range(6)}
    taken = isocenter("ingest", cohort, "--dataset", "x", "--leave-out", "--store", store, "--json").document
    assert len(taken["left_out"]) >= 5
    assert taken["cases"] in (8, 9)


def test_planted_bad_cases_are_found_by_name(shared_data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "planted"
    source = shared_data / "msd_hippocampus"
    (folder / "imagesTr").mkdir(parents=True)
    (folder / "labelsTr").mkdir()
    for name in ("hippocampus_001", "hippocampus_003", "hippocampus_004"):
        for part in ("imagesTr", "labelsTr"):
            shutil.copy(source / part / f"{name}.nii.gz", folder / part)
    planted = source / "planted_bad_cases"
    for path in planted.iterdir():
        part = "imagesTr" if path.name.startswith("image_only") else "labelsTr"
        shutil.copy(path, folder / part / path.name.split("_only_")[1])
    shutil.copy(source / "dataset.json", folder)
    ended = isocenter("check", folder, "--store", tmp_path / "store", "--json", code=5)
    told = json.dumps(ended.document["issues"])
    for path in planted.iterdir():
        assert path.name.split("_only_")[1].split(".")[0] in told


@pytest.mark.parametrize(("count", "code"), [(1, 3), (2, 3)])
def test_too_few_patients_cannot_be_learnt_from(tmp_path: Path, count: int, code: int) -> None:
    store = tmp_path / "store"
    isocenter("ingest", write_cohort(tmp_path / "few", count=count), "--dataset", "few", "--store", store, code=0)
    found = isocenter("check", "few", "--store", store, "--json", code=None).document
    assert any("patient" in issue["check"] or "case" in issue["check"] for issue in found["issues"])
    refused("train", "--data", "few", "--set", "training.steps=2", "--store", store, saying="patient", code=code)


def test_all_cases_of_one_patient_are_noticed(tmp_path: Path) -> None:
    folder, store = write_cohort(tmp_path / "one", count=4), tmp_path / "store"
    rows = [f"body_{number:03d},same" for number in range(4)]
    (folder / "patients.csv").write_text("\n".join(["case,patient", *rows]) + "\n")
    isocenter("ingest", folder, "--dataset", "one", "--store", store)
    found = isocenter("check", "one", "--store", store, "--json", code=None).document
    assert "patient" in json.dumps(found["issues"])
    refused("train", "--data", "one", "--set", "training.steps=2", "--store", store, saying="patient")


def test_labels_without_a_structure_are_noticed_and_not_learnt_from(cohort: Path, tmp_path: Path) -> None:
    for path in (cohort / "labelsTr").iterdir():
        rewrite(path, np.zeros(nibabel.load(path).shape, dtype=np.uint8))
    store = tmp_path / "store"
    isocenter("ingest", cohort, "--dataset", "blank", "--store", store, code=None)
    found = isocenter("check", cohort, "--store", store, "--json", code=None).document
    assert any("empty" in issue["check"] or "mask" in issue["check"] for issue in found["issues"])


def test_a_recipe_with_a_wrong_word_is_mended_by_the_message(world: World, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("[training]\nminuts = 3\n")
    refused("plan", recipe, "--data", "bodies", "--store", world.store, saying="did you mean 'minutes'")


@pytest.mark.parametrize(
    ("setting", "code"),
    [("training.patch=[2048,2048,2048]", 7), ("models.network=resnet9000", 4), ("tasks.volumes=['pet']", 7)],
)
def test_a_recipe_that_asks_for_the_impossible_is_refused(world: World, setting: str, code: int) -> None:
    ended = world.run("plan", "--data", "bodies", "--set", setting, code=None)
    assert ended.code in (3, 4, 7), ended.err
    assert ended.err.count("error: ") == 1
    assert code in (4, 7)


def test_a_store_from_a_newer_version_is_left_alone(world: World, tmp_path: Path) -> None:
    store = tmp_path / "store"
    isocenter("init", "--store", store)
    document = json.loads((store / "store.json").read_text())
    document["format"] = 99
    (store / "store.json").write_text(json.dumps(document))
    refused("datasets", "list", "--store", store, saying="newer", code=6)


def test_a_folder_that_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("not a store")
    refused("datasets", "list", "--store", tmp_path, saying="store", code=6)


def test_two_trainings_of_one_recipe_do_not_meet(world: World) -> None:
    words = ["train", "--data", "bodies", "--set", "training.steps=4000", "--set", "models.width=4"]
    command = [sys.executable, "-m", "isocenter", *words, "--store", str(world.store)]
    first = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        assert first.stderr is not None
        first.stderr.readline()  # it has said how far it is: it holds the run
        ended = world.run(*words, code=6)
        assert "process" in ended.err
    finally:
        first.kill()
        first.wait()


def test_a_model_that_is_not_there_is_named(world: World, tmp_path: Path) -> None:
    ended = world.run("predict", "0000000000", world.study, "--out", tmp_path / "out", code=4)
    assert "no model" in ended.err
    assert not (tmp_path / "out").exists()


def test_a_study_of_another_modality_is_refused(world: World, tmp_path: Path) -> None:
    isocenter("convert", world.study, tmp_path / "ct.nii.gz")
    volume = read_nifti(tmp_path / "ct.nii.gz")
    assert volume.shape[0] > 1
    isocenter("convert", tmp_path / "ct.nii.gz", tmp_path / "mr", "--modality", "MR")
    ended = world.run("predict", world.model, tmp_path / "mr", "--out", tmp_path / "out", code=3)
    assert "CT" in ended.err
    assert not (tmp_path / "out").exists()


def test_a_hole_in_a_series_stops_it_until_it_is_accepted(world: World, tmp_path: Path) -> None:
    hole = tmp_path / "hole"
    shutil.copytree(world.study, hole)
    sorted(hole.iterdir())[10].unlink()
    ended = world.run("predict", world.model, hole, "--out", tmp_path / "out", code=3)
    assert "gaps" in ended.err
    assert "mm" in ended.err
    assert not (tmp_path / "out").exists()
