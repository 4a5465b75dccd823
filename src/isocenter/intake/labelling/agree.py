"""How far readers of a data set agree, question by question and outline by outline, with intervals by patient."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from isocenter.case import Asked, Entry, Level, Observation, Schema
from isocenter.intake.labelling.asked import AGREED, Opener, Ratings, own_readings, ratings_of
from isocenter.intake.labelling.patterns import Array
from isocenter.metrics import (
    Compared,
    bootstrap_ratings,
    cohen_kappa,
    compare_boxes,
    compare_outlines,
    fleiss_kappa,
    icc,
    interval_alpha,
    kappa_by_pair,
    linear_kappa,
    match_boxes,
    mean_by_pair,
    mean_over_pairs,
    nominal_alpha,
    ordinal_alpha,
    quadratic_kappa,
)
from isocenter.metrics.interval import Interval, bootstrap_of
from isocenter.metrics.intraclass import Form
from isocenter.result import Score

_FORMS: tuple[Form, ...] = ("ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(2,k)", "ICC(3,k)")
_OVERLAP = 0.5  # intersection over union from which on two boxes may be one finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """One figure of agreement.

    Args:
        score: The measure, of which question or structure, with its 95 % interval by patient.
        readers: The pair that it speaks of; empty for all readers together.
    """

    score: Score
    readers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measuring:
    """How agreement is measured.

    Args:
        tolerance_mm: Of NSD: by how much outlines may differ.
        rounds: Resamples of patients.
        seed: Of them.
    """

    tolerance_mm: float = 1.0
    rounds: int = 2000
    seed: int = 0


def agreement_of_answers(
    entries: Sequence[Entry], schema: Schema | None, how: Measuring, *, readers: tuple[str, ...] = ()
) -> Iterator[Agreement]:
    """Yield how far readers agree on each question.

    Classes and whether a finding is there: Fleiss' kappa, Krippendorff's alpha, Cohen's kappa by pair. Grades:
    ordinal alpha, kappa by pair with squared and with plain distances. Numbers: intraclass correlations by form, over
    the first case of each patient that all readers read, and alpha of intervals. Findings that a case shows several
    times are matched by their boxes, pair by pair; their levels are compared where two marked the same one.

    Args:
        entries: Of a version.
        schema: What was asked.
        how: Resamples and their seed.
        readers: Whose answers count; all where none is named.
    """
    for ratings in ratings_of(entries, schema, readers=readers):
        read = np.count_nonzero(~np.isnan(ratings.table), axis=0) > 0
        if read.sum() >= 2:
            yield from _of_question(_of_readers(ratings, read.tolist()), how)
    for asked in () if schema is None else schema.findings:
        if asked.several:
            yield from _of_several(entries, asked, how, readers)


def agreement_of_outlines(entries: Sequence[Entry], open_masks: Opener, how: Measuring) -> Iterator[Agreement]:
    """Yield Dice, NSD and HD95 of readers' outlines, over all pairs and of each pair.

    Args:
        entries: Of a version; those with two readers' outlines count.
        open_masks: Returns readers' masks of a case; one case is held at a time.
        how: Tolerance, resamples and seed. Distances are in voxels where nobody has stated how large one is.

    Raises:
        GridError: Masks of one case on different grids.
        InputError: Cases of known and of unknown size together, or a tolerance below 0.
    """
    compared: list[Compared] = []
    for entry in entries:
        if sum(one.how not in AGREED for one in entry.outlines) > 1:
            opened = open_masks(entry)
            if len(opened.masks) > 1:
                found = compare_outlines(opened.masks, patient=entry.patient, tolerance_mm=how.tolerance_mm)
                compared += [one if opened.has_size else _in_voxels(one) for one in found]
    yield from _over_pairs(compared, how)


def _in_voxels(one: Compared) -> Compared:
    return replace(one, unit="voxels") if one.unit == "mm" else one


def _over_pairs(compared: Iterable[Compared], how: Measuring) -> Iterator[Agreement]:
    found = list(compared)
    for score in mean_over_pairs(found, rounds=how.rounds, seed=how.seed):
        yield Agreement(score=score)
    for pair, scores in mean_by_pair(found, rounds=how.rounds, seed=how.seed).items():
        yield from (Agreement(score=score, readers=pair) for score in scores)


def _of_readers(ratings: Ratings, kept: Sequence[bool]) -> Ratings:
    names = tuple(name for name, is_kept in zip(ratings.readers, kept, strict=True) if is_kept)
    return replace(ratings, readers=names, table=ratings.table[:, np.asarray(kept)])


def _of_question(ratings: Ratings, how: Measuring) -> Iterator[Agreement]:
    if ratings.is_number:
        yield from _of_numbers(ratings, how)
        return
    is_graded = ratings.level is not None and ratings.level.form == "grades"
    together = {"alpha_ordinal": ordinal_alpha} if is_graded else {
        "kappa_fleiss": fleiss_kappa, "alpha_nominal": nominal_alpha
    }  # fmt: skip
    for name, measure in together.items():
        found = bootstrap_ratings(
            measure, ratings.table, patients=ratings.patients, rounds=how.rounds, seed=how.seed
        )  # fmt: skip
        yield Agreement(score=found.score(name=name, label=ratings.label))
    by_pair = {"kappa_quadratic": quadratic_kappa, "kappa_linear": linear_kappa} if is_graded else {
        "kappa_cohen": cohen_kappa
    }  # fmt: skip
    for name, of_two in by_pair.items():
        pairs = kappa_by_pair(
            ratings.table, readers=ratings.readers, patients=ratings.patients, measure=of_two, rounds=how.rounds,
            seed=how.seed,
        )  # fmt: skip
        for pair, interval in pairs.items():
            yield Agreement(score=interval.score(name=name, label=ratings.label), readers=pair)


def _of_numbers(ratings: Ratings, how: Measuring) -> Iterator[Agreement]:
    rows = _first_of_patient(ratings.table, ratings.patients)
    for form in _FORMS:
        found = icc(ratings.table[rows].reshape(-1, len(ratings.readers)), form=form)
        yield Agreement(score=found.score(name=form, label=ratings.label))
    for pair in combinations(range(len(ratings.readers)), 2) if len(ratings.readers) > 2 else ():
        names = ratings.readers[pair[0]], ratings.readers[pair[1]]
        two = ratings.table[:, list(pair)]
        found = icc(two[_first_of_patient(two, ratings.patients)].reshape(-1, 2), form="ICC(2,1)")
        yield Agreement(score=found.score(name="ICC(2,1)", label=ratings.label), readers=names)
    found = bootstrap_ratings(
        interval_alpha, ratings.table, patients=ratings.patients, rounds=how.rounds, seed=how.seed
    )  # fmt: skip
    yield Agreement(score=found.score(name="alpha_interval", label=ratings.label))


def _first_of_patient(table: Array, patients: Sequence[str]) -> list[int]:
    """Return the first row of each patient that every reader has answered: measurements of one person depend."""
    complete = [not np.isnan(row).any() for row in table]
    return sorted({patient: row for row, patient in reversed(list(enumerate(patients))) if complete[row]}.values())


def _of_several(
    entries: Sequence[Entry], asked: Asked, how: Measuring, readers: tuple[str, ...]
) -> Iterator[Agreement]:  # fmt: skip
    """Yield F1 and overlap of matched boxes, and agreement on the levels of what two readers marked alike."""
    compared: list[Compared] = []
    matched: dict[tuple[str, str], list[tuple[str, Observation, Observation]]] = defaultdict(list)
    for entry in entries:
        seen = {
            name: one.seen(asked.name) for name, one in own_readings(entry, readers=readers).items()
            if asked.name in one.asked and all(mark.box is not None for mark in one.seen(asked.name))
        }  # fmt: skip
        if len(seen) < 2 or not any(seen.values()):
            continue
        boxes = {name: np.array([one.box for one in marks], dtype=np.float64) for name, marks in seen.items()}
        compared += compare_boxes(boxes, patient=entry.patient, label=asked.name, least_overlap=_OVERLAP)
        for first, second in combinations(sorted(seen), 2):
            for i, j in match_boxes(boxes[first], boxes[second], least_overlap=_OVERLAP).pairs:
                matched[first, second].append((entry.patient, seen[first][i], seen[second][j]))
    yield from _over_pairs(compared, how)
    for level in asked.levels:
        for pair in sorted(matched):
            yield from _of_level(matched[pair], asked, level, pair=pair, how=how)


def _of_level(
    matched: Sequence[tuple[str, Observation, Observation]], asked: Asked, level: Level, *, pair: tuple[str, str],
    how: Measuring,
) -> Iterator[Agreement]:  # fmt: skip
    rows = [
        (patient, level.number(one.levels.get(level.name)), level.number(other.levels.get(level.name)))
        for patient, one, other in matched
    ]
    both = [row for row in rows if not math.isnan(row[1] + row[2])]
    if not both:
        return
    columns = [np.array([row[1] for row in both]), np.array([row[2] for row in both])]
    label = f"{asked.name}.{level.name}"
    if level.form == "number":
        found = icc(np.stack(columns, axis=1), form="ICC(2,1)")
        yield Agreement(score=found.score(name="ICC(2,1)", label=label), readers=pair)
        return
    name, measure = ("kappa_quadratic", quadratic_kappa) if level.form == "grades" else ("kappa_cohen", cohen_kappa)
    interval: Interval = bootstrap_of(
        measure, columns, patients=[row[0] for row in both], rounds=how.rounds,
        seed=how.seed,
    )  # fmt: skip
    yield Agreement(score=interval.score(name=name, label=label), readers=pair)
