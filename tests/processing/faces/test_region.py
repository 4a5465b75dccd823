"""A face is found in front of the brain, in CT and MR, at any angle and on any grid, and none of the brain with it."""

import numpy as np
import pytest
from scipy.ndimage import binary_fill_holes
from scipy.spatial import KDTree

from isocenter.errors import InputError
from isocenter.image import Affine, Mask, Volume
from isocenter.processing.faces.head import find_head, tissue_in
from isocenter.processing.faces.region import FaceRegion, find_face
from isocenter.testing.phantom import Body, axis_grid, centred_grid, head

CENTRE = (0.0, 0.0, -20.0)
FEATURES = ("right eye", "left eye", "nose", "lips", "brow")


def sample(
    *, affine: Affine, shape: tuple[int, int, int], modality: str = "MR", seed: int | None = None
) -> tuple[Volume, Mask]:
    body = head(None if seed is None else np.random.default_rng(seed))
    return body.sample(affine, shape, modality=modality, rng=np.random.default_rng(0))


def grid(orientation: str = "SPL", spacing: tuple[float, float, float] = (3.0, 2.0, 2.0)) -> tuple[Affine, tuple]:
    size = {"S": 230.0, "I": 230.0, "P": 260.0, "A": 260.0, "L": 200.0, "R": 200.0}
    shape = tuple(int(size[letter] / step) for letter, step in zip(orientation, spacing, strict=True))
    return axis_grid(orientation, shape=shape, spacing_mm=spacing, centre=CENTRE), shape


def covered(region: FaceRegion, volume: Volume) -> np.ndarray:
    places = np.stack(np.indices(volume.shape), axis=-1)
    return region.covers(volume.affine.to_world(places))


def skin(tissue: np.ndarray) -> np.ndarray:
    """Return the places of tissue beside air."""
    inner = tissue.copy()
    for axis in range(3):
        for step in (1, -1):
            inner &= np.roll(tissue, step, axis)
    return np.argwhere(tissue & ~inner)


def filled(tissue: np.ndarray) -> np.ndarray:
    """Return tissue with what it encloses in a plane along any axis: an MR shows bone as dark as air."""
    whole = tissue.copy()
    for axis in range(3):
        planes = [binary_fill_holes(plane) for plane in np.moveaxis(tissue, axis, 0)]
        whole |= np.moveaxis(np.stack(planes), 0, axis)
    return whole


def require_faceless(volume: Volume, mask: Mask, region: FaceRegion) -> None:
    gone = covered(region, volume)
    names = {label.name: label.value for label in mask.table}
    assert not (gone & (mask.labels == names["brain"])).any()
    # what people are known by: the front of the eyes, the nose, the lips
    tissue = filled(volume.voxels > (-500 if volume.modality == "CT" else 100))
    outer = np.zeros_like(tissue)
    outer[tuple(skin(tissue).T)] = True
    for name in FEATURES:
        shown = outer & (mask.labels == names[name])
        assert (gone & shown).sum() >= 0.95 * shown.sum(), f"{name}: {(gone & shown).sum() / shown.sum():.2f}"


@pytest.mark.parametrize("modality", ["CT", "MR"])
@pytest.mark.parametrize("orientation", ["SPL", "IPL", "LSP", "AIR"])
def test_no_face_is_left_and_no_brain_is_lost(modality: str, orientation: str) -> None:
    affine, shape = grid(orientation)
    volume, mask = sample(affine=affine, shape=shape, modality=modality)
    require_faceless(volume, mask, find_face(volume))


@pytest.mark.parametrize("seed", range(12))
def test_nobody_keeps_a_face_whatever_it_looks_like(seed: int) -> None:
    affine, shape = grid(spacing=(4.0, 3.0, 3.0))
    volume, mask = sample(affine=affine, shape=shape, seed=seed, modality=("CT", "MR")[seed % 2])
    require_faceless(volume, mask, find_face(volume))


