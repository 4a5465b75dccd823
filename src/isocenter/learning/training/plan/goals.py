"""What is learnt: which answers there are, in which order, and how they are weighed."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import prod

import numpy as np

from isocenter.errors import LabelError, PlanError
from isocenter.image import LabelTable
from isocenter.learning.tasks.facts import as_number, findings, in_words, is_yes, means_nothing
from isocenter.learning.training.fingerprint import Fingerprint
from isocenter.plugins import did_you_mean
from isocenter.recipe import Goal, Number, Recipe

_TARGET = ("label",)
_MOST_CLASSES = 100  # beyond them a fact is a number or a name, hardly a class
_UNEVEN = 3.0  # times as many cases of the commonest class as of the rarest: from there on they are weighed
_MOST_WEIGHT = 10.0  # a class of three cases must not shake the network at every step

Known = tuple[float | str, ...]


def target_of(recipe: Recipe) -> tuple[str, ...]:
    """Return the facts that a recipe asks to learn; none where it asks for outlines.

    Raises:
        PlanError: Facts are named, and the task is the one that learns outlines.
    """
    if recipe.tasks.target and recipe.tasks.kind == "segmentation":
        raise PlanError(
            f'tasks.target names {", ".join(map(repr, recipe.tasks.target))}, and tasks.kind = "segmentation" learns '
            f"outlines. Ask for tasks.kind = one of {', '.join(_DECIDERS)}; or leave tasks.target out."
        )
    if recipe.tasks.kind in _DECIDERS:
        return recipe.tasks.target or _TARGET
    return recipe.tasks.target or ()


def goal_of(recipe: Recipe, fingerprint: Fingerprint, *, table: LabelTable | None, reasons: dict[str, str]) -> Goal:
    """Return what a recipe asks to learn from a data set.

    Raises:
        PlanError: Nothing to tell apart, numbers where classes are asked for or the other way round, or grades without
            an order.
        LabelError: No case has the fact, or a value that cannot be an answer; the message names value and fact.
    """
    asked = recipe.tasks
    smoothing = asked.label_smoothing or 0.0
    if asked.label_smoothing is not None:
        reasons["tasks.label_smoothing"] = "as the recipe asks"
    target = target_of(recipe)
    if not target:
        return Goal(
            kind=asked.kind, loss=asked.loss or "", smoothing=smoothing,
            weights=_of_voxels(recipe, fingerprint, table=table, reasons=reasons),
        )  # fmt: skip
    if asked.grades and asked.kind in _DECIDERS and asked.kind != "grading":
        raise PlanError(f'tasks.grades puts answers in order, and {asked.kind} has none: tasks.kind = "grading" fits.')
    decide = _DECIDERS.get(asked.kind, _classes)
    return decide(recipe, _Facts(fingerprint, target), reasons)


class _Facts:
    """What is known of the learning cases of the facts that are learnt."""

    def __init__(self, fingerprint: Fingerprint, target: tuple[str, ...]) -> None:
        self.target = target
        self.facts = fingerprint.facts
        self.ids = fingerprint.ids or tuple(map(str, range(fingerprint.cases)))
        for name in target:
            if name not in self.facts:
                known = sorted(self.facts)
                said = did_you_mean(name, known) if known else "They have no facts; give a table of them at ingest."
                raise LabelError(f"tasks.target: no case to learn from has the fact {name!r}. {said}")

    def known(self, name: str) -> Known:
        """Return what is known of a fact, cases of which nothing is known left out."""
        return tuple(fact.value for fact in self.facts[name] if fact is not None and fact.value not in (None, ""))

    def each(self, name: str, read: Callable[..., float]) -> tuple[float | None, ...]:
        """Return what a reader makes of each case's value, None where nothing is known.

        Raises:
            LabelError: A value that cannot be read; the case is named.
        """
        found: list[float | None] = []
        for place, fact in enumerate(self.facts[name]):
            try:
                is_known = fact is not None and fact.value not in (None, "")
                found.append(read(fact.value, name=name) if fact is not None and is_known else None)
            except LabelError as error:
                raise LabelError(f"Case {self.ids[place]}: {error}") from error
        return tuple(found)

    def single(self, kind: str) -> str:
        """Return the one fact that a task learns.

        Raises:
            PlanError: Several are asked for.
        """
        if len(self.target) > 1:
            raise PlanError(
                f"tasks.target names {len(self.target)} facts, and {kind} learns one. Several findings at once are "
                'learnt by tasks.kind = "multilabel".'
            )
        return self.target[0]


def _classes(recipe: Recipe, facts: _Facts, reasons: dict[str, str]) -> Goal:
    name = facts.single(recipe.tasks.kind)
    counts = Counter(in_words(value) for value in facts.known(name))
    if len(counts) > _MOST_CLASSES:
        raise PlanError(
            f"{name!r} has {len(counts)} different values in {counts.total()} cases; numbers are learnt "
            'by tasks.kind = "regression".'
        )
    _require_several(counts, name=name)
    answers = tuple(sorted(counts, key=_order))
    negative = "; the class that says 'nothing found' stands first" if means_nothing(answers[0]) else ""
    return _goal(recipe, facts.target, reasons, counts={word: counts[word] for word in answers}, said=negative)


def _findings(recipe: Recipe, facts: _Facts, reasons: dict[str, str]) -> Goal:
    if len(facts.target) == 1 and not _is_yes_or_no(facts.known(facts.target[0])):
        listed = Counter(word for value in facts.known(facts.target[0]) for word in set(findings(value)))
        counts = {word: listed[word] for word in sorted(listed)}
        judged = dict.fromkeys(counts, len(facts.known(facts.target[0])))
        said = f"; every finding that {facts.target[0]!r} lists"
    else:
        counts = {name: sum(map(bool, facts.each(name, is_yes))) for name in facts.target}
        judged = {name: len(facts.known(name)) for name in facts.target}
        said = ""
    if all(count in (0, judged[name]) for name, count in counts.items()):
        raise PlanError(
            f"tasks.target: no finding of {', '.join(facts.target)} is there in some cases and not in others."
        )
    return _goal(recipe, facts.target, reasons, counts=counts, said=said, judged=tuple(judged.values()))


def _grades(recipe: Recipe, facts: _Facts, reasons: dict[str, str]) -> Goal:
    name = facts.single("grading")
    counts = Counter(in_words(value) for value in facts.known(name))
    _require_several(counts, name=name)
    asked = recipe.tasks.grades
    if asked is None:
        words = [word for word in counts if not _is_number(word)]
        if words:
            raise PlanError(
                f"{name!r} has the grades {', '.join(sorted(counts))}, and nobody has said which is more. List them "
                "from least to most in tasks.grades."
            )
        answers = tuple(sorted(counts, key=float))
        return _goal(recipe, facts.target, reasons, counts={word: counts[word] for word in answers}, said="")
    strange = [word for word in counts if word not in asked]
    if strange:
        raise LabelError(
            f"tasks.grades lists {', '.join(asked)}; {counts[strange[0]]} case(s) to learn from have "
            f"{name} = {strange[0]!r}. {did_you_mean(strange[0], list(asked))}"
        )
    return _goal(recipe, facts.target, reasons, counts={word: counts[word] for word in asked}, said="")


def _number(recipe: Recipe, facts: _Facts, reasons: dict[str, str]) -> Goal:
    name = facts.single("regression")
    given = [fact for fact in facts.facts[name] if fact is not None and fact.value not in (None, "")]
    units = sorted({fact.unit or "1" for fact in given})
    if len(units) > 1:
        raise LabelError(f"{name!r} is given in {' and '.join(units)}; bring all cases to one unit.")
    values = np.array([number for number in facts.each(name, as_number) if number is not None])
    if len(values) < 2 or not values.std() > 1e-9 * max(1.0, float(np.abs(values).max())):
        raise PlanError(f"{name!r} is the same in all {len(values)} cases to learn from: there is nothing to learn.")
    if recipe.tasks.class_weights == "balanced" or recipe.tasks.label_smoothing:
        raise PlanError("A number has no classes: leave tasks.class_weights and tasks.label_smoothing out.")
    number = Number(
        unit=units[0], shift=float(values.mean()), scale=float(values.std()), low=float(values.min()),
        high=float(values.max()),
    )  # fmt: skip
    unit = "" if number.unit == "1" else f" {number.unit}"
    reasons["tasks.target"] = (
        f"{name}: {len(values)} cases from {number.low:g} to {number.high:g}{unit}, brought to mean 0 and spread 1"
    )
    return Goal(
        kind=recipe.tasks.kind, target=facts.target, answers=facts.target, number=number,
        loss=recipe.tasks.loss or "", smoothing=recipe.tasks.label_smoothing or 0.0,
    )  # fmt: skip


def _goal(
    recipe: Recipe,
    target: tuple[str, ...],
    reasons: dict[str, str],
    *,
    counts: Mapping[str, int],
    said: str,
    judged: Sequence[int] = (),
) -> Goal:
    listed = ", ".join(f"{word} ({count})" for word, count in counts.items())
    reasons["tasks.target"] = f"cases to learn from: {listed}{said}"
    return Goal(
        kind=recipe.tasks.kind, target=target, answers=tuple(counts), counts=tuple(counts.values()),
        loss=recipe.tasks.loss or "", smoothing=recipe.tasks.label_smoothing or 0.0,
        weights=_weights(recipe, tuple(counts.values()), judged=judged, reasons=reasons),
    )  # fmt: skip


def _weights(
    recipe: Recipe, counts: Sequence[int], *, judged: Sequence[int], reasons: dict[str, str]
) -> tuple[float, ...]:
    """Return the weight of each class, or of each finding where it is there; empty where all count alike.

    Args:
        recipe: What was asked.
        counts: Cases of each class, or that have each finding.
        judged: Cases in which somebody looked for each finding; empty for classes.
        reasons: Added to.
    """
    key, asked = "tasks.class_weights", recipe.tasks.class_weights
    if judged:  # each finding beside its own absence
        found = [
            (seen - count) / count if 0 < count < seen else 1.0 for count, seen in zip(counts, judged, strict=True)
        ]
        spread, told = max(found), "a finding is {:.1f} times as often absent as there"
    else:
        present = sum(1 for count in counts if count)
        found = [sum(counts) / (present * count) if count else 1.0 for count in counts]
        spread = max(counts) / min(count for count in counts if count)
        told = "the commonest is {:.1f} times as common as the rarest"
    if asked == "none" or (asked is None and spread <= _UNEVEN):
        reasons[key] = "as the recipe asks" if asked else "the classes are about as common as each other"
        return ()
    reasons[key] = "as the recipe asks" if asked else told.format(spread)
    return tuple(round(min(_MOST_WEIGHT, max(1 / _MOST_WEIGHT, weight)), 4) for weight in found)


def _of_voxels(
    recipe: Recipe, fingerprint: Fingerprint, *, table: LabelTable | None, reasons: dict[str, str]
) -> tuple[float, ...]:
    """Return a weight for the background and each label, by the root of how rare its voxels are."""
    if recipe.tasks.class_weights != "balanced" or table is None:
        return ()
    reasons["tasks.class_weights"] = "as the recipe asks: by the root of how rare a structure's voxels are"
    labels = [sum(fingerprint.voxels.get(label.name, ())) for label in table]
    every = sum(prod(shape) for shape in fingerprint.shapes)
    shares = [max(1, count) for count in (every - sum(labels), *labels)]
    roots = [math.sqrt(every / (len(shares) * count)) for count in shares]
    return tuple(round(min(_MOST_WEIGHT, max(1 / _MOST_WEIGHT, root)), 4) for root in roots)


def _require_several(counts: Mapping[str, int], *, name: str) -> None:
    if len(counts) < 2:
        only = next(iter(counts), "not known")
        raise PlanError(
            f"{name!r} is {only!r} in every case to learn from: there is nothing to tell apart. Add cases of another "
            "class, or name another fact in tasks.target."
        )


def _order(word: str) -> tuple[bool, bool, float, str]:
    """Sort key of classes: "nothing found" first, numbers in their order, then the alphabet's."""
    number = _is_number(word)
    return not means_nothing(word), not number, float(word) if number else 0.0, word


def _is_number(word: str) -> bool:
    try:
        return math.isfinite(float(word))
    except ValueError:
        return False


def _is_yes_or_no(values: Known) -> bool:
    try:
        for value in values:
            is_yes(value, name="")
    except LabelError:
        return False
    return True


_DECIDERS: Mapping[str, Callable[[Recipe, _Facts, dict[str, str]], Goal]] = {
    "classification": _classes,
    "multilabel": _findings,
    "grading": _grades,
    "regression": _number,
}
