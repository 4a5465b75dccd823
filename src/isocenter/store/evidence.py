"""Where a walk finds receipts and bytes: in a store, or in a folder that was handed on."""

import hashlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from isocenter.errors import FileError, NotFoundError, SealError
from isocenter.models.model import read_model
from isocenter.result import Receipt
from isocenter.security import PublicKey
from isocenter.store.receipts import FOLDER, SIGNER, opened
from isocenter.store.store import Store
from isocenter.store.versions import blobs_of, broken_in

_FILE = "file:"
_NAMED = 5  # broken parts of a version that a message spells out; more are counted
_FROM_ELSEWHERE = ("ingest", "publish")  # steps that stand on files of another folder


class StoreEvidence:
    """What a store keeps, looked at byte by byte."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.key = store.receipts.key

    def receipt(self, digest: str) -> Receipt:
        """Return a receipt whose signature and digest hold.

        Raises:
            NotFoundError: It is gone.
            SealError: It was changed.
        """
        return self._store.receipts.get(digest)

    def look(self, name: str, digest: str) -> int | None:
        """Return how many files were hashed again for a thing; None where the store does not keep its kind.

        Raises:
            SealError: Its bytes are others, or gone without a receipt of their removal.
        """
        looks = {"dataset": self._dataset, "model": self._model, "evaluation": self._blob, "run": self._run,
                 "restoration": self._blob}  # fmt: skip
        kind, _, rest = name.partition(":")
        if kind not in looks:
            return None
        try:
            return looks[kind](digest, rest)
        except NotFoundError as error:
            if self._is_removed(rest.partition("/")[0] if kind == "run" else digest):
                return None
            raise SealError(
                f"{name} is gone from the store, and no receipt speaks of its removal. ({error})"
            ) from error

    def _dataset(self, digest: str, name: str) -> int:
        dataset = self._store.datasets.read(digest, name=name)
        broken = broken_in(dataset, self._store.blobs)
        if broken:
            listed = "; ".join(f"{part}: {why}" for part, why in list(broken.items())[:_NAMED])
            more = f"; and {len(broken) - _NAMED} more" if len(broken) > _NAMED else ""
            raise SealError(f"{len(broken)} volume(s) or mask(s) of data set {name!r} do not hold. {listed}{more}")
        return self._blob(digest) + len(blobs_of(dataset))

    def _model(self, digest: str, _name: str) -> int:
        model = read_model(self._store.models.folder_of(digest, is_fresh=True))
        if model.id != digest:
            raise SealError(f"In the place of model {digest[:16]}… lies model {model.id[:16]}….")
        row = next((row for row in self._store.models.rows() if row.id == digest), None)
        if row is not None and row.dataset != model.dataset:
            raise SealError(f"The catalogue says that model {digest[:16]}… learnt from another data set than it says.")
        return len(model.files) + 1

    def _blob(self, digest: str, _name: str = "") -> int:
        self._store.blobs.get(digest)
        return 1

    def _run(self, digest: str, name: str) -> int:
        path = self._store.runs.path(name)
        if not path.is_file():
            raise NotFoundError(f"{path.name} is not there.")
        if sha256_of(path) != digest:
            raise SealError(f"{path.name} of the run was changed after it was sealed.")
        return 1

    def _is_removed(self, digest: str) -> bool:
        """Return whether a signed receipt speaks of a thing's removal, by its digest, or by its id if it is a run."""
        found = self._store.receipts.removal(digest)
        if found is None:
            return False
        receipt = self._store.receipts.get(found)
        return receipt.step == "remove" and digest in {item.digest for item in receipt.inputs}


