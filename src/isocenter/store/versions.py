"""Data sets, models and runs by name, by id, or by the first digits of an id."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Table, delete, insert, select

from isocenter.case import Dataset
from isocenter.errors import NotFoundError, SealError, StoreError
from isocenter.result import canonical
from isocenter.store.blobs import Blobs
from isocenter.store.catalogue import DATASETS, EVALUATIONS, Catalogue
from isocenter.store.ledgers import AT, Ledgers, Pin

LATEST = "latest"
_SHORTEST = 4  # digits of an id that may stand for it


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetRow:
    """One version of a data set, as a list shows it."""

    name: str
    id: str
    at: str
    cases: int


class Datasets:
    """Versions of data sets: each a document that is kept by its hash, which is its id."""

    def __init__(self, blobs: Blobs, *, catalogue: Catalogue, ledgers: Ledgers) -> None:
        self._blobs = blobs
        self._catalogue = catalogue
        self._ledgers = ledgers

    def save(self, dataset: Dataset, *, at: str) -> str:
        """Keep a version and return its id; its name then means this version. Seal its receipt first.

        Args:
            at: UTC, ISO 8601.

        Raises:
            StoreError: A blob that it lists is not in the store, the disk is full, or it may not be written.
        """
        missing = [digest for digest in blobs_of(dataset) if not self._blobs.has(digest)]
        if missing:
            raise StoreError(
                f"Data set {dataset.name!r} lists {len(missing)} volumes or masks that the store does not hold. "
                "Put them first."
            )
        id_ = self._blobs.put(_document(dataset))
        row = {"name": dataset.name, "id": id_, "at": at, "cases": len(dataset.entries)}
        with self._catalogue.begin() as connection:
            same = (DATASETS.c.name == dataset.name) & (DATASETS.c.id == id_)
            connection.execute(delete(DATASETS).where(same))
            connection.execute(insert(DATASETS).values(**row))
        return id_

    def get(self, name: str) -> Dataset:
        """Return a version by its name (then its newest), its pin, its id, or the first digits of it (see find).

        Raises:
            NotFoundError: There is none.
            SealError: Its bytes were changed.
        """
        row = self.find(name)
        try:
            return self.read(row.id, name=row.name)
        except NotFoundError as error:
            raise SealError(f"Data set {row.name!r}: its document {row.id[:16]}… is gone from the store.") from error

    def read(self, id_: str, *, name: str) -> Dataset:
        """Return a version by its whole id, listed or not, under a name.

        Raises:
            NotFoundError: The store does not hold it.
            SealError: Its bytes were changed.
        """
        return Dataset.from_document({**json.loads(self._blobs.get(id_)), "name": name})

    def find(self, name: str) -> DatasetRow:
        """Return the row of a version.

        Args:
            name: Of a data set, which means its newest version; NAME@WORD, with a word that was pinned; NAME@latest;
                NAME@DIGITS of an id; or an id, or the first digits of it.

        Raises:
            NotFoundError: There is none, or the version that a pin means was removed.
        """
        rows = self.rows()
        pin = self._ledgers.pin(name)
        if pin is not None:
            return _pinned(rows, pin)
        named = [row for row in rows if row.name == name]
        if named:
            return named[0]
        whole, _, word = name.rpartition(AT)
        same = [row for row in rows if row.name == whole]
        if same and word == LATEST:
            return same[0]
        found: DatasetRow
        if same:
            words = [one.word for one in self._ledgers.pins() if one.dataset == whole]
            found = by_id(same, word, kind=f"version of {whole!r} called", names=words)
        else:
            found = by_id(rows, name, kind="data set", names=dict.fromkeys(row.name for row in rows))
        return found

    def rows(self) -> tuple[DatasetRow, ...]:
        """Return every version, the newest first."""
        with self._catalogue.begin() as connection:
            found = connection.execute(select(DATASETS).order_by(DATASETS.c.number.desc())).all()
        return tuple(DatasetRow(name=row.name, id=row.id, at=row.at, cases=row.cases) for row in found)

    def discard(self, digests: Iterable[str]) -> None:
        """Remove volumes and masks that no version lists, such as those of a folder that was refused in the end.

        Raises:
            StoreError: The store may not be written.
            SealError: A version cannot be read, so that nobody knows what it lists; nothing is removed.
        """
        kept = {digest for row in self.rows() for digest in blobs_of(self.get(row.id))}
        for digest in set(digests) - kept:
            self._blobs.remove(digest)

    def remove(self, name: str) -> DatasetRow:
        """Remove one version, and the volumes and masks that no other version lists. Hold the store alone.

        Raises:
            NotFoundError: There is none.
            StoreError: The store may not be written.
        """
        row = self.find(name)
        dataset = self.get(row.id)
        with self._catalogue.begin() as connection:
            connection.execute(delete(DATASETS).where(DATASETS.c.name == row.name, DATASETS.c.id == row.id))
        others = dict.fromkeys(other.id for other in self.rows())
        kept = {digest for id_ in others for digest in (id_, *blobs_of(self.read(id_, name=id_)))}
        for digest in {row.id, *blobs_of(dataset)} - kept:
            self._blobs.remove(digest)
        return row


class Evaluations:
    """What was measured of models: documents, by model and data set."""

    def __init__(self, blobs: Blobs, *, catalogue: Catalogue) -> None:
        self._blobs = blobs
        self._catalogue = catalogue

    def put(self, document: Mapping[str, Any]) -> str:
        """Keep a document of JSON values and return its digest, for the receipt; `save` then lists it.

        Raises:
            StoreError: The disk is full, or the store may not be written.
        """
        return self._blobs.put(canonical(dict(document)))

    def save(self, digest: str, *, model: str, dataset: str, at: str) -> None:
        """List an evaluation under its model and data set, after its receipt is sealed.

        Raises:
            StoreError: The catalogue may not be written.
        """
        with self._catalogue.begin() as connection:
            connection.execute(insert(EVALUATIONS).values(model=model, dataset=dataset, digest=digest, at=at))

    def of(self, model: str) -> tuple[tuple[str, dict[str, Any]], ...]:
        """Return (digest, document) of each evaluation of a model, by its whole id, the newest first.

        Raises:
            SealError: One of them was changed.
        """
        asked = select(EVALUATIONS.c.digest).where(EVALUATIONS.c.model == model)
        with self._catalogue.begin() as connection:
            found = connection.execute(asked.order_by(EVALUATIONS.c.number.desc())).scalars().all()
        return tuple((digest, json.loads(self._blobs.get(digest))) for digest in found)


def by_id(rows: Sequence[Any], name: str, *, kind: str, names: Iterable[str] = ()) -> Any:
    """Return the one row whose id is, or begins with, what was named; the newest of equal ids.

    Raises:
        NotFoundError: None does, or several do; the message says what there is.
    """
    found = {row.id: row for row in reversed(rows) if len(name) >= _SHORTEST and row.id.startswith(name)}
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise NotFoundError(f"{len(found)} {kind}s have an id that begins with {name!r}; write more of it.")
    known = ", ".join(list(names)[:8]) or ", ".join(row.id[:12] for row in rows[:8]) or "none yet"
    raise NotFoundError(f"The store has no {kind} {name!r}. It has: {known}.")


def _pinned(rows: Iterable[DatasetRow], pin: Pin) -> DatasetRow:
    for row in rows:
        if (row.name, row.id) == (pin.dataset, pin.version):
            return row
    raise NotFoundError(
        f"{pin.name} means version {pin.version[:12]} since {pin.at[:10]}, and that was removed from the store. A pin "
        "never means another one: pin what takes its place under another word."
    )


@contextmanager
def named(thing: str) -> Iterator[None]:
    """Name a thing in front of what is said of its bytes within the block.

    Raises:
        NotFoundError, SealError: As they were raised.
    """
    try:
        yield
    except NotFoundError as error:
        raise NotFoundError(f"{thing}: {error}") from error
    except SealError as error:
        raise SealError(f"{thing}: {error}") from error


def broken_in(dataset: Dataset, blobs: Blobs) -> dict[str, str]:
    """Return what a version lists and the store does not hold as it was put, to why; every byte is hashed.

    A volume is named by its case and role, an outline by its case and reader.
    """
    parts: dict[str, str] = {}
    for entry in dataset.entries:
        parts |= {f"{entry.id}, {role}": digest for role, digest in entry.volumes.items()}
        parts |= {f"{entry.id}, outline of {outline.reader}": outline.digest for outline in entry.outlines}
    why = {digest: _wrong_with(digest, blobs) for digest in dict.fromkeys(parts.values())}
    return {name: why[digest] for name, digest in parts.items() if why[digest]}


def _wrong_with(digest: str, blobs: Blobs) -> str:
    try:
        blobs.get(digest)
    except (NotFoundError, SealError) as error:
        return str(error)
    return ""


def blobs_of(dataset: Dataset) -> tuple[str, ...]:
    """Return the digest of every volume and mask that a data set lists, each once."""
    found = [digest for entry in dataset.entries for digest in entry.volumes.values()]
    found += [outline.digest for entry in dataset.entries for outline in entry.outlines]
    return tuple(dict.fromkeys(found))


def all_rows(catalogue: Catalogue, table: Table) -> Sequence[Row[Any]]:
    """Return a table's rows, the newest first."""
    with catalogue.begin() as connection:
        return connection.execute(select(table).order_by(table.c.number.desc())).all()


def _document(dataset: Dataset) -> bytes:
    document = dataset.to_document()
    del document["name"]
    return canonical(document)
