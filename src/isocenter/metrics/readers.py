"""How far readers agree with each other, pair by pair: on classes, on outlines and on boxes.

No reader is the truth here, so each pair is compared the same both ways. Patients are what is drawn again for an
interval; it speaks of other patients read by these readers, not of other readers.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from isocenter.errors import GridError, InputError
from isocenter.image import Mask
from isocenter.metrics import agreement
from isocenter.metrics.boxes import match_boxes
from isocenter.metrics.classification import Measure
from isocenter.metrics.interval import Interval, bootstrap, bootstrap_of
from isocenter.metrics.overlap import Binary, dice
from isocenter.metrics.rows import Column
from isocenter.metrics.surface import surface_distances
from isocenter.result import Score

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One figure of two readers of one case.

    Args:
        patient: Pseudonym.
        readers: Both, in the order of their names.
        name: The measure, such as "dice".
        label: The structure, or the kind of finding.
        value: nan where there was nothing to compare.
        unit: Of the value.
    """

    patient: str
    readers: Pair
    name: str
    label: str
    value: float
    unit: str = "1"


def kappa_by_pair(
    ratings: Column,
    *,
    readers: Sequence[str],
    patients: Sequence[str],
    measure: Measure = agreement.cohen_kappa,
    rounds: int = 2000,
    seed: int = 0,
) -> dict[Pair, Interval]:
    """Return Cohen's kappa of each pair of readers, over the cases that both read, with its 95 % interval by patient.

    A pair that read nothing in common has a figure of nan and an n of 0.

    Args:
        ratings: (cases, readers), whole numbers; nan: not read.
        readers: Names of the columns.
        patients: Of each case.
        measure: `cohen_kappa` for classes, `linear_kappa` or `quadratic_kappa` for grades; any measure of two columns.
        rounds: Resamples.
        seed: The same ratings and seed give the same intervals.

    Raises:
        InputError: Names that do not fit the ratings, fewer than two readers, or a rating that is no whole number.
    """
    table = np.asarray(ratings, dtype=np.float64)
    if table.shape != (len(patients), len(readers)):
        raise InputError(
            f"Ratings of the shape {table.shape} do not fit {len(patients)} cases and {len(readers)} readers."
        )
    found = {}
    for first, second in _pairs(readers):
        columns = [table[:, list(readers).index(one)] for one in (first, second)]
        both = ~np.isnan(columns[0] + columns[1])
        owners = [patient for patient, kept in zip(patients, both, strict=True) if kept]
        found[first, second] = bootstrap_of(
            measure, [column[both] for column in columns], patients=owners, rounds=rounds, seed=seed
        )
    return found


def compare_outlines(outlines: Mapping[str, Mask], *, patient: str, tolerance_mm: float) -> tuple[Compared, ...]:
    """Return Dice, NSD and HD95 of each structure for each pair of readers of one case.

    Structures meet by name; one that a reader's table does not have is left out for that reader, who was not asked
    for it. Voxels that one of a pair marks to be ignored count for neither. Where both outline nothing the figures
    are nan, where one does they are 0, 0 and the diagonal of the grid.

    Args:
        outlines: Reader to mask, all on one grid.
        patient: Pseudonym of the case's patient.
        tolerance_mm: Of NSD: by how much readers may differ.

    Raises:
        InputError: Fewer than two readers, or a tolerance below 0.
        GridError: Masks on different grids.
    """
    if not tolerance_mm >= 0:
        raise InputError(f"A tolerance of {tolerance_mm:g} mm cannot be; 0 or more is wanted.")
    found: list[Compared] = []
    for pair in _pairs(outlines):
        first, second = (outlines[reader] for reader in pair)
        try:
            first.require_grid_of(second)
        except GridError as error:
            raise GridError(f"{pair[0]} and {pair[1]} outlined on different grids. {error}") from error
        for structure in first.table.structures:
            if structure in second.table.structures:
                ours, theirs = _inside(first, second, structure)
                figures = _figures(ours, theirs, spacing_mm=first.affine.spacing, tolerance_mm=tolerance_mm)
                found += [
                    Compared(patient=patient, readers=pair, name=name, label=structure, value=value, unit=unit)
                    for name, value, unit in figures
                ]
    return tuple(found)


