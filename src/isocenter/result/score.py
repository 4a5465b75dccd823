"""A number with its interval, its count and its unit: the only form in which a figure is shown."""

import math
from dataclasses import dataclass
from typing import Self

from isocenter.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One figure: what it measures, of which structure, with a 95 % interval over n patients.

    Args:
        name: The measure by its field's name, such as "dice", "nsd", "hd95_mm".
        label: The structure or class that it speaks of; "mean" for the mean over them.
        value: nan where nothing could be measured (n is 0 then).
        low, high: 95 % interval; nan where n is below 2, since one patient has no spread. Without width where all
            patients agree on a figure that has no bounds: it is shown as none.
        n: Patients behind the value.
        unit: "1" for a share, "mm", "ml", "%".

    Raises:
        InputError: A mean of several patients without its interval, or an interval upside down.
    """

    name: str
    label: str
    value: float
    low: float
    high: float
    n: int
    unit: str = "1"

    def __post_init__(self) -> None:
        if self.n < 0:
            raise InputError(f"{self.name} of {self.label}: {self.n} patients cannot be.")
        if self.n >= 2 and (math.isnan(self.low) or math.isnan(self.high)):
            raise InputError(f"{self.name} of {self.label}: a figure of {self.n} patients needs its interval.")
        if self.low > self.high:
            raise InputError(f"{self.name} of {self.label}: interval {self.low}..{self.high} is upside down.")

    def to_json(self) -> dict[str, str | float | int | None]:
        """Return the public form: {name, label, value, low, high, n, unit}, None for what is not known."""
        return {
            "name": self.name,
            "label": self.label,
            "value": _known(self.value),
            "low": _known(self.low),
            "high": _known(self.high),
            "n": self.n,
            "unit": self.unit,
        }

    @classmethod
    def from_json(cls, document: dict[str, str | float | int | None]) -> Self:
        """Return the score that `to_json` wrote."""
        return cls(
            name=str(document["name"]),
            label=str(document["label"]),
            value=_number(document["value"]),
            low=_number(document["low"]),
            high=_number(document["high"]),
            n=int(document["n"] or 0),
            unit=str(document["unit"]),
        )

    def __str__(self) -> str:
        digits = 3 if self.unit == "1" else 2
        unit = "" if self.unit == "1" else f" {self.unit}"
        if self.n == 0 or math.isnan(self.value):
            return f"not measured (n = {self.n})"
        if math.isnan(self.low) or self.low == self.high:
            return f"{self.value:.{digits}f}{unit} (no interval, n = {self.n})"
        return f"{self.value:.{digits}f}{unit} [{self.low:.{digits}f}, {self.high:.{digits}f}] (n = {self.n})"


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _number(value: str | float | int | None) -> float:
    return math.nan if value is None else float(value)
