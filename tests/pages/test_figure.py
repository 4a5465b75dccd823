"""Patient's left lies on the right, proportions are true, outlines lie where the structure ends."""

import io
from itertools import permutations, product

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from isocenter.errors import GridError
from isocenter.image import Affine, LabelTable, Mask, Volume
from isocenter.pages.figure import PLANES, draw_picture, lay, letters_of
from isocenter.pages.greys import Greys, choose_greys
from isocenter.result.report import Picture, Plane, Remark

GREYS = Greys(low=0.0, high=255.0, remark=Remark(key="shading.percentiles"))


def body(shape: tuple[int, int, int] = (8, 10, 12)) -> tuple[Volume, Mask]:
    """Return an "SPL" body of 3 × 2 × 1 mm voxels, bright at the patient's left, front and head."""
    spacing = (3.0, 2.0, 1.0)
    affine = Affine.from_parts(origin=(-5.0, -9.0, 20.0), directions=np.eye(3)[:, ::-1], spacing=spacing)
    voxels = np.zeros(shape, dtype=np.uint8)
    voxels[5:, :4, 7:] = 200
    return Volume(voxels=voxels, affine=affine), Mask(
        labels=(voxels > 0).astype(np.uint8), affine=affine, table=LabelTable.of("corner")
    )


def pixels(png: bytes) -> npt.NDArray[np.float64]:
    return np.asarray(Image.open(io.BytesIO(png)), dtype=np.float64)


def picture(plane: Plane, *, orientation: str = "SPL", index: int | None = None) -> Picture:
    volume, mask = body()
    view = lay(volume.oriented(orientation), mask.oriented(orientation), plane=plane)
    middle = {"axial": 6, "coronal": 2, "sagittal": 9}
    return draw_picture(view, middle.get(plane, 0) if index is None else index, greys=GREYS)


@pytest.mark.parametrize(
    ("plane", "rows", "columns"),
    [("axial", "top", "right"), ("coronal", "top", "right"), ("sagittal", "top", "left")],
)
def test_left_lies_on_the_right_front_and_head_on_top(plane: Plane, rows: str, columns: str) -> None:
    image = pixels(picture(plane).image)
    down, across = (float(np.average(np.arange(n), weights=image.sum(1 - axis))) for axis, n in enumerate(image.shape))
    assert (down < image.shape[0] / 2) == (rows == "top")
    assert (across < image.shape[1] / 2) == (columns == "left")


@pytest.mark.parametrize(("plane", "letters"), [("axial", "ALPR"), ("coronal", "HLFR"), ("sagittal", "HPFA")])
def test_letters_name_top_right_bottom_left(plane: Plane, letters: str) -> None:
    assert picture(plane).letters == tuple(letters)


ORIENTATIONS = ["".join(letters) for order in permutations(("RL", "AP", "IS")) for letters in product(*order)]


@pytest.mark.parametrize("plane", PLANES)
def test_the_way_a_series_is_stored_does_not_change_the_picture(plane: Plane) -> None:
    """All 48 axis orientations give the same bytes; only the slice's number in its own stack may differ."""
    asked = picture(plane)
    assert len(ORIENTATIONS) == 48
    for orientation in ORIENTATIONS:
        other = picture(plane, orientation=orientation)
        assert (other.image, other.outlines) == (asked.image, asked.outlines)
        assert other.letters == asked.letters
        assert other.place_mm == pytest.approx(asked.place_mm)
        turned = not set(orientation) & {{"axial": "S", "coronal": "P", "sagittal": "L"}[plane]}
        assert other.number == (asked.count + 1 - asked.number if turned else asked.number)


def test_proportions_are_those_of_the_body() -> None:
    one = picture("coronal")
    assert one.size_mm == (24.0, 12.0)  # 8 slices of 3 mm, 12 columns of 1 mm
    height, width = pixels(one.image).shape
    assert height / width == pytest.approx(2.0, rel=0.01)  # half a pixel of 320 rounds
    assert pixels(one.outlines).shape == (height, width, 4)


