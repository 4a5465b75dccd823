"""Plan, train, evaluate: a version of a data set becomes a model, and the model is scored."""

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from isocenter import __version__
from isocenter.case import Dataset, Entry
from isocenter.errors import LabelError, NotFoundError, SplitError
from isocenter.image import LabelTable
from isocenter.learning.inference.evaluate import Evaluation
from isocenter.learning.inference.evaluate import evaluate as score_cases
from isocenter.learning.inference.predict import Reader
from isocenter.learning.training import Cases, Fitted, decide, fingerprint, fit
from isocenter.learning.training.page import Page
from isocenter.learning.training.plan.keep import kept_plan, run_id, write_plan
from isocenter.models.card import write_card
from isocenter.models.model import Description, Model, read_model, write_model
from isocenter.pipeline.ground import Place, Watch, dataset_item, model_item, now, opened, outlined, seal
from isocenter.pipeline.outcome import Evaluated, Planned, Trained
from isocenter.pipeline.public import known
from isocenter.recipe import Plan, Recipe, read_recipe
from isocenter.result import Check, Item
from isocenter.store import Store
from isocenter.store.evidence import sha256_of


def plan(
    recipe: Path | Recipe | None = None,
    *,
    data: str,
    set_: tuple[str, ...] = (),
    store: Place = None,
    progress: Watch | None = None,
) -> Planned:
    """Return what a run of a recipe on a data set will do, each decision with its reason.

    Args:
        recipe: A TOML file, or a recipe; None leaves everything to the plan.
        data: Name or id of a data set.
        set_: Changes to the recipe, such as "training.minutes=20".
        store: Where the data set is kept.
        progress: Told how far it is.

    Raises:
        RecipeError: The recipe says what cannot be.
        PlanError: The plan does not fit the data or this machine.
        SplitError, LabelError: There is nothing to learn from.
        NotFoundError: There is no such data set.
    """
    asked = _asked(recipe, set_)
    with opened(store) as house:
        version = house.datasets.get(data)
        decided = _decided(house, asked, version, progress)
    return Planned(run=run_id(asked, version), plan=decided)


def train(
    recipe: Path | Recipe | None = None,
    *,
    data: str,
    set_: tuple[str, ...] = (),
    store: Place = None,
    progress: Watch | None = None,
) -> Trained:
    """Train a model by a recipe on a data set; a run that was stopped goes on, a finished one is handed back.

    Args:
        recipe: A TOML file, or a recipe; None leaves everything to the plan.
        data: Name or id of a data set.
        set_: Changes to the recipe, such as "training.minutes=20".
        store: Where the data set and the model are kept.
        progress: Told how far it is.

    Raises:
        RecipeError: The recipe says what cannot be.
        PlanError, TrainingError: The plan does not fit, or the run cannot go on.
        SplitError, LabelError: There is nothing to learn from.
        StoreError: Another process is at this run, or the store cannot be used.
    """
    begun = time.monotonic()
    asked = _asked(recipe, set_)
    with opened(store) as house:
        version = house.datasets.get(data)
        run = run_id(asked, version)
        with house.hold(f"run:{run}"):
            left = next((row for row in house.models.rows() if row.run == run), None)
            page = house.runs.path(f"{run}/{Page.NAME}")
            if left is None:
                folder = house.runs.folder(run, dataset=version.id, recipe=asked.id, at=now())
                decided = kept_plan(folder) or write_plan(_decided(house, asked, version, progress), folder)
                model, receipt = _learnt(
                    _Lesson(house=house, version=version, plan=decided, folder=folder, progress=progress)
                )
            else:
                model = read_model(house.models.folder(left.id))
                receipt = house.receipts.maker(model.id) or ""
    return Trained(
        model=model.id, folder=model.folder, dataset=version.id, run=run, recipe=asked.id,
        seconds=time.monotonic() - begun, reused=left is not None, scores=model.scores,
        page=page if page.is_file() else None, receipt=receipt,
    )  # fmt: skip


def evaluate(model: str, *, data: str, store: Place = None, progress: Watch | None = None) -> Evaluated:
    """Score a model on cases that it has not seen, with intervals by patient.

    Args:
        model: Id, its first digits, or "latest".
        data: Of the version that the model learnt from, its test side is read; of any other data set, all cases.
        store: Where both are kept.
        progress: Told how far it is.

    Raises:
        NotFoundError: There is no such model or data set.
        InputError: No case with outlines, or cases that the model cannot read.
        SealError: The model or a case was changed.
    """
    begun = time.monotonic()
    with opened(store) as house:
        reader = Reader(read_model(house.models.folder(model)))
        version = house.datasets.get(data)
        own = reader.model.dataset == version.id
        entries = outlined(version.on_side("test") if own else version.entries)
        cases = (house.case(version, entry) for entry in entries)
        tell = _counting(progress, "evaluate", entries)
        found = score_cases(reader, cases, table=_table(version), progress=tell)
        side, known = "test" if own else "all", _learnt_from(house, reader.model, entries)
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
            facts={"side": side, "cases": [entry.id for entry in entries]},
        )  # fmt: skip
        house.evaluations.save(digest, model=reader.model.id, dataset=version.id, at=now())
    return Evaluated(
        model=reader.model.id, dataset=version.id, side=side, cases=len(entries), learnt_from=known,
        scores=found.scores, subgroups=found.groups, rows=_rows(found), receipt=receipt,
        seconds=time.monotonic() - begun,
    )  # fmt: skip


