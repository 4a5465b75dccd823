"""A folder on its way out: every file treated, what only all of them show looked for, persons kept in the vault."""

import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from isocenter.dicom.elements.element import tag_text
from isocenter.dicom.elements.file import read_file
from isocenter.errors import FileError
from isocenter.intake.deid.cohort import doubtful_patients
from isocenter.intake.deid.found import Keep, with_found_kept
from isocenter.intake.deid.headers import Change, clean_headers
from isocenter.intake.deid.ledger import EVIDENCE, Ledger
from isocenter.intake.deid.pictures import STRIPPERS, strip
from isocenter.intake.deid.profile.profile import Profile
from isocenter.intake.deid.pseudonyms import Pseudonyms
from isocenter.intake.deid.sources import Kind, files_in, kind_of
from isocenter.intake.deid.tables import Names, treat_table
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
    files: Ledger
    people: tuple[Person, ...]


def require_apart(root: Path, out: Path) -> None:
    """Do nothing where neither of two folders lies in the other.

    Raises:
        FileError: One does, or they are one.
    """
    here, there = Path(root).resolve(), Path(out).resolve()
    if here == there or here in there.parents or there in here.parents:
        raise FileError(f"{out} and {root} lie in each other. Name a folder for OUT that has nothing to do with IN.")


def treat_all(way: Way, *, project: str, keep: Keep, progress: Progress | None = None) -> Done:
    """Treat every file below a way's root. What is held does not grow with the number of files, but for their paths.

    Args:
        way: How each is treated.
        project: Whose pseudonyms are used.
        keep: Takes what names persons: what files were called, and what was blanked in them.
        progress: Told how far it is.

    Raises:
        FileError: There is none, or the source went away while it was read.
    """
    sources = files_in(way.root)
    if not sources:
        raise FileError(f"{way.root} holds no file. Name the folder that the images were exported to.")
    met, files = _Met(project), Ledger(way.out / EVIDENCE / "files.jsonl")
    files.write(with_found_kept(_noted(way, sources, met, progress), sources, keep))
    if not way.root.exists():
        raise FileError("The source went away while it was read. Nothing was released; begin again when it is back.")
    doubtful = doubtful_patients(met.numbers)
    if doubtful:
        files.amend({file.number: file for file in _set_apart(files, doubtful, way)})
    tables = {file.number: file for file in _tables(way, sources, files, met)}
    if tables:
        files.amend(tables)
    return Done(sources=sources, files=files, people=met.people())


def _noted(way: Way, sources: Sequence[Path], met: "_Met", progress: Progress | None) -> Iterator[Treated]:
    """Yield every file treated, whom it named remembered."""
    for number, path in enumerate(sources, start=1):
        file = way.treat(path, number)
        met.note(file)
        yield file
        if progress is not None:
            progress(number, len(sources))


def _tables(way: Way, sources: Sequence[Path], files: Ledger, met: "_Met") -> Iterator[Treated]:
    """Yield the tables, which can be written anew once it is known what all other files are called."""
    waiting = [file for file in files if file.kind == "table"]
    if not waiting or not way.root.is_dir():
        return
    names = Names.of(way.root, sources, files)
    for file in waiting:
        told = treat_table(way, sources[file.number - 1], file, names=names)
        met.note_table(told.people)
        yield told.file


def _set_apart(files: Iterable[Treated], doubtful: Mapping[str, str], way: Way) -> Iterator[Treated]:
    """Yield the files of persons who are mixed up or split, moved to where somebody looks."""
    for file in files:
        if file.decision == "release" and file.patient in doubtful:
            target = way.review / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(way.out / file.name, target)
            yield replace(file, decision="review", reason=doubtful[file.patient], is_proved=False)


class _Met:
    """Whom the files of a run named, gathered file by file."""

    def __init__(self, project: str) -> None:
        self.numbers = set[tuple[str, str]]()
        self._project = project
        self._known: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self._studies: dict[str, dict[str, str]] = defaultdict(dict)

    def note(self, file: Treated) -> None:
        """Remember whom a file named."""
        if file.person:
            self.numbers.add((file.person, file.patient))
        if file.identity is None:
            return
        for text, kind in file.identity.strings.items():
            self._known[file.patient][kind].add(text)
        if all(file.study):
            self._studies[file.patient] |= {file.study[0]: file.study[1]}

    def note_table(self, people: Mapping[str, str]) -> None:
        """Remember whom a table named: pseudonym to number."""
        for pseudonym, number in people.items():
            self._known[pseudonym]["id"] |= {number} - {""}

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
        element: Its tag, with those of the sequences around it: "(0008,1140) > (0008,1155)"; of a picture or NIfTI
            file as its format calls it: "eXIf".
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
    """Yield what would be done with every element of every DICOM file below a folder, and beside pictures' pixels.

    Raises:
        FileError: There is no such folder.
    """
    sources = files_in(root)
    for number, path in enumerate(sources, start=1):
        with suppress(FileError):  # `deid` keeps it back with the reason; here there is nothing to show
            kind = kind_of(path)
            if kind == "dicom":
                cleaned = clean_headers(read_file(path), profile=profile, pseudonyms=pseudonyms)
                yield from (_difference(number, change) for change in cleaned.changes)
            elif kind in STRIPPERS:
                removed = strip(path.read_bytes(), kind).removed
                yield from (_left_away(number, kind, element) for element in removed)
        if progress is not None:
            progress(number, len(sources))


def _left_away(number: int, kind: Kind, element: str) -> Difference:
    return Difference(file=number, element=element, name=f"beside the pixels ({kind})", action="X", became=None)


def _difference(number: int, change: Change) -> Difference:
    from pydicom.datadict import dictionary_description, dictionary_has_tag

    name = dictionary_description(change.tag) if dictionary_has_tag(change.tag) else "a private attribute"
    element = " > ".join(map(tag_text, (*change.path, change.tag)))
    return Difference(
        file=number, element=element, name=name, action=change.action, became=change.became, why=change.why
    )
