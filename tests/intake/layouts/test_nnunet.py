import json
from pathlib import Path

import pytest

from isocenter.image import write_nifti
from isocenter.intake.layouts.folders import read_folder
from isocenter.intake.layouts.found import Found, Read
from tests.intake.conftest import image, mask


@pytest.fixture
def nnunet(tmp_path: Path) -> Path:
    """Return two cases of two channels, with a region and an ignore label."""
    folder = tmp_path / "Dataset001_Made"
    for part in ("imagesTr", "labelsTr"):
        (folder / part).mkdir(parents=True)
    for case in (0, 1):
        for channel in (0, 1):
            write_nifti(image(10 * case + channel), folder / "imagesTr" / f"brain_{case:03d}_{channel:04d}.nii.gz")
        write_nifti(mask(values=(1, 2, 3)), folder / "labelsTr" / f"brain_{case:03d}.nii.gz")
    sheet = {
        "channel_names": {"0": "T1", "1": "CT"},
        "labels": {"background": 0, "whole": [1, 2], "core": 2, "ignore": 3},
        "regions_class_order": [1, 2],
        "numTraining": 2,
        "file_ending": ".nii.gz",
    }
    (folder / "dataset.json").write_text(json.dumps(sheet), encoding="utf-8")
    return folder


def found_in(folder: Path) -> Found:
    return read_folder(folder, pseudonym=str)


def test_channels_become_roles_with_their_modality_and_unit(nnunet: Path) -> None:
    found = found_in(nnunet)
    read = next(iter(found.read()))
    assert isinstance(read, Read)
    assert found.layout == "nnunet"
    assert not found.issues
    assert read.case.id == "brain_000"
    assert {role: (v.modality, v.unit) for role, v in read.case.volumes.items()} == {
        "t1": ("MR", "1"),
        "ct": ("CT", "HU"),
    }
    assert (read.case.volumes["ct"].voxels == image(1).voxels).all()


def test_regions_and_the_ignore_label_are_kept(nnunet: Path) -> None:
    table = found_in(nnunet).table
    assert table is not None
    assert table.structures == {"label 1": (1,), "core": (2,), "whole": (1, 2)}
    assert table.ignore == 3


def test_a_case_that_lacks_a_channel_is_told_and_left_out(nnunet: Path) -> None:
    (nnunet / "imagesTr" / "brain_001_0001.nii.gz").unlink()
    found = found_in(nnunet)
    assert [draft.id for draft in found.drafts] == ["brain_000"]
    channels = [issue for issue in found.issues if issue.check == "channels"]
    assert [issue.figure for issue in channels] == ["case brain_001 has the channels 0000"]


def test_a_file_without_a_channel_number_is_told(nnunet: Path) -> None:
    write_nifti(image(5), nnunet / "imagesTr" / "brain.nii.gz")
    wheres = [issue.where for issue in found_in(nnunet).issues if issue.check == "channels"]
    assert wheres == ["imagesTr/brain.nii.gz"]


def test_a_count_that_does_not_agree_is_a_warning(nnunet: Path) -> None:
    sheet = json.loads((nnunet / "dataset.json").read_text(encoding="utf-8"))
    (nnunet / "dataset.json").write_text(json.dumps(sheet | {"numTraining": 3}), encoding="utf-8")
    assert [(i.severity, i.figure) for i in found_in(nnunet).issues] == [("warn", "numTraining is 3, 2 are there")]


def test_version_one_of_the_layout_is_read_as_well(nnunet: Path) -> None:
    sheet = {
        "modality": {"0": "T1", "1": "T2"},
        "labels": {"0": "background", "1": "a", "2": "b", "3": "c"},
        "training": [{"image": "./imagesTr/brain_000.nii.gz", "label": "./labelsTr/brain_000.nii.gz"}],
    }
    (nnunet / "dataset.json").write_text(json.dumps(sheet), encoding="utf-8")
    found = found_in(nnunet)
    assert found.layout == "nnunet"
    assert len(found) == 2
    assert found.table is not None
    assert list(found.table.structures) == ["a", "b", "c"]
