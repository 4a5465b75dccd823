"""Persons behind pseudonyms, one locked file each."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from isocenter.errors import NotFoundError
from isocenter.image.aside import write_whole
from isocenter.security.cipher import Lock

_ENDING = ".locked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whom a pseudonym stands for.

    Args:
        pseudonym: What stands in the files.
        project: In which project.
        known_as: Every value met of what names a person, by its kind: "name", "id", "number", "date", "place".
        studies: Pseudonymous Study Instance UID to the original one.
    """

    pseudonym: str
    project: str
    known_as: Mapping[str, tuple[str, ...]]
    studies: Mapping[str, str]

    def joined(self, other: "Person") -> "Person":
        """Return one person of what two runs met."""
        known = {
            kind: tuple(sorted({*self.known_as.get(kind, ()), *other.known_as.get(kind, ())}))
            for kind in {*self.known_as, *other.known_as}
        }
        return Person(
            pseudonym=self.pseudonym, project=self.project, known_as=known, studies={**self.studies, **other.studies}
        )

    def is_called(self, asked: str) -> bool:
        """Return whether a word is the pseudonym, or anything that the person was known as."""
        return asked == self.pseudonym or any(asked in values for values in self.known_as.values())


@dataclass(frozen=True, slots=True)
class People:
    """The persons of one vault.

    Args:
        folder: Where their files lie.
        lock: Of the vault.
    """

    folder: Path
    lock: Lock

    def keep(self, person: Person) -> None:
        """Keep a person, together with what was known of them before."""
        path = self._path(person.pseudonym)
        whole = self._read(path).joined(person) if path.exists() else person
        content = json.dumps(asdict(whole), ensure_ascii=False, sort_keys=True).encode()
        write_whole(self.lock.lock(content, about=path.name), path)

    def find(self, asked: str) -> tuple[Person, ...]:
        """Return whoever a word names: a pseudonym, or a value as it was written in the source.

        Raises:
            NotFoundError: Nobody.
        """
        found = tuple(person for person in self if person.is_called(asked))
        if not found:
            raise NotFoundError("The vault knows nobody by that word. Give a pseudonym, or a number as it was written.")
        return found

    def erase(self, pseudonym: str) -> None:
        """Forget a person: from here on nobody can say who stood behind the pseudonym.

        Raises:
            NotFoundError: There is no such person.
        """
        self.require(pseudonym)
        self._path(pseudonym).unlink()

    def require(self, pseudonym: str) -> None:
        """Do nothing where there is a person of that pseudonym.

        Raises:
            NotFoundError: There is none.
        """
        if not self._path(pseudonym).exists():
            raise NotFoundError(f"The vault keeps nobody called {pseudonym}.")

    def __iter__(self) -> Iterator[Person]:
        for path in sorted(self.folder.glob(f"*{_ENDING}")):
            yield self._read(path)

    def _path(self, pseudonym: str) -> Path:
        if not pseudonym.isalnum():
            raise NotFoundError(f"{pseudonym!r} is no pseudonym.")
        return self.folder / f"{pseudonym}{_ENDING}"

    def _read(self, path: Path) -> Person:
        found = json.loads(self.lock.open(path.read_bytes(), about=path.name))
        return Person(**{**found, "known_as": {kind: tuple(values) for kind, values in found["known_as"].items()}})
