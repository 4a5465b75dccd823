"""Segmentations of other writers, of every type, and on other grids than their image's."""

import subprocess
import sys
from pathlib import Path

import highdicom
import numpy as np
import numpy.typing as npt
import pydicom
import pytest
import zstandard
from highdicom.seg import SegmentAlgorithmTypeValues, SegmentDescription
from highdicom.sr.coding import CodedConcept
from pydicom.uid import JPEGLSLossless, RLELossless

from isocenter.dicom import load, scan
from isocenter.dicom.seg import read_seg, write_seg
from isocenter.errors import FileError, GridError, LabelError
from isocenter.image import Affine, Mask, Volume, spaced
from isocenter.testing.phantom import Body, axis_grid, write_series

SHAPE = (12, 22, 24)
GRID = axis_grid("SPL", shape=SHAPE, spacing_mm=(6.0, 3.2, 3.0))


def described(count: int) -> list[SegmentDescription]:
    concept = CodedConcept("123037004", "SCT", "Anatomical Structure")
    return [
        SegmentDescription(n, f"part {n}", concept, concept, SegmentAlgorithmTypeValues.MANUAL)
        for n in range(1, count + 1)
    ]


def made_by_highdicom(folder: Path, pixels: npt.NDArray[np.generic], kind: str, **options: object) -> Path:
    """Return a segmentation of the phantom's series in GRID as highdicom writes it."""
    volume, _ = Body().sample(GRID, SHAPE)
    sources = [pydicom.dcmread(path) for path in write_series(volume, folder / "series")]
    count = pixels.shape[-1] if pixels.ndim == 4 else int(pixels.max())
    made = highdicom.seg.Segmentation(
        sources, pixels, kind, described(count), highdicom.UID(), 2, highdicom.UID(), 1, "m", "m", "1", "1", **options
    )
    path = folder / "other.dcm"
    made.save_as(path)
    return path


def unpacked(path: Path, folder: Path) -> Path:
    """Return a .zst file of the shared data as a plain one."""
    target = folder / path.stem
    with path.open("rb") as packed, target.open("wb") as plain:
        zstandard.ZstdDecompressor().copy_stream(packed, plain)
    return target


@pytest.fixture(scope="module")
def body() -> tuple[Volume, Mask]:
    return Body().sample(GRID, SHAPE)


@pytest.mark.parametrize("syntax", [None, RLELossless, JPEGLSLossless])
def test_a_label_map_is_read(tmp_path: Path, body: tuple[Volume, Mask], syntax: str | None) -> None:
    volume, mask = body
    options = {"transfer_syntax_uid": syntax} if syntax else {}
    path = made_by_highdicom(tmp_path, mask.labels, "LABELMAP", **options)
    again = read_seg(path, volume=volume)
    assert np.array_equal(again.labels, mask.labels)
    assert [label.name for label in again.table] == [f"part {n}" for n in range(1, 6)]


def test_fractions_go_to_the_largest_share_above_the_threshold(tmp_path: Path, body: tuple[Volume, Mask]) -> None:
    volume, _ = body
    shares = np.zeros((*SHAPE, 2))
    shares[5, 3, 2:6, 0] = (0.9, 0.6, 0.45, 0.2)
    shares[5, 3, 2:6, 1] = (0.1, 0.8, 0.45, 0.7)
    path = made_by_highdicom(tmp_path, shares, "FRACTIONAL")
    assert read_seg(path, volume=volume).labels[5, 3, 2:6].tolist() == [1, 2, 0, 2]
    assert read_seg(path, volume=volume, threshold=0.4).labels[5, 3, 2:6].tolist() == [1, 2, 1, 2]


def test_overlapping_segments_are_refused_until_it_is_said_which_wins(
    tmp_path: Path, body: tuple[Volume, Mask]
) -> None:
    volume, _ = body
    layers = np.zeros((*SHAPE, 2), dtype=np.uint8)
    layers[4, 2, 2:8, 0] = 1
    layers[4, 2, 5:10, 1] = 1
    path = made_by_highdicom(tmp_path, layers, "BINARY")
    with pytest.raises(LabelError, match="overlap in 3 voxels"):
        read_seg(path, volume=volume)
    assert read_seg(path, volume=volume, overlap="first").labels[4, 2, 2:10].tolist() == [1, 1, 1, 1, 1, 1, 2, 2]
    assert read_seg(path, volume=volume, overlap="last").labels[4, 2, 2:10].tolist() == [1, 1, 1, 2, 2, 2, 2, 2]