def compare_boxes(
    boxes: Mapping[str, Column], *, patient: str, label: str, least_overlap: float = 0.5
) -> tuple[Compared, ...]:
    """Return F1 and mean overlap of matched boxes for each pair of readers of one case.

    Args:
        boxes: Reader to boxes of one kind of finding, as in `match_boxes`; an empty set for who saw none.
        patient: Pseudonym of the case's patient.
        label: The kind of finding.
        least_overlap: Intersection over union from which on two boxes may be one finding.

    Raises:
        InputError: Fewer than two readers, or boxes that are none.
    """
    found: list[Compared] = []
    for pair in _pairs(boxes):
        matching = match_boxes(boxes[pair[0]], boxes[pair[1]], least_overlap=least_overlap)
        found += [
            Compared(patient=patient, readers=pair, name=name, label=label, value=value)
            for name, value in (("box_f1", matching.f1), ("box_iou", matching.mean_overlap))
        ]
    return tuple(found)


def mean_over_pairs(compared: Iterable[Compared], *, rounds: int = 2000, seed: int = 0) -> tuple[Score, ...]:
    """Return the mean of each measure of each label, with its 95 % interval by patient.

    A patient counts once, by the mean over their cases and pairs of readers; figures of nan are left out.

    Args:
        compared: Of any number of cases.
        rounds: Resamples.
        seed: The same figures and seed give the same intervals.

    Raises:
        InputError: One measure of one label in two units.
    """
    gathered: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    units: dict[tuple[str, str], str] = {}
    for one in compared:
        key = one.name, one.label
        if units.setdefault(key, one.unit) != one.unit:
            raise InputError(f"{one.name} of {one.label} stands in {units[key]} and in {one.unit}; use one unit.")
        gathered[key][one.patient].append(one.value)
    return tuple(
        bootstrap(values, name=name, label=label, unit=units[name, label], rounds=rounds, seed=seed)
        for (name, label), values in gathered.items()
    )


def mean_by_pair(
    compared: Iterable[Compared], *, rounds: int = 2000, seed: int = 0
) -> dict[Pair, tuple[Score, ...]]:  # fmt: skip
    """Return what `mean_over_pairs` says of each pair of readers by itself, so that one who stands apart is seen.

    Args:
        compared: Of any number of cases.
        rounds: Resamples.
        seed: The same figures and seed give the same intervals.

    Raises:
        InputError: As of `mean_over_pairs`.
    """
    gathered: dict[Pair, list[Compared]] = defaultdict(list)
    for one in compared:
        gathered[one.readers].append(one)
    return {pair: mean_over_pairs(gathered[pair], rounds=rounds, seed=seed) for pair in sorted(gathered)}


def _pairs(readers: Iterable[str]) -> list[Pair]:
    names = sorted(readers)
    if len(names) < 2 or len(set(names)) < len(names):
        raise InputError(f"Agreement takes two readers or more, each once; there are: {', '.join(names) or 'none'}.")
    return list(combinations(names, 2))


def _inside(first: Mask, second: Mask, structure: str) -> tuple[Binary, Binary]:
    """Return where each outlined a structure, without voxels that one of them marks to be ignored."""
    ours, theirs = first.binary(structure), second.binary(structure)
    for mask in (first, second):
        if mask.table.ignore is not None:
            judged = mask.labels != mask.table.ignore
            ours, theirs = ours & judged, theirs & judged
    return ours, theirs


def _figures(
    ours: Binary, theirs: Binary, *, spacing_mm: Sequence[float], tolerance_mm: float
) -> Iterator[tuple[str, float, str]]:
    distances = surface_distances(ours, theirs, spacing_mm=spacing_mm)
    yield "dice", dice(ours, theirs), "1"
    yield "nsd", distances.within(tolerance_mm), "1"
    yield "hd95", distances.quantile(0.95), "mm"
