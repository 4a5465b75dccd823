"""Contours to pixels, against areas that are known and a decoder that is not ours."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from isocenter.dicom.structures.contours import fill_contours


def square(low: float, high: float) -> np.ndarray:
    return np.array([(low, low), (low, high), (high, high), (high, low)])


def test_a_square_takes_the_centres_inside_it() -> None:
    inside = fill_contours([square(1.5, 4.5)], (8, 9))
    assert inside.sum() == 9
    assert inside[2:5, 2:5].all()


def test_two_squares_that_share_an_edge_through_centres_share_no_pixel() -> None:
    left = fill_contours([np.array([(0, 0), (0, 4), (6, 4), (6, 0)])], (8, 9))
    right = fill_contours([np.array([(0, 4), (0, 8), (6, 8), (6, 4)])], (8, 9))
    assert not (left & right).any()
    assert (left | right).sum() == 6 * 8


def test_a_contour_inside_a_contour_is_a_hole_and_one_inside_that_is_filled() -> None:
    inside = fill_contours([square(0.5, 10.5), square(2.5, 8.5), square(4.5, 6.5)], (12, 12))
    assert inside.sum() == 100 - 36 + 4
    assert inside[1, 1]
    assert not inside[3, 3]
    assert inside[5, 5]


def test_a_keyhole_makes_the_same_hole() -> None:
    outer, inner = square(0.5, 10.5), square(2.5, 8.5)
    keyhole = np.concatenate([outer, outer[:1], inner, inner[:1]])
    assert np.array_equal(fill_contours([keyhole], (12, 12)), fill_contours([outer, inner], (12, 12)))


def test_what_lies_outside_the_picture_is_cut_off() -> None:
    assert fill_contours([square(-5, 20)], (8, 9)).all()
    assert not fill_contours([square(20, 25)], (8, 9)).any()
    assert not fill_contours([np.zeros((1, 2))], (8, 9)).any()


def test_a_circle_has_its_area() -> None:
    turn = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    circle = np.stack([64.3 + 50 * np.sin(turn), 63.1 + 50 * np.cos(turn)], axis=1)
    # 0.5 %: Gauss's circle problem leaves about r^(2/3) = 14 of 7854 pixels
    assert fill_contours([circle], (128, 128)).sum() == pytest.approx(np.pi * 2500, rel=0.005)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=3, max_size=9))
def test_any_polygon_is_what_pillow_draws_but_for_its_rim(corners: list[tuple[int, int]]) -> None:
    contour = np.array(corners, dtype=np.float64)
    inside = fill_contours([contour], (31, 31))
    picture = Image.new("1", (31, 31))
    xy = [(float(column), float(row)) for row, column in corners]
    ImageDraw.Draw(picture).polygon(xy, fill=1)
    rim = Image.new("1", (31, 31))
    ImageDraw.Draw(rim).line([*xy, xy[0]], fill=1, width=3)  # Pillow draws the rim itself as inside
    differ = inside != np.asarray(picture)
    assert not (differ & ~np.asarray(rim)).any()


def test_a_contour_stored_twice_does_not_take_itself_away() -> None:
    once = fill_contours([square(1.5, 5.5)], (8, 9))
    assert once.sum() == 16
    assert np.array_equal(fill_contours([square(1.5, 5.5), square(1.5, 5.5)], (8, 9)), once)
