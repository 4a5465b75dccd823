"""Which series a model reads: of its role, of one study, from one origin, and none twice."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundMultiFrameImageStorage, generate_uid

from isocenter.errors import FileError, SeriesError
from isocenter.intake.opening import open_input
from isocenter.recipe import Channel, Scaling
from isocenter.testing.phantom import Body, Header, axis_grid, write_series

SHAPE, SPACING_MM = (6, 10, 12), (3.0, 1.5, 1.25)
SCALING = Scaling(kind="zscore", low=0.5, high=99.5)
T1, FLAIR = (Channel(role=role, scaling=SCALING, modality="MR") for role in ("t1", "flair"))


def write(folder: Path, *, description: str, number: int, patient: str = "P") -> None:
    grid = axis_grid("SPL", shape=SHAPE, spacing_mm=SPACING_MM)
    volume, _ = Body().sample(grid, SHAPE, modality="MR", rng=np.random.default_rng(number))
    header = Header(description=description, number=number, patient=patient)
    write_series(volume, folder / f"{patient}-{number}", header=header)


def test_each_channel_gets_the_series_of_its_role(tmp_path: Path) -> None:
    write(tmp_path, description="T2 FLAIR", number=1)
    write(tmp_path, description="T1 mprage", number=2)
    opened = open_input(tmp_path, channels=(T1, FLAIR))
    assert [series.sequence for series in opened.series] == ["t1", "flair"]
    assert len(opened.files) == 2 * SHAPE[0]


def test_one_series_never_fills_two_channels(tmp_path: Path) -> None:
    write(tmp_path, description="T1 mprage", number=1)
    with pytest.raises(SeriesError, match="'flair'"):
        open_input(tmp_path, channels=(T1, FLAIR))


def test_channels_are_never_of_two_people(tmp_path: Path) -> None:
    write(tmp_path, description="T1 mprage", number=1, patient="A")
    write(tmp_path, description="T2 FLAIR", number=2, patient="B")
    with pytest.raises(SeriesError, match="several studies"):
        open_input(tmp_path, channels=(T1, FLAIR))


def test_several_series_that_fit_are_listed(tmp_path: Path) -> None:
    write(tmp_path, description="T1 mprage", number=1)
    write(tmp_path, description="T1 mprage", number=2)
    with pytest.raises(SeriesError, match="--series"):
        open_input(tmp_path, channels=(T1,))
    assert open_input(tmp_path, channels=(T1,), series=2).series[0].number == 2


def test_a_model_of_flair_does_not_take_a_t1_for_one(tmp_path: Path) -> None:
    write(tmp_path, description="T1 mprage", number=1)
    with pytest.raises(SeriesError, match=r"reads a series 'flair'; the study holds t1\..*--series NUMBER"):
        open_input(tmp_path, channels=(FLAIR,))
    assert list(open_input(tmp_path, channels=(FLAIR,), series=1).volumes) == ["flair"]
    image = replace(FLAIR, role="image")
    assert open_input(tmp_path, channels=(image,)).series[0].role == "t1", "a role that names no sequence takes any"


@pytest.mark.parametrize(("description", "role"), [("Ax T1 +C", "t1w_ce_gd"), ("T2 TSE", "t2w"), ("brain 3", "t1")])
def test_a_role_is_known_however_its_layout_wrote_it(description: str, role: str, tmp_path: Path) -> None:
    write(tmp_path, description=description, number=1)
    assert list(open_input(tmp_path, channels=(replace(T1, role=role),)).volumes) == [role]


def test_another_modality_is_named(tmp_path: Path) -> None:
    write(tmp_path, description="T1 mprage", number=1)
    with pytest.raises(SeriesError, match="reads CT"):
        open_input(tmp_path, channels=(replace(T1, modality="CT"),))


def test_a_folder_without_an_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("no image")
    with pytest.raises(FileError, match="no DICOM image"):
        open_input(tmp_path)


def test_a_picture_of_another_kind_is_told_what_to_save_it_as(tmp_path: Path) -> None:
    (tmp_path / "a.gif").write_bytes(b"GIF89a" + bytes(30))
    with pytest.raises(FileError, match="Save a picture as PNG, JPEG, TIFF"):
        open_input(tmp_path / "a.gif")


PICTURE = Channel(role="image", scaling=SCALING, modality="DX")
GREY = np.arange(48, dtype=np.uint8).reshape(6, 8)


@pytest.mark.parametrize("ending", ["png", "tif", "bmp"])
def test_a_picture_opens_as_what_the_model_reads(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{ending}"
    Image.fromarray(GREY).save(path)
    opened = open_input(path, channels=(PICTURE,))
    volume = opened.volumes["image"]
    assert (opened.kind, opened.series, volume.modality, volume.is_planar) == ("picture", (), "DX", True)
    assert np.array_equal(volume.voxels[0], GREY)
    assert opened.files == {path: sha256(path.read_bytes()).hexdigest()}


def test_one_picture_a_role_opens_from_a_folder(tmp_path: Path) -> None:
    for number, role in enumerate(("t1", "flair")):
        Image.fromarray(GREY + number).save(tmp_path / f"{role}.png")
    opened = open_input(tmp_path, channels=(T1, FLAIR))
    assert [int(volume.voxels[0, 0, 0]) for volume in opened.volumes.values()] == [0, 1]


def test_a_damaged_picture_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(FileError, match=r"^a\.png: "):
        open_input(tmp_path / "a.png")


def dicom_picture(path: Path, values: npt.NDArray[np.uint8], *, photometric: str, **more: object) -> Path:
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = UltrasoundMultiFrameImageStorage, generate_uid()
    made.StudyInstanceUID, made.SeriesInstanceUID, made.Modality = "1.2.3", "1.2.3.4", "US"
    made.SamplesPerPixel, made.PhotometricInterpretation, made.PlanarConfiguration = 3, photometric, 0
    made.Rows, made.Columns = values.shape[-3:-1]
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 8, 8, 7, 0
    made.PixelData = values.tobytes()
    for name, value in more.items():
        setattr(made, name, value)
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.save_as(path, enforce_file_format=True)
    return path


def test_an_ultrasound_in_colour_opens_as_one_picture(tmp_path: Path) -> None:
    colours = np.stack([GREY, GREY + 50, GREY + 100], axis=-1)
    opened = open_input(dicom_picture(tmp_path / "a.dcm", colours, photometric="RGB"))
    volume = opened.volumes["image"]
    assert (opened.kind, volume.is_planar, volume.channels, volume.has_size) == ("dicom", True, 3, False)
    assert np.array_equal(volume.voxels[:, 0], np.moveaxis(colours, -1, 0))


def test_a_loop_opens_as_the_stack_of_its_frames(tmp_path: Path) -> None:
    colours = np.stack([GREY, GREY + 50, GREY + 100], axis=-1)
    loop = np.stack([colours, colours + 1, colours + 2])
    volume = open_input(dicom_picture(tmp_path / "a.dcm", loop, photometric="RGB", NumberOfFrames=3)).volumes["image"]
    assert (volume.shape, volume.is_planar, volume.has_size) == ((3, 6, 8), False, False)


def test_two_radiographs_of_a_study_are_listed_and_chosen_by_number(tmp_path: Path) -> None:
    for number in range(2):
        values = np.stack([GREY, GREY + 50, GREY + 100 + number], axis=-1)
        dicom_picture(tmp_path / f"{number}.dcm", values, photometric="RGB")
    with pytest.raises(SeriesError, match="--series NUMBER"):
        open_input(tmp_path)
    assert open_input(tmp_path, series=2).volumes["image"].is_planar
