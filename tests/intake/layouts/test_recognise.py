import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from isocenter.errors import LayoutError
from isocenter.intake.layouts import LAYOUTS
from isocenter.intake.layouts.folders import layout_of, read_folder, recognise


def test_every_layout_of_the_table_is_there() -> None:
    assert all(layout_of(name).read for name in LAYOUTS)


def test_a_folder_in_msd_layout_is_taken_for_one_and_the_reason_is_said(msd: Path) -> None:
    taken = recognise(msd)
    assert taken.name == "msd"
    assert "modality" in taken.why


def test_channel_numbers_in_file_names_make_it_an_nnunet_folder(msd: Path) -> None:
    for path in (msd / "imagesTr").iterdir():
        path.rename(path.with_name(path.name.replace(".nii", "_0000.nii")))
    assert recognise(msd).name == "nnunet"


def test_an_empty_folder_says_what_to_name_instead(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match=r"empty.*Name the folder"):
        recognise(tmp_path)


def test_a_folder_of_empty_folders_is_empty(tmp_path: Path) -> None:
    (tmp_path / "imagesTr").mkdir()
    with pytest.raises(LayoutError, match="empty"):
        recognise(tmp_path)


def test_a_path_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match="no such folder: 'gone'"):
        recognise(tmp_path / "gone")


def test_a_file_is_no_folder(msd: Path) -> None:
    with pytest.raises(LayoutError, match="is a file"):
        recognise(msd / "dataset.json")


def test_a_folder_without_permission_says_so(
    open_folder: Path, as_nobody: Callable[[], AbstractContextManager[None]]
) -> None:
    shut = open_folder / "shut"
    shut.mkdir()
    (shut / "a.nii.gz").write_bytes(b"1")
    shut.chmod(0)
    with as_nobody(), pytest.raises(LayoutError, match=r"'shut' may not be read.*permission"):
        recognise(shut)


def test_a_folder_inside_without_permission_says_so(
    open_folder: Path, as_nobody: Callable[[], AbstractContextManager[None]]
) -> None:
    (open_folder / "dataset.json").write_text('{"modality": {"0": "MRI"}, "labels": {"1": "a"}}', encoding="utf-8")
    (open_folder / "imagesTr").mkdir()
    (open_folder / "imagesTr").chmod(0)
    with as_nobody(), pytest.raises(LayoutError, match="'imagesTr' may not be read"):
        read_folder(open_folder, pseudonym=str)


def test_an_unknown_layout_lists_what_is_there_and_what_is_expected(tmp_path: Path) -> None:
    (tmp_path / "notes.docx").write_bytes(b"PK")
    with pytest.raises(LayoutError, match=r"\.docx.*dataset\.json"):
        recognise(tmp_path)


def test_a_misspelt_layout_is_met_with_the_right_one(msd: Path) -> None:
    with pytest.raises(LayoutError, match="Did you mean 'msd'"):
        read_folder(msd, as_="mds", pseudonym=str)


def test_the_layout_that_was_said_overrules_what_the_folder_looks_like(msd: Path) -> None:
    found = read_folder(msd, as_="nnunet", pseudonym=str)
    assert found.layout == "nnunet"
    assert len(found) == 0
    assert {issue.check for issue in found.issues} >= {"channels"}


def test_a_dicom_folder_named_as_msd_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "1.dcm").write_bytes(b"\0" * 128 + b"DICM")
    with pytest.raises(LayoutError, match=r"no dataset\.json"):
        read_folder(tmp_path, as_="msd", pseudonym=str)


def test_a_sheet_that_is_no_json_says_where(msd: Path) -> None:
    (msd / "dataset.json").write_text('{"labels": ', encoding="utf-8")
    with pytest.raises(LayoutError, match=r"no JSON.*line 1"):
        recognise(msd)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("labels", None, "names no labels"),
        ("labels", {"background": 0}, "no label beside the background"),
        ("labels", {"tumour": "big", "x": [1.5]}, "whole number"),
        ("modality", {"1": "MRI"}, "Number them from 0"),
        ("modality", {"0": "T1", "1": "t1"}, "a name of its own"),
        ("file_ending", ".png", "Convert them to NIfTI"),
        ("training", [{"image": "a"}], "lacks its image or its label"),
    ],
)
def test_a_sheet_that_makes_no_sense_says_which_key(msd: Path, key: str, value: object, says: str) -> None:
    document = json.loads((msd / "dataset.json").read_text(encoding="utf-8"))
    document[key] = value
    (msd / "dataset.json").write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(LayoutError, match=says):
        read_folder(msd, as_="msd", pseudonym=str)


def test_a_folder_below_one_without_permission_says_so(
    open_folder: Path, as_nobody: Callable[[], AbstractContextManager[None]]
) -> None:
    (open_folder / "shut" / "set").mkdir(parents=True)
    (open_folder / "shut").chmod(0)
    with as_nobody(), pytest.raises(LayoutError, match="'set' may not be read"):
        recognise(open_folder / "shut" / "set")
