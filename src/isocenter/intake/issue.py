"""Something found wrong with data: what, where, and what mends it."""

from dataclasses import dataclass
from typing import Literal

from isocenter.errors import FileError, GridError, InputError, LabelError, SeriesError

Severity = Literal["stop", "warn"]

_BY_ERROR: tuple[tuple[type[InputError], str, str, str], ...] = (
    (FileError, "file", "a whole file that stays as it is", "Copy it again from its source."),
    (GridError, "grid", "image and mask on one grid", "Resample the mask onto its image; do not copy the header."),
    (LabelError, "label values", "values of the label table", "Mend the mask, or name the value in the table."),
    (SeriesError, "series", "slices that make one volume", "Export the series again, or accept its flaw by name."),
    (InputError, "voxels", "one volume of finite numbers", "Mend the volume, or take the case out of the folder."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One thing that is not as it should be.

    Args:
        check: What was looked at, such as "pairing", "grid", "label values", "one patient".
        where: File name relative to the folder, case id, or pseudonym; never an identity.
        figure: What was found.
        limit: What was expected.
        mend: What would mend it.
        severity: "stop": the case, or the whole, cannot be used so. "warn": it can, but look at it.
    """

    check: str
    where: str
    figure: str
    limit: str
    mend: str
    severity: Severity = "stop"

    def __str__(self) -> str:
        """Return it as one line for a reader."""
        return f"{self.where}: {self.figure} ({self.check}; expected: {self.limit}). {self.mend}"


def issue_of(error: InputError, *, where: str) -> Issue:
    """Return the issue that an error at reading a case makes; its words stay."""
    check, limit, mend = next(row[1:] for row in _BY_ERROR if isinstance(error, row[0]))
    figure = str(error).removeprefix(f"{where}: ").removeprefix(f"{where.rpartition('/')[2]}: ").rstrip(".")
    return Issue(check=check, where=where, figure=figure, limit=limit, mend=mend)
