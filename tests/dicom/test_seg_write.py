"""Our segmentation objects: valid, of the right patient, and right for every kind of source."""

import copy
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from isocenter.dicom import load, scan
from isocenter.dicom.seg import read_seg, write_seg
from isocenter.errors import GridError, SeriesError
from isocenter.image import Affine, Code, Label, LabelTable, Mask, resample_mask, spaced
from isocenter.testing.phantom import Body, Header, axis_grid, tilted, write_enhanced, write_series

SHAPE = (12, 22, 24)
GRID = axis_grid("SPL", shape=SHAPE, spacing_mm=(6.0, 3.2, 3.0))


@pytest.fixture(scope="module")
def validate() -> Callable[[Path], None]:
    """Return a function that fails on any error of dciodvfy's."""
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy (Debian's dicom3tools) is not installed")

    def run(path: Path) -> None:
        said = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False).stderr
        assert "Segmentation" in said.splitlines()
        assert "Error" not in said, said

    return run


def written(mask: Mask, sources: tuple[Path, ...], path: Path) -> Path:
    write_seg(mask, sources=sources, path=path, algorithm="phantom unet", version="0123abc")
    return path


@pytest.mark.parametrize("modality", ["CT", "MR"])
@pytest.mark.parametrize("is_enhanced", [False, True], ids=["classic", "enhanced"])
def test_a_mask_comes_back_as_it_went_and_the_object_is_valid(
    tmp_path: Path, validate: Callable[[Path], None], modality: str, is_enhanced: bool
) -> None:
    volume, mask = Body().sample(GRID, SHAPE, modality=modality)
    if is_enhanced:
        sources = (write_enhanced(volume, tmp_path / "series" / "enhanced.dcm"),)
    else:
        sources = write_series(volume, tmp_path / "series")
    (series,) = scan(tmp_path / "series").series
    seg = written(mask, series.paths, tmp_path / "mask.seg.dcm")
    assert series.paths == sources
    validate(seg)
    again = read_seg(seg, volume=load(series))
    assert np.array_equal(again.labels, mask.labels)
    assert again.table == mask.table, "names, codes and colours survive"


def test_labels_without_a_code_get_a_private_one_and_a_category_by_their_name(
    tmp_path: Path, validate: Callable[[Path], None]
) -> None:
    table = LabelTable(
        labels=(
            Label(value=7, name="anterior hippocampus"),
            Label(value=3, name="肿瘤 A\\B"),
            Label(value=9, name="oedema"),
            Label(value=1, name="x" * 80),
            Label(value=2, name="liver", code=Code(value="10200004", scheme="SCT", meaning="Liver")),
        )
    )
    volume, body = Body().sample(GRID, SHAPE)
    mask = Mask(labels=np.array([0, 7, 3, 9, 1, 2], dtype=np.uint8)[body.labels], affine=GRID, table=table)
    seg = written(mask, write_series(volume, tmp_path / "series"), tmp_path / "mask.seg.dcm")
    validate(seg)
    said = pydicom.dcmread(seg).SegmentSequence
    types = [item.SegmentedPropertyTypeCodeSequence[0] for item in said]
    assert [item.SegmentNumber for item in said] == [1, 2, 3, 4, 5]
    assert [code.CodingSchemeDesignator for code in types] == ["99ISO"] * 4 + ["SCT"]
    assert len({code.CodeValue for code in types}) == 5
    assert types[0].CodeMeaning == "anterior hippocampus"
    assert said[1].SegmentLabel == "肿瘤 A/B"
    categories = [item.SegmentedPropertyCategoryCodeSequence[0].CodeMeaning for item in said]
    altered, structure = "Morphologically Altered Structure", "Anatomical Structure"
    assert categories == [structure, altered, altered, structure, structure]
    assert all(item.SegmentAlgorithmType == "AUTOMATIC" for item in said)


