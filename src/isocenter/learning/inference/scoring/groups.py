"""Which patients are alike: subgroups by what is known of their cases."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping
from statistics import median

from isocenter.case import Fact

_MANY = 12  # values: with more of them a fact is a name or a free text, and each group a handful of patients
_FEW_NUMBERS = 4  # distinct numbers: as many are kinds, such as 1.5 and 3 T, and no measurements
_AGES = (0, 18, 40, 65)  # years at which a band begins: children, young, middle-aged and elder adults


class Groups:
    """Facts of cases, gathered one case after the other."""

    def __init__(self, *, without: Collection[str] = ()) -> None:
        """Start with nobody.

        Args:
            without: Facts that make no subgroups: what is learnt itself.
        """
        self._without = frozenset(without)
        self._words: dict[str, dict[str, str]] = {}
        self._numbers: dict[str, dict[str, tuple[float, str]]] = {}

    def add(self, case: str, facts: Mapping[str, Fact]) -> None:
        """Take a case's facts into account; one that is missing puts it into no group of that fact."""
        for name, fact in facts.items():
            if name in self._without or fact.value in (None, ""):
                continue
            if isinstance(fact.value, str):
                self._words.setdefault(name, {})[case] = fact.value
            elif fact.value is not None:
                self._numbers.setdefault(name, {})[case] = (float(fact.value), fact.unit)

    def members(self) -> dict[str, frozenset[str]]:
        """Return "fact = value" to its cases, for facts that tell cases apart and have at most twelve values.

        Ages are banded, other measurements parted at their median.
        """
        by_fact = self._words | {name: _banded(name, held) for name, held in self._numbers.items()}
        found: dict[str, frozenset[str]] = {}
        for name, words in sorted(by_fact.items()):
            values = sorted(set(words.values()))
            if 2 <= len(values) <= _MANY:
                found |= {
                    f"{name} = {value}": frozenset(case for case, word in words.items() if word == value)
                    for value in values
                }
        return found


def _banded(name: str, held: Mapping[str, tuple[float, str]]) -> dict[str, str]:
    """Return case to the band of its number."""
    numbers = [number for number, _ in held.values()]
    if _is_age(name, (unit for _, unit in held.values())):
        return {case: _age_band(number) for case, (number, _) in held.items()}
    if len(set(numbers)) <= _FEW_NUMBERS:
        return {case: f"{number:g}{_spaced(unit)}" for case, (number, unit) in held.items()}
    middle = median(numbers)
    return {
        case: f"{'below' if number < middle else 'from'} {middle:g}{_spaced(unit)}"
        for case, (number, unit) in held.items()
    }


def _is_age(name: str, units: Iterable[str]) -> bool:
    """Return whether a fact is an age in years."""
    words = name.lower().replace("_", " ").replace("-", " ").split()
    return "age" in words and all(unit.lower() in ("", "1", "y", "yr", "year", "years", "a") for unit in units)


def _age_band(years: float) -> str:
    place = max(0, bisect_right(_AGES, years) - 1)
    if place + 1 == len(_AGES):
        return f"{_AGES[place]} and above"
    return f"{_AGES[place]} to {_AGES[place + 1] - 1}"


def _spaced(unit: str) -> str:
    return "" if unit in ("", "1") else f" {unit}"
