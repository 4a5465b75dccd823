"""File names of BIDS: entities (key-value) and a suffix, such as sub-01_ses-2_acq-fast_T1w.nii.gz.

Source: BIDS specification 1.10, "File name template" and "Appendix: entities".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ORDER = (
    "sub", "ses", "sample", "task", "tracksys", "acq", "nuc", "voi", "ce", "trc", "stain", "rec", "dir", "run", "mod",
    "echo", "flip", "inv", "mt", "part", "proc", "hemi", "space", "split", "recording", "chunk", "atlas", "seg",
    "scale", "res", "den", "label", "desc",
)  # fmt: skip
"""In which entities stand in a name."""

_ENTITY = re.compile(r"([A-Za-z]+)-([A-Za-z0-9+]+)")
_FIRST = ("t1w", "t2w", "flair", "pdw")  # the images that most outlines are drawn on


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """What a file's name says.

    Args:
        entities: Key to label, such as {"sub": "01", "acq": "fast"}.
        suffix: What it is, such as "T1w", "dseg", "participants".
    """

    suffix: str
    entities: Mapping[str, str] = field(default_factory=dict)

    @property
    def session(self) -> tuple[str, str]:
        """Labels of subject and session, "" where there is none."""
        return self.entities.get("sub", ""), self.entities.get("ses", "")

    @property
    def role(self) -> str:
        """The image's role in its case: its suffix, then what tells it from its likes, in lower case."""
        words = [self.suffix]
        for key, label in self.entities.items():
            is_first_run = key == "run" and label.isdigit() and int(label) == 1
            if key not in ("sub", "ses") and not is_first_run:
                words += [key, str(int(label)) if key == "run" and label.isdigit() else label]
        return "_".join(words).lower()

    def file(self, ending: str) -> str:
        """Return the file's name, its entities in the order that the specification wants."""
        keys = sorted(self.entities, key=lambda key: ORDER.index(key) if key in ORDER else len(ORDER))
        return "_".join([*(f"{key}-{self.entities[key]}" for key in keys), self.suffix]) + ending


def name_of(path: Path) -> Name | None:
    """Return what a file's name says; None where it is no name of BIDS."""
    *pairs, suffix = path.name.split(".")[0].split("_")
    found = [_ENTITY.fullmatch(pair) for pair in pairs]
    entities = {one[1]: one[2] for one in found if one is not None}
    if not suffix.isalnum() or len(entities) < len(pairs):
        return None
    return Name(entities=entities, suffix=suffix)


def place_of(role: str) -> tuple[int, str]:
    """Return by what roles are sorted: those first that outlines are mostly drawn on."""
    return (_FIRST.index(role) if role in _FIRST else len(_FIRST)), role
