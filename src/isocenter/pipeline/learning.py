"""Plan and train: a version of a data set becomes a model."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from isocenter import __version__
from isocenter.case import Dataset, Entry
from isocenter.errors import LabelError, SplitError
from isocenter.image import LabelTable
from isocenter.learning.inference.reader import open_reader
from isocenter.learning.inference.restoring import chains_of
from isocenter.learning.inference.runtime import device_here
from isocenter.learning.training import Cases, Fitted, Machine, decide, fingerprint, fit
from isocenter.learning.training.estimate import Spent, estimated, require_room, ways_of
from isocenter.learning.training.page import Draw, Page
from isocenter.learning.training.plan import target_of, unlearnt_classes, unlearnt_findings
from isocenter.learning.training.plan.keep import kept_plan, run_id, write_plan, write_recipe
from isocenter.learning.training.plan.machine import memory_peak
from isocenter.learning.training.restoring import Restorer, with_chains
from isocenter.models.card import write_card
from isocenter.models.model import Description, Model, read_model, write_model
from isocenter.pipeline.evaluating import counting, described, scored, table_of
from isocenter.pipeline.freezing import require_learnable
from isocenter.pipeline.ground import (
    Place,
    Watch,
    asked_for,
    dataset_item,
    judged,
    now,
    opened,
    restoration_facts,
    seal,
)
from isocenter.pipeline.outcome import Planned, Trained
from isocenter.pipeline.restoring import asked_of, fitted_on
from isocenter.pipeline.sides import learning_side
from isocenter.pipeline.sourcing import UNKNOWN, granted, require_use
from isocenter.plugins import did_you_mean
from isocenter.recipe import Goal, Plan, Recipe
from isocenter.result import Check, Item
from isocenter.store import Store
from isocenter.store.evidence import sha256_of


def plan(
    recipe: Path | Recipe | None = None,
    *,
    data: str,
    set_: tuple[str, ...] = (),
    device: str = "cpu",
    store: Place = None,
    progress: Watch | None = None,
) -> Planned:
    """Return what a run of a recipe on a data set will do, each decision with its reason.

    Args:
        recipe: A TOML file, or a recipe; None leaves everything to the plan.
        data: Name, pin or id of a data set.
        set_: Changes to the recipe, such as "training.minutes=20".
        device: Where the network computes, as torch names it: "cpu", "cuda", "cuda:1", "mps".
        store: Where the data set is kept.
        progress: Told how far it is.

    Raises:
        RecipeError: The recipe says what cannot be.
        PlanError: The plan does not fit the data or this machine, or there is no such device.
        SplitError, LabelError: There is nothing to learn from.
        TermsError, FrozenError: A source of the cases does not grant training, or no longer; or somebody of a frozen
            test side would be learnt from.
        NotFoundError: There is no such data set.
    """
    asked = asked_for(recipe, set_)
    device_here(device)
    with opened(store) as house:
        version = _to_learn_from(house, data)
        decided = _decided(house, asked, version, progress, device, None)
    return Planned(run=run_id(asked, version), plan=decided)


def train(
    recipe: Path | Recipe | None = None,
    *,
    data: str,
    set_: tuple[str, ...] = (),
    device: str = "cpu",
    store: Place = None,
    progress: Watch | None = None,
    curves: Draw | None = None,
) -> Trained:
    """Train a model by a recipe on a data set; a run that was stopped goes on, a finished one is handed back.

    Args:
        recipe: A TOML file, or a recipe; None leaves everything to the plan.
        data: Name, pin or id of a data set.
        set_: Changes to the recipe, such as "training.minutes=20".
        device: Where the network computes, as torch names it: "cpu", "cuda", "cuda:1", "mps".
        store: Where the data set and the model are kept.
        progress: Told how far it is.
        curves: Shown the run's curves as they grow, about once a second.

    Raises:
        RecipeError: The recipe says what cannot be.
        PlanError, TrainingError: The plan does not fit, there is no such device, or the run cannot go on.
        SplitError, LabelError: There is nothing to learn from.
        TermsError, FrozenError: A source of the cases does not grant training, or no longer; or somebody of a frozen
            test side would be learnt from.
        StoreError: Another process is at this run, or the store cannot be used.
    """
    begun = time.monotonic()
    asked = asked_for(recipe, set_)
    device_here(device)
    with opened(store) as house:
        version = _to_learn_from(house, data)
        run = run_id(asked, version)
        with house.hold(f"run:{run}"):
            left = next((row for row in house.models.rows() if row.run == run), None)
            page = house.runs.path(f"{run}/{Page.NAME}")
            if left is None:
                folder = house.runs.folder(run, dataset=version.id, recipe=asked.id, at=now())
                write_recipe(asked, folder)
                decided = _kept_or(partial(_decided, house, asked, version, progress, device, folder), folder=folder)
                lesson = _Lesson(
                    house=house, version=version, plan=decided, folder=folder, device=device, progress=progress,
                    curves=curves,
                )  # fmt: skip
                model, receipt = _learnt(lesson)
            else:
                model = read_model(house.models.folder(left.id))
                receipt = house.receipts.maker(model.id) or ""
    return Trained(
        model=model.id, folder=model.folder, dataset=version.id, run=run, recipe=asked.id,
        seconds=time.monotonic() - begun, memory_bytes=memory_peak(), estimate=model.plan.estimate,
        reused=left is not None, scores=model.scores,
        page=page if page.is_file() else None, receipt=receipt,
    )  # fmt: skip


def _to_learn_from(house: Store, data: str) -> Dataset:
    """Return a version where all of it may be learnt from.

    Raises:
        NotFoundError, TermsError, FrozenError: There is none; a source does not grant it; somebody is frozen.
    """
    version = house.datasets.get(data)
    require_use(house, version, "training")
    require_learnable(house, version)
    return version


def _sides(
    version: Dataset, *, goal: Goal, fold: int | None, patients: int | None, seed: int
) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """Return the cases to learn from, and those to validate on: outlined ones, or those with a fact that is learnt.

    Raises:
        SplitError: One of them is empty, or there are not so many patients to learn from.
    """
    train_ = learning_side(version, goal=goal, fold=fold, patients=patients, seed=seed)
    validation = judged(version.on_side("validation", fold=fold), goal)
    if not train_ or not validation:
        kind = f"with the fact {' or '.join(map(repr, goal.target))}" if goal.target else "with outlines"
        raise SplitError(
            f"Data set {version.name!r} has {len(train_)} cases {kind} to learn from and {len(validation)} to "
            f"validate on; each side needs one. Add patients {kind}."
        )
    return train_, validation


def _kept_or(decide_: Callable[[], Plan], *, folder: Path) -> Plan:
    """Return the plan that a run's folder holds; where it holds none, a new one that it holds from now on.

    Raises:
        PlanError: The run was begun on a machine with more memory, and does not fit into this one.
    """
    kept = kept_plan(folder)
    if kept is None:
        return write_plan(decide_(), folder)
    require_room(kept)
    return kept


def _decided(
    house: Store, asked: Recipe, version: Dataset, progress: Watch | None, device: str, folder: Path | None
) -> Plan:
    """Return the plan of a run; what its restored cases cost to make is kept in its folder, where there is one."""
    sought = Goal(kind=asked.tasks.kind, target=target_of(asked))
    table = _require_known(version, sought)
    training = asked.training
    entries, validation = _sides(
        version, goal=sought, fold=training.fold, patients=training.patients, seed=training.seed
    )
    began = time.monotonic()
    chains = asked_of(version, asked, entries=entries)
    restorer = Restorer(fitted_on(house, chains, entries=entries, progress=progress), folder=folder)
    tell, fitting = counting(progress, "look", entries), time.monotonic() - began
    shown_cases = (restorer.loader(partial(house.case, version, entry))() for entry in entries)
    looked = fingerprint(shown_cases, table=table, progress=tell)
    spent = Spent(looking=time.monotonic() - began - fitting - restorer.seconds, fitting=fitting,
                  restoring=restorer.seconds)  # fmt: skip
    if folder is not None:
        restorer.write(folder)
    decided = decide(asked, looked, dataset=version.id, table=table, machine=Machine.here(device))
    decided = with_chains(decided, restorer, asked=chains)
    beside = [*validation, *judged(version.on_side("test"), sought)]
    others = unlearnt_classes(decided.goal, beside) or unlearnt_findings(decided.goal, beside)
    if others:
        told = {"tasks.target": f"{decided.reasons['tasks.target']}; {others}, and can never be answered rightly"}
        decided = replace(decided, reasons={**decided.reasons, **told})
    learning, shown = (
        [restorer.loader(partial(house.case, version, one)) for one in side] for side in (entries, validation)
    )
    cases = Cases(train=learning, validation=shown, table=table)
    ways = ways_of(decided, cases, spent=spent)
    return estimated(decided, looked, table=table, ways=ways, device=device)


def _require_known(version: Dataset, goal: Goal) -> LabelTable | None:
    """Return what outlines mean where they are learnt, None where facts are.

    Raises:
        LabelError: Nothing is outlined, or no case has such a fact; the message says what there is.
    """
    facts = sorted({name for entry in version.entries for name in entry.facts})
    for name in goal.target:
        if name not in facts:
            said = did_you_mean(name, facts) if facts else "Its cases have no facts; give a table of them at ingest."
            raise LabelError(f"No case of data set {version.name!r} has the fact {name!r} of tasks.target. {said}")
    if goal.target:
        return None
    if version.table is None and facts:
        raise LabelError(
            f"Nobody has outlined anything in data set {version.name!r}. Ingest the labels with the images; or learn "
            f'what its facts say ({", ".join(facts)}) with tasks.kind = "classification" and tasks.target.'
        )
    return table_of(version)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lesson:
    """A run at work: on which version, by which plan, in which folder, on which device."""

    house: Store
    version: Dataset
    plan: Plan
    folder: Path
    device: str
    progress: Watch | None
    curves: Draw | None

    @property
    def sides(self) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
        """Cases to learn from, and to validate on."""
        plan_ = self.plan
        return _sides(self.version, goal=plan_.goal, fold=plan_.fold, patients=plan_.patients, seed=plan_.seed)

    @property
    def cases(self) -> Cases:
        """Both sides, each case loaded when it is asked for."""
        learning, validating = self.sides
        shown = [one for one in validating if not unlearnt_classes(self.plan.goal, [one])]
        restorer = Restorer(chains_of(self.plan, done=self.version.steps), folder=self.folder)
        train_, validation = (
            [restorer.loader(partial(self.house.case, self.version, one)) for one in side] for side in (learning, shown)
        )
        return Cases(train=train_, validation=validation, table=self.table)

    @property
    def table(self) -> LabelTable | None:
        """What outlines mean; None where facts are learnt."""
        return None if self.plan.goal.target else table_of(self.version)


def _learnt(lesson: _Lesson) -> tuple[Model, str]:
    """Obey the run's plan, and return the model with the receipt of its making."""
    house, plan_, folder = lesson.house, lesson.plan, lesson.folder
    page = Page(plan_, name=lesson.version.name, folder=folder, progress=lesson.progress, curves=lesson.curves)
    fitted = fit(plan_, lesson.cases, folder=folder, report=page.see, device=lesson.device)
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
        facts={
            "recipe": plan_.recipe, "plan": plan_.id, "seed": plan_.seed, "steps": fitted.steps,
            "device": lesson.device, **restoration_facts(plan_),
        },
    )  # fmt: skip
    house.models.add(model.folder, run=folder.name, at=now())
    _fresh(model.folder)
    return read_model(house.models.folder(model.id)), receipt


