"""A folder on its way out: every file treated, what only all of them show looked for, persons kept in the vault."""

import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from isocenter.dicom.elements.element import tag_text
from isocenter.dicom.elements.file import read_file
from isocenter.errors import FileError
from isocenter.intake.deid.cohort import doubtful_patients
from isocenter.intake.deid.headers import Change, clean_headers
from isocenter.intake.deid.profile.profile import Profile
from isocenter.intake.deid.pseudonyms import Pseudonyms
from isocenter.intake.deid.sources import files_in, kind_of
from isocenter.intake.deid.treat import Way
from isocenter.intake.deid.treated import Treated
from isocenter.intake.deid.vault.people import Person

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of a folder.

    Args:
        sources: Every file, in the order of their numbers.
        files: What was done with each.
        people: Whom the files named.
    """

    sources: tuple[Path, ...]
    files: tuple[Treated, ...]
    people: tuple[Person, ...]


def require_apart(root: Path, out: Path) -> None:
    """Do nothing where neither of two folders lies in the other.

    Raises:
        FileError: One does, or they are one.
    """
    here, there = Path(root).resolve(), Path(out).resolve()
    if here == there or here in there.parents or there in here.parents:
        raise FileError(f"{out} and {root} lie in each other. Name a folder for OUT that has nothing to do with IN.")


def treat_all(way: Way, *, project: str, progress: Progress | None = None) -> Done:
    """Treat every file below a way's root. What is held of a file is small, so that there may be many.

    Raises:
        FileError: There is none, or the source went away while it was read.
    """
    sources = files_in(way.root)
    if not sources:
        raise FileError(f"{way.root} holds no file. Name the folder that the images were exported to.")
    files, met = [], _Met(project)
    for number, path in enumerate(sources, start=1):
        files.append(met.noted(way.treat(path, number)))
        if progress is not None:
            progress(number, len(sources))
    if not way.root.exists():
        raise FileError("The source went away while it was read. Nothing was released; begin again when it is back.")
    return Done(sources=sources, files=tuple(_with_doubtful_apart(files, way)), people=met.people())


def _with_doubtful_apart(files: list[Treated], way: Way) -> Iterable[Treated]:
    """Yield files, those of persons who are mixed up or split moved to where somebody looks."""
    doubtful = doubtful_patients(files)
    for file in files:
        if file.decision == "release" and file.patient in doubtful:
            target = way.review / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(way.out / file.name, target)
            yield replace(file, decision="review", reason=doubtful[file.patient], is_proved=False)
        else:
            yield file


class _Met:
    """Whom the files of a run named, gathered file by file; what files have in common is held once."""

    def __init__(self, project: str) -> None:
        self._project = project
        self._known: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self._studies: dict[str, dict[str, str]] = defaultdict(dict)
        self._held: dict[Any, Any] = {}

    def noted(self, file: Treated) -> Treated:
        """Remember whom a file named, and return it without."""
        if file.identity is None:
            return file
        for text, kind in file.identity.strings.items():
            self._known[file.patient][kind].add(text)
        if all(file.study):
            self._studies[file.patient] |= {file.study[0]: file.study[1]}
        elements = self._once(tuple(sorted(file.elements.items())), file.elements)
        patient, person = (self._once(text, text) for text in (file.patient, file.person))
        return replace(file, identity=None, study=("", ""), elements=elements, patient=patient, person=person)

    def _once(self, key: Any, value: Any) -> Any:
        """Return the value that was held first under a key."""
        return self._held.setdefault(key, value)

    def people(self) -> tuple[Person, ...]:
        """Return everybody."""
        return tuple(
            Person(
                pseudonym=pseudonym, project=self._project, studies=self._studies[pseudonym],
                known_as={kind: tuple(sorted(texts)) for kind, texts in kinds.items()},
            )
            for pseudonym, kinds in self._known.items()
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What would be done with one element of one file.

    Args:
        file: Its number, from 1, in the order of the files' names.
        element: Its tag, with those of the sequences around it: "(0008,1140) > (0008,1155)".
        name: As the standard calls it.
        action: Letter of the table.
        became: What would stand there; None where it would be removed.
        why: Where it is not the table that asks for it.
    """

    file: int
    element: str
    name: str
    action: str
    became: str | None
    why: str = ""


def differences(
    root: Path, *, profile: Profile, pseudonyms: Pseudonyms, progress: Progress | None = None
) -> Iterator[Difference]:
    """Yield what would be done with every element of every DICOM file below a folder.

    Raises:
        FileError: There is no such folder.
    """
    sources = files_in(root)
    for number, path in enumerate(sources, start=1):
        try:
            if kind_of(path) == "dicom":
                cleaned = clean_headers(read_file(path), profile=profile, pseudonyms=pseudonyms)
                yield from (_difference(number, change) for change in cleaned.changes)
        except FileError:  # `deid` keeps it back with the reason; here there is nothing to show
            continue
        if progress is not None:
            progress(number, len(sources))


def _difference(number: int, change: Change) -> Difference:
    from pydicom.datadict import dictionary_description, dictionary_has_tag

    name = dictionary_description(change.tag) if dictionary_has_tag(change.tag) else "a private attribute"
    element = " > ".join(map(tag_text, (*change.path, change.tag)))
    return Difference(
        file=number, element=element, name=name, action=change.action, became=change.became, why=change.why
    )
