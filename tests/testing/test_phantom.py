"""The phantom is what the orientation wall stands on: it must be right itself."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from isocenter.errors import InputError, LabelError
from isocenter.testing.phantom import (
    AXIS_ORIENTATIONS,
    Body,
    Header,
    axis_grid,
    oblique_directions,
    tilted,
    write_enhanced,
    write_series,
)

SHAPE, SPACING = (40, 56, 72), (2.0, 1.0, 1.0)


def test_there_are_48_ways_to_lay_three_axes() -> None:
    assert len(set(AXIS_ORIENTATIONS)) == 48


def test_sampled_organs_have_their_analytic_volume_and_centre() -> None:
    body = Body()
    _, mask = body.sample(axis_grid("SPL", shape=(80, 56, 72), spacing_mm=(1, 1, 1)), (80, 56, 72))
    for organ in body.organs:
        # 3 %: an ellipsoid of 5 mm half axis on a 1 mm grid; the error falls with the surface's share
        assert mask.volume_ml(organ.name) == pytest.approx(organ.volume_ml, rel=0.03)
        centre = mask.affine.to_world(np.argwhere(mask.binary(organ.name))).mean(axis=0)
        # 0.1 mm: the grid is symmetric about no organ, so the centre is off by less than a tenth of a voxel
        assert np.abs(centre - organ.centre).max() < 0.1


def test_no_two_organs_of_any_patient_overlap() -> None:
    body = Body().varied(np.random.default_rng(5))
    points = axis_grid("SPL", shape=(80, 56, 72), spacing_mm=(1, 1, 1)).to_world(
        np.stack(np.indices((80, 56, 72)), axis=-1)
    )
    assert sum(organ.holds(points).astype(int) for organ in body.organs).max() == 1


def test_the_liver_lies_right_the_spleen_left_the_heart_above() -> None:
    body = Body()
    assert body.organ("liver").centre[0] < 0 < body.organ("spleen").centre[0]
    assert body.organ("bladder").centre[2] < 0 < body.organ("heart").centre[2]
    with pytest.raises(LabelError, match="no 'kidney'"):
        body.organ("kidney")


@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_simpleitk_reads_a_written_series_as_the_same_volume(tmp_path: Path, modality: str) -> None:
    affine = axis_grid("SPL", shape=SHAPE, spacing_mm=SPACING, centre=(3, -20, 100))
    volume, _ = Body().moved((3, -20, 100)).sample(affine, SHAPE, modality=modality)
    paths = write_series(volume, tmp_path)
    image = sitk.ReadImage([str(path) for path in paths])
    assert np.array_equal(sitk.GetArrayFromImage(image), volume.voxels)
    assert np.allclose(image.GetOrigin(), affine.origin)
    assert np.allclose(image.GetSpacing(), affine.spacing[::-1])


def test_an_oblique_position_survives_its_decimal_string(tmp_path: Path) -> None:
    directions = oblique_directions(np.random.default_rng(1))
    assert np.allclose(directions.T @ directions, np.eye(3))
    affine = axis_grid("SPL", shape=(3, 8, 9), spacing_mm=(1, 1, 1))
    affine = type(affine).from_parts(origin=(-1.23456789012, 2, 3), directions=directions, spacing=(2, 1, 1))
    volume, _ = Body().sample(affine, (3, 8, 9))
    last = pydicom.dcmread(write_series(volume, tmp_path)[-1])
    # 1e-9 mm: a decimal string has 16 characters
    assert np.allclose(last.ImagePositionPatient, affine.to_world((2, 0, 0)), atol=1e-9)


def test_a_hole_a_swap_and_a_tilt_are_written_as_asked(tmp_path: Path) -> None:
    affine = axis_grid("SPL", shape=(5, 8, 9), spacing_mm=(2, 1, 1))
    volume, _ = Body().sample(tilted(affine, degrees=15), (5, 8, 9))
    paths = write_series(volume, tmp_path, leave_out=(2,), order=(1, 0, 2, 3, 4))
    positions = [pydicom.dcmread(path).ImagePositionPatient for path in paths]
    assert [path.name for path in paths] == ["000001.dcm", "000000.dcm", "000003.dcm", "000004.dcm"]
    steps = np.diff(np.asarray(positions, dtype=float), axis=0)
    assert np.allclose(steps[:, 2], (2, 4, 2))
    assert np.allclose(np.degrees(np.arctan2(steps[:, 1], steps[:, 2])), 15)


def test_a_chinese_name_is_kept_in_its_character_set(tmp_path: Path) -> None:
    volume, _ = Body().sample(axis_grid("SPL", shape=(1, 8, 9), spacing_mm=(2, 1, 1)), (1, 8, 9))
    header = Header(name="Canary^Yellow=金丝雀", charset="GB18030")
    (path,) = write_series(volume, tmp_path, header=header)
    assert "金丝雀".encode("gb18030") in path.read_bytes()
    assert pydicom.dcmread(path).PatientName.ideographic == "金丝雀"


@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_an_enhanced_file_holds_one_frame_a_slice(tmp_path: Path, modality: str) -> None:
    volume, _ = Body().sample(axis_grid("SPL", shape=(4, 8, 9), spacing_mm=(2, 1, 1)), (4, 8, 9), modality=modality)
    made = pydicom.dcmread(write_enhanced(volume, tmp_path / "enhanced.dcm"))
    offset = 1024 if modality == "CT" else 0
    assert np.array_equal(made.pixel_array.astype(int) - offset, volume.voxels)
    assert len(made.PerFrameFunctionalGroupsSequence) == 4


def test_fractions_are_refused(tmp_path: Path) -> None:
    volume, _ = Body().sample(axis_grid("SPL", shape=(2, 8, 9), spacing_mm=(2, 1, 1)), (2, 8, 9))
    half = type(volume)(voxels=volume.voxels + 0.5, affine=volume.affine, modality="CT")
    with pytest.raises(InputError, match="whole numbers"):
        write_series(half, tmp_path)
