"""Files of every kind: released without identity, left out, or kept back with the reason; nothing is ever raised."""

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.data import get_testdata_file

from isocenter.errors import FileError
from isocenter.intake.deid.cohort import TWO_NUMBERS, TWO_PERSONS, doubtful_patients
from isocenter.intake.deid.pixels.cleaner import Cleaner
from isocenter.intake.deid.profile.options import PIXELS
from isocenter.intake.deid.profile.profile import Profile
from isocenter.intake.deid.pseudonyms import Pseudonyms
from isocenter.intake.deid.sources import files_in, kind_of
from isocenter.intake.deid.treat import Way
from isocenter.intake.deid.treated import Treated
from isocenter.processing.text.line import Line, Picture
from isocenter.security.keyed import Keyed


class Blind:
    """A reader for whom no picture has text: what is treated here has none."""

    def read(self, picture: Picture) -> tuple[Line, ...]:
        return ()


def slice_of(folder: Path, name: str, **values: object) -> Path:
    """Write a CT slice with some values changed."""
    made = pydicom.dcmread(str(get_testdata_file("CT_small.dcm")))
    for key, value in values.items():
        setattr(made, key, value)
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save_as(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a file of each kind."""
    root = tmp_path / "in" / "Canary Yellow"
    slice_of(root, "a.dcm", PatientName="Canary^Yellow", PatientID="4711001", PatientBirthDate="19850312")
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(root / "Canary.png")
    nib.Nifti1Image(np.zeros((2, 2, 2), np.int16), np.eye(4)).to_filename(root / "Canary.nii.gz")
    (root / "letter.txt").write_text("Dear Dr. Canary")
    shutil.copy(str(get_testdata_file("DICOMDIR")), root / "DICOMDIR")
    return tmp_path / "in"


def treated(root: Path, out: Path, *words: str) -> Iterator[Treated]:
    """Yield what was done with each file below a folder."""
    profile = Profile.of(words)
    way = Way(
        profile=profile, pseudonyms=Pseudonyms(Keyed(secret=bytes(32))), root=root, out=out,
        review=out.with_name("review"), cleaner=Cleaner(reader=Blind()) if profile.has(PIXELS) else None,
    )  # fmt: skip
    for number, path in enumerate(files_in(root), start=1):
        yield way.treat(path, number)


def test_every_kind_of_file_gets_its_decision(folder: Path, tmp_path: Path) -> None:
    found = {file.kind: file.decision for file in treated(folder, tmp_path / "out")}
    assert found == {
        "dicom": "release", "nifti": "release", "png": "review", "other": "review", "dicomdir": "leave out",
    }  # fmt: skip


def test_no_name_of_a_file_or_folder_is_anybodys(folder: Path, tmp_path: Path) -> None:
    for file in treated(folder, tmp_path / "out", "clean-pixel-data"):
        assert "anary" not in repr(file)
        assert "4711001" not in repr(file)
    for path in (tmp_path / "out").rglob("*"):
        assert "anary" not in str(path.relative_to(tmp_path))
        assert not path.is_file() or b"anary" not in path.read_bytes()


def test_files_of_one_folder_stay_together(tmp_path: Path) -> None:
    for name in ("a/1.nii", "a/2.nii", "b/1.nii"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        nib.Nifti1Image(np.zeros((2, 2, 2), np.int16), np.eye(4)).to_filename(tmp_path / "in" / name)
    names = [Path(file.name) for file in treated(tmp_path / "in", tmp_path / "out")]
    assert names[0].parent == names[1].parent != names[2].parent
    assert len(set(names)) == 3


def test_pixels_that_may_be_written_on_are_kept_back(tmp_path: Path) -> None:
    slice_of(tmp_path / "in", "a.dcm", Modality="US")
    slice_of(tmp_path / "in", "b.dcm", BurnedInAnnotation="YES")
    slice_of(tmp_path / "in", "c.dcm", ImageType=["DERIVED", "SECONDARY", "SCREEN SAVE"])
    for file in treated(tmp_path / "in", tmp_path / "out"):
        assert file.decision == "review"
        assert "clean-pixel-data" in file.reason
    assert not (tmp_path / "out").exists()


def test_a_file_twice_is_released_once(folder: Path, tmp_path: Path) -> None:
    path = folder / "Canary Yellow" / "a.dcm"
    shutil.copy(path, path.with_name("b.dcm"))
    decisions = [file.decision for file in treated(folder, tmp_path / "out") if file.kind == "dicom"]
    assert decisions == ["release", "review"]


def test_a_damaged_file_is_kept_back_with_the_reason(tmp_path: Path) -> None:
    path = slice_of(tmp_path / "in", "a.dcm")
    path.write_bytes(path.read_bytes()[:600])
    (file,) = treated(tmp_path / "in", tmp_path / "out")
    assert file.decision in ("review", "release")
    (tmp_path / "in" / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    *_, second = treated(tmp_path / "in", tmp_path / "out2", "clean-pixel-data")
    assert second.decision == "review"
    assert "cut off" in second.reason


def test_one_person_under_two_numbers_is_doubtful(tmp_path: Path) -> None:
    same = {"PatientName": "Canary^Yellow", "PatientBirthDate": "19850312"}
    slice_of(tmp_path / "in", "a.dcm", PatientID="1", **same)
    slice_of(tmp_path / "in", "b.dcm", PatientID="2", SOPInstanceUID="1.2.3", **same)
    slice_of(tmp_path / "in", "c.dcm", PatientID="3", SOPInstanceUID="1.2.4", PatientName="Finch^Red")
    files = list(treated(tmp_path / "in", tmp_path / "out"))
    assert doubtful_patients((file.person, file.patient) for file in files) == {
        files[0].patient: TWO_NUMBERS,
        files[1].patient: TWO_NUMBERS,
    }


def test_two_persons_under_one_number_are_doubtful(tmp_path: Path) -> None:
    birth = {"PatientID": "1", "PatientBirthDate": "19850312"}
    slice_of(tmp_path / "in", "a.dcm", PatientName="Canary^Yellow", **birth)
    slice_of(tmp_path / "in", "b.dcm", PatientName="Finch^Red", SOPInstanceUID="1.2.3", **birth)
    files = list(treated(tmp_path / "in", tmp_path / "out"))
    assert doubtful_patients((file.person, file.patient) for file in files) == {files[0].patient: TWO_PERSONS}


@pytest.mark.parametrize(
    ("name", "kind"), [("MR_small.dcm", "dicom"), ("DICOMDIR", "dicomdir"), ("ExplVR_BigEndNoMeta.dcm", "dicom")]
)
def test_kinds_are_told_by_content(name: str, kind: str, tmp_path: Path) -> None:
    shutil.copy(str(get_testdata_file(name)), tmp_path / "no-ending")
    assert kind_of(tmp_path / "no-ending") == kind


@pytest.mark.parametrize("form", ["png", "jpeg", "tiff"])
def test_pictures_are_told_by_content(form: str, tmp_path: Path) -> None:
    target = io.BytesIO()
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(target, form)
    (tmp_path / "a.dcm").write_bytes(target.getvalue())
    assert kind_of(tmp_path / "a.dcm") == form


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="There is no folder"):
        files_in(tmp_path / "none")
