import os
import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest

from isocenter.errors import FileError, LayoutError
from isocenter.image import write_nifti
from isocenter.intake.issue import Issue
from isocenter.intake.layouts.folders import read_folder
from isocenter.intake.layouts.found import Found, Read
from isocenter.intake.steady import steady
from tests.intake.conftest import image, mask

Edit = Callable[..., None]


def found_in(folder: Path) -> Found:
    return read_folder(folder, as_="msd", pseudonym=lambda text: f"p-{text}")


def only_issue(folder: Path, where: str) -> Issue:
    """Return the one issue that reading raises, after all other cases have come through."""
    things = list(found_in(folder).read())
    issues = [thing for thing in things if isinstance(thing, Issue)]
    assert len(things) == 4
    assert [issue.where for issue in issues] == [where]
    assert issues[0].severity == "stop"
    assert issues[0].mend
    return issues[0]


def test_cases_come_with_their_labels_terms_and_hashes(msd: Path) -> None:
    found = found_in(msd)
    read = [thing for thing in found.read() if isinstance(thing, Read)]
    assert not found.issues
    assert [one.case.id for one in read] == ["case_0", "case_1", "case_2", "case_3"]
    assert found.source.licence == "CC0-1.0"
    assert found.source.layout == "msd"
    first = read[0].case
    np.testing.assert_array_equal(first.volumes["image"].voxels, image(0).voxels)
    assert first.volumes["image"].modality == "MR"
    assert first.annotations[0].mask.present == (1, 2)
    assert set(read[0].sources) == {"imagesTr/case_0.nii.gz", "labelsTr/case_0.nii.gz"}
    assert all(len(digest) == 64 for digest in read[0].sources.values())


def test_progress_is_told_case_by_case(msd: Path) -> None:
    told: list[tuple[int, int]] = []
    list(read_folder(msd, pseudonym=str, progress=lambda done, of: told.append((done, of))).read())
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_several_channels_lie_along_the_fourth_axis(msd: Path, edit: Edit) -> None:
    edit(msd, modality={"0": "FLAIR", "1": "T1gd"})
    for seed in range(4):
        path = msd / "imagesTr" / f"case_{seed}.nii.gz"
        one = nibabel.load(path)
        values = np.stack([np.asarray(one.dataobj), np.asarray(one.dataobj) + 1], axis=-1)
        nibabel.Nifti1Image(values, one.affine).to_filename(path)
    read = next(iter(found_in(msd).read()))
    assert isinstance(read, Read)
    assert list(read.case.volumes) == ["flair", "t1gd"]
    np.testing.assert_array_equal(read.case.volumes["t1gd"].voxels, image(0).voxels + 1)


def test_an_image_of_four_axes_where_one_channel_is_said_is_told(msd: Path) -> None:
    path = msd / "imagesTr" / "case_1.nii.gz"
    nibabel.Nifti1Image(np.ones((7, 6, 5, 3), np.int16), np.eye(4)).to_filename(path)
    assert "(7, 6, 5, 3)" in only_issue(msd, "imagesTr/case_1.nii.gz").figure


def test_an_image_of_three_axes_where_two_channels_are_said_is_told(msd: Path, edit: Edit) -> None:
    edit(msd, modality={"0": "FLAIR", "1": "T1"})
    assert all(isinstance(thing, Issue) and "fourth axis" in thing.figure for thing in found_in(msd).read())


def test_a_file_of_zero_bytes_is_told_and_the_others_go_on(msd: Path) -> None:
    (msd / "imagesTr" / "case_2.nii.gz").write_bytes(b"")
    issue = only_issue(msd, "imagesTr/case_2.nii.gz")
    assert issue.check == "file"
    assert "0 bytes" in issue.figure


def test_half_a_file_is_told(msd: Path) -> None:
    path = msd / "imagesTr" / "case_2.nii.gz"
    path.write_bytes(path.read_bytes()[:200])
    assert only_issue(msd, "imagesTr/case_2.nii.gz").check == "file"