def test_a_line_runs_just_inside_the_edge_and_nowhere_else() -> None:
    one = picture("axial")
    layer = pixels(one.outlines)
    height, width = layer.shape[:2]
    opaque = layer[..., 3] > 200
    rows, columns = np.nonzero(opaque)
    # the corner is rows 0..3 of 10 and columns 7..11 of 12; one pixel of antialiasing
    assert rows.max() + 1 == pytest.approx(0.4 * height, abs=2)
    assert columns.min() == pytest.approx(7 / 12 * width, abs=2)
    inner = opaque[int(0.05 * height) : int(0.35 * height), int(0.65 * width) : int(0.95 * width)]
    assert not inner.any(), "an outline leaves the inside to be seen"


def test_a_line_is_as_wide_on_a_fine_grid_as_on_a_coarse_one() -> None:
    def share(count: int) -> float:
        labels = np.zeros((1, count, count), dtype=np.uint8)
        labels[0, count // 4 : 3 * count // 4, count // 4 : 3 * count // 4] = 1
        affine = Affine.from_parts(
            origin=(0, 0, 0), directions=np.eye(3)[:, ::-1], spacing=(1, 200 / count, 200 / count)
        )
        mask = Mask(labels=labels, affine=affine, table=LabelTable.of("square"))
        volume = Volume(voxels=np.zeros_like(labels), affine=affine)
        drawn = draw_picture(lay(volume, mask, plane="axial"), 0, greys=GREYS)
        return float((pixels(drawn.outlines)[..., 3] > 200).mean())

    # corners are rounder on a coarse grid, and half a pixel of antialiasing counts for 15 % of a line of 4 pixels
    assert share(20) == pytest.approx(share(640), rel=0.2)


def test_a_single_voxel_is_outlined() -> None:
    volume, mask = body()
    labels = np.zeros(mask.shape, dtype=np.uint8)
    labels[4, 5, 6] = 1
    one = Mask(labels=labels, affine=mask.affine, table=mask.table)
    drawn = draw_picture(lay(volume, one, plane="axial"), 4, greys=GREYS)
    assert drawn.structures == ("corner",)
    assert (pixels(drawn.outlines)[..., 3] > 200).any()


def test_a_crop_says_so_and_keeps_its_scale() -> None:
    volume, mask = body()
    view = lay(volume, mask, plane="axial")
    part = draw_picture(view, 6, greys=GREYS, box=(slice(0, 5), slice(6, 12)))
    assert part.is_cropped
    assert part.size_mm == (10.0, 6.0)
    assert part.place_mm == picture("axial").place_mm == pytest.approx(20.0 + 6 * 3.0)
    assert not picture("axial").is_cropped


def test_a_planar_picture_is_shown_as_stored_without_letters() -> None:
    voxels = np.arange(20, dtype=np.uint8).reshape(1, 4, 5)
    affine = Affine.from_parts(origin=(0, 0, 0), directions=np.eye(3), spacing=(1, 1, 1))
    volume = Volume(voxels=voxels, affine=affine, is_planar=True)
    mask = Mask(labels=np.zeros_like(voxels), affine=affine, table=LabelTable.of("nodule"))
    drawn = draw_picture(lay(volume, mask, plane="picture"), 0, greys=GREYS)
    assert drawn.letters == ("", "", "", "")
    image = pixels(drawn.image)
    assert image[0, 0] < image[0, -1] < image[-1, -1]


def test_a_mask_on_another_grid_is_refused() -> None:
    volume, mask = body()
    moved = Mask(labels=mask.labels, affine=mask.affine.shifted((1, 0, 0)), table=mask.table)
    with pytest.raises(GridError):
        lay(volume, moved, plane="axial")


@pytest.mark.parametrize(
    ("direction", "letters"),
    [((1, 0, 0), "L"), ((0, -1, 0), "A"), ((0, 0, 1), "H"), ((0.94, 0.34, 0), "LP"), ((0.98, 0.2, 0), "L"),
     ((-0.6, 0.6, -0.53), "RPF")],
)  # fmt: skip
def test_a_turned_axis_bears_its_second_letter(direction: tuple[float, float, float], letters: str) -> None:
    assert letters_of(direction) == letters


@pytest.mark.parametrize(("inside", "key"), [(50, "soft"), (-800, "lung"), (700, "bone")])
def test_a_window_shows_what_was_found(inside: int, key: str) -> None:
    volume, mask = body()
    hounsfield = np.where(mask.labels > 0, inside, -1000).astype(np.int16)
    greys = choose_greys(Volume(voxels=hounsfield, affine=volume.affine, unit="HU", modality="CT"), mask)
    assert greys.remark.key == f"shading.{key}"
    assert greys.low < inside < greys.high


def test_the_soft_tissue_window_is_the_reading_rooms() -> None:
    volume, mask = body()
    hounsfield = np.zeros(mask.shape, dtype=np.int16)
    greys = choose_greys(Volume(voxels=hounsfield, affine=volume.affine, unit="HU", modality="CT"), mask)
    assert (greys.low, greys.high) == (-160.0, 240.0)
    assert greys.of(np.array([-200, -160, 40, 240, 900], dtype=np.float32)).tolist() == [0, 0, 128, 255, 255]


def test_uptake_is_shown_dark_on_white() -> None:
    volume, mask = body()
    greys = choose_greys(Volume(voxels=volume.voxels.astype(np.float32), affine=volume.affine, unit="SUV"), mask)
    assert greys.of(np.array([0, 7], dtype=np.float32)).tolist() == [255, 0]


def test_bright_skin_does_not_darken_what_is_looked_at() -> None:
    affine = body()[0].affine
    voxels = np.random.default_rng(0).uniform(90, 110, (40, 80, 160)).astype(np.float32)
    voxels[:, :, :40] = 1000.0
    labels = np.zeros(voxels.shape, dtype=np.uint8)
    labels[20, 40, 100] = 1
    voxels[20, 40, 100] = 150.0
    greys = choose_greys(
        Volume(voxels=voxels, affine=affine), Mask(labels=labels, affine=affine, table=LabelTable.of("spot"))
    )
    assert greys.high <= 150


def test_an_oblique_plane_lies_where_its_normal_says() -> None:
    turn = np.radians(20)
    directions = np.array([[1, 0, 0], [0, np.cos(turn), -np.sin(turn)], [0, np.sin(turn), np.cos(turn)]])[:, ::-1]
    affine = Affine.from_parts(origin=(3, 4, 5), directions=directions, spacing=(3, 1, 1))
    labels = np.zeros((6, 20, 20), dtype=np.uint8)
    mask = Mask(labels=labels, affine=affine, table=LabelTable.of("none"))
    view = lay(Volume(voxels=labels, affine=affine), mask, plane="axial")
    whole = draw_picture(view, 2, greys=GREYS)
    part = draw_picture(view, 2, greys=GREYS, box=(slice(10, 20), slice(0, 20)))
    assert whole.place_mm == part.place_mm == pytest.approx(float(directions[:, 0] @ np.array([3, 4, 5])) + 6)
    assert whole.letters == ("AF", "L", "PH", "R")


def test_one_hot_voxel_does_not_darken_the_rest() -> None:
    volume, mask = body((20, 20, 20))
    voxels = np.random.default_rng(0).uniform(100, 200, mask.shape).astype(np.float32)
    voxels[0, 0, 0] = 1e6
    greys = choose_greys(Volume(voxels=voxels, affine=volume.affine), mask)
    assert greys.high < 210


def test_a_constant_volume_can_be_shown() -> None:
    volume, mask = body()
    greys = choose_greys(Volume(voxels=np.full(mask.shape, 7, dtype=np.int16), affine=volume.affine), mask)
    assert greys.high > greys.low


def test_colours_are_shown_as_stored() -> None:
    affine = body()[0].affine
    voxels = np.zeros((3, 1, 4, 4), dtype=np.uint8)
    voxels[0] = 255
    volume = Volume(voxels=voxels, affine=affine, is_planar=True)
    mask = Mask(labels=np.zeros((1, 4, 4), dtype=np.uint8), affine=affine, table=LabelTable.of("cell"))
    drawn = draw_picture(lay(volume, mask, plane="picture"), 0, greys=choose_greys(volume, mask))
    assert pixels(drawn.image)[0, 0].tolist() == [255, 0, 0]
