"""What cases that are not learnt from say of the facts that are: checked before the first step."""

from collections import Counter
from collections.abc import Iterable

from isocenter.case import Entry
from isocenter.errors import LabelError
from isocenter.learning.tasks import find_task
from isocenter.learning.tasks.facts import findings, knows
from isocenter.plugins import did_you_mean
from isocenter.recipe import Goal


def unlearnt_classes(goal: Goal, entries: Iterable[Entry]) -> str:
    """Return a note of classes that some of these cases are of and no case to learn from is; empty where none.

    Args:
        goal: As decided from the cases to learn from.
        entries: Of the other sides, whose facts are known.

    Raises:
        LabelError: A value that cannot be an answer, such as a grade that the goal does not list; the case is named.
    """
    task = find_task(goal, table=None) if goal.target else None
    if task is None or task.answers != "image":
        return ""
    strange: Counter[str] = Counter()
    for entry in entries:
        try:
            truth = task.truth(entry.facts)
        except LabelError as error:
            raise LabelError(f"Case {entry.id}: {error}") from error
        for name, value in truth.items():
            if goal.kind == "grading" and value not in goal.answers:
                raise LabelError(
                    f"Case {entry.id}: its {name!r} is {value!r}, none of {', '.join(goal.answers)}. "
                    f"{did_you_mean(str(value), list(goal.answers))} List every grade from least to most in "
                    "tasks.grades."
                )
            if goal.kind == "classification" and value not in goal.answers:
                strange[str(value)] += 1
    return "; ".join(f"{count} case(s) of the other sides are {word!r}" for word, count in sorted(strange.items()))


def unlearnt_findings(goal: Goal, entries: Iterable[Entry]) -> str:
    """Return a note of findings that facts of some of these cases list and the goal does not know; empty where none.

    Such a case is scored by the findings that the goal knows.

    Args:
        goal: As decided from the cases to learn from.
        entries: Of the other sides.
    """
    if goal.kind != "multilabel" or goal.target == goal.answers:
        return ""
    (name,) = goal.target
    strange = Counter(
        word
        for entry in entries
        if knows(entry.facts, goal.target)
        for word in set(findings(entry.facts[name].value or "")) - set(goal.answers)
    )
    return "; ".join(f"{count} case(s) of the other sides have {word!r}" for word, count in sorted(strange.items()))
