"""Which facts say what an image shows, and which stratum that puts a case into: every side of a split shows all."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from isocenter.case import Fact

LISTED = "|"
"""Between findings that one fact lists."""

_DESCRIBING = frozenset({
    "age", "sex", "gender", "site", "scanner", "modality", "hospital", "view", "projection", "position", "device",
    "band", "manufacturer", "model", "laboratory", "lab", "height", "width", "weight", "size", "mode", "reader",
    "stain", "protocol", "patient", "laterality",
})  # fmt: skip
"""Words in the names of facts that describe a person or how an image was made, not what it shows."""
_WORD = re.compile(r"[a-z]+")
_MOST_KINDS = 10
_LEAST = 5  # cases of a finding for which a stratum is kept
_QUARTERS = 4


def is_label(name: str) -> bool:
    """Return whether a fact says by its name that it is what is to be learnt."""
    word = name.lower()
    return word in ("label", "labels", "class", "diagnosis", "target") or word.startswith(("label_", "label "))


def label_names(facts: Sequence[Mapping[str, Fact]], *, has_outlines: bool = False) -> tuple[str, ...]:
    """Return the names of the facts that say what an image shows.

    Those are facts called label, label_…, class, diagnosis or target. Where there are none, and nobody has outlined
    anything either, they are those with two to ten kinds that do not describe person, place or machine.

    Args:
        facts: Of each case.
        has_outlines: Whether the cases are outlined, so that outlines are what is to be learnt.
    """
    names = dict.fromkeys(name for one in facts for name in one)
    named = tuple(name for name in names if is_label(name))
    if named or has_outlines:
        return named
    return tuple(
        name for name in names
        if not _DESCRIBING & set(_WORD.findall(name.lower())) and 2 <= len(kinds_of(facts, name)) <= _MOST_KINDS
    )  # fmt: skip


def is_labelled(facts: Mapping[str, Fact], names: Sequence[str]) -> bool:
    """Return whether one of the named facts is known of a case."""
    return any(name in facts and facts[name].value is not None for name in names)


def kinds_of(facts: Sequence[Mapping[str, Fact]], name: str) -> Counter[str]:
    """Return how many cases there are of each kind of a fact; of a fact that lists findings, of each finding."""
    found: Counter[str] = Counter()
    for one in facts:
        value = one[name].value if name in one else None
        if value is not None:
            found.update({word.strip() for word in value.split(LISTED)} if isinstance(value, str) else [f"{value:g}"])
    return found


def strata_of(facts: Sequence[Mapping[str, Fact]], names: Sequence[str]) -> list[str]:
    """Return the stratum of each case: its classes, its rarest finding, the quarter that its number lies in.

    Facts are taken in their order, for as long as strata hold ten cases on average: finer ones part nothing evenly.

    Args:
        facts: Of each case.
        names: The facts that count, the more important first.
    """
    strata = [""] * len(facts)
    for name in names:
        finer = [f"{there} {kind}" for there, kind in zip(strata, stratum_words(facts, name), strict=True)]
        if len(set(finer)) > max(_MOST_KINDS, len(facts) // 10):
            break
        strata = finer
    return strata


def stratum_words(facts: Sequence[Mapping[str, Fact]], name: str) -> list[str]:
    """Return what one fact makes of each case: its class, its rarest finding, the quarter that its number lies in."""
    values = [one[name].value if name in one else None for one in facts]
    numbers = np.array([value for value in values if isinstance(value, float | int)], dtype=np.float64)
    counts = kinds_of(facts, name)
    if len(numbers) and len(counts) > _MOST_KINDS:
        edges = np.quantile(numbers, np.arange(1, _QUARTERS) / _QUARTERS)
        return ["" if not isinstance(v, float | int) else f"q{int(np.searchsorted(edges, v))}" for v in values]
    return ["" if value is None else _rarest(value, counts) for value in values]


def _rarest(value: float | str, counts: Counter[str]) -> str:
    if not isinstance(value, str):
        return f"{value:g}"
    words = [word.strip() for word in value.split(LISTED)]
    often = [word for word in words if counts[word] >= _LEAST] or words
    return min(often, key=lambda word: (counts[word], word))
