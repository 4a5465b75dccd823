"""How well a model reads cases whose outlines are known."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from scipy.ndimage import find_objects

from isocenter.case import Case
from isocenter.errors import InputError, IsocenterError, LabelError
from isocenter.image import LabelTable, Mask, Volume
from isocenter.metrics import bootstrap, dice, surface_distances, volume_error
from isocenter.models.model import Model
from isocenter.result import Score

UNITS = {"dice": "1", "nsd": "1", "hd95": "mm", "volume_error": "%", "volume_bias": "%"}


class Read(Protocol):
    """What a reader left: see predict.Reading."""

    @property
    def mask(self) -> Mask:
        """On the own grid of the case's first volume."""


class Reads(Protocol):
    """What reads cases: see predict.Reader. Stated here so that scores can be shown without torch."""

    model: Model

    def read(self, volumes: Mapping[str, Volume]) -> Read:
        """Return what it says of a case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One case and one structure: its figures by measure, nan where there is nothing to measure.

    Args:
        figures: "dice", "nsd", "hd95" in mm, "volume_error" in % of the reference, "volume_bias" the same with sign.
        found_ml, reference_ml: The volumes.
    """

    case: str
    patient: str
    structure: str
    figures: Mapping[str, float]
    found_ml: float
    reference_ml: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Scores of one model on one set of cases.

    Args:
        rows: One per case and structure.
        scores: One per measure and structure, and per measure the "mean" over the labels (regions left out).
        groups: "fact = value" to the scores of the patients of whom that holds; only facts that tell cases apart.
        tolerance_mm: Within which outlines agree for "nsd".
    """

    rows: tuple[Row, ...]
    scores: tuple[Score, ...]
    groups: Mapping[str, tuple[Score, ...]] = field(default_factory=dict)
    tolerance_mm: float

    @property
    def volume_ratios(self) -> dict[str, tuple[float, ...]]:
        """Structure to reference over found volume, one per patient: a model's volume_errors.

        Over a patient's cases the logarithms are averaged. 0 stands for a patient in whom something was found that
        is not there at all: then the true volume of a finding may be nothing.
        """
        ratios: dict[str, dict[str, list[float]]] = {}
        for row in self.rows:
            held = ratios.setdefault(row.structure, {})
            if row.found_ml > 0:
                held.setdefault(row.patient, []).append(row.reference_ml / row.found_ml)
        return {
            structure: tuple(
                0.0 if min(held) <= 0 else math.exp(sum(map(math.log, held)) / len(held)) for held in patients.values()
            )
            for structure, patients in ratios.items()
        }

    def to_document(self) -> dict[str, Any]:
        """Return the evaluation as nested plain JSON values, None for what is not known."""
        return {
            "tolerance_mm": self.tolerance_mm,
            "scores": [score.to_json() for score in self.scores],
            "groups": {name: [score.to_json() for score in scores] for name, scores in self.groups.items()},
            "rows": [
                {
                    "case": row.case,
                    "patient": row.patient,
                    "structure": row.structure,
                    "figures": {name: None if math.isnan(value) else value for name, value in row.figures.items()},
                    "found_ml": row.found_ml,
                    "reference_ml": row.reference_ml,
                }
                for row in self.rows
            ],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Evaluation":
        """Return the evaluation that `to_document` made.

        Raises:
            KeyError, TypeError: Not such a document.
        """
        rows = tuple(
            Row(**(dict(row) | {"figures": {k: math.nan if v is None else v for k, v in row["figures"].items()}}))
            for row in document["rows"]
        )
        return cls(
            rows=rows,
            scores=tuple(Score.from_json(score) for score in document["scores"]),
            groups={name: tuple(map(Score.from_json, scores)) for name, scores in document["groups"].items()},
            tolerance_mm=document["tolerance_mm"],
        )


def evaluate(
    reader: Reads,
    cases: Iterable[Case],
    *,
    table: LabelTable,
    tolerance_mm: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> Evaluation:
    """Return how well a reader does on cases, by structure and by subgroup, with intervals by patient.

    Args:
        reader: Of one model.
        cases: One is held at a time. The outline is that of the reader whose outlines are a consensus, or else the
            first; voxels marked to be ignored count for nothing.
        table: Of the outlines. Structures are matched with the model's by name.
        tolerance_mm: For "nsd"; None takes the longest step of the network's grid, at least 1 mm.
        progress: Told how many cases are done.

    Raises:
        LabelError: Table and model share no structure.
        InputError: A case without outlines, none at all, or one that the model cannot read; it is named.
    """
    names = [name for name in reader.model.table.structures if name in table.structures]
    if not names:
        raise LabelError(
            f"The model finds {', '.join(reader.model.table.structures)}; the data set's outlines are of "
            f"{', '.join(table.structures)}. They share no name, so nothing can be compared."
        )
    within = max(1.0, *reader.model.plan.spacing_mm) if tolerance_mm is None else tolerance_mm
    rows: list[Row] = []
    groups: dict[str, dict[str, set[str]]] = {}
    for done, case in enumerate(cases, 1):
        rows += _rows(reader, case, names=names, within=within)
        for name, fact in case.facts.items():
            if isinstance(fact.value, str):
                groups.setdefault(name, {}).setdefault(fact.value, set()).add(case.id)
        if progress is not None:
            progress(done)
    if not rows:
        raise InputError("There is no case to evaluate on.")
    labels = [label.name for label in table if label.name in names]
    return Evaluation(
        rows=tuple(rows),
        scores=summary(rows, labels=labels),
        groups={
            f"{name} = {value}": summary([row for row in rows if row.case in members], labels=labels)
            for name, values in sorted(groups.items())
            if len(values) > 1
            for value, members in sorted(values.items())
        },
        tolerance_mm=within,
    )


def summary(rows: Sequence[Row], *, labels: Sequence[str]) -> tuple[Score, ...]:
    """Return the scores of rows, each over patients: per measure the "mean" over the labels, then each structure.

    The mean is taken over a case's labels first, then over cases and patients.
    """
    scores: list[Score] = []
    for measure, unit in UNITS.items():
        of_labels: dict[str, dict[str, list[float]]] = {}
        by_structure: dict[str, dict[str, list[float]]] = {}
        for row in rows:
            value = row.figures[measure]
            by_structure.setdefault(row.structure, {}).setdefault(row.patient, []).append(value)
            if row.structure in labels and not math.isnan(value):
                of_labels.setdefault(row.patient, {}).setdefault(row.case, []).append(value)
        means = {
            patient: [sum(values) / len(values) for values in cases.values()] for patient, cases in of_labels.items()
        }
        scores.append(bootstrap(means, name=measure, label="mean", unit=unit))
        scores += [
            bootstrap(values, name=measure, label=structure, unit=unit) for structure, values in by_structure.items()
        ]
    return tuple(scores)


def reference_mask(case: Case) -> Mask:
    """Return the outlines that a case is measured by: a consensus before anyone's, else the first reader's.

    Raises:
        InputError: Nobody has outlined it.
    """
    ranked = sorted(case.annotations, key=lambda annotation: annotation.how != "consensus")
    if not ranked:
        raise InputError(f"Case {case.id} has no outlines, so nothing can be measured on it.")
    return ranked[0].mask


def _rows(reader: Reads, case: Case, *, names: Sequence[str], within: float) -> list[Row]:
    reference = reference_mask(case)
    try:
        found = reader.read(case.volumes).mask
        found.require_grid_of(reference)
    except IsocenterError as error:
        raise InputError(f"Case {case.id}: {error}") from error
    both = _Both(found, reference)
    return [_row(case, structure, both=both, within=within) for structure in names]


def _row(case: Case, structure: str, *, both: "_Both", within: float) -> Row:
    ours, theirs = both.binary(structure)
    affine = both.reference.affine
    distances = surface_distances(ours, theirs, spacing_mm=affine.spacing)
    # the farthest that two outlines can lie apart is a matter of the whole grid, not of the part looked at
    distances = replace(distances, limit_mm=float(np.linalg.norm(np.multiply(both.reference.shape, affine.spacing))))
    bias = volume_error(ours, theirs)
    return Row(
        case=case.id,
        patient=case.patient,
        structure=structure,
        figures={
            "dice": dice(ours, theirs),
            "nsd": distances.within(within),
            "hd95": distances.quantile(0.95),
            "volume_error": abs(bias),
            "volume_bias": bias,
        },
        found_ml=float(np.count_nonzero(ours)) * affine.voxel_ml,
        reference_ml=float(np.count_nonzero(theirs)) * affine.voxel_ml,
    )


class _Both:
    """Two masks on one grid, looked at structure by structure in the box that holds it in both."""

    def __init__(self, found: Mask, reference: Mask) -> None:
        self.found = found
        self.reference = reference
        self._boxes = [find_objects(mask.labels) for mask in (found, reference)]

    def binary(self, structure: str) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Return where the structure lies, found and in truth, within its box; voxels nobody judged are left out."""
        box = self._box(structure)
        ours, theirs = (
            np.isin(mask.labels[box], mask.table.structures[structure]) for mask in (self.found, self.reference)
        )
        ignore = self.reference.table.ignore
        if ignore is None:
            return ours, theirs
        return ours & (self.reference.labels[box] != ignore), theirs

    def _box(self, structure: str) -> tuple[slice, ...]:
        around = [
            boxes[value - 1]
            for mask, boxes in zip((self.found, self.reference), self._boxes, strict=True)
            for value in mask.table.structures[structure]
            if value <= len(boxes) and boxes[value - 1] is not None
        ]
        edges = [[box[axis] for box in around] or [slice(0, 1)] for axis in range(3)]
        return tuple(slice(min(edge.start for edge in along), max(edge.stop for edge in along)) for along in edges)
