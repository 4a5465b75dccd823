"""What a reader said of a case, and who."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from isocenter.image import Mask

UNSIGNED = "reference"
"""The reader of outlines that come without a word of who drew them."""

How = Literal["manual", "algorithm", "consensus", "adjudicated", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """One reader's outlines of one case.

    Args:
        reader: Pseudonym of the person or name of the program.
        how: How the outlines came about.
        mask: On the grid of the case's first volume.
        made_on: sha256, as the store names it (Entry.image), of the very image that it was made on; empty where that
            is the image of the case as it stands there.
    """

    reader: str
    mask: Mask
    how: How = "unknown"
    made_on: str = ""


def standing(annotations: Iterable[Annotation]) -> Annotation | None:
    """Return the outlines that stand for a case: what was adjudicated, else a consensus, else the first reader's."""
    ranks: dict[How, int] = {"adjudicated": 0, "consensus": 1}
    return min(annotations, key=lambda one: ranks.get(one.how, 2), default=None)