def test_identity_comes_from_the_source_in_its_own_letters(tmp_path: Path, validate: Callable[[Path], None]) -> None:
    volume, mask = Body().sample(GRID, SHAPE)
    header = Header(name="Canary^Yellow=金丝雀", patient="CANARY-7", charset="GB18030", study="canary")
    sources = write_series(volume, tmp_path / "series", header=header)
    seg = written(mask, sources, tmp_path / "mask.seg.dcm")
    validate(seg)
    made, source = pydicom.dcmread(seg), pydicom.dcmread(sources[0])
    assert made.PatientName == source.PatientName == "Canary^Yellow=金丝雀"
    for keyword in ("PatientID", "StudyInstanceUID", "FrameOfReferenceUID", "StudyDate", "PatientSex"):
        assert made[keyword].value == source[keyword].value
    assert made.SeriesInstanceUID != source.SeriesInstanceUID
    assert made.ReferencedSeriesSequence[0].SeriesInstanceUID == source.SeriesInstanceUID


def test_each_frame_names_the_slice_it_was_found_in(tmp_path: Path) -> None:
    volume, mask = Body().sample(GRID, SHAPE)
    sources = write_series(volume, tmp_path / "series", order=tuple(reversed(range(SHAPE[0]))))
    made = pydicom.dcmread(written(mask, sources, tmp_path / "mask.seg.dcm"))
    places = {(file := pydicom.dcmread(path)).SOPInstanceUID: file.ImagePositionPatient for path in sources}
    for group in made.PerFrameFunctionalGroupsSequence:
        source = group.DerivationImageSequence[0].SourceImageSequence[0]
        assert places[source.ReferencedSOPInstanceUID] == group.PlanePositionSequence[0].ImagePositionPatient
    slice_, shared = pydicom.dcmread(sources[0]), made.SharedFunctionalGroupsSequence[0]
    assert (made.Rows, made.Columns) == (slice_.Rows, slice_.Columns)
    assert shared.PlaneOrientationSequence[0].ImageOrientationPatient == slice_.ImageOrientationPatient
    assert shared.PixelMeasuresSequence[0].PixelSpacing == slice_.PixelSpacing


def test_a_series_of_one_slice_can_be_segmented(tmp_path: Path, validate: Callable[[Path], None]) -> None:
    grid = axis_grid("SPL", shape=(1, 22, 24), spacing_mm=(5.0, 3.2, 3.0), centre=(0, 0, 5))
    volume, _ = Body().sample(grid, (1, 22, 24))
    sources = write_series(volume, tmp_path / "series")
    loaded = load(scan(tmp_path / "series").series[0])
    _, mask = Body().sample(loaded.affine, loaded.shape)
    seg = written(mask, sources, tmp_path / "mask.seg.dcm")
    validate(seg)
    assert mask.present
    assert np.array_equal(read_seg(seg, volume=loaded).labels, mask.labels)


@pytest.mark.parametrize("is_enhanced", [False, True], ids=["classic", "enhanced"])
def test_nothing_found_leaves_one_empty_frame_a_structure(
    tmp_path: Path, validate: Callable[[Path], None], is_enhanced: bool
) -> None:
    volume, mask = Body().sample(GRID, SHAPE)
    empty = replace(mask, labels=np.zeros(SHAPE, dtype=np.uint8))
    sources = (
        (write_enhanced(volume, tmp_path / "e.dcm"),) if is_enhanced else write_series(volume, tmp_path / "series")
    )
    seg = written(empty, sources, tmp_path / "mask.seg.dcm")
    validate(seg)
    made = pydicom.dcmread(seg)
    assert made.NumberOfFrames == len(mask.table) == len(made.SegmentSequence)
    again = read_seg(seg, volume=volume)
    assert again.present == ()
    assert again.table == mask.table


def test_a_structure_that_was_not_found_is_named_and_has_no_frame(
    tmp_path: Path, validate: Callable[[Path], None]
) -> None:
    volume, mask = Body().sample(GRID, SHAPE)
    without = replace(mask, labels=np.where(mask.labels == 2, 0, mask.labels))
    seg = written(without, write_series(volume, tmp_path / "series"), tmp_path / "mask.seg.dcm")
    validate(seg)
    again = read_seg(seg, volume=volume)
    assert again.present == (1, 3, 4, 5)
    assert again.table == mask.table