def test_nan_in_an_image_is_told_with_its_count(msd: Path) -> None:
    path = msd / "imagesTr" / "case_0.nii.gz"
    voxels = np.ones((7, 6, 5), np.float32)
    voxels[0, 0, :2] = np.nan
    nibabel.Nifti1Image(voxels, np.eye(4)).to_filename(path)
    assert "2 of 210 voxels are NaN" in only_issue(msd, "imagesTr/case_0.nii.gz").figure


def test_a_label_on_another_grid_is_told(msd: Path) -> None:
    write_nifti(mask(shift_mm=3.0), msd / "labelsTr" / "case_3.nii.gz")
    issue = only_issue(msd, "imagesTr/case_3.nii.gz")
    assert issue.check == "grid"
    assert "Resample" in issue.mend


def test_a_label_outside_the_table_is_told_with_its_value(msd: Path) -> None:
    write_nifti(mask(values=(1, 7)), msd / "labelsTr" / "case_3.nii.gz")
    issue = only_issue(msd, "imagesTr/case_3.nii.gz")
    assert issue.check == "label values"
    assert "[7]" in issue.figure


def test_an_image_without_a_label_and_a_label_without_an_image_are_told_by_name(msd: Path, edit: Edit) -> None:
    edit(msd, training=None, numTraining=None)
    (msd / "labelsTr" / "case_0.nii.gz").unlink()
    (msd / "imagesTr" / "case_1.nii.gz").unlink()
    found = found_in(msd)
    assert {(issue.where, issue.figure) for issue in found.issues} == {
        ("imagesTr/case_0.nii.gz", "an image without a label"),
        ("labelsTr/case_1.nii.gz", "a label without an image"),
    }
    assert [draft.id for draft in found.drafts] == ["case_2", "case_3"]


def test_a_file_that_is_listed_and_not_there_is_told(msd: Path) -> None:
    (msd / "imagesTr" / "case_1.nii.gz").unlink()
    (msd / "labelsTr" / "case_1.nii.gz").unlink()
    wheres = {issue.where for issue in found_in(msd).issues if issue.check == "listing" and issue.severity == "stop"}
    assert wheres == {"imagesTr/case_1.nii.gz", "labelsTr/case_1.nii.gz"}


def test_a_listed_path_that_leads_out_of_the_folder_is_not_followed(msd: Path, edit: Edit) -> None:
    edit(msd, training=[{"image": "../../secret.nii.gz", "label": "labelsTr/case_0.nii.gz"}], numTraining=None)
    assert any("leads out of the folder" in issue.figure for issue in found_in(msd).issues)


def test_test_images_with_labels_are_named_as_test_cases(msd: Path) -> None:
    for part in ("imagesTs", "labelsTs"):
        (msd / part).mkdir()
        shutil.copy(msd / part.replace("Ts", "Tr") / "case_0.nii.gz", msd / part / "held_out.nii.gz")
    found = found_in(msd)
    assert found.sides == {"held_out": "test"}
    assert len(found) == 5


def test_test_images_without_labels_are_left_out_and_told_once(msd: Path) -> None:
    (msd / "imagesTs").mkdir()
    for name in ("a", "b"):
        shutil.copy(msd / "imagesTr" / "case_0.nii.gz", msd / "imagesTs" / f"{name}.nii.gz")
    found = found_in(msd)
    assert [(issue.where, issue.severity) for issue in found.issues] == [("imagesTs", "warn")]
    assert len(found) == 4


