"""Many pictures on one: a contact sheet."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

_GAP = 4
_NIGHT = (11, 13, 16)


def contact_sheet(
    frames: Sequence[npt.NDArray[Any]],
    *,
    columns: int = 8,
    edge: int = 160,
    span: tuple[float, float] | None = None,
) -> bytes:
    """Return frames side by side as a PNG, each within a square.

    Args:
        frames: (rows, columns), or (rows, columns, 3), of any type.
        columns: Squares in a row.
        edge: Pixels of a square.
        span: Values that are black and white in all of them; None takes each frame's own darkest and lightest.
    """
    rows = -(-len(frames) // columns)
    step = edge + _GAP
    sheet = Image.new("RGB", (min(columns, len(frames)) * step + _GAP, rows * step + _GAP), _NIGHT)
    for place, frame in enumerate(frames):
        small = Image.fromarray(_grey(frame, span=span)).convert("RGB")
        small.thumbnail((edge, edge))
        row, column = divmod(place, columns)
        left, top = _GAP + column * step + (edge - small.width) // 2, _GAP + row * step + (edge - small.height) // 2
        sheet.paste(small, (left, top))
    target = io.BytesIO()
    sheet.save(target, "png", optimize=True)
    return target.getvalue()


def _grey(frame: npt.NDArray[Any], *, span: tuple[float, float] | None) -> npt.NDArray[np.uint8]:
    low, high = span or (float(frame.min()), float(frame.max()))
    scaled = (frame.astype(np.float32) - low) * (255.0 / max(high - low, 1e-6))
    return np.asarray(np.clip(scaled, 0.0, 255.0), dtype=np.uint8)
