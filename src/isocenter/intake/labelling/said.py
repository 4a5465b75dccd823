"""What comes in from readers: one answer of one reader on one case, and the data set that it is matched with."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from isocenter.case import Entry, Reading, Schema
from isocenter.errors import InputError
from isocenter.image import LabelTable, Mask, Volume
from isocenter.intake.issue import Issue

_SAFE = re.compile(r"[\w.-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Said:
    """One reader's answer on one case.

    Args:
        case: Id of the case.
        reading: Findings, and how the reading went; its reader is who said it.
        mask: Outlines, in a table of their own; None where nobody drew.
        files: Name to sha256 of the files behind it.
    """

    case: str
    reading: Reading
    mask: Mask | None = None
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What answers are matched with.

    Args:
        entries: Case to its entry.
        image: Opens a case's first volume.
        table: Of the version; None where nothing is outlined yet.
        schema: What was asked so far; None takes what the file itself shows.
        reader: Who said everything that names nobody; empty where the file must.
        pseudonym: Keyed.
        is_own: Whether an instance UID is one of those that the version was taken in from; None where it did not come
            from DICOM.
    """

    entries: Mapping[str, Entry]
    image: Callable[[Entry], Volume] = field(repr=False)
    table: LabelTable | None
    schema: Schema | None
    reader: str
    pseudonym: Callable[[str], str] = field(repr=False)
    is_own: Callable[[str], bool] | None = field(default=None, repr=False)

    def schema_with(self, shown: Callable[[], Schema]) -> Schema:
        """Return what was asked: what somebody stated, else what answers show, these and those before."""
        if self.schema is None:
            return shown()
        return self.schema if self.schema.is_stated else self.schema.joined(shown())

    def case_of(self, *names: str) -> Entry | None:
        """Return the case that one of some names means: its id, a file named after it, or a UID that became its id."""
        for name in names:
            stem = name.rpartition("/")[2]
            for ending in (".gz", ".nii", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".dcm", ".xml", ".json"):
                stem = stem.removesuffix(ending)
            for word in (name, stem, self.pseudonym(name)):
                if word in self.entries:
                    return self.entries[word]
        return None

    def named(self, reader: str) -> str:
        """Return what a reader is called: a plain word as it is, anything longer by a pseudonym: it may be a name.

        Raises:
            InputError: Nobody is named.
        """
        word = reader.strip() or self.reader
        if not word:
            raise InputError("Nobody is named who said this. Say who with --reader, in a word such as reader-1.")
        return word if _SAFE.fullmatch(word) else f"reader-{self.pseudonym(word)[:8]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a file or folder holds.

    Args:
        form: Of the file.
        schema: What its readers were asked; None where they outlined only.
        said: Their answers, opened one at a time, and what is wrong with others.
    """

    form: str
    schema: Schema | None
    said: Iterator[Said | Issue]


class Importer(Protocol):
    """How one form is read."""

    def __call__(self, path: Path, wanted: Wanted) -> Heard:
        """Return what readers said.

        Raises:
            InputError: The file is not of this form, or cannot be read.
        """
        ...


def homeless(where: str) -> Issue:
    """Return the issue of an answer that no case fits."""
    return Issue(
        check="pairing", where=where, figure="an answer on an image that the data set does not hold",
        limit="the id of a case, or the file that it was taken in from",
        mend="Name it after its case; `isocenter label export --as csv` lists their ids.",
    )  # fmt: skip
