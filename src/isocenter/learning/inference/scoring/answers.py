"""How well a model answers about whole images whose truth is known."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from isocenter.case import Case, Fact
from isocenter.errors import InputError, IsocenterError
from isocenter.image import Volume
from isocenter.learning.inference.scoring.groups import Groups
from isocenter.learning.inference.scoring.measures import Measured, score_rows
from isocenter.learning.inference.scoring.rows import AnswerRow, AnswersEvaluation
from isocenter.models.model import Model
from isocenter.recipe import Goal
from isocenter.result import Answer

Groupings = Mapping[str, frozenset[str]]


class Answered(Protocol):
    """What a reader left: see fitting.Reading."""

    @property
    def answers(self) -> tuple[Answer, ...]:
        """One for each target."""


class Knows(Protocol):
    """What says what is true of a case: see tasks.ImageTask."""

    def truth(self, facts: Mapping[str, Fact]) -> Mapping[str, str | float]:
        """Return target to what is known, in the words of the answers."""


class Answers(Protocol):
    """What reads whole images: see whole.WholeReader. Stated here so that scores can be shown without torch."""

    model: Model

    @property
    def task(self) -> Knows:
        """What it has learnt."""

    def read(self, volumes: Mapping[str, Volume]) -> Answered:
        """Return what it says of a case."""


def evaluate_answers(
    reader: Answers, cases: Iterable[Case], *, progress: Callable[[int], None] | None = None
) -> AnswersEvaluation:
    """Return how well a reader answers, by class or finding and by subgroup, with intervals by patient.

    Args:
        reader: Of one model.
        cases: One is held at a time; what is true of it stands among its facts. A case that nobody judged is left out.
        progress: Told how many cases are done.

    Raises:
        InputError: No case that somebody judged, a truth that cannot be, or a case that the model cannot read; it is
            named.
    """
    goal = reader.model.plan.goal
    rows: list[AnswerRow] = []
    groups = Groups(without=goal.target)
    for done, case in enumerate(cases, 1):
        found = _rows(reader, case)
        if found:
            groups.add(case.id, case.facts)
        rows += found
        if progress is not None:
            progress(done)
    if not rows:
        raise InputError(
            f"Nobody has said what is true of these cases: none has the fact {' or '.join(map(repr, goal.target))}."
        )
    return score_answers(rows, goal=goal, groups=groups.members())


def score_answers(rows: Sequence[AnswerRow], *, goal: Goal, groups: Groupings) -> AnswersEvaluation:
    """Return the scores of rows, of all and by subgroup.

    A class that the model has never seen is one that it cannot answer: such cases count as wrong, and a note says so.
    A grade that it does not know has no place in the order: such cases are left out, and a note says so.

    Args:
        rows: As read.
        goal: What was learnt.
        groups: "fact = value" to its cases.

    Raises:
        InputError: Nothing is left to be measured.
    """
    strange = Counter(str(row.truth) for row in rows if _is_strange(row, goal))
    measured = list(rows)
    if goal.kind == "grading":
        measured = [row for row in rows if not _is_strange(row, goal)]
        if not measured:
            raise InputError(f"The model knows the grades {', '.join(goal.answers)}; no case is of one of them.")
    classes = (*goal.answers, *sorted(strange))
    whole, brief = (Measured(goal=goal, classes=classes, briefly=briefly) for briefly in (False, True))
    return AnswersEvaluation(
        rows=tuple(measured),
        scores=score_rows(measured, whole),
        groups={
            name: score_rows([row for row in measured if row.case in members], brief)
            for name, members in groups.items()
        },
        notes=tuple(_note(name, count, goal=goal) for name, count in sorted(strange.items())),
    )


def _rows(reader: Answers, case: Case) -> list[AnswerRow]:
    try:
        truth = reader.task.truth(case.facts)
        answers = reader.read(case.volumes).answers if truth else ()
    except IsocenterError as error:
        raise InputError(f"Case {case.id}: {error}") from error
    return [
        AnswerRow(
            case=case.id, patient=case.patient, target=answer.target, truth=truth[answer.target], value=answer.value,
            probabilities=answer.probabilities, low=answer.low, high=answer.high,
        )
        for answer in answers
        if answer.target in truth
    ]  # fmt: skip


def _is_strange(row: AnswerRow, goal: Goal) -> bool:
    """Return whether a row's truth is a class or grade that the model does not know."""
    return goal.kind in ("classification", "grading") and row.truth not in goal.answers


def _note(name: str, count: int, *, goal: Goal) -> str:
    if goal.kind == "grading":
        return f"{count} case(s) of the grade {name!r}, which the model does not know, are left out."
    return f"{count} case(s) are of the class {name!r}, which the model has never seen: it answers wrongly there."
