"""Boxes matched one to one: values that can be worked out, all assignments as oracle, and what must not matter."""

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isocenter.errors import InputError
from isocenter.metrics import box_overlaps, match_boxes

ONE = np.array([[(0, 0, 0), (10, 10, 10)]])
SHIFT = np.array([5, 0, 0])


def drawn(seed: int, count: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    low = rng.integers(0, 6, (count, 2))
    return np.stack([low, low + rng.integers(2, 6, (count, 2))], axis=1)


def test_a_box_shifted_by_half_overlaps_by_a_third() -> None:
    assert box_overlaps(ONE, ONE + SHIFT) == pytest.approx(np.array([[1 / 3]]))


@settings(deadline=None)
@given(st.integers(0, 500))
def test_overlaps_are_those_of_counted_pixels(seed: int) -> None:
    ours, theirs = drawn(seed, 3), drawn(seed + 1000, 4)

    def pixels(box: np.ndarray) -> np.ndarray:
        grid = np.zeros((12, 12), dtype=bool)
        grid[box[0, 0] : box[1, 0], box[0, 1] : box[1, 1]] = True
        return grid

    counted = [[(pixels(a) & pixels(b)).sum() / (pixels(a) | pixels(b)).sum() for b in theirs] for a in ours]
    assert box_overlaps(ours, theirs) == pytest.approx(np.array(counted))


@settings(deadline=None)
@given(st.integers(0, 500), st.sampled_from([0.1, 0.3, 0.5]))
def test_the_matching_is_the_best_of_all(seed: int, least: float) -> None:
    ours, theirs = drawn(seed, 4), drawn(seed + 1000, 4)
    overlaps = box_overlaps(ours, theirs)
    best = max(
        (sum(one >= least - 1e-9 for one in taken), sum(one for one in taken if one >= least - 1e-9))
        for taken in (overlaps[np.arange(4), list(order)] for order in permutations(range(4)))
    )
    found = match_boxes(ours, theirs, least_overlap=least)
    assert (len(found.pairs), found.overlaps.sum()) == pytest.approx(best)
    other = match_boxes(theirs, ours, least_overlap=least)
    assert (other.f1, other.overlaps.sum()) == pytest.approx((found.f1, found.overlaps.sum()))


def test_a_pair_that_a_greedy_matching_would_lose_is_kept() -> None:
    ours = np.array([[(0.0,), (10.0,)], [(4.0,), (14.0,)]])
    theirs = np.array([[(2.0,), (12.0,)], [(-3.0,), (7.0,)]])  # the first fits both of ours, the second only one
    assert len(match_boxes(ours, theirs, least_overlap=0.5).pairs) == 2


def test_of_two_boxes_on_one_finding_one_stays_alone() -> None:
    found = match_boxes(np.concatenate([ONE, ONE + 1]), ONE)
    assert found.pairs.tolist() == [[0, 0]]
    assert found.f1 == pytest.approx(2 / 3)
    assert found.mean_overlap == 1.0


def test_an_overlap_of_just_the_least_counts() -> None:
    assert match_boxes(ONE * 0.1, (ONE + SHIFT) * 0.1, least_overlap=1 / 3).f1 == 1.0


def test_nothing_seen_by_both_says_nothing_and_by_one_is_no_agreement() -> None:
    nothing = np.empty((0, 2, 3))
    assert math.isnan(match_boxes(nothing, []).f1)
    assert match_boxes(ONE, nothing).f1 == 0.0
    assert math.isnan(match_boxes(ONE, nothing).mean_overlap)


@pytest.mark.parametrize(
    ("boxes", "words"),
    [
        (ONE[0], "shape"),
        (ONE[:, ::-1], "Box 0 has no extent"),
        (ONE * math.nan, "finite"),
        (ONE[..., :2], "axes cannot be compared"),
    ],
)
def test_what_is_no_box_is_refused(boxes: np.ndarray, words: str) -> None:
    with pytest.raises(InputError, match=words):
        match_boxes(ONE, boxes)


@pytest.mark.parametrize("least", [0.0, 1.5, math.nan])
def test_a_least_overlap_that_cannot_be_is_refused(least: float) -> None:
    with pytest.raises(InputError, match="least overlap"):
        match_boxes(ONE, ONE, least_overlap=least)
