"""In which respects the sides of a split should be alike: what images show, and any fact that is known of a case."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from isocenter.case import Dataset, Entry, Fact, persons_of
from isocenter.errors import SplitError
from isocenter.intake.strata import LISTED, kinds_of, label_names, strata_of, stratum_words
from isocenter.plugins import did_you_mean

LABEL = "label"
"""The word for what an image shows: which structures are outlined, and the facts that are labels."""
_PLACES = ("site", "scanner")  # of the first of them that is known, every side shows all kinds
_MANY = 10

Facts = Mapping[str, Fact]


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One respect in which all sides should be alike.

    Args:
        name: "label", or of a fact.
        kinds: Person (see persons_of) to all that their cases show.
        strata: Person to the one word that the drawing goes by.
    """

    name: str
    kinds: Mapping[str, frozenset[str]]
    strata: Mapping[str, str]


def factors_of(dataset: Dataset, by: Sequence[str]) -> tuple[Factor, ...]:
    """Return the respects in which a split of a version is to be even.

    Args:
        dataset: The version.
        by: "label", or names of facts, the more important first; nothing for the label, and the site or scanner where
            it is known.

    Raises:
        SplitError: No case has such a fact, or it is another one for most patients.
    """
    known = {name for entry in dataset.entries for name in entry.facts}
    if not by:
        by = (LABEL, *[name for name in _PLACES if name in known][:1])
    people = _people(dataset.entries)
    factors = []
    for name in dict.fromkeys(by):
        if name != LABEL and name not in known:
            told = did_you_mean(name, [LABEL, *sorted(known)])
            raise SplitError(f"No case of data set {dataset.name!r} has the fact {name!r}. {told}")
        factors.append(_label(dataset, people) if name == LABEL else _fact(name, people))
    return tuple(factors)


def _people(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Return person to their cases, in the order of their names."""
    entries = tuple(entries)
    persons = persons_of(entries)
    found: dict[str, list[Entry]] = {person: [] for person in persons.values()}
    for entry in entries:
        found[persons[entry.patient]].append(entry)
    return found


def _label(dataset: Dataset, people: Mapping[str, Sequence[Entry]]) -> Factor:
    """Return what the images show: structures that are outlined, then facts that are labels."""
    names = label_names([entry.facts for entry in dataset.entries], has_outlines=dataset.table is not None)
    titles = {label.value: label.name for label in dataset.table or ()}
    drawn = {person: _drawn(cases) for person, cases in people.items()}
    words = strata_of([_together(cases) for cases in people.values()], names)
    kinds = {person: {titles[value] for value in values if value in titles} for person, values in drawn.items()}
    for name in names:
        for person, shown in _shown(name, people).items():
            kinds[person] |= {f"{name} {word}" for word in shown} if len(names) > 1 else shown
    return Factor(
        name=LABEL, kinds={person: frozenset(shown) for person, shown in kinds.items()},
        strata={person: f"{sorted(drawn[person])} {word}" for person, word in zip(people, words, strict=True)},
    )  # fmt: skip


def _fact(name: str, people: Mapping[str, Sequence[Entry]]) -> Factor:
    """Return one fact as a respect.

    Raises:
        SplitError: It is another one for most patients.
    """
    words = stratum_words([_together(cases) for cases in people.values()], name)
    if len(set(words)) > max(_MANY, len(words) // 2):
        raise SplitError(
            f"{name!r} is another one for most patients ({len(set(words))} kinds in {len(words)}): no side can show "
            "all of them. Leave it out of --by."
        )
    return Factor(
        name=name, strata=dict(zip(people, words, strict=True)),
        kinds={person: frozenset(shown) for person, shown in _shown(name, people).items()},
    )  # fmt: skip


def _shown(name: str, people: Mapping[str, Sequence[Entry]]) -> dict[str, set[str]]:
    """Return person to what a fact says of any of their cases: classes, findings, or the quarter of a number."""
    facts = [entry.facts for cases in people.values() for entry in cases]
    if len(kinds_of(facts, name)) > _MANY and any(isinstance(_value(one, name), float | int) for one in facts):
        words = stratum_words([_together(cases) for cases in people.values()], name)
        return {person: {word} - {""} for person, word in zip(people, words, strict=True)}
    return {person: set(kinds_of([entry.facts for entry in cases], name)) for person, cases in people.items()}


def _drawn(cases: Iterable[Entry]) -> set[int]:
    return {value for entry in cases for outline in entry.outlines for value in outline.present}


def _together(cases: Iterable[Entry]) -> dict[str, Fact]:
    """Return what is known of a person: words of all cases listed, numbers by their mean."""
    values: dict[str, list[float | str]] = {}
    for entry in cases:
        for name, fact in entry.facts.items():
            values.setdefault(name, []).extend([] if fact.value is None else [fact.value])
    return {name: Fact(value=_joined(told)) for name, told in values.items()}


def _joined(values: Sequence[float | str]) -> float | str | None:
    numbers = [value for value in values if isinstance(value, float | int)]
    if numbers and len(numbers) == len(values):
        return sum(numbers) / len(numbers)
    words = {word.strip() for value in values for word in str(value).split(LISTED)}
    return LISTED.join(sorted(words)) or None


def _value(facts: Facts, name: str) -> float | str | None:
    return facts[name].value if name in facts else None
