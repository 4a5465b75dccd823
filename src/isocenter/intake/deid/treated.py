"""One file on its way out: what kind it was, what was done with it, and whether it may leave."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from isocenter.intake.deid.identity import Identity
from isocenter.intake.deid.pixels.blank import Box
from isocenter.intake.deid.pixels.look import Seen
from isocenter.intake.deid.sources import Kind

Decision = Literal["release", "review", "leave out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Treated:
    """One file, treated.

    Args:
        number: Of the file in the run, from 1: what evidence calls it, since its name may be somebody's.
        kind: Of its content.
        decision: "release"; "review", where a person must look; "leave out", where there is nothing to release.
        reason: Why it is not released; it names nobody.
        name: Its path in OUT, or in the folder for review; of pseudonyms only, empty where nothing was written.
        patient: Pseudonym; empty for pictures, which name nobody.
        study: Pseudonymous and original Study Instance UID.
        elements: Of a DICOM file, letter of the table to how many elements were treated so.
        removed: What was left away of a picture, by its format's names.
        identity: Whom it named; let go as soon as the vault's people know of it.
        person: Name and date of birth, as in Identity.
        frames: How many pictures it has; 0 where it has none, or nobody looked.
        boxes: Blanked in each of them.
        seen: What was read in its pixels; stays in memory and in the vault.
        faces: In how many frames a face was cut out.
        is_proved: A second look found nothing, in its header, its bytes, and its pixels where those were cleaned.
    """

    number: int
    kind: Kind
    decision: Decision
    reason: str = ""
    name: str = ""
    patient: str = ""
    study: tuple[str, str] = field(default=("", ""), repr=False)
    elements: Mapping[str, int] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    identity: Identity | None = field(default=None, repr=False)
    person: str = field(default="", repr=False)
    frames: int = 0
    boxes: tuple[Box, ...] = ()
    seen: tuple[Seen, ...] = field(default=(), repr=False)
    faces: int = 0
    is_proved: bool = False
