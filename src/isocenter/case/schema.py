"""What readers are asked of a case, on several levels: which findings, and of each its kind, place, size and grade."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

from isocenter.errors import LabelError
from isocenter.plugins import did_you_mean

Form = Literal["classes", "grades", "number"]
Value = str | float

WHOLE = "case"
"""The name under which stands what is asked of the whole case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One thing that is asked of a finding, such as its kind, place, size or grade.

    Args:
        name: Such as "place".
        form: "classes" are words without an order, "grades" words from the least to the most, "number" a number.
        words: Of classes and grades.
        unit: Of a number, such as "mm".
        least, most: Bounds of a number; None for none.

    Raises:
        LabelError: No word, one twice, or words of a number.
    """

    name: str
    form: Form
    words: tuple[str, ...] = ()
    unit: str = ""
    least: float | None = None
    most: float | None = None

    def __post_init__(self) -> None:
        if self.form == "number":
            if self.words:
                raise LabelError(f"{self.name!r} is a number and lists words; take one of both.")
        elif not self.words or len(set(self.words)) < len(self.words):
            raise LabelError(f"{self.name!r} lists {list(self.words)}: words, each once, are wanted.")

    @property
    def told(self) -> str:
        """What may be answered, in a line."""
        if self.form != "number":
            return " < ".join(self.words) if self.form == "grades" else ", ".join(self.words)
        bounds = [f"{word} {one:g}" for word, one in (("from", self.least), ("to", self.most)) if one is not None]
        return " ".join(["a number", *([f"in {self.unit}"] if self.unit else []), *bounds])

    def read(self, text: Value) -> Value:
        """Return an answer as the schema holds it.

        Raises:
            LabelError: None of the words, no number, or one out of bounds.
        """
        if self.form != "number":
            word = f"{text:g}" if isinstance(text, float) else str(text).strip()
            found = {known.lower(): known for known in self.words}.get(word.lower())
            if found is None:
                raise LabelError(f"{self.name} is {word!r}. {did_you_mean(word, list(self.words))}")
            return found
        try:
            number = float(text)
        except ValueError as error:
            raise LabelError(f"{self.name} is {text!r}, and a number is wanted.") from error
        low, high = -math.inf if self.least is None else self.least, math.inf if self.most is None else self.most
        if not math.isfinite(number) or not low <= number <= high:
            raise LabelError(f"{self.name} is {number:g}; {self.told} is wanted.")
        return number

    def number(self, value: Value | None) -> float:
        """Return an answer as a number: the place of a word among the words; nan where there is none."""
        if value is None:
            return math.nan
        return float(value) if self.form == "number" else float(self.words.index(str(value)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A finding that is asked for.

    Args:
        name: Such as "nodule"; `WHOLE` for what is asked of the case itself.
        levels: What is asked of it, in that order.
        several: A case may show more than one.
    """

    name: str
    levels: tuple[Level, ...] = ()
    several: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether this is the case itself, which is there in any case."""
        return self.name == WHOLE

    def level(self, name: str) -> Level:
        """Return a level by name.

        Raises:
            LabelError: There is none.
        """
        for level in self.levels:
            if level.name == name:
                return level
        raise LabelError(
            f"Of {self.name} nobody asks {name!r}. {did_you_mean(name, [one.name for one in self.levels])}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """What readers of a data set are asked.

    Args:
        name: Of the schema.
        findings: Each once; `WHOLE` first where anything is asked of the case itself.
        is_stated: Somebody wrote it down; else it is what answers have shown so far, and may grow.

    Raises:
        LabelError: Nothing is asked, a finding or a level stands twice, or a level bears the name of one of the case.
    """

    name: str
    findings: tuple[Asked, ...]
    is_stated: bool = True

    def __post_init__(self) -> None:
        names = [one.name for one in self.findings]
        if not names:
            raise LabelError(f"Schema {self.name!r} asks nothing.")
        for asked in self.findings:
            names += [f"{asked.name}.{level.name}" for level in asked.levels]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise LabelError(f"{twice!r} stands twice in schema {self.name!r}.")
        of_case = {level.name for asked in self.findings if asked.is_whole for level in asked.levels}
        of_others = {level.name for asked in self.findings if not asked.is_whole for level in asked.levels}
        if of_case & of_others:
            raise LabelError(f"{min(of_case & of_others)!r} is asked of the case and of a finding; name one otherwise.")

    def finding(self, name: str) -> Asked:
        """Return a finding by name, in any case of letters.

        Raises:
            LabelError: There is none.
        """
        for asked in self.findings:
            if asked.name.lower() == name.lower():
                return asked
        raise LabelError(f"Nobody asks for {name!r}. {did_you_mean(name, [one.name for one in self.findings])}")

    def joined(self, other: "Schema") -> "Schema":
        """Return what both ask. What one states stands; what both show by themselves grows to hold both.

        Raises:
            LabelError: Both state a finding, and otherwise.
        """
        own = {asked.name: asked for asked in self.findings}
        for asked in other.findings:
            here = own.get(asked.name)
            if here is None or (other.is_stated and not self.is_stated):
                own[asked.name] = asked
            elif not (self.is_stated or other.is_stated):
                own[asked.name] = _grown(here, asked)
            elif other.is_stated and here != asked:
                raise LabelError(f"{asked.name!r} is asked otherwise in schema {self.name!r} and in {other.name!r}.")
        findings = sorted(own.values(), key=lambda asked: not asked.is_whole)
        name = self.name if self.is_stated or not other.is_stated else other.name
        return Schema(name=name, findings=tuple(findings), is_stated=self.is_stated or other.is_stated)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the schema that `dataclasses.asdict` described.

        Raises:
            LabelError: It cannot be.
            KeyError, TypeError: Not such a document.
        """
        findings = tuple(
            Asked(
                name=one["name"], several=one["several"],
                levels=tuple(Level(**(dict(level) | {"words": tuple(level["words"])})) for level in one["levels"]),
            )
            for one in document["findings"]
        )  # fmt: skip
        return cls(name=document["name"], findings=findings, is_stated=document["is_stated"])


def _grown(one: Asked, other: Asked) -> Asked:
    """Return a finding with the levels and words of both."""
    levels = {level.name: level for level in one.levels}
    for level in other.levels:
        here = levels.get(level.name, level)
        if here.form != level.form or here.unit != level.unit:
            raise LabelError(
                f"{one.name}.{level.name} was a {here.form} in {here.unit or '1'} so far, and is a {level.form} in "
                f"{level.unit or '1'} now. Write a schema that says which."
            )
        levels[level.name] = replace(here, words=tuple(dict.fromkeys((*here.words, *level.words))))
    return replace(one, levels=tuple(levels.values()), several=one.several or other.several)