class FolderEvidence:
    """A folder with its receipts and the key that checks them; a store beside it, for what lies behind, is optional.

    Raises:
        SealError: A file of the folder was changed, added or taken away since it was sealed.
    """

    def __init__(self, folder: Path, *, store: Store | None) -> None:
        self._folder = folder
        self._store = None if store is None else StoreEvidence(store)
        self.key = self._signer()
        self._receipts = self._read()
        self._require_whole()

    def receipt(self, digest: str) -> Receipt:
        """Return a receipt whose signature and digest hold.

        Raises:
            NotFoundError: It is gone.
        """
        if digest not in self._receipts:
            raise NotFoundError(f"There is no receipt {digest[:16]}… in {self._folder.name}/{FOLDER}.")
        return self._receipts[digest]

    def look(self, name: str, digest: str) -> int | None:
        """Return how many files were hashed again for a thing; None where it is not kept here.

        Raises:
            SealError: Its bytes are others.
        """
        if name.startswith(_FILE):
            return int(self._hashes.get(name.removeprefix(_FILE)) == digest)  # a report may have been written again
        if self._store is None:
            return None
        try:
            return self._store.look(name, digest)
        except SealError as error:
            is_foreign = self.key != self._store.key
            if is_foreign and isinstance(error.__cause__, NotFoundError):
                return None  # somebody else's store made it: the signature on its hash is what there is
            raise

    def heads(self) -> tuple[str, ...]:
        """Return the receipts that no other one stands on, the newest first."""
        behind = {item.receipt for receipt in self._receipts.values() for item in receipt.inputs}
        first = [digest for digest in self._receipts if digest not in behind]
        return tuple(sorted(first, key=lambda digest: (self._receipts[digest].at, digest), reverse=True))

    def maker(self, path: Path) -> str:
        """Return the digest of the newest receipt that names a file of the folder.

        Raises:
            SealError: None does.
        """
        name = path.resolve().relative_to(self._folder.resolve()).as_posix()
        made = [
            digest
            for digest, receipt in self._receipts.items()
            if (_FILE + name, self._hashes.get(name)) in {(item.name, item.digest) for item in receipt.outputs}
        ]
        if not made:
            raise SealError(f"{name}: no receipt in {FOLDER} speaks of this file as it is.")
        return max(made, key=lambda digest: (self._receipts[digest].at, digest))

    @cached_property
    def _hashes(self) -> dict[str, str]:
        """Name to sha256 of each file but the receipts."""
        paths = [path for path in sorted(self._folder.rglob("*")) if path.is_symlink() or not path.is_dir()]
        if any(path.is_symlink() for path in paths):
            raise SealError(f"{self._folder.name} holds a link to somewhere else; it was added after it was sealed.")
        names = {path.relative_to(self._folder).as_posix(): path for path in paths}
        return {name: sha256_of(path) for name, path in names.items() if not name.startswith(f"{FOLDER}/")}

    def _signer(self) -> PublicKey:
        path = self._folder / FOLDER / SIGNER
        if not path.is_file():
            raise SealError(f"{self._folder.name}: the signer's key ({FOLDER}/{SIGNER}) is gone.")
        return PublicKey.from_pem(_bytes(path))

    def _read(self) -> dict[str, Receipt]:
        found = {}
        for path in sorted((self._folder / FOLDER).iterdir()):
            if path.name == SIGNER:
                continue
            if path.suffix != ".json" or not path.is_file():
                raise SealError(f"{self._folder.name}: {FOLDER}/{path.name} is no receipt; it was added later.")
            found[path.stem] = opened(_bytes(path), digest=path.stem, key=self.key)
        if not found:
            raise SealError(f"{self._folder.name}: there is no receipt in {FOLDER}.")
        return found

    def _of_folder(self) -> Iterator[Receipt]:
        """Yield the receipts that may speak of this folder's files: what was taken in, or published, lay elsewhere."""
        queue = list(self.heads())
        for digest in queue:  # grows while it is walked
            receipt = self._receipts.get(digest)
            if receipt is None:
                continue  # the walk says which one is gone
            yield receipt
            if receipt.step not in _FROM_ELSEWHERE:
                queue += [one for one in dict.fromkeys(item.receipt for item in receipt.inputs) if one not in queue]

    def _require_whole(self) -> None:
        """Hold the files against what the receipts say of them, both ways."""
        predictions = [receipt for receipt in self._receipts.values() if receipt.step == "predict"]
        if len(predictions) > 1:
            raise SealError(f"{self._folder.name}: receipts of {len(predictions)} predictions lie here; it holds one.")
        told: dict[str, set[str]] = {}
        for receipt in self._of_folder():
            for item in receipt.outputs:
                if item.name.startswith(_FILE):
                    told.setdefault(item.name.removeprefix(_FILE), set()).add(item.digest)
        for receipt in predictions:  # what was found is sealed once and for all; only a report may be written again
            told |= {item.name.removeprefix(_FILE): {item.digest} for item in receipt.outputs}
        for name, digest in self._hashes.items():
            if name not in told:
                raise SealError(
                    f"{self._folder.name}: {name} was added after the folder was sealed; no receipt names it."
                )
            if digest not in told[name]:
                raise SealError(f"{self._folder.name}: {name} was changed after it was sealed.")
        gone = sorted(set(told) - set(self._hashes))
        if gone:
            raise SealError(f"{self._folder.name}: {gone[0]} is gone; a receipt names it.")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileError(f"{path.name} cannot be read: {error.strerror}.") from error


def sha256_of(path: Path) -> str:
    """Return the sha256 in hex of a file.

    Raises:
        FileError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FileError(f"{path.name} cannot be read: {error.strerror}.") from error
