"""Frozen test sides: who stands on one never trains anything again, in any version of any data set of the store."""

from collections.abc import Collection, Iterable
from typing import Any

from isocenter.case import Dataset, Entry, Freeze, Frozen, frozen_among
from isocenter.errors import FrozenError, InputError, NotFoundError, SplitError
from isocenter.intake.sides import names_of
from isocenter.pipeline.ground import Place, dataset_item, opened, seal
from isocenter.pipeline.outcome import Versioned
from isocenter.result import Check
from isocenter.store import Store
from isocenter.store.ledgers import FREEZE, freeze_item


def freeze_version(name: str, *, purpose: str, store: Place = None) -> Versioned:
    """Freeze the test side of a version: its patients never train anything again, in any version. For good.

    Patients are known by their pseudonym, and by every image of theirs. Models that have learnt from them before are
    not changed; each is named, for somebody to decide.

    Args:
        name: Of a data set, or a version of it.
        purpose: Why; it is kept with your account and the time.
        store: Where it is kept.

    Raises:
        InputError: No purpose.
        NotFoundError: There is no such data set.
        SplitError: Nobody is on the test side, or somebody on it shares an image with somebody who is learnt from.
        StoreError: The store cannot be used.
    """
    if not purpose.strip():
        raise InputError("Say why with --purpose; it is kept with your account and the time, as nobody can thaw it.")
    with opened(store) as house, house.hold("freeze"):
        version = house.datasets.get(name)
        freeze = Freeze.of(version, purpose=purpose.strip())
        _require_sound(version, freeze)
        before = next((row for row in house.ledgers.freezes() if _holds(row.freeze, freeze)), None)
        receipt = before.receipt if before else seal(
            house, FREEZE, inputs=(dataset_item(house, version),), outputs=(freeze_item(freeze),),
            checks=(Check(name="nobody frozen is learnt from in this version", held=True, figure="0", limit="0"),),
            facts=freeze.to_document(),
        )  # fmt: skip
        reach = _reach(house, freeze)
    return Versioned(deed="frozen", fields={
        "name": version.name, "dataset": version.id, "patients": len(freeze.patients), "images": len(freeze.images),
        "again": before is not None, **reach, "receipt": receipt,
    })  # fmt: skip


def frozen_of(house: Store, entries: Collection[Entry]) -> tuple[Frozen, ...]:
    """Return the patients of some cases who are on a frozen test side of the store, by name or by image.

    Raises:
        SealError: A receipt of the ledger was changed, or is gone.
    """
    return frozen_among(tuple(entries), [row.freeze for row in house.ledgers.freezes()])


def learning(version: Dataset, frozen: Iterable[Frozen]) -> tuple[Frozen, ...]:
    """Return those of the frozen whom a version would learn from, or choose on."""
    sides = version.split.sides if version.split is not None else {}
    return tuple(one for one in frozen if sides.get(one.patient, "test") != "test")


def require_learnable(house: Store, version: Dataset) -> None:
    """Do nothing where nobody frozen stands on a side that is learnt from; every step that learns asks this.

    Raises:
        FrozenError: Somebody does; the message says who and what mends it.
        SealError: A receipt of the ledger was changed, or is gone.
    """
    found = learning(version, frozen_of(house, version.entries))
    if found:
        raise FrozenError(
            f"Data set {version.name!r}, version {version.id[:12]}, would learn from {names_of(found)}. "
            f"`isocenter split {version.name}` makes a version with them on the test side."
        )


def _require_sound(version: Dataset, freeze: Freeze) -> None:
    """Do nothing where a version's own split keeps those who would be frozen from learning.

    Raises:
        SplitError: It has no split, nobody on its test side, or one person on two sides.
    """
    if not freeze.patients:
        raise SplitError(f"Nobody stands on the test side of data set {version.name!r}, so there is nothing to freeze.")
    twice = learning(version, frozen_among(version.entries, [freeze]))
    if twice:
        named = ", ".join(one.patient for one in twice[:8])
        raise SplitError(
            f"{len(twice)} patient(s) whom data set {version.name!r} learns from hold an image of the test side: "
            f"{named}. `isocenter split {version.name}` puts those who share an image on one side; freeze that version."
        )


def _holds(there: Freeze, asked: Freeze) -> bool:
    return asked.patients <= there.patients and asked.images <= there.images


def _reach(house: Store, freeze: Freeze) -> dict[str, Any]:
    """Return where else those who are frozen stand on a side that is learnt from, and what has learnt there."""
    met: dict[str, int] = {}
    versions = []
    for row in house.datasets.rows():
        version = house.datasets.read(row.id, name=row.name)
        count = len(learning(version, frozen_among(version.entries, [freeze])))
        if count:
            met[row.id] = count
            versions.append({"name": row.name, "id": row.id, "patients": count})
    models = [{"id": row.id, "patients": met[row.dataset]} for row in house.models.rows() if row.dataset in met]
    unknown = [row.id for row in house.models.rows() if not _is_kept(house, row.dataset)]
    return {"versions": versions, "models": models, "unknown_models": unknown}


def _is_kept(house: Store, dataset: str) -> bool:
    try:
        house.datasets.find(dataset)
    except NotFoundError:
        return False
    return True
