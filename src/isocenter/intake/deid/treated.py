"""One file on its way out: what kind it was, what was done with it, and whether it may leave."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from isocenter.intake.deid.headers import Change
from isocenter.intake.deid.identity import Identity
from isocenter.intake.deid.sources import Kind

Decision = Literal["release", "review", "leave out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Treated:
    """One file, after its headers.

    Args:
        number: Of the file in the run, from 1: what evidence calls it, since its name may be somebody's.
        kind: Of its content.
        decision: "release"; "review", where a person must look; "leave out", where there is nothing to release.
        reason: Why it is not released.
        name: Its path in OUT, of pseudonyms only; empty where there is none.
        patient: Pseudonym; empty for pictures, which name nobody.
        changes: What was done with which element of a DICOM file.
        removed: What was left away of a picture, by its format's names.
        identity: Whom it named; stays in memory and in the vault.
        study: Pseudonymous and original Study Instance UID.
    """

    number: int
    kind: Kind
    decision: Decision
    reason: str = ""
    name: str = ""
    patient: str = ""
    changes: tuple[Change, ...] = ()
    removed: tuple[str, ...] = ()
    identity: Identity | None = field(default=None, repr=False)
    study: tuple[str, str] = ("", "")

    def actions(self) -> Mapping[str, int]:
        """Return how many elements were treated in which way."""
        found: dict[str, int] = {}
        for change in self.changes:
            found[change.action] = found.get(change.action, 0) + 1
        return dict(sorted(found.items()))
