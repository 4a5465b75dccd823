"""Versions of a data set: listed, compared in words, and given names that always mean the same one."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from isocenter.case import SIDES, Change, Dataset, Freeze, changes_between, frozen_among
from isocenter.errors import InputError, NotFoundError
from isocenter.intake.strata import label_names
from isocenter.pages.changes import tell_changes
from isocenter.pipeline.freezing import learning
from isocenter.pipeline.ground import Place, dataset_item, opened, seal
from isocenter.pipeline.outcome import Versioned
from isocenter.pipeline.public import document
from isocenter.store import DatasetRow, Store
from isocenter.store.ledgers import AT, PIN, Pin
from isocenter.store.versions import LATEST

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionsDiffered:
    """Two versions, what is otherwise in the second, and that in words."""

    first: DatasetRow
    second: DatasetRow
    changes: tuple[Change, ...]
    told: tuple[str, ...]
    lang: str

    def to_json(self) -> dict[str, Any]:
        """Return the public document of `version diff`."""
        rows = [{"name": row.name, "id": row.id, "at": row.at, "cases": row.cases} for row in (self.first, self.second)]
        return document(
            "diff_versions",
            versions=rows,
            one_version=self.first.id == self.second.id,
            counts=dict(Counter(change.kind for change in self.changes)),
            changes=[asdict(change) for change in self.changes],
            told=list(self.told),
            lang=self.lang,
        )


def list_versions(name: str, *, store: Place = None) -> Versioned:
    """Return the versions of a data set, the newest first, with their sides, pins, and what was learnt from each.

    Args:
        name: Of the data set, or of any version of it.
        store: Where it is kept.

    Raises:
        NotFoundError: There is no such data set.
        SealError: A version was changed.
    """
    with opened(store) as house:
        called = house.datasets.find(name).name
        freezes = [row.freeze for row in house.ledgers.freezes()]
        rows = [_described(house, row, freezes) for row in house.datasets.rows() if row.name == called]
        kept = {row["id"] for row in rows}
        gone = [asdict(pin) for pin in house.ledgers.pins() if pin.dataset == called and pin.version not in kept]
    return Versioned(deed="listed", fields={"name": called, "versions": rows, "pins_of_removed": gone})


def diff_versions(first: str, second: str = "", *, lang: str = "en", store: Place = None) -> VersionsDiffered:
    """Return what changed between two versions, in words and change by change.

    Args:
        first: A data set, or a version of it.
        second: The other; empty for the newest of the same data set, or, where `first` is that, the one before it with
            the newest.
        lang: Of the words: "en" or "zh".
        store: Where they are kept.

    Raises:
        NotFoundError: There is no such version, nothing to compare it with, or no such language.
        SealError: A version was changed.
    """
    with opened(store) as house:
        rows = _two(house, first, second)
        old, new = (house.datasets.read(row.id, name=row.name) for row in rows)
    changes = changes_between(old, new)
    labels = {name for one in (old, new) for name in label_names([entry.facts for entry in one.entries])}
    told = tell_changes(changes, lang=lang, labels=labels)
    return VersionsDiffered(first=rows[0], second=rows[1], changes=changes, told=told, lang=lang)


def pin_version(name: str, word: str, *, store: Place = None) -> Versioned:
    """Give a version a name that always means it: DATASET@WORD. What comes later never moves it.

    Args:
        name: Of a data set, which pins its newest version; or of a version.
        word: What stands behind the "@", such as "paper".
        store: Where it is kept.

    Raises:
        NotFoundError: There is no such data set.
        InputError: A word that cannot be, or that means another version already.
        StoreError: The store cannot be used.
    """
    with opened(store) as house:
        row = house.datasets.find(name)
        with house.hold(f"dataset:{row.name}"):
            asked = Pin(dataset=row.name, word=word, version=row.id)
            _require_word(house, asked)
            there = house.ledgers.pin(asked.name)
            if there is None:
                version = house.datasets.read(row.id, name=row.name)
                facts = asked.to_document()
                seal(house, PIN, inputs=(dataset_item(house, version),), outputs=(asked.item,), facts=facts)
                there = house.ledgers.pin(asked.name)
        fields = {} if there is None else {"pin": there.name, "dataset": there.version, "at": there.at,
                                           "who": there.who, "receipt": there.receipt}  # fmt: skip
    return Versioned(deed="pinned", fields=fields)


def version_names(house: Store) -> dict[str, str]:
    """Return the id of each version to how people name it: by its oldest pin, else by the first digits of its id."""
    names: dict[str, str] = {}
    words = house.ledgers.words()
    for row in reversed(house.datasets.rows()):
        names[row.id] = f"{row.name}{AT}{words.get((row.name, row.id), (row.id[:8],))[0]}"
    return names


def _require_word(house: Store, asked: Pin) -> None:
    if not _WORD.fullmatch(asked.word) or asked.word == LATEST:
        raise InputError(
            f"{asked.word!r} cannot pin a version: letters, digits, '.', '_' and '-', 64 at most, and not {LATEST!r}."
        )
    there = house.ledgers.pin(asked.name)
    if there is not None and there.version != asked.version:
        raise InputError(
            f"{asked.name} means version {there.version[:12]} since {there.at[:10]}, and a pin never moves. Take "
            f"another word for version {asked.version[:12]}."
        )
    if there is None and any(
        row.id.startswith(asked.word) for row in house.datasets.rows() if row.name == asked.dataset
    ):
        raise InputError(f"{asked.word!r} begins the id of a version of {asked.dataset!r}. Take another word.")


def _two(house: Store, first: str, second: str) -> tuple[DatasetRow, DatasetRow]:
    one = house.datasets.find(first)
    if second:
        return one, house.datasets.find(second)
    rows = [row for row in house.datasets.rows() if row.name == one.name]
    if rows[0].id != one.id:
        return one, rows[0]
    if len(rows) == 1:
        raise NotFoundError(f"Data set {one.name!r} has one version only; name another one to compare it with.")
    return rows[1], one


def _described(house: Store, row: DatasetRow, freezes: Sequence[Freeze]) -> dict[str, Any]:
    version = house.datasets.read(row.id, name=row.name)
    frozen = frozen_among(version.entries, freezes)
    learnt = learning(version, frozen)
    return {
        "id": row.id,
        "at": row.at,
        "cases": row.cases,
        "patients": len({entry.patient for entry in version.entries}),
        "sides": sides_of(version),
        "frozen": len(frozen) - len(learnt),
        "frozen_learnt": len(learnt),
        "pins": list(house.ledgers.words().get((row.name, row.id), ())),
        "runs": [run.id for run in house.runs.rows() if run.dataset == row.id],
        "models": [model.id for model in house.models.rows() if model.dataset == row.id],
    }


def sides_of(version: Dataset) -> dict[str, int]:
    """Return how many patients stand on each side; nothing where there is no split."""
    return {} if version.split is None else {side: len(version.split.patients(side)) for side in SIDES}
