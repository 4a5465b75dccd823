"""The store: one folder by default, or a filesystem's URL with a database's URL, by configuration alone.

store.json     what the store is and which keys it was made with (see mark); written last: what has it is whole
catalogue.db   what is kept, by name (SQLite)
blobs/         volumes, masks, versions of data sets, evaluations, by the sha256 of their bytes
models/<id>/   as training left them
runs/<id>/     working folders of runs
receipts/      <digest>.json: signed statements
keys/          signing.pem, public.pem, pseudonyms.key: for the owner alone; without them nothing can be signed
speeds/        how quickly models are read on this machine (see learning.inference.pace)
locks/, aside/ who is at work, and what is not finished
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from isocenter.case import Annotation, Case, Dataset, Entry
from isocenter.errors import StoreError
from isocenter.image import LabelTable, Mask, Volume
from isocenter.security import Keys
from isocenter.store.blobs import Blobs, Cipher
from isocenter.store.catalogue import Catalogue, sqlite_url
from isocenter.store.files import LocalFiles, RemoteFiles, files_at, told
from isocenter.store.folders import Models, Runs
from isocenter.store.ledgers import Ledgers
from isocenter.store.locks import FileLocks, RowLocks
from isocenter.store.mark import MARK, Mark, checked_catalogue, made_keys, read_keys, read_mark
from isocenter.store.receipts import Receipts
from isocenter.store.register import Register
from isocenter.store.versions import Datasets, Evaluations, named
from isocenter.store.voxels import mask_from, mask_parts, volume_from, volume_parts

_PATIENCE_S = 30.0  # of a process that finds another one making the store; that takes well under a second


class Store:
    """Everything that isocenter keeps. Open it by `open_store` or `create`; close it, or use it in a `with`."""

    def __init__(self, files: LocalFiles | RemoteFiles, *, mark: Mark, keys: Keys, cipher: Cipher | None) -> None:
        here = files if isinstance(files, LocalFiles) else LocalFiles(_here(mark.id))
        self._catalogue = Catalogue(_url(files, mark), place=files.place)
        self._catalogue.require_tables()
        self._locks = FileLocks(files.folder / "locks") if isinstance(files, LocalFiles) else RowLocks(self._catalogue)
        self.id = mark.id
        self.place = files.place
        self.keys = keys
        self.blobs = Blobs(files, cipher=cipher)
        self.receipts = Receipts(files, catalogue=self._catalogue, keys=keys)
        self.register = Register(self.receipts)
        self.ledgers = Ledgers(self.receipts)
        self.datasets = Datasets(self.blobs, catalogue=self._catalogue, ledgers=self.ledgers)
        self.evaluations = Evaluations(self.blobs, catalogue=self._catalogue)
        self.models = Models(files, catalogue=self._catalogue, here=here)
        self.runs = Runs(catalogue=self._catalogue, here=here)
        self.speeds = here.folder / "speeds"  # only of this machine, and only a memory
        self._files, self._mark = files, mark
        here.sweep()

    @property
    def requires_source(self) -> bool:
        """Whether nothing is taken in without a source of the register."""
        return self._mark.requires_source

    def require_source(self, is_required: bool) -> None:
        """Settle whether nothing is taken in without a source of the register.

        Raises:
            StoreError: The store may not be written.
        """
        self._mark = replace(self._mark, requires_source=is_required)
        self._files.write(MARK, [self._mark.to_bytes()])

    def put_volume(self, volume: Volume) -> str:
        """Keep a volume and return the digest of its bytes.

        Raises:
            StoreError: The disk is full, or the store may not be written.
        """
        return self.blobs.put(*volume_parts(volume))

    def put_mask(self, mask: Mask) -> str:
        """Keep a mask and return the digest of its bytes; its table is kept by the data set.

        Raises:
            StoreError: The disk is full, or the store may not be written.
        """
        return self.blobs.put(*mask_parts(mask))

    def get_volume(self, digest: str) -> Volume:
        """Return a volume, its bytes checked.

        Raises:
            NotFoundError: There is none.
            SealError: It was changed.
        """
        return volume_from(self.blobs.get(digest))

    def get_mask(self, digest: str, *, table: LabelTable) -> Mask:
        """Return a mask, its bytes checked.

        Raises:
            NotFoundError: There is none.
            SealError: It was changed.
            LabelError: Its values stand outside the table.
        """
        return mask_from(self.blobs.get(digest), table=table)

    def case(self, dataset: Dataset, entry: Entry) -> Case:
        """Return a case of a data set with its volumes and masks, every byte checked.

        Raises:
            NotFoundError: A volume or mask is gone from the store; the message names the case, as the next one's does.
            SealError: One was changed.
        """
        with named(entry.id):
            return Case(
                id=entry.id,
                patient=entry.patient,
                volumes={role: self.get_volume(digest) for role, digest in entry.volumes.items()},
                facts=entry.facts,
                annotations=() if dataset.table is None else self._annotations(entry, dataset.table),
                day=entry.day,
            )

    def _annotations(self, entry: Entry, table: LabelTable) -> tuple[Annotation, ...]:
        return tuple(
            Annotation(
                reader=outline.reader, how=outline.how, mask=self.get_mask(outline.digest, table=table),
                made_on=outline.made_on,
            )
            for outline in entry.outlines
        )  # fmt: skip

    @contextmanager
    def hold(self, name: str) -> Iterator[None]:
        """Hold a name, such as "run:1f3c" or "dataset:hippocampus", until the block ends; nobody else can meanwhile.

        A holder that dies, by SIGKILL too, holds nothing any more: at once on a local store, after a minute elsewhere.

        Raises:
            StoreError: Another process holds it; the message says who, and what mends it.
        """
        with self._locks.hold(name):
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the whole store, as removing things needs it: nobody holds any name meanwhile.

        Raises:
            StoreError: Somebody does; the message says who.
        """
        with self._locks.alone():
            yield

    def close(self) -> None:
        """Let go of the database."""
        self._catalogue.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def create(place: str | Path, *, catalogue: str = "", cipher: Cipher | None = None) -> Store:
    """Make a store, with new keys, and open it; one that is there already is opened.

    Args:
        place: A folder that is new or empty, or a URL of any filesystem that fsspec knows.
        catalogue: URL of a database that SQLAlchemy knows, without a password (the database's own client finds
            that, in PGPASSWORD or ~/.pgpass); empty for a SQLite file in the folder.
        cipher: Turns bytes into bytes at rest; None keeps them plain.

    Raises:
        StoreError: The folder holds other things, may not be written, or the disk is full; or the place is not on
            this machine and no catalogue is named.
    """
    files = files_at(place)
    if files.has(MARK):
        return open_store(place, cipher=cipher)
    checked = checked_catalogue(catalogue, is_local=isinstance(files, LocalFiles))
    _require_free(files)
    if isinstance(files, LocalFiles):
        with told(files.place, "written"):
            # for the owner alone, as images of patients are, until the owner says otherwise
            files.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLocks(files.folder / "locks").alone(patience_s=_PATIENCE_S):
            if not files.has(MARK):
                _make(files, checked)
    else:
        _make(files, checked)
    return open_store(place, cipher=cipher)


