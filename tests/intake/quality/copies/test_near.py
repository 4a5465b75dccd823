"""Copies of pictures are found whatever was done to them; other pictures are left alone."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from isocenter.errors import InputError
from isocenter.intake.quality.copies.near import pairs_of
from isocenter.intake.quality.copies.repeats import LIKENESS
from isocenter.intake.quality.copies.sketch import averaging, cut, sketch_of
from isocenter.intake.quality.copies.stacks import stack_pairs_of

Picture = npt.NDArray[np.uint8]
COUNT = 40


def picture(seed: int) -> Picture:
    """Return blots of several sizes, as different from another's as chance makes them."""
    rng = np.random.default_rng(seed)
    made = sum(gaussian_filter(rng.normal(size=(180, 200)), sigma) * sigma for sigma in (3, 6, 12, 30))
    return np.asarray(128 + 55 * made / made.std(), np.float32).clip(0, 255).astype(np.uint8)


def sketched(grey: npt.NDArray[np.generic], *, is_stack: bool = False) -> npt.NDArray[np.uint8]:
    stack = np.asarray(grey) if is_stack else np.asarray(grey)[None]
    return sketch_of(stack, float(np.percentile(stack, 1)), float(np.percentile(stack, 99)), is_stack=is_stack)


def saved_again(grey: Picture) -> Picture:
    written = io.BytesIO()
    Image.fromarray(grey).resize((150, 160)).save(written, "JPEG", quality=40)
    return np.asarray(Image.open(written))


COPIES: dict[str, tuple[str, Callable[[Picture], Picture]]] = {
    "the same": ("", lambda grey: grey),
    "saved again": ("", saved_again),
    "lighter": ("", lambda grey: (255 * (grey / 255) ** 0.7).astype(np.uint8)),
    "cut": ("cut to 87% × 90%", lambda grey: grey[11:168, 13:193]),
    "cut at one side": ("cut to 100% × 85%", lambda grey: grey[:, 30:]),
    "mirrored": ("mirrored", lambda grey: grey[:, ::-1]),
    "upside down": ("upside down", lambda grey: grey[::-1]),
    "turned by 90°": ("turned by", lambda grey: np.rot90(grey)),
    "turned by 180°": ("turned by 180°", lambda grey: np.rot90(grey, 2)),
}


@pytest.fixture(scope="module")
def others() -> npt.NDArray[np.uint8]:
    return np.stack([sketched(picture(seed)) for seed in range(COUNT)])


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_is_found_with_how_it_was_changed(copy: str, others: npt.NDArray[np.uint8]) -> None:
    how, change = COPIES[copy]
    sketches = np.concatenate([others, sketched(change(picture(7)))[None]])
    pairs = pairs_of(sketches, limit=LIKENESS)
    assert {frozenset((pair.first, pair.second)) for pair in pairs} == {frozenset((7, COUNT))}
    assert any(_near(pair.how, how) for pair in pairs), [pair.how for pair in pairs]


def _near(told: str, expected: str) -> bool:
    """Return whether a change is told as it was; a cut to 3 % of a side, half a pixel of 32 at each of its ends."""
    if not expected.startswith("cut"):
        return told.startswith(expected)
    sizes = [[int(word.strip("%")) for word in words.split() if word.endswith("%")] for words in (told, expected)]
    return len(sizes[0]) == 2 and all(abs(one - other) <= 3 for one, other in zip(*sizes, strict=True))


def test_of_many_pictures_the_copies_are_found_by_the_directions_in_which_they_differ() -> None:
    count = 1010  # from a thousand on they are compared by what sets them apart
    noise = np.random.default_rng(0).normal(size=(count, 72, 72)).astype(np.float32)
    many = gaussian_filter(noise, (0, 3, 3)) + gaussian_filter(noise[::-1], (0, 8, 8))
    copies = [one[4:66, 2:70] for one in many[:50:5]]
    pairs = pairs_of(np.stack([sketched(one) for one in (*many, *copies)]), limit=LIKENESS)
    expected = {frozenset((5 * place, count + place)) for place in range(10)}
    assert {frozenset((pair.first, pair.second)) for pair in pairs} == expected