@pytest.mark.parametrize("letters", ["LPS", "RAI", "IAR", "PSL"])
def test_the_mask_lies_on_the_grid_of_its_image_however_that_is_laid(
    tmp_path: Path, body: tuple[Volume, Mask], letters: str
) -> None:
    volume, mask = body
    path = tmp_path / "mask.seg.dcm"
    sources = write_series(volume, tmp_path / "series")
    write_seg(mask, sources=sources, path=path, algorithm="a", version="1")
    again = read_seg(path, volume=volume.oriented(letters))
    assert again.affine.orientation == letters
    assert np.array_equal(again.oriented("SPL").labels, mask.labels)


def test_without_an_image_the_frames_make_the_grid_with_their_gaps(tmp_path: Path, body: tuple[Volume, Mask]) -> None:
    volume, mask = body
    kept = mask.labels.copy()
    kept[5:7] = 0
    path = tmp_path / "mask.seg.dcm"
    gappy = Mask(labels=kept, affine=GRID, table=mask.table)
    write_seg(gappy, sources=write_series(volume, tmp_path / "series"), path=path, algorithm="a", version="1")
    alone = read_seg(path)
    filled = np.flatnonzero(kept.any(axis=(1, 2)))
    assert np.array_equal(alone.labels, kept[filled[0] : filled[-1] + 1])
    assert np.allclose(alone.affine.origin, GRID.to_world((filled[0], 0, 0)))
    assert np.allclose(alone.affine.spacing, GRID.spacing)


def test_a_segmentation_of_another_grid_is_resampled_onto_the_image(tmp_path: Path, body: tuple[Volume, Mask]) -> None:
    volume, mask = body
    path = tmp_path / "mask.seg.dcm"
    write_seg(mask, sources=write_series(volume, tmp_path / "series"), path=path, algorithm="a", version="1")
    affine, shape = spaced(GRID, shape=SHAPE, spacing_mm=(3.0, 1.6, 1.5))
    finer, _ = Body().sample(affine, shape)
    again = read_seg(path, volume=finer)
    assert again.shape == finer.shape
    # 6 %: the same shares cut at one half; the steps of the coarse grid lose their corners
    assert again.volume_ml("liver") == pytest.approx(mask.volume_ml("liver"), rel=0.06)
    for organ in Body().organs:
        centre = again.affine.to_world(np.argwhere(again.binary(organ.name))).mean(axis=0)
        # 2 mm: a third of the coarse grid's slice step
        assert np.linalg.norm(centre - organ.centre) < 2.0


def test_a_segmentation_of_another_place_is_refused(tmp_path: Path, body: tuple[Volume, Mask]) -> None:
    volume, mask = body
    path = tmp_path / "mask.seg.dcm"
    write_seg(mask, sources=write_series(volume, tmp_path / "series"), path=path, algorithm="a", version="1")
    for by in (6.0 * 8, 500.0):  # a whole number of slices, and far between them
        matrix = GRID.matrix.copy()
        matrix[2, 3] += by
        elsewhere = Volume(voxels=volume.voxels, affine=Affine(matrix=matrix))
        with pytest.raises(GridError, match="segmentation of another series"):
            read_seg(path, volume=elsewhere)


def test_what_is_no_segmentation_is_refused(tmp_path: Path, body: tuple[Volume, Mask]) -> None:
    image, *_ = write_series(body[0], tmp_path / "series")
    with pytest.raises(FileError, match="no DICOM segmentation; its modality is CT"):
        read_seg(image)
    text = tmp_path / "note.dcm"
    text.write_text("not DICOM")
    with pytest.raises(FileError, match=r"^note\.dcm: this is no DICOM segmentation; its modality is not said"):
        read_seg(text)
    with pytest.raises(FileError, match="no such file"):
        read_seg(tmp_path / "absent.dcm")


