"""How far a figure may be off on which all patients agree: no resample of them changes it, and yet it is not sure.

A perfect AUC of three patients proves little. Of n patients who all agree, up to `unseen(n)` of all others may not; the
interval says what the figure would be if these were as unlike it as they can be.
"""

import math
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import numpy.typing as npt

from isocenter.metrics import agreement, calibration, classification, weighted
from isocenter.metrics.rows import Array

Owners = npt.NDArray[np.int64]
Span = tuple[float, float]
Unseen = Callable[[Array, Array, Owners], float]

_TAIL = 0.025  # beyond a 95 % interval with two ends


def unseen(patients: int) -> float:
    """Return the largest share of all patients that may be otherwise though none of these is; 1 for nobody.

    3 of 100 or so at 100 patients, 31 at 10, 71 at 3.

    Source: Clopper and Pearson 1934, Biometrika 26:404, for none of n; Hanley and Lippman-Hand 1983, JAMA 249:1743.
    """
    return 1.0 - _TAIL ** (1.0 / patients) if patients else 1.0


def around(value: float, *, share: float, span: Span) -> Span:
    """Return the interval of a mean figure of which a share of patients may be anywhere within a span."""
    low, high = span
    return value - share * (value - low), value + share * (high - value)


def limits_of(statistic: Callable[..., float], columns: list[Array]) -> Span | None:
    """Return the least and the most that a measure of this room can be; None for what has no bounds, or is a guest."""
    span = _SPANS.get(statistic)
    if statistic is calibration.brier and columns[0].ndim == 2:
        return 0.0, 2.0
    return span


def share_unseen(statistic: Callable[..., float], columns: list[Array], owners: Owners) -> float:
    """Return the share of patients that may be otherwise, by those whom the measure rests on.

    A sensitivity rests on patients with a positive, an AUC on as many pairs of a positive and a negative patient as
    there are without taking anybody twice, a mean over classes on the mean of theirs.

    Args:
        statistic: A measure.
        columns: Predictions and truth, as the measure takes them.
        owners: Number of each row's patient.
    """
    if len(columns) != 2 or statistic not in _UNSEEN:
        return unseen(len(np.unique(owners)))
    return _UNSEEN[statistic](columns[0], columns[1], owners)


def unseen_over_findings(statistic: Callable[..., float], columns: list[Array], owners: Owners) -> float:
    """Return the mean of `share_unseen` over the findings of which a measure is defined.

    Args:
        statistic: A yes-or-no measure.
        columns: Scores and truth, each (rows, findings); truth below 0 where nobody judged.
        owners: Number of each row's patient.
    """
    shares = []
    for scores, truth in zip(columns[0].T, columns[1].T, strict=True):
        judged = truth >= 0
        one = [scores[judged], truth[judged]]
        if not math.isnan(statistic(*one)):
            shares.append(share_unseen(statistic, one, owners[judged]))
    return _mean(shares)


def patients_behind(statistic: Callable[..., float], columns: list[Array], owners: Owners) -> int:
    """Return how many patients a measure rests on: of a sensitivity those with a positive, of a PPV those called."""
    rows = _ROWS[statistic](*columns) if statistic in _ROWS else np.ones(len(owners), dtype=bool)
    return _patients(rows, owners)


def _patients(rows: npt.NDArray[np.bool_], owners: Owners) -> int:
    return len(np.unique(owners[rows]))


def _pairs(truth: npt.NDArray[np.bool_], owners: Owners) -> float:
    """Return `unseen` of the pairs of one positive and one negative patient, nobody taken twice.

    Each such pair is in order with the probability that the AUC means, and they are independent of each other.
    """
    ill, well = set(owners[truth].tolist()), set(owners[~truth].tolist())
    return unseen(min(len(ill), len(well), len(ill | well) // 2))


def _mean(shares: Iterable[float]) -> float:
    found = list(shares)
    return sum(found) / len(found) if found else 1.0


def _over_classes(scores: Array, truth: Array, owners: Owners) -> float:
    return _mean(_pairs(truth == place, owners) for place in np.unique(truth))


def _over_answers(found: Array, truth: Array, owners: Owners) -> float:
    both = np.unique(np.concatenate([found, truth]))
    return _mean(unseen(_patients((found == one) | (truth == one), owners)) for one in both)


_ROWS: Mapping[Callable[..., float], Callable[[Array, Array], npt.NDArray[np.bool_]]] = {
    classification.sensitivity: lambda called, truth: truth == 1,
    classification.specificity: lambda called, truth: truth == 0,
    classification.ppv: lambda called, truth: called == 1,
    classification.npv: lambda called, truth: called == 0,
    classification.f1: lambda called, truth: (called == 1) | (truth == 1),
}


def _by_rows(statistic: Callable[..., float]) -> Unseen:
    return lambda called, truth, owners: unseen(_patients(_ROWS[statistic](called, truth), owners))


_UNSEEN: Mapping[Callable[..., float], Unseen] = {
    **{statistic: _by_rows(statistic) for statistic in _ROWS},
    classification.auc: lambda scores, truth, owners: _pairs(truth == 1, owners),
    classification.average_precision: lambda scores, truth, owners: _pairs(truth == 1, owners),
    classification.macro_auc: _over_classes,
    classification.macro_average_precision: _over_classes,
    classification.macro_f1: _over_answers,
    classification.balanced_accuracy: lambda found, truth, owners: _mean(
        unseen(_patients(truth == one, owners)) for one in np.unique(truth)
    ),
}  # fmt: skip

_SPANS: Mapping[Callable[..., float], Span] = {
    **dict.fromkeys(
        (
            classification.auc, classification.average_precision, classification.macro_auc,
            classification.macro_average_precision, classification.accuracy, classification.balanced_accuracy,
            classification.macro_f1, *_ROWS, calibration.brier, calibration.expected_calibration_error,
            agreement.off_by_one,
        ),
        (0.0, 1.0),
    ),
    calibration.log_loss: (0.0, -float(np.log(weighted.CLIP))),
    agreement.cohen_kappa: (-1.0, 1.0),
    agreement.quadratic_kappa: (-1.0, 1.0),
    agreement.linear_kappa: (-1.0, 1.0),
}  # fmt: skip
