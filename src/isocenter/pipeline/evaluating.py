"""Evaluate: a model is scored on cases that it has not seen, by the very reader that will read new ones."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from isocenter.case import Case, Dataset, Entry
from isocenter.errors import InputError, LabelError, NotFoundError
from isocenter.image import LabelTable
from isocenter.learning.inference.evaluate import evaluate as score_masks
from isocenter.learning.inference.predict import Reader
from isocenter.learning.inference.reader import open_reader
from isocenter.learning.inference.scoring.answers import evaluate_answers, score_answers
from isocenter.learning.inference.scoring.outlines import Evaluation
from isocenter.learning.inference.scoring.points import at_points, fit_points, residuals
from isocenter.learning.inference.scoring.rows import AnswersEvaluation
from isocenter.learning.inference.whole import WholeReader
from isocenter.models.model import Description, Model, read_model
from isocenter.pipeline.ground import (
    Place,
    Watch,
    dataset_item,
    judged,
    model_item,
    now,
    opened,
    restoration_facts,
    seal,
)
from isocenter.pipeline.outcome import Evaluated
from isocenter.pipeline.sides import learning_side
from isocenter.pipeline.sourcing import require_use
from isocenter.plugins import did_you_mean
from isocenter.recipe import Goal
from isocenter.result import Check, Item
from isocenter.store import Store

_SIDES = ("", "test", "all")


def evaluate(
    model: str,
    *,
    data: str,
    side: str = "",
    device: str = "cpu",
    store: Place = None,
    progress: Watch | None = None,
) -> Evaluated:
    """Score a model on cases that it has not seen, with intervals by patient.

    Args:
        model: Id, its first digits, or "latest".
        data: Name, pin or id of a data set.
        side: "test" or "all" cases of it; empty for the test side of the version that the model learnt from, and for
            all cases of any other.
        device: Where the network computes, as torch names it: "cpu", "cuda", "cuda:1", "mps".
        store: Where both are kept.
        progress: Told how far it is.

    Raises:
        NotFoundError: There is no such model or data set.
        InputError: No such side, no case whose truth is known, or cases that the model cannot read.
        SplitError: The test side is asked for, and there is no split.
        TermsError: A source of the cases does not grant evaluation, or no longer.
        PlanError: There is no such device.
        SealError: The model or a case was changed.
    """
    begun = time.monotonic()
    if side not in _SIDES:
        raise InputError(f"There is no side {side!r} to evaluate on; {did_you_mean(side, ['test', 'all'])}")
    with opened(store) as house:
        version = house.datasets.get(data)
        kept = read_model(house.models.folder(model))
        reader = open_reader(kept, device=device, memory=house.speeds, done=version.steps)
        require_use(house, version, "evaluation")
        side = side or ("test" if reader.model.dataset == version.id else "all")
        entries = _entries(version, reader.model.plan.goal, side=side)
        cases = (house.case(version, entry) for entry in entries)
        found = scored(reader, cases, version=version, progress=counting(progress, "evaluate", entries))
        known = _learnt_from(house, reader.model, entries)
        document = {
            "model": reader.model.id,
            "dataset": version.id,
            "name": version.name,
            "side": side,
            "learnt_from": known,
        }
        digest = house.evaluations.put({**document, "evaluation": found.to_document()})
        receipt = seal(
            house, "evaluate", inputs=(model_item(house, reader.model), dataset_item(house, version)),
            outputs=(Item(name=f"evaluation:{side}", digest=digest),),
            checks=(_fairness(known),),
            facts={"side": side, "cases": [entry.id for entry in entries], **restoration_facts(kept.plan)},
        )  # fmt: skip
        house.evaluations.save(digest, model=reader.model.id, dataset=version.id, at=now())
    return Evaluated(
        model=reader.model.id, dataset=version.id, side=side, cases=len(entries), learnt_from=known,
        scores=found.scores, subgroups=found.groups, rows=found.public_rows(), notes=found.notes, receipt=receipt,
        seconds=time.monotonic() - begun,
    )  # fmt: skip


def scored(
    reader: Reader | WholeReader,
    cases: Iterable[Case],
    *,
    version: Dataset,
    progress: Callable[[int], None] | None,
) -> Evaluation | AnswersEvaluation:
    """Return how well a reader does on cases of a version, by what it answers.

    Raises:
        LabelError: It outlines, and nobody has outlined anything in this version.
        InputError: No case whose truth is known, or one that cannot be read.
    """
    if isinstance(reader, WholeReader):
        return evaluate_answers(reader, cases, progress=progress)
    return score_masks(reader, cases, table=table_of(version), progress=progress)


def described(told: Description, found: Evaluation | AnswersEvaluation) -> Description:
    """Return a model's description with what its validation cases say: scores, and what follows for each new case.

    Operating points are chosen on these cases, and the scores are those at these points.
    """
    if isinstance(found, Evaluation):
        return replace(told, scores=found.scores, volume_errors=found.volume_ratios)
    goal = told.plan.goal
    points = fit_points(found, goal=goal)
    rescored = score_answers(at_points(found.rows, points, goal=goal), goal=goal, groups={})
    return replace(told, scores=rescored.scores, points=points, residuals=residuals(found))


def table_of(version: Dataset) -> LabelTable:
    """Return what the labels of a version's outlines mean.

    Raises:
        LabelError: Nobody has outlined anything in it.
    """
    if version.table is None:
        raise LabelError(
            f"Nobody has outlined anything in data set {version.name!r}. Ingest the labels with the images."
        )
    return version.table


def counting(progress: Watch | None, stage: str, entries: Sequence[Entry]) -> Callable[[int], None] | None:
    """Return whom a room tells how many of a stage's cases are done, None where nobody listens."""
    if progress is None:
        return None
    return lambda done: progress(stage, done, len(entries), "")


def _entries(version: Dataset, goal: Goal, *, side: str) -> tuple[Entry, ...]:
    """Return the cases to score on: those of a version, or of its test side, whose truth is known.

    Raises:
        LabelError: The model outlines, and nobody has outlined anything in this version.
        InputError: There is none.
    """
    if not goal.target:
        table_of(version)
    entries = judged(version.on_side("test") if side == "test" else version.entries, goal)
    if not entries:
        wanted = f"the fact {' or '.join(map(repr, goal.target))}" if goal.target else "outlines"
        where = "on the test side of" if side == "test" else "in"
        raise InputError(f"No case {where} data set {version.name!r} has {wanted}, so nothing can be compared.")
    return entries


def _fairness(learnt_from: int | None) -> Check:
    figure = "not known" if learnt_from is None else str(learnt_from)
    return Check(name="cases learnt from among those scored", held=learnt_from == 0, figure=figure, limit="0")


def _learnt_from(house: Store, model: Model, entries: Sequence[Entry]) -> int | None:
    """Return how many of the cases are of a patient, or hold an image, that the model learnt from or was chosen on.

    None where the store does not keep the version that it learnt from, so that nobody can know.
    """
    try:
        version = house.datasets.get(model.dataset)
    except NotFoundError:
        return None
    plan = model.plan
    learnt = (
        *learning_side(version, goal=plan.goal, fold=plan.fold, patients=plan.patients, seed=plan.seed),
        *judged(version.on_side("validation", fold=plan.fold), plan.goal),
    )
    seen = {digest for entry in learnt for digest in entry.volumes.values()}
    known = {entry.patient for entry in learnt}
    return sum(entry.patient in known or not seen.isdisjoint(entry.volumes.values()) for entry in entries)
