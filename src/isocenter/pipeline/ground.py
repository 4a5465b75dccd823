"""What every step stands on: the store that was named, and the receipt that is left."""

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from isocenter import __version__
from isocenter.case import Dataset, Entry
from isocenter.learning.tasks.facts import knows
from isocenter.models.model import Model
from isocenter.recipe import Goal, Plan, Recipe, read_recipe
from isocenter.result import Check, Item, Receipt
from isocenter.store import Store, open_store
from isocenter.store.locks import account

DEFAULT_STORE = "isocenter-store"
RELEASE = "deid"  # the step whose receipts speak of files that left without names

Place = str | Path | None

Watch = Callable[[str, float, float, str], None]
"""Whom a long step tells how far it is: (stage, done, total, note)."""


def opened(place: Place, *, create_new: bool = False) -> Store:
    """Return the store that was named, in an argument or in ISOCENTER_STORE, by default ./isocenter-store.

    Raises:
        StoreError: There is none, or it cannot be used.
    """
    return open_store(place or os.environ.get("ISOCENTER_STORE") or DEFAULT_STORE, create_new=create_new)


def told(progress: Watch | None, stage: str) -> Callable[[int, int], None] | None:
    """Return whom a room tells (done, total) of a stage, None where nobody listens."""
    if progress is None:
        return None
    return lambda done, of: progress(stage, done, of, "")


def asked_for(recipe: Path | Recipe | None, changes: tuple[str, ...]) -> Recipe:
    """Return the recipe that was asked for, a file or a recipe, changed by settings such as "training.minutes=20".

    Raises:
        FileError: No such file.
        RecipeError: The recipe says what cannot be.
    """
    if isinstance(recipe, Recipe):
        return read_recipe(None, settings=changes, onto=recipe)
    return read_recipe(None if recipe is None else Path(recipe), settings=changes)


def now() -> str:
    """Return the time: UTC, ISO 8601, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def seal(
    house: Store,
    step: str,
    *,
    inputs: Iterable[Item],
    outputs: Iterable[Item],
    checks: Iterable[Check] = (),
    facts: Mapping[str, Any] | None = None,
) -> str:
    """Sign a step's receipt, keep it, and return its digest.

    Raises:
        StoreError: The store may not be written.
    """
    receipt = Receipt(
        step=step, inputs=tuple(inputs), outputs=tuple(outputs), checks=tuple(checks), facts=dict(facts or {}),
        version=__version__, who=account(), at=now(),
    )  # fmt: skip
    return house.receipts.seal(receipt)


def dataset_item(house: Store, dataset: Dataset) -> Item:
    """Return a version of a data set as a receipt names it, with the receipt of its making."""
    return Item(name=f"dataset:{dataset.name}", digest=dataset.id, receipt=house.receipts.maker(dataset.id) or "")


def model_item(house: Store, model: Model) -> Item:
    """Return a model as a receipt names it, with the receipt of its making."""
    return Item(name=f"model:{model.id[:12]}", digest=model.id, receipt=house.receipts.maker(model.id) or "")


def restoration_facts(plan: Plan) -> dict[str, Any]:
    """Return what a plan's images go through before everything else, as a receipt tells it; empty where nothing."""
    lines = {channel.role: list(channel.restoration) for channel in plan.channels if channel.restoration}
    return {"restoration": lines} if lines else {}


def outlined(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return the cases that somebody has outlined."""
    return tuple(entry for entry in entries if entry.outlines)


def judged(entries: Iterable[Entry], goal: Goal) -> tuple[Entry, ...]:
    """Return the cases whose truth somebody has said: outlined ones, or those with a fact that the goal learns."""
    if not goal.target:
        return outlined(entries)
    return tuple(entry for entry in entries if knows(entry.facts, goal.target))
