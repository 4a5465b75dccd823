"""An answer amended by whoever decides: "nodule.grade=3" upon what a reader said."""

from collections.abc import Iterable

from isocenter.case import Asked, Observation, Reading, Schema, Value
from isocenter.errors import InputError
from isocenter.plugins import did_you_mean

ADJUDICATED = "adjudicated"
"""The reader of what was decided; who decided stands in the receipt."""


def amended(taken: Reading | None, words: Iterable[str], schema: Schema | None) -> Reading:
    """Return what was decided: a reader's answer, changed.

    Args:
        taken: The answer that it starts from; None for nothing.
        words: "nodule=no", "nodule.kind=solid", "quality=good" (a level of the case).
        schema: What was asked.

    Raises:
        InputError: A word that is no such pair, or one level of several findings of a kind.
        LabelError: Something that nobody asks, or an answer that cannot be.
    """
    start = taken or Reading(reader=ADJUDICATED)
    seen = {name: list(start.seen(name)) for name in start.asked}
    for word in words:
        name, is_pair, answer = (part.strip() for part in word.partition("="))
        if not is_pair or not name or schema is None:
            raise InputError(f"{word!r} is no answer to what was asked; write nodule.kind=solid, or nodule=no.")
        asked, level = _meant(name, schema)
        marks = seen.setdefault(asked.name, [Observation(finding=asked.name)] if asked.is_whole else [])
        if level is None:
            seen[asked.name] = _there(marks, answer, asked)
            continue
        if len(marks) > 1:
            raise InputError(f"{asked.name} stands {len(marks)} times; take a reader's answer, or say {asked.name}=no.")
        value: Value = asked.level(level).read(answer)
        mark = marks[0] if marks else Observation(finding=asked.name)
        seen[asked.name] = [Observation(finding=asked.name, levels={**mark.levels, level: value}, box=mark.box)]
    return Reading(
        reader=ADJUDICATED, image=start.image, asked=tuple(seen),
        observations=tuple(mark for marks in seen.values() for mark in marks), how="adjudicated",
    )  # fmt: skip


def _meant(name: str, schema: Schema) -> tuple[Asked, str | None]:
    """Return the finding, and its level, that a name means."""
    for asked in schema.findings:
        prefix = "" if asked.is_whole else f"{asked.name}."
        if not asked.is_whole and name == asked.name:
            return asked, None
        for level in asked.levels:
            if name == f"{prefix}{level.name}":
                return asked, level.name
    names = [one.name for one in schema.findings if not one.is_whole]
    names += [
        level.name if one.is_whole else f"{one.name}.{level.name}" for one in schema.findings for level in one.levels
    ]  # fmt: skip
    raise InputError(f"Nobody asks {name!r}. {did_you_mean(name, names)}")


def _there(marks: list[Observation], answer: str, asked: Asked) -> list[Observation]:
    if answer.lower() not in ("yes", "no"):
        raise InputError(f"{asked.name} is there or not: {asked.name}=yes or {asked.name}=no.")
    return [] if answer.lower() == "no" else marks or [Observation(finding=asked.name)]
