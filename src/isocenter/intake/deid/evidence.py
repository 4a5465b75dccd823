"""What a run leaves for those who must believe it: figures with their bounds, file by file, and naming nobody."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from isocenter.dicom.elements.element import tag_text
from isocenter.intake.deid.profile.profile import Profile
from isocenter.intake.deid.profile.table import EDITION
from isocenter.intake.deid.proof.bound import upper_bound
from isocenter.intake.deid.treated import Treated

ACTIONS = ("X", "Z", "D", "U", "C")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """How often something was found in what leaves, and how often it may still be there.

    Args:
        what: "files", "frames" or "patients".
        found: In how many of them.
        of: How many were looked at.
    """

    what: str
    found: int
    of: int

    @property
    def most(self) -> float:
        """The share that is not exceeded at 95 % (one-sided, exact)."""
        return upper_bound(self.found, self.of)


@dataclass(slots=True)
class Tally:
    """Figures of a run's files.

    Args:
        files: How many, by decision.
        reasons: Why some were kept back, and how many.
        elements: How many elements of what leaves were treated in which way, by the table's letters.
        patients: Pseudonyms that leave.
        frames, blanked, boxes, faces: Of what leaves: pictures, files with something blanked, blanked places, pictures
            with a face cut out.
        proved_files, proved_frames, proved_patients: Of what leaves and was looked at again.
    """

    files: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    elements: Counter[str] = field(default_factory=Counter)
    patients: set[str] = field(default_factory=set)
    frames: int = 0
    blanked: int = 0
    boxes: int = 0
    faces: int = 0
    proved_files: int = 0
    proved_frames: int = 0
    proved_patients: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, files: Iterable[Treated]) -> Self:
        """Return the figures of files."""
        found = cls()
        for file in files:
            found.files[file.decision] += 1
            if file.decision == "review":
                found.reasons[file.reason] += 1
            elif file.decision == "release":
                found._add(file)
        return found

    def _add(self, file: Treated) -> None:
        """Count a file that leaves."""
        patient = {file.patient} - {""}
        self.elements.update(file.elements)
        self.patients |= patient
        self.frames += file.frames
        self.blanked += bool(file.boxes)
        self.boxes += len(file.boxes)
        self.faces += file.faces
        if file.is_proved:
            self.proved_files += 1
            self.proved_frames += file.frames
            self.proved_patients |= patient


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a run did.

    Args:
        run: Its id.
        project: Whose pseudonyms were used.
        at: UTC, ISO 8601.
        profile: What was asked for.
        is_proved: A second look was taken at everything that leaves.
        files: What was done with each file; may be gone through again.
        tally: Their figures, counted once.
    """

    run: str
    project: str
    at: str
    profile: Profile
    is_proved: bool
    files: Iterable[Treated]
    tally: Tally = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tally", Tally.of(self.files))

    @property
    def actions(self) -> Mapping[str, int]:
        """How many elements were treated in which way, in what leaves."""
        return {action: self.tally.elements[action] for action in ACTIONS}

    @property
    def reasons(self) -> Sequence[tuple[str, int]]:
        """Why files were kept back, the most frequent first."""
        return self.tally.reasons.most_common()

    @property
    def bounds(self) -> tuple[Bound, ...]:
        """What a second look found in what leaves: nothing, or it would not leave; and what that is worth."""
        if not self.is_proved:
            return ()
        tally = self.tally
        looked = {
            "files": tally.proved_files, "patients": len(tally.proved_patients), "frames": tally.proved_frames,
        }  # fmt: skip
        return tuple(Bound(what=what, found=0, of=count) for what, count in looked.items() if count or what == "files")

    def of(self, decision: str) -> Iterator[Treated]:
        """Yield the files with one decision."""
        return (file for file in self.files if file.decision == decision)

    def to_json(self) -> dict[str, Any]:
        """Return evidence.json."""
        tally, site = self.tally, self.profile.site
        return {
            "run": self.run, "project": self.project, "at": self.at,
            "profile": list(self.profile.options), "edition": EDITION,
            "site": {
                "removed": [tag_text(tag).upper() for tag in sorted(site.remove)],
                "replaced": [tag_text(tag).upper() for tag in sorted(site.replace)],
                "kept": {tag_text(tag).upper(): reason for tag, reason in sorted(site.keep.items())},
                "columns": dict(sorted(site.columns.items())),
            },
            "files": {
                "all": tally.files.total(), "released": tally.files["release"], "review": tally.files["review"],
                "left_out": tally.files["leave out"],
            },
            "patients": len(tally.patients),
            "elements": dict(self.actions),
            "pixels": {
                "frames": tally.frames, "files_blanked": tally.blanked, "boxes": tally.boxes, "faces_cut": tally.faces,
            },
            "proved": self.is_proved,
            "bounds": [
                {"what": one.what, "found": one.found, "of": one.of, "most": one.most, "confidence": 0.95}
                for one in self.bounds
            ],
            "reasons": [{"reason": reason, "count": count} for reason, count in self.reasons],
        }  # fmt: skip
