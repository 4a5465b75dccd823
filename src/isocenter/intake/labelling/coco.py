"""Readers' boxes and outlines as COCO documents, which `label import` reads again."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from isocenter.case import Reading
from isocenter.errors import InputError
from isocenter.image import Mask


class CocoDocument:
    """One reader's COCO document, filled picture by picture.

    Args:
        names: What objects may be called; categories are numbered from 1 in this order.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._numbers = {name: number for number, name in enumerate(names, 1)}
        self._images: list[dict[str, Any]] = []
        self._annotations: list[dict[str, Any]] = []

    def add(self, case: str, *, shape: tuple[int, int, int], reading: Reading | None, mask: Mask | None) -> None:
        """Add a picture with what was seen and outlined in it.

        Args:
            case: Its id, under which it comes back.
            shape: (slices, rows, columns); one slice.
            reading: Boxes of findings.
            mask: Outlines, one annotation a structure.

        Raises:
            InputError: A volume of several slices.
        """
        slices, rows, columns = shape
        if slices != 1:
            raise InputError(
                f"Case {case} has {slices} slices, and COCO holds pictures. Take --as nifti, csv or seg for volumes."
            )
        number = len(self._images) + 1
        self._images.append({"id": number, "file_name": case, "height": rows, "width": columns})
        for mark in () if reading is None else reading.observations:
            if mark.box is not None:
                (_, row, column), (_, to_row, to_column) = mark.box
                self._put(number, mark.finding, (column, row, to_column - column, to_row - row), None)
        for label in () if mask is None else mask.table:
            inside = mask.labels[0] == label.value if mask is not None else np.zeros((1, 1), dtype=bool)
            if inside.any():
                self._put(number, label.name, _box(inside), {"size": [rows, columns], "counts": _runs(inside)})

    def to_document(self) -> dict[str, Any]:
        """Return the document as plain JSON values."""
        categories = [{"id": number, "name": name} for name, number in self._numbers.items()]
        return {"images": self._images, "annotations": self._annotations, "categories": categories}

    def _put(self, image: int, name: str, box: Iterable[float], runs: dict[str, Any] | None) -> None:
        told: dict[str, Any] = {
            "id": len(self._annotations) + 1, "image_id": image, "category_id": self._numbers[name],
            "bbox": [float(edge) for edge in box], "iscrowd": int(runs is not None),
        }  # fmt: skip
        self._annotations.append(told if runs is None else {**told, "segmentation": runs})


def _box(inside: npt.NDArray[np.bool_]) -> tuple[float, float, float, float]:
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    return columns[0], rows[0], columns[-1] + 1 - columns[0], rows[-1] + 1 - rows[0]


def _runs(inside: npt.NDArray[np.bool_]) -> list[int]:
    """Return the lengths of runs down the columns, the first of background."""
    flat = inside.T.reshape(-1)
    edges = np.flatnonzero(np.diff(flat)) + 1
    lengths = np.diff(np.concatenate([[0], edges, [len(flat)]])).tolist()
    return [0, *lengths] if flat[0] else lengths
