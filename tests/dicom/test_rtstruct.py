"""Structure sets: real ones against their published masks, made ones against what was drawn."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from isocenter.dicom.structures.rtstruct import read_rtstruct
from isocenter.errors import FileError, GridError, LabelError
from isocenter.image import Affine, LabelTable, Volume, read_nifti, read_nifti_mask
from isocenter.testing.phantom import Body, Header, axis_grid, centred_grid, oblique_directions, write_series
from isocenter.testing.phantom.header import begin

SHAPE = (12, 40, 44)
STRAIGHT = axis_grid("SPL", shape=SHAPE, spacing_mm=(6.0, 1.7, 1.6))

Points = npt.NDArray[np.float64]


def picture(affine: Affine) -> Volume:
    return Volume(voxels=np.zeros(SHAPE, dtype=np.int16), affine=affine)


def drawn(path: Path, structures: dict[str, list[Points]], kind: str = "CLOSED_PLANAR") -> Path:
    """Write a structure set of contours (points, 3) in LPS mm."""
    made: FileDataset = begin(Header(), sop_class=generate_uid(), modality="RTSTRUCT", instance=path.name)
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SOPClassUID = "1.2.840.10008.5.1.4.1.1.481.3"
    made.StructureSetROISequence, made.ROIContourSequence = [], []
    for number, (name, contours) in enumerate(structures.items(), 1):
        region, shape = Dataset(), Dataset()
        region.ROINumber, region.ROIName = number, name
        shape.ReferencedROINumber, shape.ROIDisplayColor, shape.ContourSequence = number, [10, 20, 30 + number], []
        for contour in contours:
            item = Dataset()
            item.ContourGeometricType, item.NumberOfContourPoints = kind, len(contour)
            item.ContourData = [f"{value:.6f}" for value in contour.ravel()]
            shape.ContourSequence.append(item)
        made.StructureSetROISequence.append(region)
        made.ROIContourSequence.append(shape)
    made.save_as(path, enforce_file_format=True)
    return path


def loop(affine: Affine, *, level: float, low: float, high: float) -> Points:
    """Return a square in slice `level`, from row and column `low` to `high`, in LPS mm."""
    corners = [(level, low, low), (level, low, high), (level, high, high), (level, high, low)]
    return affine.to_world(corners)


@pytest.mark.parametrize("modality", ["CT", "MR_T1", "PET"])
def test_a_real_structure_set_equals_its_published_mask(shared_data: Path, modality: str) -> None:
    folder = shared_data / "ibsi_sts"
    volume = read_nifti(folder / "nifti" / "STS_025" / f"{modality}_image.nii.gz")
    published = read_nifti_mask(
        folder / "nifti" / "STS_025" / f"{modality}_mask.nii.gz", table=LabelTable.of("GTV_Mass")
    )
    path = folder / "dicom" / "STS_025" / modality / "mask" / "RS.dcm"
    mask = read_rtstruct(path, volume=volume)
    assert np.array_equal(mask.labels > 0, published.labels > 0)
    assert mask.table.labels[0].name.startswith("GTV_Mass")
    turned = read_rtstruct(path, volume=volume.oriented("PIR"))
    assert np.array_equal(turned.oriented(volume.affine.orientation).labels, mask.labels)


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_a_hole_is_left_open_also_on_an_oblique_grid(tmp_path: Path, seed: int | None) -> None:
    affine = STRAIGHT
    if seed is not None:
        directions = oblique_directions(np.random.default_rng(seed))
        affine = centred_grid(directions, shape=SHAPE, spacing_mm=(6.0, 1.7, 1.6))
    contours = [loop(affine, level=4, low=9.5, high=19.5), loop(affine, level=4, low=12.5, high=16.5)]
    mask = read_rtstruct(drawn(tmp_path / "rs.dcm", {"ring": contours}), volume=picture(affine))
    assert mask.labels.sum() == 100 - 16
    assert not mask.labels[4, 13:17, 13:17].any()
    assert mask.labels[4, 10, 10] == 1
    assert mask.table.labels[0].colour == (10, 20, 31)


def test_contours_of_the_phantom_give_its_mask_back(tmp_path: Path) -> None:
    body = Body()
    volume, mask = body.sample(STRAIGHT, SHAPE)
    turn = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    structures = {}
    for organ in body.organs:
        levels = STRAIGHT.to_world([(level, 0, 0) for level in range(SHAPE[0])])[:, 2]
        structures[organ.name] = []
        for z in levels:
            share = 1 - ((z - organ.centre[2]) / organ.radii[2]) ** 2
            if share > 0:
                x = organ.centre[0] + organ.radii[0] * np.sqrt(share) * np.cos(turn)
                y = organ.centre[1] + organ.radii[1] * np.sqrt(share) * np.sin(turn)
                structures[organ.name].append(np.stack([x, y, np.full_like(x, z)], axis=1))
    again = read_rtstruct(drawn(tmp_path / "rs.dcm", structures), volume=volume)
    assert [label.name for label in again.table] == [organ.name for organ in body.organs]
    # a polygon of 720 corners lies within 0.0005 mm of its ellipse; a centre on the very rim may fall either way
    assert np.count_nonzero(again.labels != mask.labels) <= 4


def test_overlapping_structures_are_refused_until_it_is_said_what_is_wanted(tmp_path: Path) -> None:
    outer, inner = loop(STRAIGHT, level=3, low=9.5, high=19.5), loop(STRAIGHT, level=3, low=12.5, high=16.5)
    path = drawn(tmp_path / "rs.dcm", {"body": [outer], "tumour": [inner]})
    volume = picture(STRAIGHT)
    with pytest.raises(LabelError, match="overlap in 16 voxels"):
        read_rtstruct(path, volume=volume)
    assert read_rtstruct(path, volume=volume, overlap="first").present == (1,)
    last = read_rtstruct(path, volume=volume, overlap="last")
    assert (int((last.labels == 1).sum()), int((last.labels == 2).sum())) == (84, 16)
    alone = read_rtstruct(path, volume=volume, only=("tumour",))
    assert [label.name for label in alone.table] == ["tumour"]
    assert alone.labels.sum() == 16
    with pytest.raises(LabelError, match="no area named lung"):
        read_rtstruct(path, volume=volume, only=("lung",))


@pytest.mark.parametrize(
    ("contour", "said"),
    [
        (loop(STRAIGHT, level=3.5, low=9.5, high=19.5), r"3\.00 mm beside the nearest slice"),
        (loop(STRAIGHT, level=99, low=9.5, high=19.5), "outside the image"),
        (STRAIGHT.to_world([(1, 5, 5), (3, 5, 20), (5, 20, 20), (3, 20, 5)]), "runs through slices"),
    ],
)
def test_a_contour_that_lies_in_no_slice_is_refused_in_mm(tmp_path: Path, contour: Points, said: str) -> None:
    path = drawn(tmp_path / "rs.dcm", {"lung": [contour]})
    with pytest.raises(GridError, match=said):
        read_rtstruct(path, volume=picture(STRAIGHT))


def test_marks_are_no_areas_and_a_set_without_areas_has_no_label(tmp_path: Path) -> None:
    mark = drawn(tmp_path / "mark.dcm", {"iso": [STRAIGHT.to_world([(3, 5, 5)])]}, kind="POINT")
    with pytest.raises(LabelError):
        read_rtstruct(mark, volume=picture(STRAIGHT))
    planned = read_rtstruct(drawn(tmp_path / "planned.dcm", {"heart": []}), volume=picture(STRAIGHT))
    assert [label.name for label in planned.table] == ["heart"]
    assert planned.present == ()


def test_what_is_no_structure_set_is_refused(tmp_path: Path) -> None:
    volume, _ = Body().sample(STRAIGHT, SHAPE)
    image, *_ = write_series(volume, tmp_path / "series")
    with pytest.raises(FileError, match="no structure set; its modality is CT"):
        read_rtstruct(image, volume=volume)
    (tmp_path / "note.dcm").write_text("no DICOM")
    with pytest.raises(FileError, match="no structure set; its modality is not said"):
        read_rtstruct(tmp_path / "note.dcm", volume=volume)
