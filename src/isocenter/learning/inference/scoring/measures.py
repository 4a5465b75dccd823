"""The figures of each task, each with its interval by patient."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from isocenter.learning.inference.scoring.rows import AnswerRow
from isocenter.metrics import (
    accuracy,
    auc,
    average_precision,
    balanced_accuracy,
    bias,
    bootstrap_of,
    bootstrap_over_findings,
    brier,
    expected_calibration_error,
    f1,
    limits_of_agreement,
    log_loss,
    macro_auc,
    macro_average_precision,
    macro_f1,
    mae,
    off_by_one,
    quadratic_kappa,
    r2,
    rmse,
    sensitivity,
    specificity,
)
from isocenter.recipe import Goal
from isocenter.result import Score

Array = npt.NDArray[np.float64]
Measure = Callable[..., float]

MEAN = "mean"
# by name: the measure, and whether it looks at the probability (else at what the operating point made of it)
_OF_FINDING: dict[str, tuple[Measure, bool]] = {
    "auc": (auc, True),
    "average_precision": (average_precision, True),
    "balanced_accuracy": (balanced_accuracy, False),
    "sensitivity": (sensitivity, False),
    "specificity": (specificity, False),
    "f1": (f1, False),
    "brier": (brier, True),
    "calibration_error": (expected_calibration_error, True),
    "log_loss": (log_loss, True),
}
_OF_ONE_CLASS = ("auc", "average_precision", "sensitivity", "specificity", "f1")
_MAIN = ("auc", "balanced_accuracy", "sensitivity", "specificity", "quadratic_kappa", "off_by_one", "mae", "bias")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What is measured of rows, and how closely.

    Args:
        goal: What was learnt.
        classes: Its answers, and after them classes that only the truth knows.
        briefly: The main figures alone, as for subgroups.
    """

    goal: Goal
    classes: tuple[str, ...] = field(default=())
    briefly: bool = False

    def wants(self, name: str) -> bool:
        """Return whether a figure is asked for."""
        return not self.briefly or name in _MAIN


def score_rows(rows: Sequence[AnswerRow], measured: Measured) -> tuple[Score, ...]:
    """Return the scores of rows, by the task that was learnt; none for a task that is not known here."""
    scored = _BY_KIND.get(measured.goal.kind)
    return () if scored is None or not rows else tuple(scored(rows, measured))


def _classes(rows: Sequence[AnswerRow], measured: Measured) -> Iterator[Score]:
    """Yield the figures of one class out of several: of two, those of the second one.

    Of more, each class against the rest, and "mean" over them.
    """
    names, patients = measured.classes, [row.patient for row in rows]
    place = {name: number for number, name in enumerate(names)}
    truth, found = (
        np.array([place[str(value)] for value in values], dtype=np.float64)
        for values in ([row.truth for row in rows], [row.value for row in rows])
    )
    shares = np.array([[row.probabilities.get(name, 0.0) for name in names] for row in rows])
    if len(names) == 2:
        yield from _finding(names[1], (shares[:, 1], found, truth), patients=patients, measured=measured)
        return
    for number, name in enumerate(names):
        columns = shares[:, number], (found == number).astype(float), (truth == number).astype(float)
        yield from _finding(name, columns, patients=patients, measured=measured, only=_OF_ONE_CLASS)
    over_all: tuple[tuple[str, Measure, Array], ...] = (
        ("auc", macro_auc, shares),
        ("average_precision", macro_average_precision, shares),
        ("balanced_accuracy", balanced_accuracy, found),
        ("accuracy", accuracy, found),
        ("f1", macro_f1, found),
        ("brier", brier, shares),
        ("calibration_error", expected_calibration_error, shares),
        ("log_loss", log_loss, shares),
    )
    for name, measure, answered in over_all:
        if measured.wants(name):
            yield bootstrap_of(measure, (answered, truth), patients=patients).score(name=name, label=MEAN)


def _finding(
    label: str,
    columns: tuple[Array, Array, Array],
    *,
    patients: Sequence[str],
    measured: Measured,
    only: Sequence[str] = tuple(_OF_FINDING),
) -> Iterator[Score]:
    """Yield the figures of a yes-or-no question; columns are probability, call and truth."""
    shares, called, truth = columns
    for name in only:
        if measured.wants(name):
            measure, by_share = _OF_FINDING[name]
            answered = shares if by_share else called
            yield bootstrap_of(measure, (answered, truth), patients=patients).score(name=name, label=label)


