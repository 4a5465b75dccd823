"""What answers like this one meant on patients whose truth is known."""

import math
from collections.abc import Callable, Mapping, Sequence

from isocenter.metrics import bootstrap
from isocenter.result.answer import Answer
from isocenter.result.report import Band, Outcome, Similar
from isocenter.result.score import Score

_TENTHS = 10
_ENOUGH = 10  # patients: with fewer a share says next to nothing, so the band grows
_NEAR = 0.1  # of the spread of the answers: numbers this far apart are alike
_NORMAL = 1.959963984540054  # 97.5th percentile of the standard normal distribution


def find_similar(answer: Answer, outcomes: Sequence[Outcome]) -> Similar | None:
    """Return what answers like this one meant; None where no patient of known truth was asked the same.

    A class: the patients who were given it with a probability of the same tenth, and how many of them had it in
    truth. A number: the patients whose answer lay near, and by how much they were wrong. The band grows by tenths on
    both sides until ten patients lie in it, or all do. A patient with several cases counts once, by their mean.

    Source: Wilson 1927, J Am Stat Assoc 22:209, for shares; bootstrap by patient for errors.
    """
    asked = [one for one in outcomes if one.target == answer.target]
    if isinstance(answer.value, str):
        name = class_shown(answer.value, answer.probabilities)
        asked = [one for one in asked if name in one.probabilities]
        return _of_class(answer, name, asked) if asked else None
    asked = [one for one in asked if not isinstance(one.value, str) and not isinstance(one.truth, str)]
    return _of_number(answer, asked) if asked else None


def class_shown(value: str, probabilities: Mapping[str, float]) -> str:
    """Return the class whose probability a reader is told: "yes" of a finding, else the one that was answered."""
    return "yes" if set(probabilities) == {"yes", "no"} else value


def _of_class(answer: Answer, name: str, asked: Sequence[Outcome]) -> Similar:
    tenths = {id(one): _tenth(one.probabilities[name]) for one in asked}

    def band(first: int, last: int) -> Band:
        held = [one for one in asked if first <= tenths[id(one)] <= last]
        shares = _means(held, lambda one: float(one.truth == name))
        return Band(
            low=first / _TENTHS, high=(last + 1) / _TENTHS, score=wilson(shares, label=name), cases=len(held),
            true=sum(shares.values()),
        )  # fmt: skip

    everyone = _means(asked, lambda one: float(one.truth == name))
    first = last = _tenth(answer.probabilities[name])
    here = band(first, last)
    while here.score.n < min(_ENOUGH, len(everyone)):
        first, last = max(0, first - 1), min(_TENTHS - 1, last + 1)
        here = band(first, last)
    bands = tuple(one for one in (band(tenth, tenth) for tenth in range(_TENTHS)) if one.cases)
    return Similar(
        target=answer.target, answer=name, here=here, bands=bands, patients=len(everyone), true=sum(everyone.values())
    )


def _of_number(answer: Answer, asked: Sequence[Outcome]) -> Similar:
    given, value = [float(one.value) for one in asked], float(answer.value)
    spread = max(*given, value) - min(*given, value)
    everyone = {one.patient for one in asked}
    reach, held = 0.0, list[Outcome]()
    while len({one.patient for one in held}) < min(_ENOUGH, len(everyone)):
        reach += _NEAR * spread or 1.0
        held = [one for one in asked if abs(float(one.value) - value) <= reach]
    errors: dict[str, list[float]] = {}
    for one in held:
        errors.setdefault(one.patient, []).append(abs(float(one.truth) - float(one.value)))
    score = bootstrap(errors, name="mae", label=answer.target, unit=answer.unit)
    # no further than anybody was answered: a wide band with nobody in it would claim what was not seen
    near = [value, *(float(one.value) for one in held)]
    here = Band(low=min(near), high=max(near), score=score, cases=len(held), true=math.nan)
    return Similar(target=answer.target, answer="", here=here, patients=len(everyone), true=math.nan)


def wilson(shares: dict[str, float], *, label: str) -> Score:
    """Return the mean of patients' shares with Wilson's interval, which is honest also where all or none had it.

    Source: Wilson 1927, J Am Stat Assoc 22:209; score interval without continuity correction.
    """
    n = len(shares)
    if not n:
        return Score(name="share", label=label, value=math.nan, low=math.nan, high=math.nan, n=0)
    share = sum(shares.values()) / n
    square = _NORMAL**2
    middle = (share + square / (2 * n)) / (1 + square / n)
    reach = _NORMAL / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    # rounding must not push an end past the share of none or all
    low, high = min(share, max(0.0, middle - reach)), max(share, min(1.0, middle + reach))
    return Score(name="share", label=label, value=share, low=low, high=high, n=n)


def _means(held: Sequence[Outcome], of: Callable[[Outcome], float]) -> dict[str, float]:
    """Return patient to the mean over their cases."""
    values: dict[str, list[float]] = {}
    for one in held:
        values.setdefault(one.patient, []).append(of(one))
    return {patient: sum(found) / len(found) for patient, found in values.items()}


def _tenth(probability: float) -> int:
    return min(_TENTHS - 1, int(probability * _TENTHS + 1e-9))
