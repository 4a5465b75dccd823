"""What comes from a PACS: looked at before it gets its name, written once, and kept apart where it is doubtful."""

import os
import threading
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from pydicom.dataelem import RawDataElement
from pydicom.filereader import data_element_generator

from isocenter.clinic.hospital.query.archive import Outcome
from isocenter.clinic.hospital.query.ledger import Ledger, Place
from isocenter.dicom.files import tags
from isocenter.dicom.files.header import DEFLATED, IMPLICIT, UNDEFINED, Header
from isocenter.dicom.files.reader import read_header
from isocenter.dicom.files.slow import BROKEN
from isocenter.dicom.files.soundness import is_cut
from isocenter.errors import FileError

_ASIDE = ".coming"
_META = 132  # behind the preamble and "DICM" (PS3.10 7.1)
_META_LENGTH = b"\x02\x00\x00\x00UL\x04\x00"  # (0002,0000), whose value is the length of the rest of the group
_OTHER = "another content came under the UID of an instance that is here"
_ELSEWHERE = "its UID is that of an instance of another series, which is here"
_DAMAGED = "damaged where it is kept: it came twice alike, and is not all there"


class Arrivals:
    """Takes what a PACS sends, from any thread, one at a time.

    Args:
        folder: Where images are written, readable by this account alone.
        ledger: Of that folder.
        kept: Called after each instance that was written.
    """

    def __init__(self, folder: Path, ledger: Ledger, *, kept: Callable[[], None] | None = None) -> None:
        self._folder, self._ledger, self._kept = folder, ledger, kept
        self._aside = folder / _ASIDE
        self._aside.unlink(missing_ok=True)
        self._one_at_a_time = threading.Lock()
        self._damaged = set[str]()  # digests of what came damaged
        self.outcomes = Counter[Outcome]()
        self.bytes = 0

    def take(self, content: bytes) -> Outcome:
        """Return what became of a file that came: it is in its place when this returns, or was not wanted.

        Raises:
            OSError: It cannot be written.
        """
        with self._one_at_a_time:
            outcome = self._take(content)
            self.outcomes[outcome] += 1
        if outcome in ("kept", "apart") and self._kept is not None:
            self._kept()
        return outcome

    def settle_what_lies_there(self) -> None:
        """Hold the ledger against the folder.

        A file whose line a killed process did not write is taken as it is; a line whose file is gone, or has another
        size, is asked for again.
        """
        for place in self._ledger.places("here"):
            path = self._folder / place.name
            if not path.is_file() or path.stat().st_size != place.size:
                path.unlink(missing_ok=True)
                self._ledger.settle(place, "asked")
        for place in self._ledger.places("asked"):
            path = self._folder / place.name
            if path.is_file() and _soundly_read(path, place):
                self._ledger.settle(place, "here", digest=content_digest(path.read_bytes()), size=path.stat().st_size)

    def _take(self, content: bytes) -> Outcome:
        try:
            _write(content, self._aside)
            try:
                header = read_header(self._aside)
            except FileError:
                return "damaged"
            names = [header.text(tag).strip(" \0") for tag in (tags.STUDY, tags.SERIES, tags.SOP_INSTANCE)]
            is_damaged = is_unsound(header)
            if not all(names) or (is_damaged and not self._came_alike(content_digest(content))):
                return "damaged"
            place = self._ledger.place(*names, sop_class=header.text(tags.SOP_CLASS).strip(" \0"))
            if place is None:
                return "foreign"
            return self._settle(place, content, is_damaged=is_damaged)
        finally:
            self._aside.unlink(missing_ok=True)

    def _came_alike(self, digest: str) -> bool:
        """Return whether damaged content came before: then it is so where it is kept, not on the way."""
        is_known = digest in self._damaged
        self._damaged.add(digest)
        return is_known

    def _settle(self, place: Place, content: bytes, *, is_damaged: bool) -> Outcome:
        digest = content_digest(content)
        if place.digest == digest:
            return "there"
        if place.state == "here":
            return self._set_apart(place, digest, _OTHER)
        why = _DAMAGED if is_damaged else _ELSEWHERE if self._ledger.others(place) else ""
        if why:
            outcome = self._set_apart(place, digest, why)
            self._ledger.settle(place, "apart", digest=digest, size=len(content))
            return outcome
        self._put(self._folder / place.name)
        self._ledger.settle(place, "here", digest=digest, size=len(content))
        self.bytes += len(content)
        return "kept"

    def _set_apart(self, place: Place, digest: str, why: str) -> Outcome:
        name = f"apart/{place.study:05d}-{place.series:03d}-{place.number:06d}-{digest[:8]}.dcm"
        if (self._folder / name).exists():
            return "there"
        self._put(self._folder / name)
        self._ledger.set_apart(name, why)
        return "apart"

    def _put(self, path: Path) -> None:
        for folder in reversed(path.relative_to(self._folder).parents[:-1]):
            (self._folder / folder).mkdir(exist_ok=True, mode=0o700)
        self._aside.replace(path)


def is_unsound(header: Header) -> bool:
    """Return whether a file's pixels are not all there, or, where it shows nothing, its last element is cut."""
    if header.integer(tags.ROWS) == 0:
        return _stops_short(header)
    if header.integer(tags.BITS_ALLOCATED) == 1:
        return False  # frames of single bits share bytes (PS3.5 8.1.1), which the lengths say nothing of
    return is_cut(header)


def content_digest(content: bytes) -> str:
    """Return the sha256 in hex of a file's data set, without preamble and group 0002, which each sender writes anew."""
    return sha256(memoryview(content)[_start_of(content) :]).hexdigest()


def _start_of(content: bytes) -> int:
    """Return where a file's data set begins."""
    if content[128:_META] != b"DICM" or content[_META : _META + 8] != _META_LENGTH:
        return 0
    return _META + 12 + int.from_bytes(content[_META + 8 : _META + 12], "little")


def _stops_short(header: Header) -> bool:
    if header.syntax == DEFLATED:
        return False  # the stream has a checksum of its own, which was read
    with header.path.open("rb") as file:
        start = _start_of(file.read(_META + 12))
        file.seek(start)
        end = start
        try:
            for one in data_element_generator(file, header.syntax == IMPLICIT, header.is_little):
                if isinstance(one, RawDataElement) and one.length not in (UNDEFINED, len(one.value or b"")):
                    return True
                end = file.tell()
        except BROKEN:
            return True
        return end != header.size


def _soundly_read(path: Path, place: Place) -> bool:
    try:
        header = read_header(path)
    except FileError:
        return False
    return header.text(tags.SOP_INSTANCE).strip(" \0") == place.uid and not is_unsound(header)


def _write(content: bytes, path: Path) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
