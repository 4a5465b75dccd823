"""Lines read by RapidOCR: PP-OCR's detector and recogniser, Latin and Chinese, its models inside the package."""

import logging
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


class RapidReader:
    """RapidOCR, tuned to miss little."""

    def __init__(self, *, threads: int = 0) -> None:
        from rapidocr import RapidOCR

        more = {"EngineConfig.onnxruntime.intra_op_num_threads": threads} if threads else {}
        self._engine: Any = RapidOCR(params=_SETTINGS | more)
        logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)

    def read(self, picture: Picture) -> tuple[Line, ...]:
        """Return the lines in a picture, in no order."""
        colour = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
        found = self._engine(np.ascontiguousarray(colour[..., ::-1]))  # blue, green, red, as OpenCV has it
        if found.boxes is None:
            return ()
        rows, columns = picture.shape[:2]
        lines = zip(found.boxes, found.txts or (), found.scores or (), strict=True)
        return tuple(_line(box, text, score, rows, columns) for box, text, score in lines)


def _line(box: Any, text: str, score: float, rows: int, columns: int) -> Line:
    left, top = np.floor(np.min(box, axis=0)).astype(int)
    right, bottom = np.ceil(np.max(box, axis=0)).astype(int)
    return Line(
        top=max(0, int(top)), left=max(0, int(left)), bottom=min(rows, int(bottom)), right=min(columns, int(right)),
        text=text, score=float(score),
    )  # fmt: skip
