"""Faces do not leave: cut out of every file of a head by its own geometry, or the file is kept back."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
from PIL import Image

from isocenter.dicom import load, scan
from isocenter.dicom.elements.file import read_file
from isocenter.image import Volume
from isocenter.intake.deid.faces import VISUAL_FEATURES, Faces, may_show_face
from isocenter.intake.deid.pixels.cleaner import Cleaner
from isocenter.intake.deid.profile.options import FEATURES
from isocenter.intake.deid.profile.profile import Profile
from isocenter.intake.deid.proof.second import SecondLook
from isocenter.intake.deid.pseudonyms import Pseudonyms
from isocenter.intake.deid.run import treat_all
from isocenter.intake.deid.treat import Way
from isocenter.intake.deid.treated import Treated
from isocenter.processing.faces import region as region_of
from isocenter.processing.faces.region import FaceRegion, find_face
from isocenter.security.keyed import Keyed
from isocenter.testing.phantom import Header, axis_grid, head, write_enhanced, write_series
from tests.intake.deid.test_treat import Blind

HEADER = Header(description="brain", number=3)


def volume_of(modality: str = "MR", orientation: str = "SPL") -> Volume:
    steps = {"S": (46, 5.0), "I": (46, 5.0), "P": (65, 4.0), "A": (65, 4.0), "L": (50, 4.0), "R": (50, 4.0)}
    shape = tuple(steps[letter][0] for letter in orientation)
    spacing = tuple(steps[letter][1] for letter in orientation)
    affine = axis_grid(orientation, shape=shape, spacing_mm=spacing, centre=(0, 0, -20))
    return head().sample(affine, shape, modality=modality, rng=np.random.default_rng(0))[0]


def treated(root: Path, out: Path) -> list[Treated]:
    """Return what was done with the files below a folder, faces removed and looked for again."""
    profile = Profile.of((FEATURES,))
    way = Way(
        profile=profile, pseudonyms=Pseudonyms(Keyed(secret=b"0" * 32)), root=root, out=out, review=out / "review",
        cleaner=Cleaner(reader=Blind()), faces=Faces.found_in(root), second=SecondLook(profile=profile),
    )  # fmt: skip
    return list(treat_all(way, project="p", keep={}.__setitem__).files)


def edit(path: Path, **values: object) -> Path:
    """Change some values of a DICOM file."""
    dataset = pydicom.dcmread(path)
    for key, value in values.items():
        setattr(dataset, key, value)
    dataset.save_as(path)
    return path


def loaded(folder: Path) -> Volume:
    (one,) = scan(folder).series
    return load(one)


def require_cut(before: Volume, after: Volume, region: FaceRegion) -> None:
    """Hold that the face is blank and everything else is what it was."""
    inside = region.covers(before.affine.to_world(np.stack(np.indices(before.shape), axis=-1)))
    assert (before.voxels[~inside] == after.voxels[~inside]).all()
    for plane, mask in zip(after.voxels, inside, strict=True):
        assert not mask.any() or np.ptp(plane[mask]) == 0


@pytest.mark.parametrize(("modality", "orientation"), [("MR", "SPL"), ("CT", "SPL"), ("MR", "LSP"), ("MR", "AIL")])
def test_a_head_leaves_without_its_face_and_with_all_else(tmp_path: Path, modality: str, orientation: str) -> None:
    volume = volume_of(modality, orientation)
    write_series(volume, tmp_path / "in" / "a", header=HEADER)
    done = treated(tmp_path / "in", tmp_path / "out")
    assert {file.decision for file in done} == {"release"}
    assert all(file.is_proved for file in done)
    assert sum(file.faces for file in done) > 10
    require_cut(loaded(tmp_path / "in"), loaded(tmp_path / "out" / "dicom"), find_face(loaded(tmp_path / "in")))
    one = pydicom.dcmread(next((tmp_path / "out").rglob("*.dcm")))
    assert one[VISUAL_FEATURES].value == "NO"
    assert "113102" in {item.CodeValue for item in one.DeidentificationMethodCodeSequence}


def test_another_series_of_the_same_frame_of_reference_is_cut_by_the_same_region(tmp_path: Path) -> None:
    write_series(volume_of(), tmp_path / "in" / "fine", header=HEADER)
    # three slices through the nose: no head could be found in them alone
    few = Volume(voxels=volume_of().voxels[20:23], affine=volume_of().affine.shifted((20, 0, 0)), modality="MR")
    header = Header(description="brain", number=4)
    for path in write_series(few, tmp_path / "in" / "few", header=header):
        edit(path, FrameOfReferenceUID=pydicom.dcmread(next((tmp_path / "in" / "fine").iterdir())).FrameOfReferenceUID)
    done = treated(tmp_path / "in", tmp_path / "out")
    assert [file.decision for file in done] == ["release"] * 49
    assert sum(file.faces for file in done[:3]) == 3


def test_an_enhanced_file_is_cut_frame_by_frame(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write_enhanced(volume_of(), tmp_path / "in" / "one.dcm", header=HEADER)
    (file,) = treated(tmp_path / "in", tmp_path / "out")
    assert (file.decision, file.is_proved) == ("release", True)
    require_cut(loaded(tmp_path / "in"), loaded(tmp_path / "out" / "dicom"), find_face(loaded(tmp_path / "in")))


def test_a_part_far_from_the_head_stays_as_it_is(tmp_path: Path) -> None:
    for path in write_series(volume_of(), tmp_path / "in", header=Header(description="ankle")):
        edit(path, BodyPartExamined="ANKLE", StudyDescription="ankle")
    done = treated(tmp_path / "in", tmp_path / "out")
    assert {(file.decision, file.faces) for file in done} == {("release", 0)}


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "Modality": "OT"}, "photograph"),
        ({"Modality": "XC"}, "photograph"),
        ({"FrameOfReferenceUID": "1.2.3"}, "No volume of its frame"),
    ],
)
def test_what_may_show_a_face_that_cannot_be_cut_is_kept_back(
    tmp_path: Path, values: dict[str, str], word: str
) -> None:
    paths = write_series(volume_of(), tmp_path / "in", header=HEADER)
    edit(paths[20], **values)
    found = {file.number: file for file in treated(tmp_path / "in", tmp_path / "out")}
    kept = [file for file in found.values() if file.decision == "review"]
    assert len(kept) == 1
    assert word in kept[0].reason
    assert "phantom" not in kept[0].reason.lower()


def test_a_scout_view_through_a_head_is_kept_back(tmp_path: Path) -> None:
    paths = write_series(volume_of("CT"), tmp_path / "in", header=HEADER)
    edit(paths[20], ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    kept = [file for file in treated(tmp_path / "in", tmp_path / "out") if file.decision == "review"]
    assert ["no place in the patient" in file.reason for file in kept] == [True]


def test_half_a_head_is_kept_back_with_the_reason(tmp_path: Path) -> None:
    whole = volume_of()
    write_series(Volume(voxels=whole.voxels[:20], affine=whole.affine, modality="MR"), tmp_path / "in", header=HEADER)
    done = treated(tmp_path / "in", tmp_path / "out")
    assert {file.decision for file in done} == {"review"}
    assert "top of the head" in done[0].reason


def test_pictures_and_nifti_files_are_kept_back(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / "in" / "a.png")
    nib.Nifti1Image(np.zeros((2, 2, 2), np.int16), np.eye(4)).to_filename(tmp_path / "in" / "b.nii.gz")
    files = treated(tmp_path / "in", tmp_path / "out")
    assert [file.decision for file in files] == ["review", "review"]
    assert all("faces are found in DICOM" in file.reason for file in files)


def test_a_face_that_was_left_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_series(volume_of(), tmp_path / "in", header=HEADER)
    monkeypatch.setattr(Faces, "cut", lambda _self, _path, _was, clean: (clean, 0))
    done = treated(tmp_path / "in", tmp_path / "out")
    kept = [file for file in done if file.decision == "review"]
    assert len(kept) > 10
    assert all("where a face was" in file.reason for file in kept)


def test_brain_that_would_be_cut_stops_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_series(volume_of(), tmp_path / "in", header=HEADER)
    monkeypatch.setattr(region_of, "_MARGIN_MM", -20.0)
    done = treated(tmp_path / "in", tmp_path / "out")
    kept = [file for file in done if file.decision == "review"]
    assert len(kept) > 5
    assert all("would cut brain" in file.reason for file in kept)


@pytest.mark.parametrize(
    ("said", "is_asked"),
    [
        ({"Modality": "MR", "BodyPartExamined": "BRAIN"}, True),
        ({"Modality": "CT", "BodyPartExamined": ""}, True),
        ({"Modality": "CT", "BodyPartExamined": "CHEST"}, False),
        ({"Modality": "CT", "BodyPartExamined": "CHEST", "StudyDescription": "CT 头颅平扫"}, True),
        ({"Modality": "MR", "BodyPartExamined": "KNEE", "SeriesDescription": "surface coil, incidental"}, False),
        ({"Modality": "US", "BodyPartExamined": "HEAD"}, False),
        ({"Modality": "PT", "BodyPartExamined": "WHOLEBODY"}, True),
    ],
)
def test_which_files_may_show_a_face(tmp_path: Path, said: dict[str, str], is_asked: bool) -> None:
    path = write_series(volume_of(), tmp_path / "in", header=Header(description=""))[0]
    edit(path, **{"SpecificCharacterSet": "ISO_IR 192", "StudyDescription": "", "SeriesDescription": "", **said})
    assert may_show_face(read_file(path)) == is_asked
