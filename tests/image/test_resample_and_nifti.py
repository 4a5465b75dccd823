"""Values on another grid, and NIfTI files."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from isocenter.errors import FileError, InputError
from isocenter.image import (
    Affine,
    LabelTable,
    Mask,
    Volume,
    read_nifti,
    read_nifti_mask,
    resample_mask,
    resample_volume,
    spaced,
    write_nifti,
)

TABLE = LabelTable.of("ball", "shell")
GRID = Affine.from_parts(origin=(-20, 5, 100), directions=np.eye(3)[:, ::-1], spacing=(2.0, 1.0, 1.5))


def ball() -> Mask:
    index = np.indices((24, 40, 30)).reshape(3, -1).T
    far = np.linalg.norm(GRID.to_world(index) - GRID.to_world((12, 20, 15)), axis=1).reshape(24, 40, 30)
    return Mask(labels=np.where(far < 10, 1, np.where(far < 15, 2, 0)), affine=GRID, table=TABLE)


def oblique() -> Affine:
    turn = np.radians(20)
    rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    return Affine.from_parts(origin=(-30, 0, 95), directions=rotation @ GRID.directions, spacing=(1.0, 1.0, 1.0))


def test_a_ramp_stays_a_ramp_on_an_oblique_grid() -> None:
    index = np.indices((24, 40, 30)).reshape(3, -1).T
    slope = GRID.to_world(index) @ (0.5, -0.25, 1.0)
    volume = Volume(voxels=slope.reshape(24, 40, 30).astype(np.float32), affine=GRID)
    there = resample_volume(volume, affine=oblique(), shape=(60, 60, 60), fill=0.0)
    inside = np.indices((60, 60, 60)).reshape(3, -1).T
    position = oblique().to_world(inside)
    back = GRID.to_index(position)
    within = ((back > 0.01) & (back < np.array([23, 39, 29]) - 0.01)).all(axis=1)
    # 1e-3: linear interpolation is exact on a ramp; float32 carries 1e-5 of values up to 150
    assert np.abs(there.voxels.reshape(-1)[within] - (position @ (0.5, -0.25, 1.0))[within]).max() < 1e-3
    assert within.sum() > 10_000


def test_a_ball_keeps_its_volume_and_place_on_another_grid() -> None:
    mask = ball()
    there = resample_mask(mask, affine=oblique(), shape=(60, 60, 60))
    # 3 %: a surface of about 1250 mm2 cut by voxels of 1 to 2 mm
    assert there.volume_ml("ball") == pytest.approx(mask.volume_ml("ball"), rel=0.03)
    centre = there.affine.to_world(np.argwhere(there.binary("ball")).mean(axis=0))
    assert np.allclose(centre, GRID.to_world((12, 20, 15)), atol=0.15)


def test_resampling_onto_its_own_grid_changes_nothing() -> None:
    mask = ball()
    assert np.array_equal(resample_mask(mask, affine=GRID, shape=mask.shape).labels, mask.labels)


def test_a_new_spacing_covers_the_same_box() -> None:
    grid, shape = spaced(GRID, shape=(24, 40, 30), spacing_mm=(1.0, 2.0, 0.5))
    assert shape == (48, 20, 90)
    assert np.allclose(grid.to_world((-0.5, -0.5, -0.5)), GRID.to_world((-0.5, -0.5, -0.5)))
    assert np.allclose(grid.to_world((47.5, 19.5, 89.5)), GRID.to_world((23.5, 39.5, 29.5)))


def test_nifti_there_and_back_is_the_same_voxels_in_the_same_place(tmp_path: Path) -> None:
    volume = Volume(voxels=np.random.default_rng(0).normal(size=(4, 5, 6)).astype(np.float32), affine=oblique())
    write_nifti(volume, tmp_path / "a.nii.gz")
    back = read_nifti(tmp_path / "a.nii.gz")
    assert np.array_equal(back.voxels, volume.voxels)
    # 1e-2 mm: the header keeps float32
    assert back.affine.is_close(volume.affine, shape=volume.shape, tolerance_mm=1e-2)
    assert [path.name for path in tmp_path.iterdir()] == ["a.nii.gz"]


def test_another_reader_finds_our_nifti_in_the_same_place(tmp_path: Path) -> None:
    mask = ball()
    write_nifti(mask, tmp_path / "m.nii.gz")
    other = sitk.ReadImage(str(tmp_path / "m.nii.gz"))
    assert np.array_equal(sitk.GetArrayFromImage(other), mask.labels)
    assert np.allclose(other.TransformIndexToPhysicalPoint((3, 2, 1)), mask.affine.to_world((1, 2, 3)), atol=1e-3)


def test_the_same_mask_is_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.nii.gz", "b.nii.gz"):
        write_nifti(ball(), tmp_path / name)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


def test_a_file_of_unknown_size_claims_no_millimetres(tmp_path: Path) -> None:
    picture = Volume(voxels=np.zeros((1, 4, 4)), affine=Affine(matrix=np.eye(4)), is_planar=True, has_size=False)
    mask = Mask(labels=np.zeros((1, 4, 4), np.uint8), affine=picture.affine, table=LabelTable.of("disc"))
    write_nifti(picture, tmp_path / "picture.nii")
    write_nifti(mask, tmp_path / "mask.nii", has_size=False)
    write_nifti(mask, tmp_path / "sized.nii")
    units = [
        nibabel.load(tmp_path / name).header.get_xyzt_units()[0] for name in ("picture.nii", "mask.nii", "sized.nii")
    ]
    assert units == ["unknown", "unknown", "mm"]
    back = read_nifti_mask(tmp_path / "mask.nii", table=mask.table)
    assert back.affine.is_close(mask.affine, shape=mask.shape)


def test_slope_and_intercept_are_applied(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(np.arange(8, dtype=np.int16).reshape(2, 2, 2), np.eye(4))
    image.header.set_slope_inter(2.0, -5.0)
    nibabel.save(image, tmp_path / "s.nii")
    voxels = read_nifti(tmp_path / "s.nii").voxels
    raw = np.asarray(nibabel.load(tmp_path / "s.nii").get_fdata()).transpose(2, 1, 0)
    assert np.allclose(voxels, raw)


@pytest.mark.parametrize("keep", [0, 10, 200, 400])
def test_a_truncated_file_is_named(tmp_path: Path, keep: int) -> None:
    write_nifti(ball(), tmp_path / "m.nii.gz")
    whole = (tmp_path / "m.nii.gz").read_bytes()
    (tmp_path / "m.nii.gz").write_bytes(whole[:keep])
    with pytest.raises(FileError, match=r"m\.nii\.gz"):
        read_nifti_mask(tmp_path / "m.nii.gz", table=TABLE)


def test_a_four_dimensional_file_is_refused_in_words(tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti1Image(np.zeros((3, 3, 3, 2), dtype=np.float32), np.eye(4)), tmp_path / "t.nii")
    with pytest.raises(InputError, match="three axes"):
        read_nifti(tmp_path / "t.nii")


def test_nan_is_counted_and_named(tmp_path: Path) -> None:
    voxels = np.zeros((3, 3, 3), dtype=np.float32)
    voxels[1, 1, 1] = np.nan
    nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), tmp_path / "n.nii")
    with pytest.raises(InputError, match=r"n\.nii: 1 of 27"):
        read_nifti(tmp_path / "n.nii")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        read_nifti(tmp_path / "missing.nii")


def test_a_file_that_does_not_say_which_side_is_left_is_refused(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(np.zeros((3, 3, 3), dtype=np.int16), None)
    nibabel.save(image, tmp_path / "guess.nii")
    with pytest.raises(FileError, match="which side is left"):
        read_nifti(tmp_path / "guess.nii")


def test_two_forms_that_mirror_each_other_are_refused(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(np.zeros((3, 3, 3), dtype=np.int16), np.eye(4))
    image.set_sform(np.diag([-1.0, 1, 1, 1]), code=1)
    image.set_qform(np.eye(4), code=1)
    nibabel.save(image, tmp_path / "two.nii")
    with pytest.raises(FileError, match="mirrors"):
        read_nifti(tmp_path / "two.nii")


def test_microns_become_millimetres(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(np.zeros((3, 3, 3), dtype=np.int16), np.diag([500.0, 500.0, 2000.0, 1.0]))
    image.header.set_xyzt_units("micron")
    nibabel.save(image, tmp_path / "small.nii")
    assert read_nifti(tmp_path / "small.nii").spacing == pytest.approx((2.0, 0.5, 0.5))


def test_three_slices_can_be_made_coarser() -> None:
    volume = Volume(voxels=np.ones((3, 8, 8), dtype=np.float32), affine=GRID)
    grid, shape = spaced(GRID, shape=(3, 8, 8), spacing_mm=(6.0, 1.0, 1.5))
    assert np.allclose(
        resample_volume(volume, affine=grid, shape=shape).voxels, 1.0, atol=1e-4
    )  # a blur keeps a flat field
