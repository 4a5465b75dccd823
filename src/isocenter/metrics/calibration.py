"""Whether probabilities mean what they say.

`probabilities` is (rows,) of a finding with truth 0 or 1, or (rows, classes) with truth the number of a class.
"""

from dataclasses import dataclass

import numpy as np

from isocenter.metrics import weighted
from isocenter.metrics.rows import Column, figure, shares


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Cases whose probability lay between two edges.

    Args:
        low, high: Edges; low is inside, high is in the last bin only.
        n: Cases in it.
        said: Their mean probability; nan without a case.
        seen: The share of them that was so; nan without a case.
    """

    low: float
    high: float
    n: int
    said: float
    seen: float


def brier(probabilities: Column, truth: Column) -> float:
    """Return the mean squared distance of probabilities from what was so; 0 is best, nan without a case.

    Of a finding from 0 to 1; of classes the squares are summed over them, 0 to 2 (twice the former for two classes).

    Raises:
        InputError: Rows or classes that do not fit, or values that are no probability.

    Source: Brier 1950, Monthly Weather Review 78:1.
    """
    return figure(weighted.brier, shares(probabilities, truth))


def log_loss(probabilities: Column, truth: Column) -> float:
    """Return the mean negative natural logarithm of the probability given to what was so; nan without a case.

    0 is best. A probability below 2.2e-16 counts as that much, so that one sure mistake costs 36 and not infinity.

    Raises:
        InputError: As of `brier`.

    Source: Good 1952, J R Stat Soc B 14:107.
    """
    return figure(weighted.log_loss, shares(probabilities, truth))


def expected_calibration_error(probabilities: Column, truth: Column) -> float:
    """Return how far probability and frequency lie apart, the mean over 15 bins of equal width by their cases.

    Of a finding its own probability is held against how often it was there; of classes that of the likeliest class
    against how often it was right. 0 is best; nan without a case. Few cases make it too large: chance alone leaves
    about 0.03 at 1,000 cases.

    Raises:
        InputError: As of `brier`.

    Source: Naeini et al. 2015 (AAAI); Guo et al. 2017 (ICML), equation 3.
    """
    return figure(weighted.expected_calibration_error, shares(probabilities, truth))


def reliability(probabilities: Column, truth: Column) -> tuple[Bin, ...]:
    """Return the 15 bins of the calibration error, what was said and what was seen in each, for a diagram.

    Raises:
        InputError: As of `brier`.
    """
    sure, right = weighted.confidence(*shares(probabilities, truth))
    places = weighted.bin_of(sure)
    counts, said, seen = (np.bincount(places, weights=w, minlength=weighted.BINS) for w in (None, sure, right))
    none = np.full(weighted.BINS, np.nan)
    said = np.divide(said, counts, out=none.copy(), where=counts > 0)
    seen = np.divide(seen, counts, out=none, where=counts > 0)
    edges = np.arange(weighted.BINS + 1) / weighted.BINS
    return tuple(
        Bin(low=float(low), high=float(high), n=int(n), said=float(mean), seen=float(share))
        for low, high, n, mean, share in zip(edges[:-1], edges[1:], counts, said, seen, strict=True)
    )
