"""What is asked of a PACS: one question, or a list of them, read from where no history keeps it."""

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from isocenter.errors import FileError, InputError
from isocenter.intake.cells import read_rows

# column of a list, or a keyword of PS3.6 -> the word of a question
_COLUMNS = {
    "study": "study", "studyinstanceuid": "study", "accession": "accession", "accessionnumber": "accession",
    "patient": "patient", "patientid": "patient", "modality": "modality", "from": "first", "to": "last",
    "day": "day", "studydate": "day",
}  # fmt: skip
_NAMES = {"study": "StudyInstanceUID", "accession": "AccessionNumber", "patient": "PatientID"}
_LONGEST = {"study": 64, "accession": 16, "patient": 64}  # PS3.5 6.2: UI, SH, LO
_UID = re.compile(r"[0-9.]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question; what is empty is not asked for, the rest must all hold. Its values name persons: no repr.

    Args:
        study: Study Instance UID.
        accession: Accession Number.
        patient: Patient ID.
        modalities: Series of these alone; empty for all.
        first, last: First and last day of the study, YYYYMMDD.
        line: Of the list that it stands in, from 1; 0 where it stands in none.
    """

    study: str = field(default="", repr=False)
    accession: str = field(default="", repr=False)
    patient: str = field(default="", repr=False)
    modalities: tuple[str, ...] = ()
    first: str = field(default="", repr=False)
    last: str = field(default="", repr=False)
    line: int = 0

    def __post_init__(self) -> None:
        where = f"Line {self.line} of the list: " if self.line else ""
        for word, longest in _LONGEST.items():
            value = getattr(self, word)
            if any(sign in value for sign in "*?\\") or any(ord(sign) < 32 for sign in value):
                raise InputError(f"{where}*, ? and \\ in a {word} would fetch other persons' images. Write it out.")
            if len(value) > longest:
                raise InputError(f"{where}a {word} has at most {longest} characters, this one {len(value)}.")
        if self.study and not _UID.fullmatch(self.study):
            raise InputError(f"{where}a study is named by its UID, which holds nothing but digits and dots.")
        if not any((self.study, self.accession, self.patient, self.first, self.last)):
            raise InputError(f"{where}a question names a study, an accession number, a patient or days.")
        if self.first and self.last and self.last < self.first:
            raise InputError(f"{where}the last day lies before the first.")

    @property
    def keys(self) -> Mapping[str, str]:
        """What a study must match, by keyword of PS3.4 C.6.2.1."""
        asked = {name: getattr(self, word) for word, name in _NAMES.items() if getattr(self, word)}
        if self.first or self.last:
            asked["StudyDate"] = self.first if self.first == self.last else f"{self.first}-{self.last}"
        if len(self.modalities) == 1:
            asked["ModalitiesInStudy"] = self.modalities[0]
        return asked

    def fits(self, study: Mapping[str, str]) -> bool:
        """Return whether a study is one that was asked for: a PACS leaves out keys that it does not know (C.2.2.1.3).

        Args:
            study: What the PACS says of it, by keyword.
        """
        for word, name in _NAMES.items():
            asked = getattr(self, word)
            if asked and study.get(name, "").strip() != asked.strip():
                return False
        day = study.get("StudyDate", "").strip()
        return not ((self.first and not self.first <= day) or (self.last and not (day and day <= self.last)))


def questions_of(words: Mapping[str, str], *, listed: Path | None) -> tuple[Question, ...]:
    """Return the questions that words and a list ask.

    Args:
        words: Of "study", "accession", "patient": a value, "@FILE" with one on each line, or "-" for lines on stdin;
            a patient never as a value. "modality": names, comma between. "from", "to": days.
        listed: A table with a question on each line; "-" for stdin. Columns: study, accession, patient, modality, from,
            to, day, or the standard's keywords for them; words hold for each line that does not say otherwise.

    Raises:
        InputError: Nothing is asked, or something that cannot be.
        FileError, LayoutError: A file cannot be read.
    """
    shared = {
        "modality": words.get("modality", ""), "first": words.get("from", ""), "last": words.get("to", "")
    }  # fmt: skip
    named = [word for word in _NAMES if words.get(word)]
    if len(named) + (listed is not None) > 1:
        raise InputError("Name studies, accession numbers, patients, or a list: one of them. A list holds several.")
    if listed is not None:
        path = Path("/dev/stdin") if str(listed) == "-" else listed
        found = [_question(shared | row, line) for line, row in _rows(path)]
    elif named:
        found = [_question({**shared, named[0]: value}, line) for line, value in _values(named[0], words[named[0]])]
    else:
        found = [_question(shared, 0)]
    if not found:
        raise InputError("What was named asks for nothing: it holds no line.")
    return tuple(found)


def _values(word: str, told: str) -> Iterator[tuple[int, str]]:
    """Yield the values of a word, each with its line; 0 for one that was written out."""
    if told != "-" and not told.startswith("@"):
        if word == "patient":
            raise InputError(
                "A patient's number in a command stays in the shell's history and can be seen by everyone on this "
                "machine. Write it into a file, and name that: --patient @FILE. Or - for stdin."
            )
        yield 0, told.strip()
        return
    try:
        text = sys.stdin.read() if told == "-" else Path(told[1:]).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"The file that --{word} names cannot be read as UTF-8 text.") from error
    for line, value in enumerate(text.splitlines(), start=1):
        if value.strip():
            yield line, value.strip()


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    cells, _ = read_rows(path)
    words = [_COLUMNS.get(head.strip().lower().replace(" ", ""), "") for head in (cells[0] if cells else ())]
    if not any(words):
        raise InputError(
            f"{path.name} has no column that says what to fetch. Known: study, accession, patient, modality, from, to, "
            "day."
        )
    for line, row in enumerate(cells[1:], start=2):
        found = {word: cell.strip() for word, cell in zip(words, row, strict=False) if word and cell.strip()}
        if found:
            yield line, found


def _question(words: Mapping[str, str], line: int) -> Question:
    day = words.get("day", "")
    return Question(
        study=words.get("study", ""), accession=words.get("accession", ""), patient=words.get("patient", ""),
        modalities=tuple(part.strip().upper() for part in words.get("modality", "").split(",") if part.strip()),
        first=_day(day or words.get("first", ""), line), last=_day(day or words.get("last", ""), line), line=line,
    )  # fmt: skip


def _day(text: str, line: int) -> str:
    if not text:
        return ""
    try:
        return date.fromisoformat(text).strftime("%Y%m%d")
    except ValueError:
        where = f"Line {line} of the list: " if line else ""
        raise InputError(f"{where}a day is written 2026-11-22 or 20261122.") from None
