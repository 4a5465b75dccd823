"""Which combinations of readers' answers occur, and how often: a consensus is worked out once for each.

Voxels, or cases, of which all readers said the same things are one row with a count. Two billion answers are then some
hundred rows, whatever is done with them.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from isocenter.errors import InputError
from isocenter.image import Mask

Array = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
Box = tuple[slice, slice, slice]

NO_ANSWER = -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Patterns:
    """Rows of answers that occur.

    Args:
        answers: (patterns, readers) places of the classes; NO_ANSWER where a reader did not judge.
        counts: (patterns,) voxels or cases of each.
        classes: How many there are.
    """

    answers: Places
    counts: Array
    classes: int

    @property
    def is_disputed(self) -> npt.NDArray[np.bool_]:
        """Return (patterns,) whether two readers gave two answers."""
        highest = self.answers.max(1)
        lowest = np.where(self.answers == NO_ANSWER, self.classes, self.answers).min(1)
        return np.asarray(lowest < highest)

    @property
    def is_judged(self) -> npt.NDArray[np.bool_]:
        """Return (patterns,) whether anybody gave an answer."""
        return np.asarray((self.answers != NO_ANSWER).any(1))


def patterns_of_classes(ratings: Array, values: Array) -> tuple[Patterns, Places]:
    """Return the patterns of (cases, readers) ratings, nan where not read, and the pattern of each case.

    Args:
        ratings: Each one of the values, or nan.
        values: The classes, rising.
    """
    answers = np.where(np.isnan(ratings), NO_ANSWER, np.searchsorted(values, ratings))
    found, places, counts = np.unique(answers, axis=0, return_inverse=True, return_counts=True)
    return Patterns(answers=found, counts=counts.astype(np.float64), classes=len(values)), places.reshape(-1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stack:
    """Masks of several readers on one grid, looked at slice by slice: no array of all readers' voxels is made.

    Args:
        masks: One for each reader.
        values: Labels that occur, 0 first.
        box: The part of the grid that is looked at.

    Raises:
        InputError: So many readers and labels that their combinations cannot be numbered.
    """

    masks: tuple[Mask, ...]
    values: tuple[int, ...]
    box: Box

    def __post_init__(self) -> None:
        if (len(self.values) + 1) ** len(self.masks) >= 2**63:
            raise InputError(
                f"{len(self.masks)} readers with {len(self.values)} labels make too many combinations; "
                "take fewer readers, or some of the labels at a time."
            )

    def patterns(self) -> tuple[Patterns, Places]:
        """Return the patterns that occur in the box, and their codes, rising."""
        found: Counter[int] = Counter()
        for answers in self._slices():
            is_mixed, codes = self._mixed(answers)
            for code, count in zip(*np.unique(codes, return_counts=True), strict=True):
                found[int(code)] += int(count)
            for place, count in enumerate(np.bincount(answers[0][~is_mixed])):
                found[self._unanimous(place)] += int(count)
        codes = np.asarray(sorted(code for code, count in found.items() if count), dtype=np.int64)
        counts = np.asarray([found[int(code)] for code in codes], dtype=np.float64)
        said = codes[:, None] // self._steps % (len(self.values) + 1)
        said[said == len(self.values)] = NO_ANSWER
        return Patterns(answers=said, counts=counts, classes=len(self.values)), codes

    def fill(self, labels: npt.NDArray[Any], codes: Places, winners: Places) -> None:
        """Write the label that won each pattern into the box of an array (slice, row, column)."""
        alike = np.asarray([self._unanimous(place) for place in range(len(self.values) + 1)], dtype=np.int64)
        # a label that nowhere stands alone has no pattern of its own, and none is asked for
        of_one = winners[np.minimum(np.searchsorted(codes, alike), len(codes) - 1)]
        for answers, plane in zip(self._slices(), labels[self.box], strict=True):
            is_mixed, mixed = self._mixed(answers)
            plane[...] = of_one[answers[0]]
            plane[is_mixed] = winners[np.searchsorted(codes, mixed)]

    @property
    def _steps(self) -> Places:
        return (len(self.values) + 1) ** np.arange(len(self.masks), dtype=np.int64)

    def _unanimous(self, place: int) -> int:
        return place * int(self._steps.sum())

    def _slices(self) -> Iterator[npt.NDArray[np.uint16]]:
        """Yield the places of all readers' answers (readers, row, column), the last place for none."""
        place_of = np.zeros(65536, dtype=np.uint16)
        place_of[list(self.values)] = np.arange(len(self.values))
        ignore = self.masks[0].table.ignore
        if ignore is not None:
            place_of[ignore] = len(self.values)
        for planes in zip(*(mask.labels[self.box] for mask in self.masks), strict=True):
            yield place_of[np.stack(planes)]

    def _mixed(self, answers: npt.NDArray[np.uint16]) -> tuple[npt.NDArray[np.bool_], Places]:
        """Return where readers did not all say the same (row, column), and the codes of what they said there."""
        is_mixed = (answers[1:] != answers[0]).any(0)
        return is_mixed, self._steps @ answers[:, is_mixed].astype(np.int64)


def bounds(masks: Sequence[Mask]) -> Box:
    """Return the smallest box that holds every voxel labelled by anybody; without a voxel where there is none."""
    along: list[npt.NDArray[np.bool_]] = [np.zeros(count, dtype=bool) for count in masks[0].shape]
    for mask in masks:
        for place, plane in enumerate(mask.labels):
            labelled = (plane != 0) if mask.table.ignore is None else (plane != 0) & (plane != mask.table.ignore)
            along[0][place] |= labelled.any()
            along[1] |= labelled.any(1)
            along[2] |= labelled.any(0)
    s, r, c = (_span(axis) for axis in along)
    return s, r, c


def _span(axis: npt.NDArray[np.bool_]) -> slice:
    inside = np.flatnonzero(axis)
    return slice(int(inside[0]), int(inside[-1]) + 1) if len(inside) else slice(0, 0)
