"""A learning curve: what more patients are worth, from the same ones scored after learning from few and from many."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isocenter.errors import InputError
from isocenter.result import Score

_LEAST_SIZES = 3  # a curve has three numbers
_POWERS = np.geomspace(0.2, 2.0, 116)  # 2 % apart
_ROUNDS = 2000

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What was reached after learning from so many patients."""

    patients: int
    score: Score


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """What so many patients more would change the score by, as far as the curve goes on as it began."""

    more: int
    change: Score


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningCurve:
    """Scores by the number of patients learnt from, and where they lead.

    Args:
        points: From few patients to many.
        end: What the fitted curve comes to with ever more patients.
        power: How fast it gets there: the distance shrinks with the number of patients to this power.
        gains: For each number of further patients that was asked for.
    """

    points: tuple[Point, ...]
    end: float
    power: float
    gains: tuple[Gain, ...]


def learning_curve(
    values: Mapping[int, Mapping[str, float]],
    *,
    measure: str,
    unit: str = "1",
    rises: bool = True,
    more: Sequence[int] = (),
    seed: int = 0,
) -> LearningCurve:
    """Return the curve through scores of the same patients after learning from several numbers of others.

    The curve is end ± distance · patients^(-power), fitted by least squares; it never turns. Intervals are of the
    patients that were scored, drawn again together for all sizes. Which patients were learnt from is not drawn again:
    with several folds each size has learnt from several sets, and the interval knows more of that.

    Args:
        values: Patients learnt from to (patient scored to value); patients whose value is nan somewhere are left out.
        measure, unit: Of the values, such as "dice".
        rises: Higher is better.
        more: Numbers of further patients, beyond the most that were learnt from.
        seed: Of the bootstrap.

    Raises:
        InputError: Fewer than three sizes, or fewer than two patients that all of them scored.

    Source: inverse power laws of learning curves, Cortes et al. 1993 (NIPS 6); for medical images Figueroa et al.
        2012, BMC Med Inform Decis Mak 12:8.
    """
    sizes = sorted(values)
    if len(sizes) < _LEAST_SIZES:
        raise InputError(
            f"A learning curve needs {_LEAST_SIZES} numbers of patients to learn from; {sizes} were given."
        )
    table = _table(values, sizes)
    drawn = _means_drawn(table, np.random.default_rng(seed))
    means, fitted = table.mean(axis=1), _fits(np.array(sizes, float), drawn, rises=rises)
    whole = _fits(np.array(sizes, float), table.mean(axis=1)[None], rises=rises)
    count = table.shape[1]
    points = tuple(
        Point(patients=size, score=_score(measure, unit, float(mean), column, count))
        for size, mean, column in zip(sizes, means, drawn.T, strict=True)
    )
    gains = tuple(
        Gain(more=number, change=_score(f"{measure} gained", unit, float(_gained(whole, sizes[-1], number)[0]),
                                        _gained(fitted, sizes[-1], number), count))
        for number in more
    )  # fmt: skip
    return LearningCurve(points=points, end=float(whole[0, 0]), power=float(whole[0, 2]), gains=gains)


def _table(values: Mapping[int, Mapping[str, float]], sizes: Sequence[int]) -> Floats:
    """Return the values as (sizes, patients), of patients that every size has a value of."""
    shared = sorted(set.intersection(*(set(values[size]) for size in sizes)))
    table = np.array([[values[size][patient] for patient in shared] for size in sizes], np.float64)
    table = table[:, np.isfinite(table).all(axis=0)] if table.size else table
    if table.shape[-1] < 2:
        raise InputError(
            "Fewer than two patients have a value after every one of the runs, so nothing can be compared."
        )
    return table


def _means_drawn(table: Floats, rng: np.random.Generator) -> Floats:
    """Return the means of patients drawn again, (rounds, sizes); each round draws the same ones for all sizes."""
    count = table.shape[1]
    weights = rng.multinomial(count, np.full(count, 1 / count), size=_ROUNDS) / count
    return np.asarray(weights @ table.T)


def _fits(sizes: Floats, means: Floats, *, rises: bool) -> Floats:
    """Return the best curve for each row of means (rows, sizes): end, slope and power, (rows, 3)."""
    best = np.full((len(means), 3), np.nan)
    least = np.full(len(means), np.inf)
    for power in _POWERS:
        shrunk = sizes**-power
        centred = shrunk - shrunk.mean()
        slope = (means - means.mean(axis=1, keepdims=True)) @ centred / (centred @ centred)
        slope = np.minimum(slope, 0.0) if rises else np.maximum(slope, 0.0)
        end = means.mean(axis=1) - slope * shrunk.mean()
        missed = ((end[:, None] + slope[:, None] * shrunk - means) ** 2).sum(axis=1)
        better = missed < least
        least[better] = missed[better]
        best[better] = np.column_stack([end, slope, np.full(len(means), power)])[better]
    return best


def _gained(fits: Floats, now: int, more: int) -> Floats:
    _, slope, power = fits.T
    return np.asarray(slope * ((now + more) ** -power - now**-power))


def _score(name: str, unit: str, value: float, drawn: Floats, count: int) -> Score:
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Score(name=name, label="mean", value=value, low=min(float(low), value), high=max(float(high), value),
                 n=count, unit=unit)  # fmt: skip
