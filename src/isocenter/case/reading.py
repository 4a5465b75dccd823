"""What one reader said of a case beside outlines: findings on several levels, how sure, how long, having seen what."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from isocenter.case.annotation import How
from isocenter.case.schema import Value
from isocenter.errors import InputError

Corner = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A finding as a reader saw it.

    Args:
        finding: Its name in the schema.
        levels: Level to answer; what was not answered is left out.
        box: Low and high corner (slice, row, column) in voxels of the case's first volume, voxel i reaching from i to
            i + 1; None where nobody drew one.

    Raises:
        InputError: A box without extent, or of no finite numbers.
    """

    finding: str
    levels: Mapping[str, Value] = field(default_factory=dict)
    box: tuple[Corner, Corner] | None = None

    def __post_init__(self) -> None:
        if self.box is not None and not all(
            math.isfinite(low) and math.isfinite(high) and low < high for low, high in zip(*self.box, strict=True)
        ):
            raise InputError(f"A box of {self.finding} has no extent: its high corner must lie above its low one.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One reader's answers on one case.

    Args:
        reader: Pseudonym.
        image: Digest of the first volume as it was read; empty where nobody has said.
        asked: Findings that were asked for: one that is asked and not observed was not there for this reader.
        observations: What was seen.
        certainty: 0 (a guess) to 1 (sure); None where not asked.
        seconds: That it took; None where not measured.
        blinded: Whether the others' answers were hidden; None where nobody has said.
        how: How the answers came about.

    Raises:
        InputError: A certainty outside 0 to 1, a time below 0, or something observed that was not asked for.
    """

    reader: str
    image: str = ""
    asked: tuple[str, ...] = ()
    observations: tuple[Observation, ...] = ()
    certainty: float | None = None
    seconds: float | None = None
    blinded: bool | None = None
    how: How = "manual"

    def __post_init__(self) -> None:
        if self.certainty is not None and not 0 <= self.certainty <= 1:
            raise InputError(f"{self.reader}: a certainty of {self.certainty:g} cannot be; it lies in 0 to 1.")
        if self.seconds is not None and not 0 <= self.seconds < math.inf:
            raise InputError(f"{self.reader}: a reading of {self.seconds:g} s cannot be.")
        strange = [one.finding for one in self.observations if one.finding not in self.asked]
        if strange:
            raise InputError(f"{self.reader} saw {strange[0]!r}, which was not asked for.")

    def seen(self, finding: str) -> tuple[Observation, ...]:
        """Return what was seen of a finding."""
        return tuple(one for one in self.observations if one.finding == finding)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the reading that `dataclasses.asdict` described.

        Raises:
            InputError: It cannot be.
            KeyError, TypeError: Not such a document.
        """
        observations = tuple(
            Observation(finding=one["finding"], levels=dict(one["levels"]), box=_box(one["box"]))
            for one in document["observations"]
        )
        return cls(**(dict(document) | {"asked": tuple(document["asked"]), "observations": observations}))


def _box(corners: Any) -> tuple[Corner, Corner] | None:
    if corners is None:
        return None
    (s, r, c), (s2, r2, c2) = corners
    return (float(s), float(r), float(c)), (float(s2), float(r2), float(c2))
