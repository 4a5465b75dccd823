"""However a series is stored, what is found lies where it lies: the side, the place and the size of each organ.

phantom -> DICOM series -> volume -> mask -> our SEG -> decoded again by highdicom and by SimpleITK, neither of
which knows a line of ours.
"""

from pathlib import Path

import highdicom
import numpy as np
import numpy.typing as npt
import pydicom
import pytest
import SimpleITK as sitk

from isocenter.dicom import load, scan
from isocenter.dicom.seg import write_seg
from isocenter.image import Affine, Mask
from isocenter.testing.phantom import AXIS_ORIENTATIONS, Body, axis_grid, centred_grid, oblique_directions, write_series

# Three lengths and three steps, so that swapped axes cannot pass for each other. Rows x columns is a multiple of 8:
# GDCM, inside SimpleITK 2.5, leaves the last count % 8 pixels of bit-packed data to chance.
SHAPE = (21, 22, 24)
SPACING_MM = (3.5, 3.2, 3.0)
CENTRE = (12.0, -31.0, 155.0)
CENTROID_MM = 0.1  # the limit; the same voxels are expected, so what is left is decimal strings
BODY = Body().moved(CENTRE)
ORGANS = [organ.name for organ in BODY.organs]

Points = npt.NDArray[np.float64]


def grids() -> list[object]:
    """All 48 axis orientations and 20 oblique ones, every other one left-handed."""
    straight = [
        pytest.param(axis_grid(letters, shape=SHAPE, spacing_mm=SPACING_MM, centre=CENTRE), id=letters)
        for letters in AXIS_ORIENTATIONS
    ]
    rng = np.random.default_rng(20260101)
    oblique = [
        pytest.param(
            centred_grid(oblique_directions(rng), shape=SHAPE, spacing_mm=SPACING_MM, centre=CENTRE), id=f"oblique{n}"
        )
        for n in range(20)
    ]
    return [*straight, *oblique]


def by_highdicom(path: Path) -> dict[str, Points]:
    """Return the LPS positions of each structure's voxels, as highdicom sees them."""
    read = highdicom.seg.segread(path)
    volume = read.get_volume(combine_segments=True)
    names = {n: read.get_segment_description(n).segment_label for n in read.segment_numbers}
    return {
        name: volume.map_indices_to_reference(np.argwhere(volume.array == number)) for number, name in names.items()
    }


def by_simpleitk(path: Path) -> dict[str, Points]:
    """Return the same by SimpleITK's decoder; each frame is placed by its own attributes (PS3.3 C.7.6.2.1.1)."""
    frames = sitk.GetArrayFromImage(sitk.ReadImage(path))
    said = pydicom.dcmread(path, stop_before_pixels=True)
    shared = said.SharedFunctionalGroupsSequence[0]
    cosines = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, dtype=float)
    down, across = (float(step) for step in shared.PixelMeasuresSequence[0].PixelSpacing)
    found: dict[str, list[Points]] = {str(item.SegmentLabel): [] for item in said.SegmentSequence}
    for frame, group in zip(frames, said.PerFrameFunctionalGroupsSequence, strict=True):
        number = group.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        rows, columns = np.nonzero(frame)
        origin = np.array(group.PlanePositionSequence[0].ImagePositionPatient, dtype=float)
        points = origin + np.outer(columns * across, cosines[:3]) + np.outer(rows * down, cosines[3:])
        found[str(said.SegmentSequence[number - 1].SegmentLabel)].append(points)
    return {name: np.concatenate(points) for name, points in found.items()}


def require_same(found: dict[str, Points], mask: Mask) -> None:
    assert list(found) == ORGANS
    for organ in BODY.organs:
        wanted = mask.affine.to_world(np.argwhere(mask.binary(organ.name)))
        assert abs(len(found[organ.name]) - len(wanted)) <= 1
        centroid = found[organ.name].mean(axis=0)
        assert np.linalg.norm(centroid - wanted.mean(axis=0)) <= CENTROID_MM
        # 2 mm: less than a voxel; how far sampling moves the middle of a spine that is three voxels across
        assert np.linalg.norm(centroid - organ.centre) < 2.0


@pytest.mark.parametrize("affine", grids())
def test_every_organ_is_found_on_its_side_and_in_its_place(tmp_path: Path, affine: Affine) -> None:
    stored, _ = BODY.sample(affine, SHAPE)
    write_series(stored, tmp_path / "series")
    (series,) = scan(tmp_path / "series").series
    volume = load(series)
    again, mask = BODY.sample(volume.affine, volume.shape)
    assert np.array_equal(again.voxels, volume.voxels), "the loaded volume shows the body elsewhere than it lies"

    seg = tmp_path / "mask.seg.dcm"
    checks = write_seg(mask, sources=series.paths, path=seg, algorithm="phantom", version="1")
    assert all(check.held for check in checks)
    require_same(by_highdicom(seg), mask)
    require_same(by_simpleitk(seg), mask)


@pytest.mark.parametrize("affine", grids()[::5])
def test_simpleitk_alone_finds_the_liver_where_it_lies(tmp_path: Path, affine: Affine) -> None:
    stored, _ = BODY.sample(affine, SHAPE)
    paths = write_series(stored, tmp_path / "series")
    _, mask = BODY.only("liver").sample(affine, SHAPE)
    seg = tmp_path / "mask.seg.dcm"
    write_seg(mask, sources=paths, path=seg, algorithm="phantom", version="1")
    image = sitk.ReadImage(seg)
    places = np.argwhere(sitk.GetArrayFromImage(image)) + 0.0
    points = np.array([image.TransformContinuousIndexToPhysicalPoint(place[::-1].tolist()) for place in places])
    wanted = mask.affine.to_world(np.argwhere(mask.labels))
    assert abs(len(points) - len(wanted)) <= 1
    assert np.linalg.norm(points.mean(axis=0) - wanted.mean(axis=0)) <= CENTROID_MM


@pytest.mark.parametrize("letters", AXIS_ORIENTATIONS[::7])
def test_a_mask_laid_along_other_axes_than_its_series_makes_the_same_object(tmp_path: Path, letters: str) -> None:
    affine = axis_grid("SPL", shape=SHAPE, spacing_mm=SPACING_MM, centre=CENTRE)
    stored, mask = BODY.sample(affine, SHAPE)
    paths = write_series(stored, tmp_path / "series")
    seg = tmp_path / "mask.seg.dcm"
    write_seg(mask.oriented(letters), sources=paths, path=seg, algorithm="phantom", version="1")
    require_same(by_highdicom(seg), mask)
