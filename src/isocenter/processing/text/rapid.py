"""Lines read by RapidOCR: PP-OCR's detector and recogniser, Latin and Chinese, its models inside the package.

The detector overlooks a line that stands alone in a large picture, however plain it is; so it is shown a picture in
tiles that overlap.
"""

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from isocenter.processing.text.line import Line, Picture

_SETTINGS: dict[str, Any] = {
    "Global.log_level": "critical",
    "Global.max_side_len": 8192,  # pictures come in the size that they are to be looked at
    "Global.text_score": 0.0,
    "Det.limit_type": "min",
    "Det.limit_side_len": 32,
    "Det.thresh": 0.2,
    "Det.box_thresh": 0.3,
    "Det.max_candidates": 2000,
}
_TILE, _OVERLAP, _EDGE = 640, 128, 12  # pixels
_WHOLE = 0.9  # of a tile


class RapidReader:
    """RapidOCR, tuned to miss little."""

    def __init__(self, *, threads: int = 0) -> None:
        from rapidocr import RapidOCR

        more = {"EngineConfig.onnxruntime.intra_op_num_threads": threads} if threads else {}
        self._engine: Any = RapidOCR(params=_SETTINGS | more)
        logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)

    def read(self, picture: Picture) -> tuple[Line, ...]:
        """Return the lines in a picture, in no order; one that lies in several tiles may come several times."""
        rows, columns = picture.shape[:2]
        return tuple(
            _moved(line, top=top, left=left, shape=(rows, columns), tile=(bottom - top, right - left))
            for top, bottom in _spans(rows)
            for left, right in _spans(columns)
            for line in self._read(picture[top:bottom, left:right])
        )

    def _read(self, tile: Picture) -> Iterator[Line]:
        colour = tile if tile.ndim == 3 else np.repeat(tile[..., None], 3, axis=2)
        found = self._engine(np.ascontiguousarray(colour[..., ::-1]))  # blue, green, red, as OpenCV has it
        if found.boxes is not None:
            rows, columns = tile.shape[:2]
            lines = zip(found.boxes, found.txts or (), found.scores or (), strict=True)
            read = (_line(box, text, score, rows, columns) for box, text, score in lines)
            # where nothing is found, all of the tile is read as if it were a line
            yield from (line for line in read if line.area < _WHOLE * rows * columns)


def _spans(length: int) -> tuple[tuple[int, int], ...]:
    """Return where tiles begin and end along a side, evenly spread and overlapping."""
    if length <= _TILE:
        return ((0, length),)
    count = -(-(length - _OVERLAP) // (_TILE - _OVERLAP))
    firsts = (round(place * (length - _TILE) / (count - 1)) for place in range(count))
    return tuple((first, first + _TILE) for first in firsts)


def _moved(line: Line, *, top: int, left: int, shape: tuple[int, int], tile: tuple[int, int]) -> Line:
    """Return a line of a tile as one of the picture, cut where it ends at an edge that is the tile's alone."""
    is_cut = (
        (line.top < _EDGE and top > 0) or (line.bottom > tile[0] - _EDGE and top + tile[0] < shape[0])
        or (line.left < _EDGE and left > 0) or (line.right > tile[1] - _EDGE and left + tile[1] < shape[1])
    )  # fmt: skip
    return replace(
        line, top=line.top + top, bottom=line.bottom + top, left=line.left + left, right=line.right + left,
        is_cut=is_cut,
    )  # fmt: skip


def _line(box: Any, text: str, score: float, rows: int, columns: int) -> Line:
    left, top = np.floor(np.min(box, axis=0)).astype(int)
    right, bottom = np.ceil(np.max(box, axis=0)).astype(int)
    return Line(
        top=max(0, int(top)), left=max(0, int(left)), bottom=min(rows, int(bottom)), right=min(columns, int(right)),
        text=text, score=float(score),
    )  # fmt: skip
