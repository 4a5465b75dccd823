"""The form of every public document."""

import math
from typing import Any

from isocenter import __version__

FORMAT = 1  # docs/reference/json.md says what changes it


def known(value: float) -> float | None:
    """Return a number as documents hold it: None for nan, which JSON has no word for."""
    return None if math.isnan(value) else value


def document(step: str, **fields: Any) -> dict[str, Any]:
    """Return a public document: who speaks, in which format, of which step, and the step's own fields."""
    return {"isocenter": __version__, "format": FORMAT, "step": step, **fields}
