"""A vault: a folder outside of any store, of no use without its key.

    vault.json     what it is, the cipher, and the secret that pseudonyms are made with, locked
    people/        one locked file a patient and project, named by the pseudonym
    evidence/      locked archives by run: what files were called, texts and pictures of what was blanked
    log.jsonl      what was asked of it and why
    log.head       how long the log is, locked

A new key leaves pseudonyms as they are: they are made with the secret, which the key only locks.
"""

import json
import secrets
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from isocenter.errors import NotFoundError, SealError, StoreError
from isocenter.image.aside import write_whole
from isocenter.intake.deid.pseudonyms import Pseudonyms
from isocenter.intake.deid.vault.log import Log
from isocenter.intake.deid.vault.people import People
from isocenter.intake.deid.vault.runs import Runs
from isocenter.security.cipher import Key, Lock, Way
from isocenter.security.keyed import Digest, Keyed

_VERSION = 1
_ABOUT, _PEOPLE, _RUNS = "vault.json", "people", "evidence"
_PURPOSE = "isocenter vault"


@dataclass(frozen=True, slots=True)
class Vault:
    """An open vault.

    Args:
        folder: Where it lies.
        lock: The key, for this vault.
        keyed: What pseudonyms are made with.
    """

    folder: Path
    lock: Lock = field(repr=False)
    keyed: Keyed = field(repr=False)

    @classmethod
    def make(cls, folder: Path, *, key: Key, who: str, way: Way = "aes-256-gcm", digest: Digest = "sha256") -> Self:
        """Return a new vault.

        Raises:
            StoreError: There is something already, or nothing can be written there.
        """
        folder = Path(folder)
        if folder.exists():
            raise StoreError(f"{folder} exists. Open it with its key, or name a new folder.")
        keyed = Keyed(secret=secrets.token_bytes(32), digest=digest)
        made = cls(folder, Lock(key=key, purpose=_PURPOSE, way=way), keyed)
        aside = cls(_aside(folder), made.lock, keyed)
        try:
            aside._lay_out()
            aside.log.begin()
            aside.log.note("made", about="the vault", purpose="a new vault", who=who)
            aside.folder.rename(folder)
        except OSError as error:
            raise StoreError(f"A vault cannot be made in {folder}: {error.strerror}.") from error
        finally:
            shutil.rmtree(aside.folder, ignore_errors=True)
        return made

    @classmethod
    def open(cls, folder: Path, *, key: Key) -> Self:
        """Return the vault in a folder.

        Raises:
            NotFoundError: There is none.
            SealError: The key is not this vault's, or the vault was changed.
        """
        folder = Path(folder)
        try:
            about = json.loads((folder / _ABOUT).read_bytes())
            way, digest, locked = about["cipher"], about["digest"], bytes.fromhex(about["secret"])
        except OSError as error:
            raise NotFoundError(
                f"There is no vault in {folder}. Make one: isocenter vault open {folder} --new."
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise SealError(f"{folder / _ABOUT} was changed; bring it back from a backup.") from error
        lock = Lock(key=key, purpose=_PURPOSE, way=way)
        found = cls(folder, lock, Keyed(secret=lock.open(locked, about=_ABOUT), digest=digest))
        found.log.lines()
        return found

    @property
    def log(self) -> Log:
        """What was asked of it."""
        return Log(self.folder, self.lock, self.keyed)

    @property
    def people(self) -> People:
        """Whom it knows."""
        return People(self.folder / _PEOPLE, self.lock)

    @property
    def runs(self) -> Runs:
        """What runs took out."""
        return Runs(self.folder / _RUNS, self.lock)

    def pseudonyms(self, project: str) -> Pseudonyms:
        """Return the names of one project; those of two projects cannot be linked."""
        return Pseudonyms(self.keyed.derive(f"project:{project}"))

    def rotate(self, new: Key, *, who: str) -> "Vault":
        """Return the vault locked with another key; the old one opens nothing of it any more.

        Raises:
            StoreError: The disk is full, or may not be written; the vault is as it was.
        """
        lock = Lock(key=new, purpose=_PURPOSE, way=self.lock.way)
        aside, old = Vault(_aside(self.folder), lock, self.keyed), self.folder.with_name(f".{self.folder.name}.old")
        try:
            self._copy_to(aside)
            aside.log.note("rotated", about="the vault", purpose="a new key", who=who)
            self.folder.rename(old)
            aside.folder.rename(self.folder)
            shutil.rmtree(old)
        except OSError as error:
            raise StoreError(f"The vault cannot be locked anew: {error.strerror}.") from error
        finally:
            shutil.rmtree(aside.folder, ignore_errors=True)
        return Vault(self.folder, lock, self.keyed)

    def _lay_out(self) -> None:
        """Make the folder, with all but its log."""
        for folder in (self.folder, self.folder / _PEOPLE, self.folder / _RUNS):
            folder.mkdir(mode=0o700, parents=True)
        locked = self.lock.lock(self.keyed.secret, about=_ABOUT)
        about: dict[str, Any] = {"version": _VERSION, "cipher": self.lock.way, "digest": self.keyed.digest}
        write_whole(json.dumps({**about, "secret": locked.hex()}, indent=1).encode(), self.folder / _ABOUT)

    def _copy_to(self, other: "Vault") -> None:
        """Write everything into another vault's folder, locked with its key."""
        other._lay_out()
        for person in self.people:
            other.people.keep(person)
        for run, name, content in self.runs:
            other.runs.put(run, name, content)
        other.log.begin()
        for line in self.log.lines():
            other.log.copy(line)


def _aside(folder: Path) -> Path:
    """Return where a vault is made before it gets its name; what a killed program left there is removed."""
    aside = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    return aside