def open_store(place: str | Path, *, create_new: bool = False, cipher: Cipher | None = None) -> Store:
    """Open a store.

    Args:
        place: Its folder or URL.
        create_new: Make one where there is nothing yet.
        cipher: The one that it was made with.

    Raises:
        StoreError: Not a store, one from a newer version, damaged, or it may not be opened by this account.
    """
    files = files_at(place)
    if files.has(MARK):
        mark = read_mark(files)
        keys = read_keys(files)
        mark.require_keys(keys, place=files.place)
        return Store(files, mark=mark, keys=keys, cipher=cipher)
    if create_new:
        return create(place, cipher=cipher)
    raise StoreError(
        f"There is no store at {files.place}. Make one with `isocenter init --store {files.place}`, "
        "or name another with --store or ISOCENTER_STORE."
    )


def _make(files: LocalFiles | RemoteFiles, catalogue: str) -> None:
    """Write what a store begins with, the mark last; what a killed process left is used or replaced."""
    keys = made_keys(files)
    mark = Mark.of(keys, catalogue=catalogue)
    tables = Catalogue(_url(files, mark), place=files.place)
    tables.create()
    tables.close()
    files.write(MARK, [mark.to_bytes()])


def _require_free(files: LocalFiles | RemoteFiles) -> None:
    # what a killed, or a still working, `create` leaves; it may have reached the mark by now
    own = re.compile(r"aside|keys|locks|catalogue\.db(-journal|-shm|-wal)?")
    strange = [name for name in files.names("") if not own.fullmatch(name)]
    if files.has(MARK):
        return
    if strange:
        raise StoreError(
            f"{files.place} is no store and holds other things ({len(strange)}, such as {strange[0]!r}). "
            "Name a folder that is new or empty."
        )


def _url(files: LocalFiles | RemoteFiles, mark: Mark) -> str:
    if mark.catalogue:
        return mark.catalogue
    if not isinstance(files, LocalFiles):
        raise StoreError(f"The store at {files.place} names no catalogue; its {MARK} was changed.")
    return sqlite_url(files.folder / "catalogue.db")


def _here(id_: str) -> Path:
    """Return the folder of this machine where a store elsewhere keeps models that are read and runs at work."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "isocenter" / id_