def test_a_table_of_patients_groups_cases_and_brings_facts(msd: Path) -> None:
    lines = ["case,patient,sex,age_years", "case_0,A,F,61", "case_1,A,F,62", "case_2,B,,", "case_3,C,M,40"]
    (msd / "patients.csv").write_text("\n".join(lines), encoding="utf-8")
    read = [thing.case for thing in found_in(msd).read() if isinstance(thing, Read)]
    assert [case.patient for case in read] == ["p-A", "p-A", "p-B", "p-C"]
    assert read[0].facts["sex"].value == "F"
    assert read[0].facts["age_years"].value == 61.0
    assert read[2].facts["sex"].value is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("case,who\ncase_0,A", "'case' and 'patient' among them"),
        ("case,patient,Name\ncase_0,A,X", "bears identity"),
        ("case,patient\ncase_0,A\ncase_0,B", "line 3"),
        ("case,patient\ncase_0,", "line 2"),
    ],
)
def test_a_table_of_patients_that_cannot_be_used_says_why(msd: Path, text: str, says: str) -> None:
    (msd / "patients.csv").write_text(text, encoding="utf-8")
    with pytest.raises(LayoutError, match=says):
        found_in(msd)


def test_a_case_that_the_table_of_patients_lacks_is_told(msd: Path) -> None:
    (msd / "patients.csv").write_text("case,patient\ncase_0,A\nghost,B", encoding="utf-8")
    told = {issue.where for issue in found_in(msd).issues}
    assert told == {"case_1", "case_2", "case_3", "patients.csv: ghost"}


def test_a_file_that_grows_while_it_is_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.nii.gz"
    path.write_bytes(b"one")
    with (
        pytest.raises(FileError, match=r"a\.nii\.gz: the file changed while it was read"),
        steady(path, name=path.name),
    ):
        path.write_bytes(b"one more")


def test_other_bytes_under_the_same_size_and_time_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.nii.gz"
    path.write_bytes(b"one")
    stamp = path.stat()

    def read_while_it_changes() -> None:
        with steady(path, name=path.name):
            path.write_bytes(b"two")
            os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))

    with pytest.raises(FileError, match="changed while it was read"):
        read_while_it_changes()


def test_a_file_without_permission_is_told(open_folder: Path, as_nobody: Callable[[], "object"]) -> None:
    path = open_folder / "a.nii.gz"
    path.write_bytes(b"one")
    path.chmod(0)
    with as_nobody(), pytest.raises(FileError, match="Permission denied"), steady(path, name="a.nii.gz"):
        pass


def test_the_planted_bad_cases_are_found_by_name(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "msd_hippocampus"
    folder = tmp_path / "set"
    for part in ("imagesTr", "labelsTr"):
        (folder / part).mkdir(parents=True)
        for name in ("hippocampus_001.nii.gz", "hippocampus_003.nii.gz"):
            shutil.copyfile(source / part / name, folder / part / name)
    shutil.copyfile(source / "dataset.json", folder / "dataset.json")
    planted = source / "planted_bad_cases"
    shutil.copyfile(planted / "image_only_hippocampus_118.nii.gz", folder / "imagesTr" / "hippocampus_118.nii.gz")
    for number in ("010", "281"):
        name = f"hippocampus_{number}.nii.gz"
        shutil.copyfile(planted / f"label_only_{name}", folder / "labelsTr" / name)
    # the label of another organ and grid, beside an image that is there
    shutil.copyfile(planted / "label_only_hippocampus_281.nii.gz", folder / "labelsTr" / "hippocampus_003.nii.gz")
    found = found_in(folder)
    pairing = {issue.where for issue in found.issues if issue.check == "pairing"}
    assert pairing == {
        "imagesTr/hippocampus_118.nii.gz", "labelsTr/hippocampus_010.nii.gz", "labelsTr/hippocampus_281.nii.gz",
    }  # fmt: skip
    stopped = [thing for thing in found.read() if isinstance(thing, Issue)]
    assert [issue.where for issue in stopped] == ["imagesTr/hippocampus_003.nii.gz"]
    assert stopped[0].check in ("grid", "label values")


def test_planted_files_that_lie_beside_the_layout_are_told_by_name(shared_data: Path) -> None:
    found = found_in(shared_data / "msd_hippocampus")
    assert len(found) == 200
    assert [issue.where.rpartition("/")[2] for issue in found.issues] == [
        "image_only_hippocampus_118.nii.gz", "label_only_hippocampus_010.nii.gz", "label_only_hippocampus_281.nii.gz",
    ]  # fmt: skip
