"""What a run leaves for those who must believe it: figures with their bounds, file by file, and naming nobody."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a run did.

    Args:
        run: Its id.
        project: Whose pseudonyms were used.
        at: UTC, ISO 8601.
        profile: What was asked for.
        is_proved: A second look was taken at everything that leaves.
        files: What was done with each file.
    """

    run: str
    project: str
    at: str
    profile: Profile
    is_proved: bool
    files: tuple[Treated, ...]

    def of(self, decision: str) -> tuple[Treated, ...]:
        """Return the files with one decision."""
        return tuple(file for file in self.files if file.decision == decision)

    @property
    def patients(self) -> int:
        """How many pseudonyms leave."""
        return len({file.patient for file in self.of("release") if file.patient})

    def actions(self) -> Mapping[str, int]:
        """Return how many elements were treated in which way, in what leaves."""
        found = Counter[str]()
        for file in self.of("release"):
            found.update(file.elements)
        return {action: found[action] for action in ACTIONS}

    def reasons(self) -> Sequence[tuple[str, int]]:
        """Return why files were kept back, the most frequent first."""
        return Counter(file.reason for file in self.of("review")).most_common()

    def bounds(self) -> tuple[Bound, ...]:
        """Return what a second look found in what leaves: nothing, or it would not leave; and what that is worth."""
        if not self.is_proved:
            return ()
        left = self.of("release")
        proved = [file for file in left if file.is_proved]
        frames = sum(file.frames for file in proved)
        found = [
            Bound(what="files", found=0, of=len(proved)),
            Bound(what="patients", found=0, of=len({file.patient for file in proved if file.patient})),
        ]
        return (*found, Bound(what="frames", found=0, of=frames)) if frames else tuple(found)

    def to_json(self) -> dict[str, Any]:
        """Return evidence.json."""
        left = self.of("release")
        return {
            "run": self.run, "project": self.project, "at": self.at,
            "profile": list(self.profile.options), "edition": EDITION,
            "site": {
                "removed": [tag_text(tag).upper() for tag in sorted(self.profile.site.remove)],
                "replaced": [tag_text(tag).upper() for tag in sorted(self.profile.site.replace)],
                "kept": {tag_text(tag).upper(): reason for tag, reason in sorted(self.profile.site.keep.items())},
            },
            "files": {
                "all": len(self.files), "released": len(left), "review": len(self.of("review")),
                "left_out": len(self.of("leave out")),
            },
            "patients": self.patients,
            "elements": dict(self.actions()),
            "pixels": {
                "frames": sum(file.frames for file in left),
                "files_blanked": sum(bool(file.boxes) for file in left),
                "boxes": sum(len(file.boxes) for file in left),
                "faces_cut": sum(file.faces for file in left),
            },
            "proved": self.is_proved,
            "bounds": [
                {"what": one.what, "found": one.found, "of": one.of, "most": one.most, "confidence": 0.95}
                for one in self.bounds()
            ],
            "reasons": [{"reason": reason, "count": count} for reason, count in self.reasons()],
        }  # fmt: skip

    def lines(self) -> Iterator[str]:
        """Yield files.jsonl, a line a file."""
        for file in self.files:
            yield json.dumps(_file(file), ensure_ascii=False) + "\n"


def found_texts(files: Iterable[Treated]) -> bytes:
    """Return what was read in pixels and blanked, as JSON: it names persons, and goes into the vault."""
    seen = {
        file.number: [
            {"text": line.text, "score": round(line.score, 3), "box": [line.top, line.left, line.bottom, line.right]}
            for one in file.seen
            for line in one.blank
        ]
        for file in files
        if file.seen
    }
    return json.dumps(seen, ensure_ascii=False).encode()


def _file(file: Treated) -> dict[str, Any]:
    return {
        "number": file.number, "kind": file.kind, "decision": file.decision, "reason": file.reason, "name": file.name,
        "patient": file.patient, "elements": dict(sorted(file.elements.items())), "removed": list(file.removed),
        "frames": file.frames, "boxes": [list(box) for box in file.boxes], "faces_cut": file.faces,
        "proved": file.is_proved,
    }  # fmt: skip
