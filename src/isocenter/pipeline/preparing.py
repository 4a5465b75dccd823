"""A data set's images restored by a recipe's steps, as a new version of it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.case import Case, Dataset, Entry, Preparation
from isocenter.errors import RecipeError, SplitError
from isocenter.learning.inference.restoring import Said
from isocenter.learning.training.restoring import Restorer
from isocenter.pages import say
from isocenter.pages.prepared import FigureRow, Frame, PreparedPage, frames, write_prepared
from isocenter.pipeline.ground import Place, Watch, asked_for, dataset_item, now, opened, seal
from isocenter.pipeline.public import document
from isocenter.pipeline.restoring import asked_of, fitted_on
from isocenter.pipeline.sourcing import require_use
from isocenter.processing.restoration import Chain
from isocenter.recipe import Recipe
from isocenter.result import Check, Item, canonical
from isocenter.store import Store

_PICTURES = 8  # cases that a page shows
_TOLD = "restoration:cases"  # what each step said of each case, kept beside the receipt: there may be many cases


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What one step changed in one role: of each figure that it said the lowest, middle and highest of the cases.

    Args:
        figures: Name to (lowest, median, highest); words are left out.
    """

    role: str
    step: str
    cases: int
    figures: Mapping[str, tuple[float, float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A data set whose images have been restored, as a version of its own.

    Args:
        origin: Id of the version that it was made from, which stays as it was.
        changed: Of each step in order.
        lost: Cases of which a structure is gone from an outline, since a step has cut it off.
        page: With pictures, where one was asked for.
    """

    dataset: Dataset
    origin: str
    changed: tuple[Changed, ...]
    lost: tuple[str, ...]
    page: Path | None
    receipt: str
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the public document of `prepare`."""
        return document(
            "prepare",
            name=self.dataset.name,
            dataset=self.dataset.id,
            origin=self.origin,
            cases=len(self.dataset.entries),
            restoration={role: list(lines) for role, lines in self.dataset.steps.items()},
            changed=[
                {"role": one.role, "step": one.step, "cases": one.cases,
                 "figures": {name: list(figures) for name, figures in one.figures.items()}}
                for one in self.changed
            ],
            lost=list(self.lost),
            page=None if self.page is None else str(self.page),
            receipt=self.receipt,
            seconds=self.seconds,
        )  # fmt: skip


def prepare(
    name: str,
    recipe: Path | Recipe | None = None,
    *,
    dataset: str = "",
    set_: tuple[str, ...] = (),
    page: Path | None = None,
    lang: str = "en",
    store: Place = None,
    progress: Watch | None = None,
) -> Prepared:
    """Restore a data set's images by a recipe's steps and keep them as a new version; the old one stays as it is.

    Patients, split, facts and sources are the old one's; outlines go along where a step changes the grid. What a step
    learns it learns from the training side. A model that is trained on the new version carries its steps.

    Args:
        name: Name or id of a data set.
        recipe: A TOML file, or a recipe; its section [restoration] is obeyed, the others are passed over.
        dataset: What to call the new version; empty takes the old name with "-prepared".
        set_: Changes to the recipe, such as 'restoration.steps=["n4", "nyul"]'.
        page: An HTML file to write, with what each step changed and pictures before and after.
        lang: Of that page, "en" or "zh".
        store: Where the data set is kept.
        progress: Told how far it is.

    Raises:
        NotFoundError: There is no such data set, step or language.
        RecipeError: The recipe has no steps, or one that cannot be.
        InputError: A step cannot treat a case; the message names it. Nothing is kept then.
        SplitError: A step learns, and the data set has no training side.
        TermsError: A step learns, and a source of the cases does not grant training, or no longer.
        StoreError: The store cannot be used, or the page cannot be written.
    """
    begun = time.monotonic()
    say("restored.kicker", lang=lang)  # a language that there is not is told before an hour's work, not after it
    with opened(store) as house:
        version = house.datasets.get(name)
        asked = asked_of(version, asked_for(recipe, set_), entries=version.entries, all_roles=True)
        if not asked.chains:
            raise RecipeError('The recipe asks for nothing: give it [restoration] with steps = ["n4", …].')
        called = dataset or f"{version.name}-prepared"
        with house.hold(f"dataset:{called}"):
            learners = _learners(house, version) if asked.learns else ()
            chains = fitted_on(house, asked, entries=learners, progress=progress)
            made = _made(house, version, chains, pictures=_PICTURES if page else 0, progress=progress)
            new = replace(version, name=called, entries=made.entries, prepared=_prepared(version, made.restorer))
            receipt = _seal(house, version, new, made=made)
            house.datasets.save(new, at=now())
    found = Prepared(
        dataset=new, origin=version.id, changed=changed(made.restorer.said), lost=made.lost, page=page,
        receipt=receipt, seconds=time.monotonic() - begun,
    )  # fmt: skip
    if page is not None:
        write_prepared(_page(found, made.pairs), Path(page), lang=lang)
    return found


def changed(said: Mapping[str, Said]) -> tuple[Changed, ...]:
    """Return what each step changed over all cases, of each role in order.

    Args:
        said: By case.
    """
    found: dict[tuple[str, int, str], list[Mapping[str, float | str]]] = {}
    for roles in said.values():
        for role, steps in roles.items():
            for place, (step, told) in enumerate(steps):
                found.setdefault((role, place, step), []).append(told)
    return tuple(
        Changed(role=role, step=step, cases=len(told), figures=_spread(told))
        for (role, _, step), told in sorted(found.items(), key=lambda one: one[0][:2])
    )


def _spread(told: Sequence[Mapping[str, float | str]]) -> dict[str, tuple[float, float, float]]:
    names = dict.fromkeys(name for one in told for name, figure in one.items() if not isinstance(figure, str))
    spread = {}
    for name in names:
        low, middle, high = np.percentile([float(one[name]) for one in told if name in one], (0, 50, 100))
        spread[name] = (float(low), float(middle), float(high))
    return spread


def _learners(house: Store, version: Dataset) -> tuple[Entry, ...]:
    """Return the cases of the training side.

    Raises:
        SplitError: There is none.
        TermsError: A source of the cases does not grant training, or no longer.
    """
    require_use(house, version, "training")
    if version.split is None:
        raise SplitError(
            f"Data set {version.name!r} has no training side, and a step of the recipe learns from one. Write what it "
            "has learnt elsewhere into the recipe."
        )
    return version.on_side("train")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """What became of a version's cases."""

    entries: tuple[Entry, ...]
    lost: tuple[str, ...]
    restorer: Restorer
    pairs: Mapping[str, list[tuple[Frame, Frame]]]


def _made(
    house: Store, version: Dataset, chains: Mapping[str, Chain], *, pictures: int, progress: Watch | None
) -> _Made:
    """Put every restored case into the store, one in memory at a time; what is stopped leaves nothing behind.

    Raises:
        InputError: A step cannot treat a case.
    """
    restorer, put, lost = Restorer(chains), list[Entry](), list[str]()
    pairs: dict[str, list[tuple[Frame, Frame]]] = {role: [] for role in chains if pictures}
    shown = {version.entries[i].id for i in np.linspace(0, len(version.entries) - 1, pictures).astype(int)}
    is_whole = False
    try:
        for done, entry in enumerate(version.entries, 1):
            before = house.case(version, entry)
            case = restorer.restored(before)
            for role in (role for role in pairs if entry.id in shown and role in case.volumes):
                pairs[role].append(frames(before.volumes[role], case.volumes[role]))
            put.append(_entry(house, entry, case, roles=set(chains)))
            kept = [set(outline.present) for outline in put[-1].outlines]
            if any(set(one.present) - left for one, left in zip(entry.outlines, kept, strict=True)):
                lost.append(entry.id)
            if progress is not None:
                progress("prepare", done, len(version.entries), "")
        is_whole = True
    finally:
        if not is_whole:
            volumes = {digest for entry in put for digest in entry.volumes.values()}
            house.datasets.discard(volumes | {outline.digest for entry in put for outline in entry.outlines})
    drawn = {role: each for role, each in pairs.items() if each}
    return _Made(entries=tuple(put), lost=tuple(lost), restorer=restorer, pairs=drawn)


def _entry(house: Store, entry: Entry, case: Case, *, roles: set[str]) -> Entry:
    """Return the entry of a restored case, what has changed of it put into the store."""
    volumes = {
        role: house.put_volume(case.volumes[role]) if role in roles else digest
        for role, digest in entry.volumes.items()
    }
    if next(iter(entry.volumes)) not in roles:
        return replace(entry, volumes=volumes)
    masks = {one.reader: one.mask for one in case.annotations}
    outlines = tuple(
        replace(one, digest=house.put_mask(masks[one.reader]), present=masks[one.reader].present)
        for one in entry.outlines
    )
    return replace(entry, volumes=volumes, outlines=outlines)


def _prepared(version: Dataset, restorer: Restorer) -> dict[str, Preparation]:
    """Return what the volumes of each role have gone through by now."""
    prepared = dict(version.prepared)
    for role, chain in restorer.chains.items():
        before = prepared.get(role, Preparation(steps=(), unit=restorer.kinds[role][1]))
        prepared[role] = replace(before, steps=(*before.steps, *chain.to_document()))
    return prepared


def _seal(house: Store, version: Dataset, new: Dataset, *, made: _Made) -> str:
    """Seal what was done: the steps in the receipt itself, what each said of each case in a document beside it."""
    told = house.blobs.put(canonical({"cases": made.restorer.said}))
    return seal(
        house, "prepare", inputs=(dataset_item(house, version),),
        outputs=(Item(name=f"dataset:{new.name}", digest=new.id), Item(name=_TOLD, digest=told)),
        checks=(
            Check(name="cases of which a structure was cut off", held=not made.lost, figure=str(len(made.lost)),
                  limit="0"),
        ),
        facts={"restoration": {role: chain.to_document() for role, chain in made.restorer.chains.items()}},
    )  # fmt: skip


def _page(found: Prepared, pairs: Mapping[str, Sequence[tuple[Frame, Frame]]]) -> PreparedPage:
    rows = tuple(
        FigureRow(role=one.role, step=one.step, figure=name, low=low, middle=middle, high=high)
        for one in found.changed
        for name, (low, middle, high) in one.figures.items()
    )
    return PreparedPage(
        name=found.dataset.name, version=found.dataset.id, origin=found.origin, cases=len(found.dataset.entries),
        lost=len(found.lost), rows=rows, pairs=pairs,
    )  # fmt: skip
