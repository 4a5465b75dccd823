"""The store itself: made, listed, shown, cleared; and whether what it says of a thing still holds."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from isocenter.errors import InputError, NotFoundError, StoreError
from isocenter.models.model import Model, read_model
from isocenter.pipeline.ground import Place, opened, seal
from isocenter.pipeline.outcome import Initialised, Kept, Verified, scores_document
from isocenter.pipeline.sourcing import sources_document
from isocenter.pipeline.versioning import sides_of, version_names
from isocenter.plugins import did_you_mean
from isocenter.result import Item
from isocenter.store import Store
from isocenter.store.chain import walk
from isocenter.store.ledgers import AT

KINDS = ("runs", "models", "datasets")


def init(store: Place = None, *, require_source: bool | None = None) -> Initialised:
    """Make a store with its signing key; one that is there already is left as it is, but for what is asked.

    Args:
        store: Its folder or URL.
        require_source: Whether `ingest` refuses folders without a source of the register; None leaves that as it is.

    Raises:
        StoreError: The folder holds other things, or may not be written.
    """
    with opened(store, create_new=True) as house:
        if require_source is not None and require_source != house.requires_source:
            house.require_source(require_source)
        return Initialised(store=house.place, key=house.keys.public.id, requires_source=house.requires_source)


def verify(thing: str | Path, *, key: str = "", store: Place = None) -> Verified:
    """Walk a thing's receipts back to its sources; every signature, digest and byte that is kept is checked.

    Args:
        thing: Folder of a prediction, a file in it, a model's folder; or a data set, model or run by name or id.
        key: Fingerprint, or its first digits, of the key that must have signed; empty takes any, which is then named.
        store: Where names are looked for. A prediction's folder is checked without one too.

    Raises:
        NotFoundError: There is no such thing.
        SealError: A link does not hold; the message says which one, and why.
    """
    try:
        house = opened(store)
    except StoreError:
        if store is not None or not Path(thing).exists():
            raise
        found = walk(thing, key=key)
    else:
        with house:
            found = walk(thing, store=house, key=key)
    links = tuple((link.step, link.says) for link in found.links)
    return Verified(thing=found.thing, key=found.key, is_own=found.is_own, links=links)


def list_kept(kind: str, *, store: Place = None) -> Kept:
    """Return what the store keeps of a kind, the newest first.

    Args:
        kind: "runs", "models" or "datasets".
        store: Which one.

    Raises:
        NotFoundError: There is no such kind.
        StoreError: The store cannot be used.
    """
    with opened(store) as house:
        rows = [asdict(row) for row in _shelf(house, kind).rows()]
        names, words = version_names(house), house.ledgers.words()
        for row in rows:  # which version a run or a model learnt from, as people name it
            if kind == "datasets":
                row["pins"] = list(words.get((row["name"], row["id"]), ()))
            else:
                row["data"] = names.get(row["dataset"], "removed")
    return Kept(step="list", kind=kind, fields={"rows": rows})


def show_kept(kind: str, name: str, *, store: Place = None) -> Kept:
    """Return what is known of one run, model or data set.

    Args:
        kind: "runs", "models" or "datasets".
        name: Name or id, or its first digits.
        store: Which one.

    Raises:
        NotFoundError: There is no such thing.
        SealError: It was changed.
    """
    with opened(store) as house:
        row = _shelf(house, kind).find(name)
        thing = {**asdict(row), **_DETAILS[kind](house, row)}
        receipt = house.receipts.maker(row.id)
    return Kept(step="show", kind=kind, fields={"thing": thing | {"receipt": receipt}})


def remove_kept(kind: str, name: str, *, store: Place = None) -> Kept:
    """Remove one run, model or data set; its receipts stay, and one says that it was removed.

    Args:
        kind: "runs", "models" or "datasets".
        name: Name or id, or its first digits.
        store: Which one.

    Raises:
        NotFoundError: There is no such thing.
        InputError: A version that is pinned, and was not named by its pin.
        StoreError: Another process is at work on the store.
    """
    with opened(store) as house, house.alone():
        shelf = _shelf(house, kind)
        row = shelf.find(name)
        if kind == "datasets":
            _require_meant(house, row, name)
        seal(
            house,
            "remove",
            inputs=(Item(name=f"{kind[:-1]}:{getattr(row, 'name', row.id)}", digest=row.id),),
            outputs=(),
        )
        shelf.remove(name)  # not by id: one version may have two names
    return Kept(step="remove", kind=kind, fields={"removed": row.id})


def _require_meant(house: Store, row: Any, name: str) -> None:
    """Do nothing where a version is not pinned, or was named by its pin: nobody removes a pinned one by chance."""
    pins = [f"{row.name}{AT}{word}" for word in house.ledgers.words().get((row.name, row.id), ())]
    if pins and name not in pins:
        raise InputError(
            f"Version {row.id[:12]} is pinned as {', '.join(pins)}. To remove it all the same, name it by its pin; "
            "that pin then means nothing for good."
        )


def _shelf(house: Store, kind: str) -> Any:
    if kind not in KINDS:
        raise NotFoundError(f"The store keeps no {kind!r}. {did_you_mean(kind, list(KINDS))}")
    return getattr(house, kind)


def _run(house: Store, row: Any) -> dict[str, Any]:
    return {"folder": str(house.runs.folder(row.id)), "data": version_names(house).get(row.dataset, "removed")}


def _model(house: Store, row: Any) -> dict[str, Any]:
    model: Model = read_model(house.models.folder(row.id))
    return {"folder": str(model.folder), "data": version_names(house).get(row.dataset, "removed"),
            "labels": [label.name for label in model.description.table or ()],
            "answers": list(model.plan.goal.answers), "sources": _sources_of(house, row.dataset),
            "scores": scores_document(model.scores)}  # fmt: skip


def _sources_of(house: Store, dataset: str) -> list[dict[str, Any]]:
    """Return the sources of a version as they stand now; nothing where the version was removed."""
    try:
        return sources_document(house, house.datasets.get(dataset))
    except NotFoundError:
        return []


def _dataset(house: Store, row: Any) -> dict[str, Any]:
    version = house.datasets.get(row.id)
    return {
        "labels": [label.name for label in version.table or ()],
        "patients": len({entry.patient for entry in version.entries}),
        "sides": sides_of(version),
        "pins": list(house.ledgers.words().get((row.name, row.id), ())),
        "restoration": {role: [line["step"] for line in lines] for role, lines in version.steps.items()},
        "licence": version.source.licence or "not stated",
        "origin": version.source.origin,
        "sources": sources_document(house, version),
        "left_out": list(version.left_out),
    }


_DETAILS: Mapping[str, Callable[[Store, Any], dict[str, Any]]] = {"runs": _run, "models": _model, "datasets": _dataset}
