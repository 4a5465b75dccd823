"""What is handed to a reader: findings, pictures, how good the model is, its limits, and where each number comes from.

Nothing here is in a language: remarks and origins are keys that a page turns into words.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from isocenter.errors import InputError
from isocenter.image import Code
from isocenter.result.prediction import Prediction
from isocenter.result.score import Score

Status = Literal["machine", "confirmed", "amended", "refused"]
Plane = Literal["axial", "coronal", "sagittal", "picture"]
Cohort = Literal["test", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One structure that was looked for: what of it was outlined.

    Args:
        volume: In ml, of a picture its area in mm² or pixels, with the interval that the model's errors on its
            validation patients give.
        extent: Of the outline (right to left, front to back, foot to head), of a picture (across, down); None where
            nothing was outlined.
        extent_unit: "mm", or "pixels" where nobody knows how large one is.
        slices: First and last slice of the input, counted from 1; None where nothing was outlined.
        pieces: Parts that do not touch each other.
        is_cut: The outline reaches the image's edge, so the structure may go on outside.
    """

    structure: str
    colour: tuple[int, int, int]
    volume: Score
    code: Code | None = None
    extent: tuple[float, ...] | None = None
    extent_unit: str = "mm"
    slices: tuple[int, int] | None = None
    pieces: int = 0
    is_cut: bool = False

    @property
    def is_found(self) -> bool:
        """Whether a single voxel of it was outlined."""
        return self.pieces > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One plane of the input in the radiological view, with outlines as a layer of its own.

    Args:
        plane: "picture" for an image without a third axis, shown as it is stored.
        number, count: Which slice of the input along this plane's axis, counted from 1, of how many.
        place_mm: How far the plane lies from the patient's origin along its normal, growing towards head, back or left.
        size_mm: (height, width).
        image: PNG bytes, grey or colour, square pixels.
        outlines: PNG bytes with transparency, of the same size.
        letters: Where the patient's sides are: (top, right, bottom, left), such as ("A", "L", "P", "R").
        structures: Names of what is outlined here.
        is_cropped: Only the neighbourhood of the findings is shown.
        has_size: False where nobody knows how large a pixel is: `size_mm` then only tells its proportions.
    """

    plane: Plane
    number: int
    count: int
    place_mm: float
    size_mm: tuple[float, float]
    image: bytes = field(repr=False)
    outlines: bytes = field(repr=False)
    letters: tuple[str, str, str, str]
    structures: tuple[str, ...]
    is_cropped: bool = False
    has_size: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """A sentence by its key in the table of words, and the values that fill it."""

    key: str
    values: Mapping[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where numbers come from: what they are, the thing that bears them, and the receipt of its making.

    Args:
        key: Which numbers, such as "volumes", "intervals", "pictures", "scores".
        name: The thing, such as "mask.nii.gz" or "model".
        digest: Its sha256 in hex, or its id where that is a hash; empty where not known.
        receipt: Digest of the receipt; empty where there is none.
    """

    key: str
    name: str
    digest: str = ""
    receipt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSummary:
    """What a report tells of a model.

    Args:
        dataset: Id of the version that it learnt from.
        patients: By side of that version's split: "train", "validation", "test".
        scores: On its validation patients.
        created: UTC, ISO 8601.
        receipt: Digest of the receipt of its training.
        dataset_receipt: Digest of the receipt of the taking-in of its data set.
    """

    id: str
    dataset: str
    dataset_name: str = ""
    licence: str = ""
    created: str = ""
    patients: Mapping[str, int] = field(default_factory=dict)
    scores: tuple[Score, ...] = ()
    receipt: str = ""
    dataset_receipt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One case whose truth is known, and what the model answered.

    Args:
        truth: A class, a grade, "yes" or "no", or a number.
        value: The model's answer, of the same form.
        probabilities: Class to probability; empty for a number.
    """

    patient: str
    target: str
    truth: str | float
    value: str | float
    probabilities: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Answers that lie near each other, and what they meant.

    Args:
        low, high: From which to which probability, or from which to which number.
        score: Share of patients of whom the answer was true (Wilson interval), or the mean error of a number without
            its sign (bootstrap interval); n counts patients.
        cases: Of these patients, with an answer in the band.
        true: Patients of whom the answer was true, a patient of several cases by their mean; nan for a number.
    """

    low: float
    high: float
    score: Score
    cases: int
    true: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Similar:
    """What answers like this one meant on patients whose truth is known.

    Args:
        target: The question.
        answer: The class whose probability is meant; empty for a number.
        here: The band that this case's answer lies in.
        bands: All bands that hold an answer, from low to high; empty for a number.
        patients, true: How many were asked in all, and of how many of them the answer was true; nan for a number.
    """

    target: str
    answer: str
    here: Band
    bands: tuple[Band, ...] = ()
    patients: int
    true: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """How a model did on patients whose truth is known.

    Args:
        dataset: Id of the version that it was tested on.
        cohort: "test" for the test side of the version that it learnt from, "all" for every case of another one.
        scores: Per structure, and "mean" over them.
        tolerance_mm: Within which two surfaces count as one (NSD); None where not measured.
        subgroups: Scores by a fact of the case, such as "sex: F".
        outcomes: What was answered of each case, and what was true; empty for outlines.
        notes: What a reader of the scores must know, in plain English.
        receipt: Digest of the receipt of the evaluation.
    """

    dataset: str
    dataset_name: str = ""
    cohort: Cohort = "test"
    scores: tuple[Score, ...] = ()
    tolerance_mm: float | None = None
    subgroups: Mapping[str, tuple[Score, ...]] = field(default_factory=dict)
    outcomes: tuple[Outcome, ...] = ()
    notes: tuple[str, ...] = ()
    receipt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One case, as a reader is told of it.

    Args:
        findings: One for each structure that was looked for; empty where the model answers for the whole image.
        similar: What answers like the prediction's meant, where patients of known truth were asked.
        overview: The slice that shows most of what was found, one per plane.
        series: Pictures from end to end of what was found.
        shading: How values became greys.
        limits: What must be known before any of it is used.
        at: When it was composed: UTC, ISO 8601.
        version: Of isocenter.

    Raises:
        InputError: Neither a finding nor an answer: a report says of each structure what was found, also nothing.
    """

    prediction: Prediction
    findings: tuple[Finding, ...]
    overview: tuple[Picture, ...]
    series: tuple[Picture, ...]
    shading: Remark
    model: ModelSummary
    evaluated: Evaluated | None
    limits: tuple[Remark, ...]
    origins: tuple[Origin, ...]
    at: str
    version: str
    similar: tuple[Similar, ...] = ()
    status: Status = "machine"

    def __post_init__(self) -> None:
        if not self.findings and not self.prediction.answers:
            raise InputError(f"The report of case {self.prediction.case} has no finding; its label table is empty.")

    @property
    def receipts(self) -> tuple[str, ...]:
        """Digests of every receipt that the report stands on, each once: the prediction's chain first."""
        told = (*self.prediction.receipts, *(origin.receipt for origin in self.origins))
        return tuple(dict.fromkeys(digest for digest in told if digest))
