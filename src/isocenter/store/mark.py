"""What makes a folder a store: store.json, and keys that are those it was made with."""

import json
from dataclasses import dataclass
from typing import Self

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from isocenter.errors import NotFoundError, StoreError
from isocenter.result import canonical
from isocenter.security import Keys
from isocenter.store.files import Files

FORMAT = 1
MARK = "store.json"
_SIGNING, _PUBLIC, _SECRET = "keys/signing.pem", "keys/public.pem", "keys/pseudonyms.key"
_WITNESS = "isocenter"  # a word whose pseudonym shows that the secret is the one that the store was made with


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What store.json says.

    Args:
        id: First 32 digits of the fingerprint of the key that signs.
        witness: Pseudonym of a known word: with another secret one patient would become two, and nobody would see.
        catalogue: URL of a database elsewhere; empty for the file in the folder.
        requires_source: Nothing is taken in without a source of the register.
    """

    id: str
    witness: str
    catalogue: str = ""
    requires_source: bool = False

    @classmethod
    def of(cls, keys: Keys, *, catalogue: str, requires_source: bool = False) -> Self:
        """Return the mark of a store with these keys."""
        return cls(
            id=keys.public.id[:32], witness=keys.pseudonym(_WITNESS), catalogue=catalogue,
            requires_source=requires_source,
        )  # fmt: skip

    def to_bytes(self) -> bytes:
        """Return the file's bytes."""
        told = {"format": FORMAT, "id": self.id, "witness": self.witness, "catalogue": self.catalogue}
        return canonical(told | ({"requires_source": True} if self.requires_source else {}))

    def require_keys(self, keys: Keys, *, place: str) -> None:
        """Do nothing where the keys are those that the store was made with.

        Raises:
            StoreError: They are others.
        """
        if self != Mark.of(keys, catalogue=self.catalogue, requires_source=self.requires_source):
            raise StoreError(
                f"The keys of the store at {place} are not those that it was made with: they or {MARK} were changed. "
                "Bring both back from a backup."
            )


def read_mark(files: Files) -> Mark:
    """Return what store.json says.

    Raises:
        NotFoundError: There is none.
        StoreError: It is damaged, or from a newer version.
    """
    marked = files.read(MARK)
    try:
        document = json.loads(marked)
        stated = document.pop("format")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{MARK} of the store at {files.place} is damaged; bring it back from a backup.") from error
    if isinstance(stated, int) and stated > FORMAT:
        raise StoreError(
            f"The store at {files.place} was made by a newer isocenter (format {stated}; this one knows {FORMAT}). "
            "Upgrade isocenter to open it; nothing was changed."
        )
    try:
        mark = Mark(**document)
    except TypeError as error:
        raise StoreError(f"{MARK} of the store at {files.place} is damaged; bring it back from a backup.") from error
    if mark.to_bytes() != marked:
        raise StoreError(f"{MARK} of the store at {files.place} was changed; bring it back from a backup.")
    return mark


def made_keys(files: Files) -> Keys:
    """Return the keys of a store that is being made: new ones, or those that an interrupted making left.

    Raises:
        StoreError: They cannot be written.
    """
    if not (files.has(_SIGNING) and files.has(_SECRET) and files.has(_PUBLIC)):
        keys = Keys.create()
        files.write(_SECRET, [keys.secret], is_secret=True)
        files.write(_SIGNING, [keys.signing_pem()], is_secret=True)
        files.write(_PUBLIC, [keys.public.to_pem()])
    return read_keys(files)


def read_keys(files: Files) -> Keys:
    """Return a store's keys.

    Raises:
        StoreError: They are gone or damaged, or the public key beside them is another's.
    """
    try:
        signing = files.read(_SIGNING)
        keys = Keys.read(signing=signing, secret=files.read(_SECRET))
        public = files.read(_PUBLIC)
    except NotFoundError as error:
        raise StoreError(
            f"The keys of the store at {files.place} are gone. Bring its keys folder back from a backup: "
            "without them nothing can be signed, and no receipt of this store can be checked."
        ) from error
    if public != keys.public.to_pem() or signing != keys.signing_pem():
        raise StoreError(f"A key of the store at {files.place} was changed; bring its keys folder back from a backup.")
    return keys


def checked_catalogue(url: str, *, is_local: bool) -> str:
    """Return the URL of a catalogue as store.json may keep it.

    Raises:
        StoreError: It is none, holds a password, or is missing where the store is not on this machine.
    """
    if not url:
        if is_local:
            return ""
        raise StoreError(
            "A store on another filesystem needs a database for its catalogue, such as "
            "postgresql+psycopg://user@host/isocenter; SQLite cannot lie there."
        )
    try:
        has_password = make_url(url).password is not None
    except ArgumentError as error:
        raise StoreError("The catalogue's URL is none; one looks like postgresql+psycopg://user@host/name.") from error
    if has_password:
        raise StoreError(f"The catalogue's URL holds a password, and {MARK} would show it. Use ~/.pgpass instead.")
    return url
