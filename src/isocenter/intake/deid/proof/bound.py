"""What may be left where nothing was found: exact bounds, not hopes."""

from scipy.stats import beta


def upper_bound(found: int, of: int, *, confidence: float = 0.95) -> float:
    """Return the share that is not exceeded at a confidence, where so many of so many were seen to have something.

    Source: Clopper and Pearson 1934, one-sided. With none of 3,000 it is 0.1 % at 95 %.

    Args:
        found: How many had it.
        of: How many were looked at, each by itself.
        confidence: One-sided.
    """
    if of == 0 or found >= of:
        return 1.0
    return float(beta.ppf(confidence, found + 1, of - found))