@pytest.mark.parametrize("degrees", [-20, -10, 10, 20])
def test_a_nodding_head_keeps_its_brain_and_loses_its_eyes_and_nose(degrees: int) -> None:
    angle = np.radians(degrees)
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    axes = np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]], dtype=float).T
    shape = (80, 90, 70)
    # the scanner's axes are the grid's; the head nods in it
    upright = centred_grid(axes, shape=shape, spacing_mm=(3, 3, 3), centre=CENTRE)
    tilted = centred_grid(turn @ axes, shape=shape, spacing_mm=(3, 3, 3), centre=CENTRE)
    volume, mask = sample(affine=tilted, shape=shape)
    seen = Volume(voxels=volume.voxels, affine=upright, modality="MR")
    gone = covered(find_face(seen), seen)
    names = {label.name: label.value for label in mask.table}
    assert not (gone & (mask.labels == names["brain"])).any()
    nose = mask.labels == names["nose"]
    assert (gone & nose).sum() > 0.9 * nose.sum()


def test_a_top_that_is_cut_off_a_little_is_carried_on() -> None:
    affine, shape = grid()
    volume, mask = sample(affine=affine, shape=shape)
    whole = find_face(volume).head
    cut = shape[0] - int((20 + 95 + 115 - 205) / 3)  # slices up to 10 mm below the top of the scalp
    short = Volume(voxels=volume.voxels[:cut], affine=affine, modality="MR")
    found = find_face(short)
    assert np.allclose(found.head.centre, whole.centre, atol=6)
    require_faceless(short, Mask(labels=mask.labels[:cut], affine=affine, table=mask.table), found)


def test_a_head_without_its_top_is_refused() -> None:
    affine, shape = grid()
    volume, _ = sample(affine=affine, shape=shape)
    with pytest.raises(InputError, match="top of the head"):
        find_face(Volume(voxels=volume.voxels[: shape[0] // 2], affine=affine, modality="MR"))


@pytest.mark.parametrize("body", ["air", "trunk"])
def test_what_is_no_head_is_refused(body: str) -> None:
    affine, shape = axis_grid("SPL", shape=(40, 90, 120), spacing_mm=(4, 4, 4)), (40, 90, 120)
    if body == "air":
        volume = Volume(voxels=np.zeros(shape, np.int16), affine=affine, modality="MR")
    else:
        whole = Body()
        volume = Volume(
            voxels=np.where(whole.sample(axis_grid("SPL", shape=shape, spacing_mm=(0.8, 0.5, 0.3)), shape)[0].voxels
                            > -500, 40, -1000).astype(np.int16),
            affine=affine, modality="CT",
        )  # fmt: skip
    with pytest.raises(InputError):
        find_face(volume)


def test_the_couch_is_no_part_of_the_head() -> None:
    affine, shape = grid()
    volume, _ = sample(affine=affine, shape=shape, modality="CT")
    with_couch = volume.voxels.copy()
    with_couch[:, -4:-2, :] = 200
    plain = find_head(volume)
    found = find_head(Volume(voxels=with_couch, affine=affine, modality="CT", unit="HU"))
    assert np.allclose(found.half_mm, plain.half_mm, atol=2)


def test_after_it_was_cut_nobodys_face_is_the_nearest_to_its_own() -> None:
    people, affine, shape = range(8), *grid(spacing=(4.0, 3.0, 3.0))
    before, after = [], []
    for seed in people:
        volume, _ = sample(affine=affine, shape=shape, seed=seed)
        region = find_face(volume)
        front = skin(tissue_in(volume))
        before.append(front[region.covers(affine.to_world(front))])
        voxels = np.where(covered(region, volume), 0, volume.voxels)
        after.append(skin(tissue_in(Volume(voxels=voxels, affine=affine, modality="MR"))))
    for seed in people:
        far = KDTree(after[seed]).query(before[seed])[0]
        assert np.mean(far <= 1.0) < 0.1  # of the surface that the face had, next to nothing is a surface still
