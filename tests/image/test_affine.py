"""Affine: where voxels lie."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isocenter.errors import GridError
from isocenter.image import Affine

AXIAL = Affine.from_parts(origin=(-90, -120, -40), directions=np.eye(3)[:, ::-1], spacing=(3.0, 0.9, 0.8))


def test_one_slice_up_moves_towards_the_head() -> None:
    below, above = AXIAL.to_world([(0, 5, 5), (1, 5, 5)])
    assert np.allclose(above - below, (0, 0, 3.0))


def test_an_axial_stack_reads_head_back_left() -> None:
    assert AXIAL.orientation == "SPL"
    assert AXIAL.spacing == pytest.approx((3.0, 0.9, 0.8))
    assert AXIAL.voxel_ml == pytest.approx(3.0 * 0.9 * 0.8 / 1000)


@given(st.tuples(*[st.floats(-300, 300)] * 3), st.tuples(*[st.floats(-1e3, 1e3)] * 3))
def test_there_and_back_is_the_same_voxel(index: tuple[float, ...], origin: tuple[float, ...]) -> None:
    affine = Affine.from_parts(origin=origin, directions=AXIAL.directions, spacing=(2.0, 0.7, 0.7))
    # 1e-6 voxel: float64 carries 1e-16 of coordinates up to 1e3 through one inverse
    assert np.allclose(affine.to_index(affine.to_world(index)), index, atol=1e-6)


@pytest.mark.parametrize("letters", list(itertools.permutations([("R", "L"), ("A", "P"), ("I", "S")])))
def test_each_orientation_is_named_as_it_was_built(letters: tuple[tuple[str, str], ...]) -> None:
    world = {"R": (0, -1), "L": (0, 1), "A": (1, -1), "P": (1, 1), "I": (2, -1), "S": (2, 1)}
    for choice in itertools.product(*letters):
        directions = np.zeros((3, 3))
        for index, letter in enumerate(choice):
            axis, sign = world[letter]
            directions[axis, index] = sign
        affine = Affine.from_parts(origin=(0, 0, 0), directions=directions, spacing=(1, 2, 3))
        assert affine.orientation == "".join(choice)
        order, flips = affine.permutation_to("SPL")
        assert sorted(order) == [0, 1, 2]
        assert len(flips) == 3


@settings(max_examples=50)
@given(st.floats(-20, 20), st.floats(-20, 20))
def test_a_small_oblique_turn_keeps_the_letters(about_x: float, about_y: float) -> None:
    x, y = np.radians([about_x, about_y])
    turn_x = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    turn_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    affine = Affine.from_parts(origin=(0, 0, 0), directions=turn_x @ turn_y @ AXIAL.directions, spacing=(1, 1, 1))
    assert affine.orientation == "SPL"
    assert not affine.is_sheared


def test_a_tilted_gantry_is_seen_as_shear() -> None:
    matrix = AXIAL.matrix.copy()
    matrix[1, 0] += np.tan(np.radians(15)) * 3.0
    assert Affine(matrix=matrix).is_sheared


@pytest.mark.parametrize(
    "matrix",
    [np.zeros((4, 4)), np.eye(3), np.diag([1.0, 1.0, 0.0, 1.0]), np.full((4, 4), np.nan), np.diag([1, 1, 1, 2.0])],
)
def test_a_flat_or_broken_matrix_is_refused(matrix: np.ndarray) -> None:
    with pytest.raises(GridError):
        Affine(matrix=matrix)


def test_two_letters_of_one_pair_are_no_orientation() -> None:
    with pytest.raises(GridError, match="no orientation"):
        AXIAL.permutation_to("SIL")


def test_the_matrix_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        AXIAL.matrix[0, 0] = 7
