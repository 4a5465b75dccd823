"""Facts as answers: classes in words, yes and no, findings listed apart, numbers. No torch here."""

import math
from collections.abc import Mapping, Sequence

from isocenter.case import Fact
from isocenter.errors import LabelError
from isocenter.plugins import did_you_mean

SEPARATOR = "|"  # between findings that one fact lists, as in NIH's table of chest radiographs
# words that say that nothing was found; a class of such a name stands first, so that the other one is the positive
NOTHING = frozenset({
    "0", "no", "none", "normal", "negative", "neg", "healthy", "absent", "control", "false", "nothing", "nofinding",
    "nofindings", "unremarkable", "-",
})  # fmt: skip
_YES = frozenset({"1", "yes", "y", "true", "positive", "pos", "present"})
_NO = frozenset({"0", "no", "n", "false", "negative", "neg", "absent", "none"})


def fact_of(facts: Mapping[str, Fact], name: str) -> Fact:
    """Return the fact of a name.

    Raises:
        LabelError: The case has no such fact ("did you mean …?").
    """
    if name not in facts:
        said = did_you_mean(name, sorted(facts)) if facts else "It has no facts at all."
        raise LabelError(f"nothing is known of {name!r}. {said}")
    return facts[name]


def known_value(facts: Mapping[str, Fact], name: str) -> float | str:
    """Return what is known, text without surrounding blanks.

    Raises:
        LabelError: Nothing is.
    """
    value = fact_of(facts, name).value
    if value is None or value == "":
        raise LabelError(f"its {name!r} is not known.")
    return value.strip() if isinstance(value, str) else value


def knows(facts: Mapping[str, Fact], target: tuple[str, ...]) -> bool:
    """Return whether a case can be learnt from: one of the targets is known of it."""
    return any(name in facts and facts[name].value not in (None, "") for name in target)


def in_words(value: float | str) -> str:
    """Return a class as its word: numbers as short as they can be, so that 1 and 1.0 are one class."""
    return value.strip() if isinstance(value, str) else f"{value:.12g}"


def known_words(facts: Mapping[str, Fact], name: str) -> Mapping[str, str]:
    """Return the name with its class in words; empty where nobody said."""
    return {name: in_words(known_value(facts, name))} if knows(facts, (name,)) else {}


def place_among(answers: Sequence[str], facts: Mapping[str, Fact], name: str, *, said: str) -> int:
    """Return the place of a case's class among the answers.

    Args:
        answers: In their order.
        facts, name: Of the case, and which of them is the class.
        said: What a refusal says of the answers: "learnt are a, b".

    Raises:
        LabelError: It is not known, or none of the answers.
    """
    word = in_words(known_value(facts, name))
    if word not in answers:
        raise LabelError(f"its {name!r} is {word!r}; {said}.")
    return answers.index(word)


def as_number(value: float | str, *, name: str) -> float:
    """Return a number, also where a table holds it as text.

    Raises:
        LabelError: It is none, or has no end.
    """
    try:
        number = float(value)
    except ValueError as error:
        raise LabelError(f"its {name!r} is {value!r}, which is no number.") from error
    if not math.isfinite(number):
        raise LabelError(f"its {name!r} is {number}, which is no number to be learnt.")
    return number


def is_yes(value: float | str, *, name: str) -> bool:
    """Return whether a finding is there.

    Raises:
        LabelError: It is neither said to be there nor not to be.
    """
    word = in_words(value).lower()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise LabelError(f"its {name!r} is {word!r}; a finding is there or not: 1 or 0, yes or no.")


def findings(value: float | str) -> tuple[str, ...]:
    """Return the findings that one fact lists; none where it says that nothing was found."""
    words = (word.strip() for word in in_words(value).split(SEPARATOR))
    return tuple(word for word in words if word and not means_nothing(word))


def means_nothing(word: str) -> bool:
    """Return whether a class says that nothing was found, as "normal" and "No Finding" do."""
    return word.lower().replace(" ", "").replace("_", "") in NOTHING
