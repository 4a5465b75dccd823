"""Are there enough patients? The same recipe learns from few and from many, and the curve says what more are worth."""

import math
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from isocenter.case import Dataset
from isocenter.errors import InputError
from isocenter.learning.inference.reader import open_reader
from isocenter.learning.inference.scoring.outlines import Evaluation
from isocenter.learning.inference.scoring.rows import AnswerRow, AnswersEvaluation
from isocenter.models.model import Model, read_model
from isocenter.pipeline.evaluating import counting, scored
from isocenter.pipeline.ground import Place, Watch, asked_for, judged, opened
from isocenter.pipeline.learning import train
from isocenter.pipeline.public import document
from isocenter.pipeline.sides import learning_side
from isocenter.recipe import Recipe
from isocenter.store import Store
from isocenter.trust.comparison import LearningCurve, learning_curve

_MORE = (20, 40)
_SHARES = (0.25, 0.5, 0.75, 1.0)  # of the patients of the smallest learning side
_MEASURES = {"segmentation": ("dice", "1"), "regression": ("absolute error", "")}
_BRIER = ("brier", "1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """What was reached with how many patients, and what more would be worth."""

    dataset: Dataset
    recipe: str
    measure: str
    rises: bool
    curve: LearningCurve
    models: Mapping[int, tuple[str, ...]]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the public document of `amount`."""
        return document(
            "amount", name=self.dataset.name, dataset=self.dataset.id, recipe=self.recipe, measure=self.measure,
            better="higher" if self.rises else "lower",
            points=[
                {"patients": point.patients, "score": point.score.to_json(),
                 "models": list(self.models[point.patients])}
                for point in self.curve.points
            ],
            end=self.curve.end, power=self.curve.power,
            gains=[{"more": gain.more, "change": gain.change.to_json()} for gain in self.curve.gains],
            seconds=self.seconds,
        )  # fmt: skip


def amount(
    name: str,
    recipe: Path | Recipe | None = None,
    *,
    patients: tuple[int, ...] = (),
    more: tuple[int, ...] = (),
    folds: tuple[int, ...] = (),
    set_: tuple[str, ...] = (),
    device: str = "cpu",
    store: Place = None,
    progress: Watch | None = None,
) -> Amount:
    """Learn by one recipe from several numbers of patients, and say what more patients would be worth.

    Runs that are there already are not run again, so a curve that was stopped goes on.

    Args:
        name: Name, pin or id of a data set.
        recipe: A TOML file, or a recipe. State its budget in steps: minutes would give few patients more rounds.
        patients: Numbers to learn from, three at least; empty takes a quarter, a half, three quarters and all.
        more: Further patients whose worth is asked for; empty asks for 20 and 40.
        folds: Each is scored after learning from patients of the others; more folds, a surer curve. Empty takes fold 0.
        set_: Changes to the recipe, such as "training.steps=2000".
        device: Where the network computes.
        store: Where the data set and the models are kept.
        progress: Told how far it is.

    Raises:
        InputError: Fewer than three numbers of patients, or too few patients to score.
        SplitError: There are not so many patients to learn from, or no such fold.
        RecipeError, PlanError, TrainingError, TermsError, FrozenError: See train.
    """
    begun = time.monotonic()
    asked, folds = asked_for(recipe, set_), folds or (0,)
    with opened(store) as house:
        version = house.datasets.get(name)
        sizes = patients or _usual_sizes(version, asked, folds)
    values: dict[int, dict[str, float]] = {size: {} for size in sorted(set(sizes))}
    models: dict[int, list[str]] = defaultdict(list)
    for size in values:
        for fold in folds:
            trained = train(
                asked, data=version.id, set_=(f"training.patients={size}", f"training.fold={fold}"), device=device,
                store=store, progress=progress,
            )  # fmt: skip
            models[size].append(trained.model)
            with opened(store) as house:
                model = read_model(house.models.folder(trained.model))
                values[size] |= _by_patient(house, version, model, device=device, progress=progress)
    (measure, unit), rises = _MEASURES.get(asked.tasks.kind, _BRIER), asked.tasks.kind == "segmentation"
    curve = learning_curve(values, measure=measure, unit=unit, rises=rises, more=more or _MORE)
    return Amount(
        dataset=version, recipe=asked.id, measure=measure, rises=rises, curve=curve,
        models={size: tuple(ids) for size, ids in models.items()}, seconds=time.monotonic() - begun,
    )  # fmt: skip


def _usual_sizes(version: Dataset, asked: Recipe, folds: Sequence[int]) -> tuple[int, ...]:
    from isocenter.learning.training.plan import target_of
    from isocenter.recipe import Goal

    goal = Goal(kind=asked.tasks.kind, target=target_of(asked))
    side = partial(learning_side, version, goal=goal)
    fewest = min(len({entry.patient for entry in side(fold=fold)}) for fold in folds)
    return tuple(sorted({max(1, round(share * fewest)) for share in _SHARES}))


def _by_patient(
    house: Store, version: Dataset, model: Model, *, device: str, progress: Watch | None
) -> dict[str, float]:
    """Return the mean figure of each patient of the fold that a model was not taught with."""
    plan = model.plan
    entries = judged(version.on_side("validation", fold=plan.fold), plan.goal)
    reader = open_reader(model, device=device, done=version.steps)
    found = scored(
        reader, (house.case(version, entry) for entry in entries), version=version,
        progress=counting(progress, "evaluate", entries),
    )  # fmt: skip
    by_patient: dict[str, list[float]] = defaultdict(list)
    for patient, value in _figures(found):
        if not math.isnan(value):
            by_patient[patient].append(value)
    return {patient: sum(several) / len(several) for patient, several in by_patient.items()}


def _figures(found: Evaluation | AnswersEvaluation) -> list[tuple[str, float]]:
    """Return patient and figure of each row: Dice of a structure, Brier score of an answer, error of a number."""
    if isinstance(found, Evaluation):
        return [(row.patient, row.figures["dice"]) for row in found.rows]
    return [(row.patient, _missed(row)) for row in found.rows]


def _missed(row: AnswerRow) -> float:
    if not row.probabilities:
        if isinstance(row.truth, str) or isinstance(row.value, str):
            raise InputError(f"Case {row.case} was answered by a word without a probability, so nothing is measured.")
        return abs(row.value - row.truth)
    return sum((share - (kind == row.truth)) ** 2 for kind, share in row.probabilities.items())
