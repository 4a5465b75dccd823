"""How well outlines agree with those of readers: rows, and what follows from all of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from isocenter.metrics import bootstrap
from isocenter.result import Score

UNITS = {"dice": "1", "nsd": "1", "hd95": "mm", "volume_error": "%", "volume_bias": "%"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One case and one structure: its figures by measure, nan where there is nothing to measure.

    Args:
        figures: "dice", "nsd", "hd95" in mm (see Evaluation), "volume_error" in % of the reference, "volume_bias" the
            same with sign.
        found, reference: How large the structure is, as found and in truth.
        unit: Of both: "ml", of a picture "mm²", or "pixels" where nobody knows how large they are.
    """

    case: str
    patient: str
    structure: str
    figures: Mapping[str, float]
    found: float
    reference: float
    unit: str = "ml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Scores of one model on one set of cases.

    Args:
        rows: One per case and structure.
        scores: One per measure and structure, and per measure the "mean" over the labels (regions left out).
        groups: "fact = value" to the scores of the patients of whom that holds; only facts that tell cases apart.
        tolerance_mm: Within which outlines agree for "nsd".
        length_unit: Of distances and of the tolerance: "pixels" where the model has learnt from pictures of unknown
            size.
    """

    rows: tuple[Row, ...]
    scores: tuple[Score, ...]
    groups: Mapping[str, tuple[Score, ...]] = field(default_factory=dict)
    tolerance_mm: float
    length_unit: str = "mm"

    @property
    def volume_ratios(self) -> dict[str, tuple[float, ...]]:
        """Structure to reference over found volume, one per patient: a model's volume_errors.

        Of a patient's first case, since a mean over several scatters less than the one for which an interval will be
        given. 0 stands for a patient in whom something was found that is not there at all: then the true volume of a
        finding may be nothing.
        """
        ratios: dict[str, dict[str, list[float]]] = {}
        for row in self.rows:
            held = ratios.setdefault(row.structure, {})
            if row.found > 0:
                held.setdefault(row.patient, []).append(row.reference / row.found)
        return {
            structure: tuple(0.0 if min(held) <= 0 else held[0] for held in patients.values())
            for structure, patients in ratios.items()
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the scores must know beside them: nothing."""
        return ()

    def public_rows(self) -> tuple[dict[str, Any], ...]:
        """Return a row for each case, structure and measure, as `evaluate` shows them."""
        return tuple(
            {
                "case": row.case,
                "structure": row.structure,
                "measure": measure,
                "value": None if math.isnan(value) else value,
            }
            for row in self.rows
            for measure, value in row.figures.items()
        )

    def to_document(self) -> dict[str, Any]:
        """Return the evaluation as nested plain JSON values, None for what is not known."""
        return {
            "tolerance_mm": self.tolerance_mm,
            "length_unit": self.length_unit,
            "scores": [score.to_json() for score in self.scores],
            "groups": {name: [score.to_json() for score in scores] for name, scores in self.groups.items()},
            "rows": [
                {
                    "case": row.case,
                    "patient": row.patient,
                    "structure": row.structure,
                    "figures": {name: None if math.isnan(value) else value for name, value in row.figures.items()},
                    "found": row.found,
                    "reference": row.reference,
                    "unit": row.unit,
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
            length_unit=document["length_unit"],
        )


def summary(rows: Sequence[Row], *, labels: Sequence[str], length_unit: str = "mm") -> tuple[Score, ...]:
    """Return the scores of rows, each over patients: per measure the "mean" over the labels, then each structure.

    The mean is taken over a case's labels first, then over cases and patients.
    """
    scores: list[Score] = []
    for measure, usual in UNITS.items():
        unit = length_unit if usual == "mm" else usual
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