def test_more_structures_than_a_byte_can_count(tmp_path: Path, validate: Callable[[Path], None]) -> None:
    shape = (2, 20, 24)
    grid = axis_grid("SPL", shape=shape, spacing_mm=(5.0, 3.0, 3.0))
    volume, _ = Body().sample(grid, shape)
    labels = np.zeros(shape, dtype=np.uint16)
    labels[0].flat[:300] = np.arange(1, 301)
    table = LabelTable(labels=tuple(Label(value=n, name=f"structure {n}") for n in range(1, 301)))
    mask = Mask(labels=labels, affine=grid, table=table)
    seg = written(mask, write_series(volume, tmp_path / "series"), tmp_path / "mask.seg.dcm")
    validate(seg)
    assert np.array_equal(read_seg(seg, volume=volume).labels, labels)


def test_voxels_to_ignore_are_not_written(tmp_path: Path) -> None:
    volume, mask = Body().sample(GRID, SHAPE)
    labels = np.where(mask.labels == 5, 255, mask.labels)
    table = LabelTable(labels=mask.table.labels[:4], ignore=255)
    ignored = Mask(labels=labels, affine=GRID, table=table)
    seg = written(ignored, write_series(volume, tmp_path / "series"), tmp_path / "mask.seg.dcm")
    assert read_seg(seg, volume=volume).present == (1, 2, 3, 4)


def test_a_mask_on_its_tilted_series_is_right_and_on_the_upright_one_refused(tmp_path: Path) -> None:
    leaning = tilted(GRID, degrees=15)
    volume, mask = Body().sample(leaning, SHAPE)
    sources = write_series(volume, tmp_path / "series")
    seg = written(mask, sources, tmp_path / "mask.seg.dcm")
    assert np.array_equal(read_seg(seg, volume=volume).labels, mask.labels)

    straight = load(scan(tmp_path / "series").series[0], accept=("tilt",))
    _, upright = Body().sample(straight.affine, straight.shape)
    target = tmp_path / "upright.seg.dcm"
    with pytest.raises(GridError, match=r"resampled back, or written as NIfTI"):
        written(upright, sources, target)
    assert not target.exists()


def test_a_mask_of_another_spacing_is_refused_in_mm(tmp_path: Path) -> None:
    volume, mask = Body().sample(GRID, SHAPE)
    affine, shape = spaced(GRID, shape=SHAPE, spacing_mm=(3.0, 3.2, 3.0))
    finer = resample_mask(mask, affine=affine, shape=shape)
    with pytest.raises(GridError, match=r"lies \d+\.\d\d mm off"):
        written(finer, write_series(volume, tmp_path / "series"), tmp_path / "mask.seg.dcm")


def test_a_structure_in_a_slice_that_the_series_lacks_is_refused(tmp_path: Path) -> None:
    volume, mask = Body().sample(GRID, SHAPE)
    sources = write_series(volume, tmp_path / "series", leave_out=(6,))
    lost = int(np.count_nonzero(mask.labels[6]))
    with pytest.raises(GridError, match=f"{lost} labelled voxels of the mask lie in no slice"):
        written(mask, sources, tmp_path / "mask.seg.dcm")


def test_slices_a_little_off_their_place_keep_their_own(tmp_path: Path) -> None:
    volume, mask = Body().sample(GRID, SHAPE)
    sources = write_series(volume, tmp_path / "series")
    for number, path in enumerate(sources):
        file = pydicom.dcmread(path)
        file.ImagePositionPatient[2] += 0.2 * (-1) ** number
        file.save_as(path)
    loaded = load(scan(tmp_path / "series").series[0])
    again = read_seg(written(mask, sources, tmp_path / "mask.seg.dcm"), volume=loaded)
    assert np.array_equal(again.labels, mask.labels)


def test_headers_that_leave_things_out_are_mended_in_the_object_only(
    tmp_path: Path, validate: Callable[[Path], None]
) -> None:
    volume, mask = Body().sample(GRID, SHAPE)
    sources = write_series(volume, tmp_path / "series")
    for path in sources:
        file = pydicom.dcmread(path)
        for keyword in ("StudyID", "AccessionNumber", "PatientBirthDate", "FrameOfReferenceUID", "SliceThickness"):
            del file[keyword]
        file.save_as(path)
    seg = written(mask, sources, tmp_path / "mask.seg.dcm")
    validate(seg)
    assert "StudyID" not in pydicom.dcmread(sources[0])


