"""Volumes that lie elsewhere are laid on each other; what cannot be laid on each other is refused by name."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from isocenter.errors import GridError, InputError, RecipeError
from isocenter.image import Affine, Volume, read_nifti, resample_volume, spaced
from isocenter.processing.registration import Reach, Transform, lay, register, write_itk
from isocenter.processing.registration.level import levels_of
from isocenter.processing.registration.linear import Pair
from isocenter.processing.registration.refine import Information
from isocenter.processing.registration.spline import Spline
from tests.processing.registration.bodies import miss_mm, scanned, turned

FAR = turned(40, (30, -25, 30))


@pytest.fixture(scope="module")
def brain(shared_data: Path) -> Volume:
    found = sorted((shared_data / "tcga_lgg_multimodal").rglob("*_t1_bet.nii.gz"))
    whole = replace(read_nifti(found[0]), modality="MR")
    affine, shape = spaced(whole.affine, shape=whole.shape, spacing_mm=(2.0, 2.0, 2.0))
    return resample_volume(whole, affine=affine, shape=shape)  # no test looks at what is finer


def lying(volume: Volume, matrix: np.ndarray) -> Volume:
    there = Affine(matrix=np.linalg.inv(matrix) @ volume.affine.matrix)
    return replace(resample_volume(volume, affine=there, shape=volume.shape), affine=volume.affine)


def test_a_head_turned_by_40_degrees_in_another_modality_is_found_and_believed() -> None:
    one, other = (register(scanned(), scanned(FAR, modality="CT", seed=1)) for _ in range(2))
    assert one.held, one.failed
    assert miss_mm(one.transform, FAR) < 1.0  # of voxels of 4 mm
    assert np.array_equal(one.transform.matrix, other.transform.matrix)  # the same seed, the same bits
    assert one.figures == other.figures


def test_headers_of_two_tables_are_no_hindrance() -> None:
    far = scanned(turned(12, (5, 5, 5)), seed=1)
    matrix = far.affine.matrix.copy()
    matrix[:3, 3] += (2000, -900, 3000)
    fits = Pair.of(
        levels_of(scanned()), levels_of(replace(far, affine=Affine(matrix=matrix))), rng=np.random.default_rng(0)
    ).search(reach=Reach())
    truth = turned(12, (2005, -895, 3005))
    assert miss_mm(Transform(matrix=fits[0].matrix), truth) < 4.0  # on the coarsest grid, of 8 mm


def test_a_real_brain_is_found_within_a_fifth_of_a_millimetre(brain: Volume) -> None:
    about = np.eye(4)
    about[:3, 3] = brain.affine.to_world((np.asarray(brain.shape) - 1) / 2)
    matrix = about @ turned(35, (20, 30, -20)) @ np.linalg.inv(about)
    found = register(brain, lying(brain, matrix))
    assert found.held, found.failed
    places = brain.affine.to_world(np.argwhere(brain.voxels > 100)[::600])
    truly = places @ matrix[:3, :3].T + matrix[:3, 3]
    assert np.linalg.norm(found.transform.places(places) - truly, axis=1).mean() < 0.2


def test_a_mirror_image_of_a_brain_is_refused_as_one(brain: Volume) -> None:
    other = lying(replace(brain, voxels=np.ascontiguousarray(brain.voxels[:, :, ::-1])), turned(10, (5, 5, 5)))
    found = register(brain, other)
    assert not found.held
    assert "mirror" in {figure.name for figure in found.failed}


def test_an_affine_registration_finds_a_stretch() -> None:
    matrix = turned(10, (5, -5, 8)) @ np.diag([1.08, 0.95, 1.05, 1.0])
    found = register(scanned(), scanned(matrix, seed=1), kind="affine")
    assert found.held, found.failed
    assert miss_mm(found.transform, matrix) < 1.0


def test_a_deformable_registration_finds_a_bend_and_can_be_undone(brain: Volume) -> None:
    corners = brain.affine.to_world(np.array([(0, 0, 0), np.asarray(brain.shape) - 1]))
    spline = Spline.over(corners, step_mm=50.0)
    rng = np.random.default_rng(2)
    truth = Transform(matrix=np.eye(4), bends=(replace(spline, controls=rng.normal(0, 6, spline.controls.shape)),))
    bent = lay(brain, brain, truth)  # what is bent here is the fixed volume, so that the truth needs no inverse
    found = register(bent, brain, kind="deformable")
    assert found.held, found.failed
    places = brain.affine.to_world(np.argwhere(bent.voxels > 100)[::600])
    missed = np.linalg.norm(found.transform.places(places) - truth.places(places), axis=1)
    assert missed.mean() < 0.25 * np.linalg.norm(truth.displaced(places), axis=1).mean()
    assert found.transform.jacobian(places).min() > 0
    assert np.abs(found.transform.back(found.transform.places(places)) - places).max() < 0.01


def test_the_derivative_of_the_measure_is_its_slope() -> None:
    fixed, moving = levels_of(scanned()), levels_of(scanned(modality="CT", seed=1))
    pair = Pair.of(fixed, moving, rng=np.random.default_rng(0))
    measure, points = Information.of(fixed[1], moving[1], pair.points[1]), pair.points[1]
    inner = points[(np.abs(points - fixed[1].centre) < 60).all(axis=1)]
    measure = Information.of(fixed[1], moving[1], inner)
    slope = measure.at(inner + 1.3)[1].sum(axis=0)
    for axis, step in enumerate(1e-4 * np.eye(3)):
        by_hand = (measure.at(inner + 1.3 + step)[0] - measure.at(inner + 1.3 - step)[0]) / 2e-4
        assert slope[axis] == pytest.approx(by_hand, rel=0.02, abs=1e-5)  # grey levels have kinks at voxels


def test_itk_reads_a_transform_and_a_bend_as_they_are_meant(tmp_path: Path) -> None:
    fixed = scanned()
    corners = fixed.affine.to_world(np.array([(0, 0, 0), np.asarray(fixed.shape) - 1]))
    spline = Spline.over(corners, step_mm=60.0)
    spline = replace(spline, controls=np.random.default_rng(1).normal(0, 5, spline.controls.shape))
    for bends, name in (((), "a.tfm"), ((spline,), "a.h5")):
        transform = Transform(matrix=FAR, bends=bends)
        write_itk(transform, tmp_path / name, fixed=fixed)
        theirs = sitk.ReadTransform(str(tmp_path / name))
        for place in ((0.0, 0.0, 0.0), (30.0, -40.0, 20.0)):
            here = transform.places(np.array([place]))[0]
            assert np.allclose(theirs.TransformPoint(place), here, atol=0.1)  # their bend is linear over 4 mm


def test_what_cannot_be_registered_is_said() -> None:
    volume = scanned()
    with pytest.raises(InputError, match="constant"):
        register(volume, replace(volume, voxels=np.zeros(volume.shape)))
    with pytest.raises(InputError, match="too thin"):
        register(volume, replace(volume, voxels=volume.voxels[:3]))
    with pytest.raises(InputError, match="colour"):
        register(volume, replace(volume, voxels=np.stack([volume.voxels] * 3)))
    with pytest.raises(RecipeError, match="rigid"):
        register(volume, volume, kind="rigit")  # type: ignore[arg-type]
    with pytest.raises(GridError, match="mirrors"):
        Transform(matrix=np.diag([-1.0, 1.0, 1.0, 1.0]))