def _model(lesson: _Lesson, fitted: Fitted) -> Model:
    """Make the model's folder: scored on its validation cases by the very reader that will read new ones."""
    version, (learning, validating) = lesson.version, lesson.sides
    sources = [f"{grant.id} ({grant.ground})" for grant in granted(lesson.house, version)]
    sources += [UNKNOWN] if "" in version.sources else []
    told = Description(
        plan=lesson.plan,
        table=lesson.table,
        dataset=version.id,
        facts={
            "data set": version.name,
            "licence of the data": version.source.licence or "not stated",
            "sources": "; ".join(sources),
            "patients learnt from": len({entry.patient for entry in learning}),
        },
        created=now(),
        version=__version__,
    )
    # written twice: a reader reads models, and the figures it finds belong into the model
    draft = _fresh(lesson.folder / "draft")
    drafted = write_model(draft, weights=fitted.weights, description=told, card=write_card(told))
    reader = open_reader(drafted, device=lesson.device, done=version.steps)
    found = scored(
        reader, (lesson.house.case(version, entry) for entry in validating), version=version,
        progress=counting(lesson.progress, "validate", validating),
    )  # fmt: skip
    told = described(told, found)
    _fresh(draft)
    return write_model(_fresh(lesson.folder / "model"), weights=fitted.weights, description=told, card=write_card(told))


def _fresh(folder: Path) -> Path:
    """Return a folder's path with nothing there: what a killed process left is made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    return folder
