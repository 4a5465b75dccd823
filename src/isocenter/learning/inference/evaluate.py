"""How well a model reads cases whose outlines are known."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.ndimage import find_objects

from isocenter.case import Case, standing
from isocenter.errors import InputError, IsocenterError, LabelError
from isocenter.image import LabelTable, Mask, Volume
from isocenter.learning.inference.scoring.groups import Groups
from isocenter.learning.inference.scoring.outlines import Evaluation, Row, summary
from isocenter.metrics import dice, surface_distances, volume_error
from isocenter.models.model import Model
from isocenter.recipe import Plan


class Read(Protocol):
    """What a reader left: see fitting.Reading."""

    @property
    def mask(self) -> Mask | None:
        """On the own grid of the case's first volume."""


class Reads(Protocol):
    """What reads cases: see predict.Reader. Stated here so that scores can be shown without torch."""

    model: Model

    def read(self, volumes: Mapping[str, Volume]) -> Read:
        """Return what it says of a case."""


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
        tolerance_mm: For "nsd"; None takes the longest step of the network's grid, of stacks at least 1 mm. Of
            pictures of unknown size it is in pixels, as are all distances.
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
    plan = reader.model.plan
    ruler = _Ruler(within=_usual_tolerance(plan) if tolerance_mm is None else tolerance_mm,
                   in_pixels=not plan.channels[0].has_size)  # fmt: skip
    rows: list[Row] = []
    groups = Groups()
    for done, case in enumerate(cases, 1):
        rows += _rows(reader, case, names=names, ruler=ruler)
        groups.add(case.id, case.facts)
        if progress is not None:
            progress(done)
    if not rows:
        raise InputError("There is no case to evaluate on.")
    labels = [label.name for label in table if label.name in names]
    return Evaluation(
        rows=tuple(rows),
        scores=summary(rows, labels=labels, length_unit=ruler.unit),
        groups={
            name: summary([row for row in rows if row.case in members], labels=labels, length_unit=ruler.unit)
            for name, members in groups.members().items()
        },
        tolerance_mm=ruler.within,
        length_unit=ruler.unit,
    )


def reference_mask(case: Case) -> Mask:
    """Return the outlines that a case is measured by: adjudicated ones, a consensus, else the first reader's.

    Raises:
        InputError: Nobody has outlined it.
    """
    found = standing(case.annotations)
    if found is None:
        raise InputError(f"Case {case.id} has no outlines, so nothing can be measured on it.")
    return found.mask


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ruler:
    """How distances are measured: within what they count as none, and whether in pixels for want of millimetres."""

    within: float
    in_pixels: bool

    @property
    def unit(self) -> str:
        return "pixels" if self.in_pixels else "mm"


def _usual_tolerance(plan: Plan) -> float:
    # a picture may be a slide of half a micrometre a pixel: no fixed length suits all, one step of the grid does
    return max(plan.spacing_mm[1:]) if plan.dimensions == "2-D" else max(1.0, *plan.spacing_mm)


def _rows(reader: Reads, case: Case, *, names: Sequence[str], ruler: _Ruler) -> list[Row]:
    reference = reference_mask(case)
    try:
        found = reader.read(case.volumes).mask
        if found is None:
            raise InputError("the reader answers for whole images and outlines nothing.")
        found.require_grid_of(reference)
    except IsocenterError as error:
        raise InputError(f"Case {case.id}: {error}") from error
    both = _Both(found, reference)
    return [_row(case, structure, both=both, ruler=ruler) for structure in names]


def _row(case: Case, structure: str, *, both: "_Both", ruler: _Ruler) -> Row:
    ours, theirs = both.binary(structure)
    first = next(iter(case.volumes.values()))
    steps = (1.0, 1.0, 1.0) if ruler.in_pixels else both.reference.affine.spacing
    distances = surface_distances(ours, theirs, spacing_mm=steps)
    # the farthest that two outlines can lie apart is a matter of the whole grid, not of the part looked at
    sides = np.multiply(both.reference.shape, steps)[1 if first.is_planar else 0 :]
    distances = replace(distances, limit_mm=float(np.linalg.norm(sides)))
    bias = volume_error(ours, theirs)
    each, unit = first.voxel_size
    return Row(
        case=case.id,
        patient=case.patient,
        structure=structure,
        figures={
            "dice": dice(ours, theirs),
            "nsd": distances.within(ruler.within),
            "hd95": distances.quantile(0.95),
            "volume_error": abs(bias),
            "volume_bias": bias,
        },
        found=float(np.count_nonzero(ours)) * each,
        reference=float(np.count_nonzero(theirs)) * each,
        unit=unit,
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
