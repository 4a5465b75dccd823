"""How well two gradings agree, beyond chance and by distance. Grades are whole numbers in their order, from 0 or 1."""

from isocenter.errors import InputError
from isocenter.metrics import weighted
from isocenter.metrics.rows import Array, Column, figure, pair


def cohen_kappa(predicted: Column, truth: Column) -> float:
    """Return Cohen's kappa of classes without an order: 1 is full agreement, 0 that of chance, below 0 worse.

    nan as of `quadratic_kappa`.

    Raises:
        InputError: As of `quadratic_kappa`.

    Source: Cohen 1960, Educ Psychol Meas 20:37.
    """
    return figure(weighted.cohen_kappa, _grades(predicted, truth))


def quadratic_kappa(predicted: Column, truth: Column) -> float:
    """Return Cohen's kappa with squared distances: 1 is full agreement, 0 that of chance, below 0 worse.

    nan without a case, and where both sides hold one and the same grade only: chance would agree as well.

    Raises:
        InputError: Rows that do not fit, or grades that are no whole numbers.

    Source: Cohen 1968, Psychol Bull 70:213.
    """
    return figure(weighted.quadratic_kappa, _grades(predicted, truth))


def linear_kappa(predicted: Column, truth: Column) -> float:
    """Return Cohen's kappa with plain distances; as `quadratic_kappa`, but far misses count less.

    Raises:
        InputError: As of `quadratic_kappa`.

    Source: Cicchetti and Allison 1971, Am J EEG Technol 11:101.
    """
    return figure(weighted.linear_kappa, _grades(predicted, truth))


def off_by_one(predicted: Column, truth: Column) -> float:
    """Return the share of cases graded right or one grade beside; nan without a case.

    With three grades it is high for any grading; give it beside kappa.

    Raises:
        InputError: As of `quadratic_kappa`.
    """
    return figure(weighted.off_by_one, _grades(predicted, truth))


def _grades(predicted: Column, truth: Column) -> tuple[Array, Array]:
    found, known = pair(predicted, truth)
    if found.ndim != 1:
        raise InputError(f"One grade for each case is wanted, not {found.shape[1]} columns.")
    for column in (found, known):
        broken = column[column != column.round()]
        if len(broken):
            raise InputError(f"{broken[0]:g} is no grade; whole numbers in their order are wanted.")
    return found, known