def _findings(rows: Sequence[AnswerRow], measured: Measured) -> Iterator[Score]:
    """Yield the figures of several findings, each over the cases in which it was judged, and "mean" over them."""
    names = measured.goal.answers
    column = {name: number for number, name in enumerate(names)}
    cases = {case: number for number, case in enumerate(dict.fromkeys(row.case for row in rows))}
    patients = {row.case: row.patient for row in rows}
    owners = [patients[case] for case in cases]
    shares, called, truth = (np.full((len(cases), len(names)), math.nan) for _ in range(3))
    for row in rows:
        there = cases[row.case], column[row.target]
        shares[there] = row.probabilities["yes"]
        called[there], truth[there] = row.value == "yes", row.truth == "yes"
    for number, name in enumerate(names):
        judged = ~np.isnan(truth[:, number])
        columns = shares[judged, number], called[judged, number], truth[judged, number]
        of_these = [owner for owner, known in zip(owners, judged, strict=True) if known]
        yield from _finding(name, columns, patients=of_these, measured=measured)
    if len(names) == 1:
        return
    for name, (measure, by_share) in _OF_FINDING.items():
        if measured.wants(name):
            answered = np.nan_to_num(shares if by_share else called)
            found = bootstrap_over_findings(measure, (answered, truth), patients=owners)
            yield found.score(name=name, label=MEAN)


def _grades(rows: Sequence[AnswerRow], measured: Measured) -> Iterator[Score]:
    """Yield how far grades lie off, as wholes, and for each step how well the cases on its two sides are parted."""
    names, patients = measured.goal.answers, [row.patient for row in rows]
    place = {name: number for number, name in enumerate(names)}
    found, truth = (
        np.array([place[str(value)] for value in values], dtype=np.float64)
        for values in ([row.value for row in rows], [row.truth for row in rows])
    )
    far = float(len(names) - 1)
    of_grades: tuple[tuple[str, Measure, str, tuple[float, float] | None], ...] = (
        ("quadratic_kappa", quadratic_kappa, "1", None),
        ("accuracy", accuracy, "1", None),
        ("balanced_accuracy", balanced_accuracy, "1", None),
        ("off_by_one", off_by_one, "1", None),
        ("mae", mae, "grades", (0.0, far)),
        ("bias", bias, "grades", (-far, far)),
    )
    for name, measure, unit, span in of_grades:
        if measured.wants(name):
            over_all = bootstrap_of(measure, (found, truth), patients=patients, span=span)
            yield over_all.score(name=name, label=MEAN, unit=unit)
    shares = np.array([[row.probabilities[name] for name in names] for row in rows])
    for number in range(1, len(names)):
        if measured.wants("auc"):
            columns = shares[:, number:].sum(1), (truth >= number).astype(float)
            yield bootstrap_of(auc, columns, patients=patients).score(name="auc", label=f"at least {names[number]}")


def _numbers(rows: Sequence[AnswerRow], measured: Measured) -> Iterator[Score]:
    """Yield how far a number lies off, in its unit, and how often its stated interval held the truth."""
    target, patients = measured.goal.target[0], [row.patient for row in rows]
    unit = measured.goal.number.unit if measured.goal.number is not None else "1"
    found, truth, low, high = (
        np.array(values, dtype=np.float64)
        for values in zip(*((row.value, row.truth, row.low, row.high) for row in rows), strict=True)
    )
    of_numbers: tuple[tuple[str, Measure, str], ...] = (
        ("mae", mae, unit),
        ("rmse", rmse, unit),
        ("r2", r2, "1"),
        ("bias", bias, unit),
        ("agreement_low", _lower_limit, unit),
        ("agreement_high", _upper_limit, unit),
    )
    for name, measure, of in of_numbers:
        if measured.wants(name):
            yield bootstrap_of(measure, (found, truth), patients=patients).score(name=name, label=target, unit=of)
    known = ~np.isnan(low)
    if measured.wants("coverage") and known.any():
        held = ((low <= truth) & (truth <= high))[known].astype(float)
        of_these = [patient for patient, there in zip(patients, known, strict=True) if there]
        inside = bootstrap_of(accuracy, (held, np.ones_like(held)), patients=of_these)
        yield inside.score(name="coverage", label=target)


def _lower_limit(found: Array, truth: Array) -> float:
    return limits_of_agreement(found, truth).low


def _upper_limit(found: Array, truth: Array) -> float:
    return limits_of_agreement(found, truth).high


_BY_KIND: dict[str, Callable[[Sequence[AnswerRow], Measured], Iterator[Score]]] = {
    "classification": _classes,
    "multilabel": _findings,
    "grading": _grades,
    "regression": _numbers,
}
