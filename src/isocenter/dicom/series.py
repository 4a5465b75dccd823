"""What scanning finds: series that make one volume each, with a verdict, and the pictures that they are made of."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from isocenter.dicom.frames.frame import Frame
from isocenter.dicom.verdict.geometry import Flaw, Verdict
from isocenter.errors import SeriesError
from isocenter.image import Affine

WORDS = ("tilt", "gaps", "duplicates", "uneven", "localiser", "truncated")
"""By which a series is taken in spite of a flaw."""


def require_words(accept: Collection[str], *, known: Collection[str] = WORDS) -> None:
    """Do nothing where every word names something that can be accepted.

    Raises:
        SeriesError: One does not; the message lists those that do.
    """
    unknown = sorted(set(accept) - set(known))
    if unknown:
        raise SeriesError(f"Nothing is called {unknown[0]!r} among what can be accepted: {', '.join(sorted(known))}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One picture of a series.

    Args:
        path: Its file.
        frame: Number of the frame in the file, or of the tile in a mosaic, from 0.
        sop_uid: SOP instance UID.
        position: ImagePositionPatient in LPS mm, None for pictures without place.
    """

    path: Path = field(repr=False)
    frame: int
    sop_uid: str = field(repr=False)
    position: tuple[float, float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Pictures that make one volume, or were meant to. One DICOM series may hold several.

    Args:
        number: SeriesNumber, 0 where absent.
        part: What sets this volume apart from others of its DICOM series, such as "echo 2"; may be empty.
        modality: DICOM's code, such as "CT".
        sequence: A role for it: "t1", "t1ce", "t2", "flair", … or the modality in lower case.
        verdict, reason: The gravest thing found, with figures in mm; "regular" where a volume can be had.
        flaws: All that was found, gravest first; empty where regular.
        shape: (slices, rows, columns) as stored.
        spacing_mm: Step along (slice, row, column).
        instances: In the order of the slices.
        affine: Index to LPS mm as stored; None where the pictures have no place.
        study_uid, series_uid, patient_id: For the caller that makes pseudonyms; never shown.
        sex: "F", "M", "O" or empty. age_years: None where not given.
        scanner: Maker and model.
        references: Series UIDs that a segmentation or structure set refers to.
        frames: What `load` reads.
        holder: Keeps a temporary folder alive as long as the series.
    """

    number: int
    part: str
    modality: str
    sequence: str
    verdict: Verdict
    reason: str
    flaws: tuple[Flaw, ...] = field(repr=False, default=())
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    instances: tuple[Instance, ...] = field(repr=False)
    affine: Affine | None = field(repr=False, default=None, compare=False)
    study_uid: str = field(repr=False)
    series_uid: str = field(repr=False)
    patient_id: str = field(repr=False)
    sex: str = field(repr=False, default="")
    age_years: float | None = field(repr=False, default=None)
    scanner: str = field(repr=False, default="")
    references: tuple[str, ...] = field(repr=False, default=())
    frames: tuple[Frame, ...] = field(repr=False, default=(), compare=False)
    offsets: tuple[float, ...] = field(repr=False, default=())
    holder: object = field(repr=False, default=None, compare=False)

    @property
    def accepts(self) -> tuple[str, ...]:
        """The words that `load` needs in `accept`; empty where the series is regular."""
        return tuple(dict.fromkeys(flaw.accept for flaw in self.flaws if flaw.accept))

    @property
    def role(self) -> str:
        """What it is for in a case, such as "t1", or "dwi_b_value_1000": its sequence and part as one word."""
        return re.sub(r"[^a-z0-9]+", "_", f"{self.sequence} {self.part}".lower()).strip("_") or "image"

    @property
    def frame_of_reference(self) -> str:
        """UID of what its positions are measured from; empty where not said."""
        return str(dict(self.frames[0].key).get("frame of reference") or "") if self.frames else ""

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files of the series, each once, in the order of its slices."""
        return tuple(dict.fromkeys(instance.path for instance in self.instances))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """Everything found under a folder.

    Args:
        series: By study, number and part.
        files: How many files were looked at.
        refused: (path, why) of files that are no readable DICOM; they stopped nothing.
    """

    series: tuple[Series, ...]
    files: int
    refused: tuple[tuple[Path, str], ...] = field(repr=False, default=())

    @property
    def studies(self) -> tuple[tuple[Series, ...], ...]:
        """The series of each study."""
        found: dict[str, list[Series]] = {}
        for one in self.series:
            found.setdefault(one.study_uid, []).append(one)
        return tuple(tuple(group) for group in found.values())

    def __iter__(self) -> Iterator[Series]:
        """Go through the series."""
        return iter(self.series)