def test_a_truncated_segmentation_is_refused(tmp_path: Path, body: tuple[Volume, Mask]) -> None:
    volume, mask = body
    path = tmp_path / "mask.seg.dcm"
    write_seg(mask, sources=write_series(volume, tmp_path / "series"), path=path, algorithm="a", version="1")
    whole = path.read_bytes()
    for share in (0.3, 0.6, 0.9, 0.99):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(FileError):
            read_seg(path)


@pytest.mark.parametrize("size", ["23x38x3", "24x38x3"])
def test_dcmqi_small_segmentations_lie_on_their_images(tmp_path: Path, shared_data: Path, size: str) -> None:
    folder = shared_data / "dicom_codecs" / "dcmqi" / "segmentations" / size
    series_folder = tmp_path / "image"
    series_folder.mkdir()
    for path in (folder / "image").iterdir():
        unpacked(path, series_folder)
    volume = load(scan(series_folder).series[0])
    seg = unpacked(folder / "seg" / "label.seg.zst", tmp_path)
    mask = read_seg(seg, volume=volume)
    oracle = highdicom.seg.segread(seg).get_volume(combine_segments=True)
    points = oracle.map_indices_to_reference(np.argwhere(oracle.array))
    ours = mask.affine.to_world(np.argwhere(mask.labels))
    assert len(ours) == len(points) > 300
    # 1e-3 mm: positions written with three decimals
    assert np.allclose(ours.mean(axis=0), points.mean(axis=0), atol=1e-3)
    assert mask.table.labels[0].name == "Liver"


def test_dcmqi_liver_lies_on_its_ct(tmp_path: Path, shared_data: Path) -> None:
    folder = shared_data / "dicom_codecs" / "dcmqi" / "segmentations"
    series_folder = tmp_path / "image"
    series_folder.mkdir()
    for path in (folder / "ct-3slice").iterdir():
        unpacked(path, series_folder)
    volume = load(scan(series_folder).series[0])
    mask = read_seg(unpacked(folder / "liver.dcm.zst", tmp_path), volume=volume)
    inside = volume.voxels[mask.labels > 0]
    assert int((mask.labels > 0).sum()) == 107098
    # a liver without contrast: 45 HU; a mirrored mask takes in stomach, lung and fat, and comes to 12
    assert 35 < np.median(inside) < 60
    overlapping = unpacked(folder / "partial_overlaps.dcm.zst", tmp_path)
    with pytest.raises(LabelError, match="overlap"):
        read_seg(overlapping, volume=volume)
    assert len(read_seg(overlapping, volume=volume, overlap="last").present) == 5


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("seg_image_ct_binary.dcm", 638),
        ("seg_image_ct_binary_fractional.dcm", 638),
        ("seg_image_ct_binary_single_frame.dcm", 1832),
    ],
)
def test_highdicom_objects_are_read_as_highdicom_reads_them(shared_data: Path, name: str, count: int) -> None:
    path = shared_data / "highdicom_files" / "data" / "test_files" / name
    mask = read_seg(path)
    oracle = highdicom.seg.segread(path)
    # one frame per slice and one segment: the decoded frames are the slices, in either order
    frames = np.asarray(oracle.pixel_array).reshape(-1, *mask.shape[1:]) > 0
    assert count == int((mask.labels > 0).sum()) == int(frames.sum())


@pytest.mark.parametrize(
    "name", ["seg_image_cr_binary.dcm", "seg_image_sm_control.dcm", "seg_image_sm_control_labelmap.dcm"]
)
def test_a_segmentation_without_a_place_in_a_patient_is_refused_by_name(shared_data: Path, name: str) -> None:
    with pytest.raises(GridError, match=f"{name}.*without a place in a patient"):
        read_seg(shared_data / "highdicom_files" / "data" / "test_files" / name)


def test_reading_does_not_load_the_writer() -> None:
    code = "import sys; from isocenter.dicom.seg import read_seg; sys.exit('highdicom' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
