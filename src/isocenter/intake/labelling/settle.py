"""One answer to each question from several readers' answers: agreed facts, and how well each reader reads."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from isocenter.case import Fact, Observation, Reading, Schema
from isocenter.intake.issue import Issue
from isocenter.intake.labelling.asked import Ratings
from isocenter.intake.labelling.consensus import Rule, consensus_of_classes
from isocenter.intake.labelling.patterns import Array
from isocenter.intake.labelling.rules import Vote
from isocenter.intake.labelling.staple import Performance


@dataclass(frozen=True, slots=True, kw_only=True)
class Performed:
    """How well a reader reads one class or structure, as far as the others can tell.

    Args:
        reader: Who.
        label: The question and its class, or the structure.
        sensitivity, specificity: Shares; nan where nothing can be said.
        rests_on: Cases, or voxels, of the class or structure that the reader judged.
    """

    reader: str
    label: str
    sensitivity: float
    specificity: float
    rests_on: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """One question, settled.

    Args:
        label: What was asked.
        answers: Case to what was agreed; cases that nobody judged, or that a tie leaves open, are left out.
        unit: Of a number.
        performed: Of each reader, where the rule says it.
        issues: What is doubtful.
        disputed: Cases to which readers gave several answers.
    """

    label: str
    answers: Mapping[str, float | str]
    unit: str
    performed: tuple[Performed, ...]
    issues: tuple[Issue, ...]
    disputed: int


def settle(ratings: Ratings, rule: Rule) -> Settled:
    """Return one answer for each case: of classes and grades by the rule, of numbers the median.

    With weights the number is the weighted mean. STAPLE has no form for numbers: their median is taken.

    Args:
        ratings: Of two readers or more.
        rule: As of `consensus_of_classes`; weights of readers who were not asked this are left out.

    Raises:
        InputError: Fewer than two readers, or readers without a weight.
    """
    fitting = _fitting(rule, ratings.readers)
    level = ratings.level
    if level is not None and level.form == "number":
        values = _middle(ratings, fitting)
        answers: dict[str, float | str] = _known(ratings.cases, values)
        several = int((np.nanmax(_filled(ratings.table), axis=1) > np.nanmin(_filled(ratings.table), axis=1)).sum())
        return Settled(
            label=ratings.label, answers=answers, unit=level.unit, performed=(), issues=(), disputed=several
        )  # fmt: skip
    found = consensus_of_classes(ratings.table, fitting, readers=ratings.readers, where=ratings.label)
    words = ratings.words()
    answers = {case: words[int(value)] for case, value in _known(ratings.cases, found.classes).items()}
    estimate = found.account.estimate
    performed = () if estimate is None else tuple(
        one for each in estimate.performances for one in performed_of(_worded(each, words), label=ratings.label)
    )  # fmt: skip
    return Settled(
        label=ratings.label, answers=answers, unit="", performed=performed, issues=found.account.issues,
        disputed=found.account.disputed,
    )  # fmt: skip


def performed_of(performance: Performance, *, label: str = "") -> Iterator[Performed]:
    """Yield a reader's rates, class by class; of two classes the second says all.

    Args:
        performance: As STAPLE found it.
        label: The question; empty for outlines, whose background is left out.
    """
    names = performance.classes[1:] if not label or len(performance.classes) == 2 else performance.classes
    for name in names:
        yield Performed(
            reader=performance.reader, label=f"{label} = {name}" if label else name,
            sensitivity=performance.sensitivity(name), specificity=performance.specificity(name),
            rests_on=float(performance.rests_on[performance.classes.index(name)]),
        )  # fmt: skip


def agreed_reading(case: str, settled: Sequence[Settled], schema: Schema, *, reader: str) -> Reading | None:
    """Return what was agreed of a case as a reading; None where nothing was.

    Args:
        case: Its id.
        settled: Every question.
        schema: What was asked.
        reader: "consensus:staple" or the like.
    """
    answers = {one.label: one.answers[case] for one in settled if case in one.answers}
    asked, seen = [], []
    for finding in schema.findings:
        if not finding.is_whole and finding.name not in answers:
            continue
        asked.append(finding.name)
        if finding.is_whole or answers[finding.name] == "yes":
            names = {
                level.name: level.name if finding.is_whole else f"{finding.name}.{level.name}"
                for level in finding.levels
            }
            levels = {name: answers[label] for name, label in names.items() if label in answers}
            seen.append(Observation(finding=finding.name, levels=levels))
    if not answers:
        return None
    return Reading(reader=reader, asked=tuple(asked), observations=tuple(seen), how="consensus")


def agreed_facts(case: str, settled: Sequence[Settled]) -> dict[str, Fact]:
    """Return what was agreed of a case as facts, "agreed nodule.size" and the like, to be learnt from."""
    return {
        fact_name(one.label): Fact(value=one.answers[case], unit=one.unit) for one in settled if case in one.answers
    }  # fmt: skip


def fact_name(label: str) -> str:
    """Return what the agreed answer to a question is called among a case's facts."""
    return f"agreed-{label}"


def _fitting(rule: Rule, readers: Sequence[str]) -> Rule:
    if isinstance(rule, Vote) and rule.weights is not None:
        return replace(rule, weights={name: weight for name, weight in rule.weights.items() if name in readers})
    return rule


def _middle(ratings: Ratings, rule: Rule) -> Array:
    if not isinstance(rule, Vote) or rule.weights is None:
        return np.array(
            [np.median(row[~np.isnan(row)]) if not np.isnan(row).all() else math.nan for row in ratings.table]
        )
    weights = np.array([rule.weights[name] for name in ratings.readers]) * ~np.isnan(ratings.table)
    total = weights.sum(1)
    sums = (np.nan_to_num(ratings.table) * weights).sum(1)
    return np.asarray(np.divide(sums, total, out=np.full_like(sums, math.nan), where=total > 0))


def _filled(table: Array) -> Array:
    return np.where(np.isnan(table).all(1, keepdims=True), 0.0, table)


def _known(cases: Sequence[str], values: Array) -> dict[str, float | str]:
    return {case: float(value) for case, value in zip(cases, values, strict=True) if value == value}


def _worded(performance: Performance, words: Sequence[str]) -> Performance:
    return replace(performance, classes=tuple(words[int(float(name))] for name in performance.classes))


def facts_of(reading: Reading, schema: Schema) -> dict[str, Fact]:
    """Return one reading's answers as agreed facts; of findings that stand several times, whether they are there.

    Args:
        reading: What stands for the case, such as an adjudicated one.
        schema: What was asked.
    """
    found: dict[str, Fact] = {}
    for name in reading.asked:
        asked = schema.finding(name)
        seen = reading.seen(name)
        if not asked.is_whole:
            found[fact_name(name)] = Fact(value="yes" if seen else "no")
        for level in () if asked.several or not seen else asked.levels:
            if level.name in seen[0].levels:
                label = level.name if asked.is_whole else f"{name}.{level.name}"
                found[fact_name(label)] = Fact(value=seen[0].levels[level.name], unit=level.unit)
    return found