def test_pictures_without_detail_are_no_copies_of_each_other(others: npt.NDArray[np.uint8]) -> None:
    blank = np.stack([np.full((64, 64), level, np.uint8) for level in (0, 0, 9, 255)])
    assert pairs_of(np.concatenate([others, blank]), limit=LIKENESS) == []


@pytest.mark.parametrize("count", [0, 1])
def test_of_one_picture_nothing_is_said(count: int, others: npt.NDArray[np.uint8]) -> None:
    assert pairs_of(others[:count], limit=LIKENESS) == []


@pytest.mark.parametrize("count", [2, 3, 12])
def test_a_few_pictures_that_are_no_copies_are_left_alone(count: int) -> None:
    """Of so few, pairs come to the fitting of which none is worth its second half."""
    noise = np.random.default_rng(0).integers(0, 255, (count, 40, 40), dtype=np.uint8)
    assert pairs_of(np.stack([sketched(one) for one in noise]), limit=LIKENESS) == []


def test_near_duplicates_of_real_ultrasound_are_found(shared_data: Path) -> None:
    """Their groups are known; the limit was chosen on the even ones, so only odd ones are asked."""
    with (shared_data / "busi" / "labels.csv").open(encoding="utf-8") as sheet:
        rows = list(csv.DictReader(sheet))
    grouped = [row["near_dup_group"] for row in rows]
    chosen = [row for row in rows if int(row["near_dup_group"]) % 2 and grouped.count(row["near_dup_group"]) > 1]
    alone = [row for row in rows if grouped.count(row["near_dup_group"]) == 1][:60]
    files = [shared_data / "busi" / row["file"] for row in (*chosen, *alone)]
    pairs = pairs_of(np.stack([sketched(np.asarray(Image.open(one).convert("L"))) for one in files]), limit=LIKENESS)
    found = {frozenset((pair.first, pair.second)) for pair in pairs}
    true = {
        frozenset((i, j)) for i, one in enumerate(chosen) for j, other in enumerate(chosen[:i])
        if one["near_dup_group"] == other["near_dup_group"]
    }  # fmt: skip
    assert true
    assert true <= found


def test_volumes_that_are_another_again_are_found() -> None:
    def volume(seed: int) -> npt.NDArray[np.float64]:
        rng = np.random.default_rng(seed)
        return np.asarray(gaussian_filter(rng.normal(size=(30, 40, 44)), 2))

    stacks = [volume(seed) for seed in range(20)]
    noisy = volume(3) * 1.7 + np.random.default_rng(1).normal(0, 0.01, (30, 40, 44))
    sketches = np.stack([sketched(one, is_stack=True) for one in (*stacks, noisy, volume(5)[::-1])])
    pairs = {(pair.first, pair.second, pair.how) for pair in stack_pairs_of(sketches, limit=LIKENESS)}
    assert pairs == {(20, 3, ""), (21, 5, "slices in reverse")}


def test_means_over_parts_of_an_axis_are_exact() -> None:
    weights = averaging(np.array([0.25]), np.array([1.0]), length=8, parts=4)[0]
    expected = np.array([[0, 0, 2, 1, 0, 0, 0, 0], [0, 0, 0, 1, 2, 0, 0, 0], [0, 0, 0, 0, 0, 2, 1, 0],
                         [0, 0, 0, 0, 0, 0, 1, 2]]) / 3  # fmt: skip
    np.testing.assert_allclose(weights, expected, atol=1e-6)


def test_each_sketch_has_a_part() -> None:
    with pytest.raises(InputError, match="each has one"):
        cut(np.zeros((2, 64, 64), np.uint8), np.zeros((3, 4)))
