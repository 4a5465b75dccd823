"""Volume and Mask: what they hold and what they refuse."""

import numpy as np
import pytest

from isocenter.errors import GridError, InputError, LabelError
from isocenter.image import Affine, Label, LabelTable, Mask, Region, Volume

GRID = Affine.from_parts(origin=(10, 20, 30), directions=np.eye(3)[:, ::-1], spacing=(2.0, 1.0, 0.5))
TABLE = LabelTable.of("liver", "spleen")


def ramp() -> Volume:
    return Volume(voxels=np.arange(2 * 3 * 4).reshape(2, 3, 4).astype(np.int16), affine=GRID, unit="HU", modality="CT")


@pytest.mark.parametrize("orientation", ["SPL", "LPS", "IAR", "PSR", "RIA"])
def test_laying_the_axes_anew_moves_no_voxel_in_the_body(orientation: str) -> None:
    volume = ramp()
    turned = volume.oriented(orientation)
    assert turned.affine.orientation == orientation
    for index in np.ndindex(*turned.shape):
        back = tuple(int(n) for n in np.rint(volume.affine.to_index(turned.affine.to_world(index))))
        assert turned.voxels[index] == volume.voxels[back]


def test_a_mask_turns_as_its_volume_does() -> None:
    labels = np.zeros((2, 3, 4), dtype=np.uint8)
    labels[1, 2, 0] = 2
    mask = Mask(labels=labels, affine=GRID, table=TABLE)
    mask.oriented("RAI").require_grid_of(ramp().oriented("RAI"))
    assert mask.oriented("RAI").volume_ml("spleen") == pytest.approx(0.001)


@pytest.mark.parametrize(
    ("voxels", "words"),
    [
        (np.zeros((2, 2)), "shape"),
        (np.zeros((0, 2, 2)), "no voxel"),
        (np.full((1, 2, 2), np.nan), "NaN"),
        (np.zeros((1, 2, 2), dtype=complex), "complex"),
        (np.zeros((4, 1, 2, 2)), "colour"),
    ],
)
def test_what_is_no_scan_is_refused_in_words(voxels: np.ndarray, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Volume(voxels=voxels, affine=GRID)


def test_voxels_cannot_be_changed_and_the_callers_array_can() -> None:
    voxels = np.zeros((1, 2, 2))
    volume = Volume(voxels=voxels, affine=GRID)
    with pytest.raises(ValueError, match="read-only"):
        volume.voxels[0, 0, 0] = 1
    voxels[0, 0, 0] = 1


def test_a_picture_has_no_slice_spacing() -> None:
    picture = Volume(voxels=np.zeros((1, 5, 5)), affine=GRID, is_planar=True)
    assert np.isnan(picture.spacing[0])
    with pytest.raises(GridError, match="one slice"):
        Volume(voxels=np.zeros((2, 5, 5)), affine=GRID, is_planar=True)


@pytest.mark.parametrize("labels", [np.full((1, 2, 2), 9), np.full((1, 2, 2), -1), np.full((1, 2, 2), 0.5)])
def test_values_outside_the_table_are_refused(labels: np.ndarray) -> None:
    with pytest.raises(LabelError):
        Mask(labels=labels, affine=GRID, table=TABLE)


def test_the_ignore_value_may_stand_in_a_mask() -> None:
    table = LabelTable(labels=TABLE.labels, ignore=255)
    mask = Mask(labels=np.array([[[1, 255]]]), affine=GRID, table=table)
    assert mask.present == (1, 255)
    assert mask.binary("liver").sum() == 1


def test_a_region_is_the_union_of_its_labels() -> None:
    table = LabelTable(labels=TABLE.labels, regions=(Region(name="abdomen", values=(1, 2)),))
    mask = Mask(labels=np.array([[[0, 1, 2]]]), affine=GRID, table=table)
    assert mask.binary("abdomen").sum() == 2
    with pytest.raises(LabelError, match="No structure"):
        mask.binary("kidney")


@pytest.mark.parametrize(
    "labels",
    [(), (Label(value=1, name="a"), Label(value=1, name="b")), (Label(value=1, name="a"), Label(value=2, name="a"))],
)
def test_a_table_names_each_label_once(labels: tuple[Label, ...]) -> None:
    with pytest.raises(LabelError):
        LabelTable(labels=labels)


def test_a_mask_on_another_grid_is_refused_with_the_difference() -> None:
    mask = Mask(labels=np.zeros((2, 3, 4), dtype=np.uint8), affine=GRID.shifted((0, 0, 1)), table=TABLE)
    with pytest.raises(GridError, match=r"different grids.*Resample"):
        mask.require_grid_of(ramp())
    small = Mask(labels=np.zeros((1, 3, 4), dtype=np.uint8), affine=GRID, table=TABLE)
    with pytest.raises(GridError, match="voxels"):
        small.require_grid_of(ramp())


def test_a_voxel_is_ml_of_a_stack_mm2_of_a_picture_and_a_count_where_nobody_stated_a_size() -> None:
    stack = ramp()
    picture = Volume(voxels=np.zeros((1, 3, 4), dtype=np.uint8), affine=GRID, is_planar=True)
    bare = Volume(voxels=np.zeros((1, 3, 4), dtype=np.uint8), affine=GRID, is_planar=True, has_size=False)
    assert stack.voxel_size == (pytest.approx(0.001), "ml")
    assert picture.voxel_size == (pytest.approx(0.5), "mm²")
    assert bare.voxel_size == (1.0, "pixels")
    assert np.isnan(bare.spacing).all()
    assert picture.spacing[1:] == (1.0, 0.5)