def test_sources_of_two_series_or_without_a_place_are_refused(tmp_path: Path) -> None:
    volume, mask = Body().sample(GRID, SHAPE)
    sources = write_series(volume, tmp_path / "one")
    others = write_series(volume, tmp_path / "two", header=Header(number=2))
    with pytest.raises(SeriesError, match="one series"):
        written(mask, (*sources, *others), tmp_path / "mask.seg.dcm")
    with pytest.raises(SeriesError, match="none was given"):
        written(mask, (), tmp_path / "mask.seg.dcm")
    flat = pydicom.dcmread(sources[0])
    del flat.ImagePositionPatient
    flat.save_as(sources[0])
    with pytest.raises(SeriesError, match="without a place in the patient"):
        written(mask, sources[:1], tmp_path / "mask.seg.dcm")


def test_a_real_series_can_be_segmented(tmp_path: Path, shared_data: Path, validate: Callable[[Path], None]) -> None:
    (series,) = [
        one
        for one in scan(shared_data / "btp_dicom_4modality" / "Study3" / "11_HCropVolume").series
        if one.shape[0] > 1
    ]
    volume = load(series)
    labels = (volume.voxels > np.percentile(volume.voxels, 90)).astype(np.uint8)
    mask = Mask(labels=labels, affine=volume.affine, table=LabelTable.of("bright"))
    seg = written(mask, series.paths, tmp_path / "mask.seg.dcm")
    validate(seg)
    assert np.array_equal(read_seg(seg, volume=volume).labels, labels)


def test_no_part_of_a_file_is_left_where_the_disk_refuses(tmp_path: Path) -> None:
    volume, mask = Body().sample(GRID, SHAPE)
    sources = write_series(volume, tmp_path / "series")
    target = tmp_path / "mask.seg.dcm"
    target.mkdir()
    with pytest.raises(OSError, match=r"."):
        written(mask, sources, target)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_shifted_source_is_not_taken_for_the_same_grid(tmp_path: Path) -> None:
    volume, mask = Body().sample(GRID, SHAPE)
    matrix = GRID.matrix.copy()
    matrix[2, 3] += 2.0
    moved = Mask(labels=mask.labels, affine=Affine(matrix=matrix), table=mask.table)
    with pytest.raises(GridError, match=r"2\.00 mm off"):
        written(moved, write_series(volume, tmp_path / "series"), tmp_path / "mask.seg.dcm")


@pytest.mark.parametrize("name", ["MR_small_bigendian.dcm", "CT_small.dcm", "eCT_Supplemental.dcm"])
def test_real_files_of_other_encodings_can_be_segmented(
    tmp_path: Path, validate: Callable[[Path], None], name: str
) -> None:
    folder = tmp_path / "series"
    folder.mkdir()
    shutil.copy(get_testdata_file(name), folder / name)
    (series,) = scan(folder).series
    volume = load(series)
    labels = (volume.voxels > np.median(volume.voxels)).astype(np.uint8)
    mask = Mask(labels=labels, affine=volume.affine, table=LabelTable.of("bright"))
    seg = written(mask, series.paths, tmp_path / "mask.seg.dcm")
    validate(seg)
    assert np.array_equal(read_seg(seg, volume=volume).labels, labels)


def test_each_of_two_time_points_in_one_file_can_be_segmented(tmp_path: Path) -> None:
    volume, mask = Body().sample(GRID, SHAPE)
    path = write_enhanced(volume, tmp_path / "series" / "dynamic.dcm")
    file = pydicom.dcmread(path)
    frames = [copy.deepcopy(frame) for _ in range(2) for frame in file.PerFrameFunctionalGroupsSequence]
    for number, frame in enumerate(frames):
        frame.FrameContentSequence[0].TemporalPositionIndex = number // SHAPE[0] + 1
    file.PerFrameFunctionalGroupsSequence = frames
    file.NumberOfFrames, file.PixelData = 2 * SHAPE[0], file.PixelData * 2
    file.save_as(path)
    both = scan(tmp_path / "series").series
    assert len(both) == 2
    for series in both:
        seg = written(mask, series.paths, tmp_path / "mask.seg.dcm")
        assert np.array_equal(read_seg(seg, volume=load(series)).labels, mask.labels)
