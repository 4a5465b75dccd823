"""What reading a folder finds: cases that are opened one at a time, and what stands in the way of others."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from isocenter.case import Case, Side, Source
from isocenter.errors import InputError
from isocenter.image import LabelTable
from isocenter.intake.issue import Issue, issue_of

Pseudonym = Callable[[str], str]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """What a folder is taken for, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A case as it was read.

    Args:
        sources: Each file behind it, by its name in the folder (DICOM: by the keyed pseudonym of its UID), to the
            sha256 in hex of its bytes.
    """

    case: Case
    sources: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A case that has been seen and not yet opened.

    Args:
        where: What an issue names: a file relative to the folder, or a pseudonym.
        files: That it is read from, where the layout is of files that stand for themselves (DICOM); else none.
        open: Reads it.
    """

    id: str
    patient: str
    where: str
    files: tuple[Path, ...] = field(default=(), repr=False)
    open: Callable[[], Read] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A folder's cases.

    Args:
        table: What the labels mean; None where nothing is labelled.
        drafts: In the order of their ids.
        issues: What is wrong before any image is opened: pairing, listing, series that make no volume.
        sides: Case to the side of the split that the folder itself puts it on, where it says one.
        most_bad: Share of the cases that may be unusable and left out with a warning; above it they stop the folder.
    """

    layout: str
    why: str
    table: LabelTable | None
    source: Source
    drafts: tuple[Draft, ...]
    issues: tuple[Issue, ...] = ()
    sides: Mapping[str, Side] = field(default_factory=dict)
    most_bad: float = 0.0
    progress: Progress | None = field(default=None, repr=False, compare=False)

    def __len__(self) -> int:
        """Return how many cases there are to open."""
        return len(self.drafts)

    def read(self) -> Iterator[Read | Issue]:
        """Open the cases one after the other; a case that cannot be used comes as the issue that stops it."""
        for place, draft in enumerate(self.drafts, 1):
            try:
                yield draft.open()
            except InputError as error:
                yield issue_of(error, where=draft.where)
            except MemoryError:
                yield issue_of(InputError("Its images need more memory than there is."), where=draft.where)
            if self.progress is not None:
                self.progress(place, len(self.drafts))

    def told(self, progress: Progress) -> "Found":
        """Return the same, with somebody who is told (cases done, cases in all) while reading."""
        return replace(self, progress=progress)


class Reader(Protocol):
    """How a layout's folder is read."""

    def __call__(self, folder: Path, *, why: str, pseudonym: Pseudonym, accept: Collection[str]) -> Found:
        """Return the folder's cases, none of them opened yet.

        Raises:
            LayoutError: The folder is not of this layout after all.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A way in which people lay out images and labels in a folder.

    Args:
        recognise: Says why a folder is of this layout, in a clause; "" where it is not.
        read: Finds its cases.
        with_columns: Returns the same layout for tables whose columns have other names ("patient=subject_id"); None
            where it reads no table.
    """

    recognise: Callable[[Path], str]
    read: Reader
    with_columns: "Callable[[Collection[str]], Layout] | None" = None