def _asked(recipe: Path | Recipe | None, changes: tuple[str, ...]) -> Recipe:
    if isinstance(recipe, Recipe):
        return read_recipe(None, settings=changes, onto=recipe)
    return read_recipe(None if recipe is None else Path(recipe), settings=changes)


def _table(version: Dataset) -> LabelTable:
    if version.table is None:
        raise LabelError(
            f"Nobody has outlined anything in data set {version.name!r}. Ingest the labels with the images."
        )
    return version.table


def _sides(version: Dataset, *, fold: int | None) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """Return the outlined cases to learn from, and those to validate on.

    Raises:
        SplitError: One of them is empty.
    """
    train_, validation = (outlined(version.on_side(side, fold=fold)) for side in ("train", "validation"))
    if not train_ or not validation:
        raise SplitError(
            f"Data set {version.name!r} has {len(train_)} outlined cases to learn from and {len(validation)} to "
            "validate on; each side needs one. Add patients with outlines."
        )
    return train_, validation


def _decided(house: Store, asked: Recipe, version: Dataset, progress: Watch | None) -> Plan:
    table = _table(version)
    entries, _ = _sides(version, fold=asked.training.fold)
    tell = _counting(progress, "look", entries)
    looked = fingerprint((house.case(version, entry) for entry in entries), table=table, progress=tell)
    return decide(asked, looked, dataset=version.id, table=table)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lesson:
    """A run at work: on which version, by which plan, in which folder."""

    house: Store
    version: Dataset
    plan: Plan
    folder: Path
    progress: Watch | None

    @property
    def sides(self) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
        """Cases to learn from, and to validate on."""
        return _sides(self.version, fold=self.plan.fold)

    @property
    def cases(self) -> Cases:
        """Both sides, each case loaded when it is asked for."""
        train_, validation = ([partial(self.house.case, self.version, one) for one in side] for side in self.sides)
        return Cases(train=train_, validation=validation, table=_table(self.version))


def _learnt(lesson: _Lesson) -> tuple[Model, str]:
    """Obey the run's plan, and return the model with the receipt of its making."""
    house, plan_, folder = lesson.house, lesson.plan, lesson.folder
    page = Page(plan_, name=lesson.version.name, folder=folder, progress=lesson.progress)
    fitted = fit(plan_, lesson.cases, folder=folder, report=page.see)
    model = _model(lesson, fitted)
    page.finish(fitted, scores=model.scores, model=model.id)
    files = sorted(path for path in folder.iterdir() if path.is_file())
    receipt = seal(
        house, "train", inputs=(dataset_item(house, lesson.version),),
        outputs=(
            Item(name=f"model:{model.id[:12]}", digest=model.id),
            *(Item(name=f"run:{folder.name}/{path.name}", digest=sha256_of(path)) for path in files),
        ),
        checks=tuple(Check(name="noticed", held=False, figure=notice) for notice in fitted.notices),
        facts={"recipe": plan_.recipe, "plan": plan_.id, "seed": plan_.seed, "steps": fitted.steps},
    )  # fmt: skip
    house.models.add(model.folder, run=folder.name, at=now())
    _fresh(model.folder)
    return read_model(house.models.folder(model.id)), receipt


def _model(lesson: _Lesson, fitted: Fitted) -> Model:
    """Make the model's folder: scored on its validation cases by the very reader that will read new ones."""
    version, (learning, validating) = lesson.version, lesson.sides
    told = Description(
        plan=lesson.plan,
        table=_table(version),
        dataset=version.id,
        facts={
            "data set": version.name,
            "licence of the data": version.source.licence or "not stated",
            "patients learnt from": len({entry.patient for entry in learning}),
        },
        created=now(),
        version=__version__,
    )
    # written twice: a reader reads models, and the figures it finds belong into the model
    draft = _fresh(lesson.folder / "draft")
    reader = Reader(write_model(draft, weights=fitted.weights, description=told, card=write_card(told)))
    found = score_cases(
        reader, (lesson.house.case(version, entry) for entry in validating), table=_table(version),
        progress=_counting(lesson.progress, "validate", validating),
    )  # fmt: skip
    told = replace(told, scores=found.scores, volume_errors=found.volume_ratios)
    _fresh(draft)
    return write_model(_fresh(lesson.folder / "model"), weights=fitted.weights, description=told, card=write_card(told))


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
    sides = _sides(version, fold=model.plan.fold)
    seen = {digest for side in sides for entry in side for digest in entry.volumes.values()}
    known = {entry.patient for side in sides for entry in side}
    return sum(entry.patient in known or not seen.isdisjoint(entry.volumes.values()) for entry in entries)


def _fresh(folder: Path) -> Path:
    """Return a folder's path with nothing there: what a killed process left is made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def _counting(progress: Watch | None, stage: str, entries: Sequence[Entry]) -> Callable[[int], None] | None:
    if progress is None:
        return None
    return lambda done: progress(stage, done, len(entries), "")


def _rows(found: Evaluation) -> tuple[dict[str, object], ...]:
    return tuple(
        {"case": row.case, "structure": row.structure, "measure": measure, "value": known(value)}
        for row in found.rows
        for measure, value in row.figures.items()
    )
