"""What scanning needs of a DICOM file's header, read without building a data set.

Our own walk knows little-endian files that keep to PS3.10 and PS3.5; on anything odd pydicom reads the file instead.
"""

import os
import re
import struct
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from isocenter.dicom import tags
from isocenter.errors import FileError

EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
BIG_ENDIAN, DEFLATED = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
NATIVE = frozenset({EXPLICIT, IMPLICIT, BIG_ENDIAN})

_CHUNK = 1 << 14  # most headers fit; private blobs are jumped over
_LONG = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
_SHORT = frozenset(
    {b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS",
     b"ST", b"TM", b"UI", b"UL", b"US"}
)  # fmt: skip
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_ENVELOPED = bytes.fromhex("06092a864886f70d010703")  # RFC 5652 enveloped-data, as in PS3.15 secure DICOM files


_ESCAPE = re.compile("\x1b[ -/]+[@-~]")  # ISO 2022 designations, which some codecs leave in the text


class _OddError(Exception):
    """Something that only pydicom may judge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The raw values that scanning and placing need, with their pixels' place in the file.

    Args:
        path: The file.
        syntax: Transfer syntax UID.
        values: Tag to raw value, only tags of `tags.WANTED`.
        is_little: Whether binary values are little endian.
        pixels: (offset, length) of the pixel element's value; (0, 0) where there is none, length -1 if encapsulated.
        size: Bytes in the file.
    """

    path: Path
    syntax: str
    values: Mapping[int, bytes]
    is_little: bool = True
    pixels: tuple[int, int] = (0, 0)
    size: int = 0

    def text(self, tag: int) -> str:
        """Return a value as text in its character set, without padding; empty where absent."""
        raw = self.values.get(tag, b"")
        if raw.isascii() and b"\x1b" not in raw:
            return raw.decode("ascii").strip(" \0")
        return _decode(raw, self.values.get(tags.CHARACTER_SET, b""))

    def texts(self, tag: int) -> tuple[str, ...]:
        """Return the backslash-separated values of a tag."""
        text = self.text(tag)
        return tuple(part.strip() for part in text.split("\\")) if text else ()

    def numbers(self, tag: int) -> tuple[float, ...]:
        """Return decimal strings as numbers; empty where absent or unreadable."""
        raw = self.values.get(tag, b"").strip(b" \0")
        try:
            # Python would read 1_0 as ten
            return tuple(float(part) for part in raw.split(b"\\") if part.strip()) if b"_" not in raw else ()
        except ValueError:
            return ()

    def number(self, tag: int, default: float) -> float:
        """Return the first of the decimal numbers under a tag, or the default."""
        found = self.numbers(tag)
        return found[0] if found else default

    def integer(self, tag: int, default: int = 0) -> int:
        """Return a binary integer of two or four bytes, or the default."""
        raw = self.values.get(tag, b"")
        if len(raw) not in (2, 4):
            return default
        return int.from_bytes(raw, "little" if self.is_little else "big")

    def doubles(self, tag: int) -> tuple[float, ...]:
        """Return binary floats of eight bytes each."""
        raw = self.values.get(tag, b"")
        count = len(raw) // 8
        return struct.unpack(f"{'<' if self.is_little else '>'}{count}d", raw[: 8 * count])

    @property
    def is_native(self) -> bool:
        """Whether the pixels lie uncompressed in the file itself."""
        return self.syntax in NATIVE


def read_header(path: Path) -> Header:
    """Return the header of a DICOM file.

    Raises:
        FileError: It cannot be opened, is encrypted, or is no DICOM file.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise FileError(
            f"A file cannot be read ({error.strerror}). Give it read permission, or leave it out."
        ) from error
    try:
        return _Walk(descriptor, path).header()
    except (_OddError, struct.error, IndexError):
        return _read_slowly(path)
    except OSError as error:
        raise FileError(f"A file cannot be read ({error.strerror}). Copy it again from its source.") from error
    finally:
        os.close(descriptor)


class _Walk:
    """One pass over the elements of a little-endian file, reading ahead in chunks."""

    __slots__ = ("buffer", "descriptor", "path", "size", "start")

    def __init__(self, descriptor: int, path: Path) -> None:
        self.descriptor, self.path = descriptor, path
        self.size = os.fstat(descriptor).st_size
        self.start = 0
        self.buffer = os.read(descriptor, _CHUNK)

    def header(self) -> Header:
        if self.buffer[128:132] != b"DICM":
            raise _OddError
        values: dict[int, bytes] = {}
        at = self.meta(132, values)
        syntax = values.get(tags.TRANSFER_SYNTAX, b"").decode("ascii").strip(" \0")
        if not syntax or syntax in (BIG_ENDIAN, DEFLATED):
            raise _OddError
        pixels = self.elements(at, explicit=syntax != IMPLICIT, values=values)
        return Header(path=self.path, syntax=syntax, values=values, pixels=pixels, size=self.size)

    def meta(self, at: int, values: dict[int, bytes]) -> int:
        """Read group 0002, which is always explicit; return where it ends."""
        buffer = self.buffer
        while buffer[at : at + 2] == b"\x02\x00":
            element = int.from_bytes(buffer[at + 2 : at + 4], "little")
            long = buffer[at + 4 : at + 6] in _LONG
            length = (
                struct.unpack_from("<I", buffer, at + 8)[0] if long else struct.unpack_from("<H", buffer, at + 6)[0]
            )
            first = at + (12 if long else 8)
            if first + length > len(buffer):
                raise _OddError
            values[0x00020000 | element] = buffer[first : first + length]
            at = first + length
        return at

    def elements(self, at: int, *, explicit: bool, values: dict[int, bytes]) -> tuple[int, int]:
        """Collect wanted values up to the pixels; return the pixels' (offset, length).

        All of scanning's time goes here, a hundred elements a file: hence no call for an ordinary element.
        """
        wanted, halt, last = tags.WANTED, self.size - 8, 0
        buffer, start, enough = self.buffer, self.start, len(self.buffer) - 12
        unpack, heads = (_read_explicit, _HEADS) if explicit else (_read_implicit, {})
        while at <= halt:
            here = at - start
            if here > enough:
                buffer, start, here = self.ahead(at), at, 0
                enough = len(buffer) - 12
            group, element, kind, length = unpack(buffer, here)
            tag = group << 16 | element
            if tag <= last:
                raise _OddError
            last, skip = tag, heads.get(kind, 0)
            if skip != _SHORT_HEAD:
                length, skip = self.head(at, kind) if explicit else (kind + (length << 16), _SHORT_HEAD)
            if tag in tags.PIXELS:
                return at + skip, -1 if length == _UNDEFINED else length
            if length == _UNDEFINED:
                at = self.after_sequence(at + skip, explicit=explicit, depth=0)
                if tag in wanted:
                    values[tag] = b"sequence"
                continue
            if tag in wanted:
                values[tag] = self.value(at + skip, length, buffer, start)
            at += skip + length
        if at != self.size:
            raise _OddError
        return 0, 0

    def head(self, at: int, kind: bytes) -> tuple[int, int]:
        """Return length and head size of an element of a long or unknown kind (PS3.5 7.1.2)."""
        if kind not in _LONG:
            return self.guessed(at)
        here = at - self.start
        return int.from_bytes(self.buffer[here + 8 : here + 12], "little"), 12

    def guessed(self, at: int) -> tuple[int, int]:
        """Return length and head size of an element of unknown kind: those after which a known element follows."""
        raw = os.pread(self.descriptor, 12, at)
        short, long = int.from_bytes(raw[6:8], "little"), int.from_bytes(raw[8:12], "little")
        for length, skip in ((short, 8), (long, 12)):
            following = os.pread(self.descriptor, 6, at + skip + length)
            if following[4:6] in _SHORT or following[4:6] in _LONG:
                return length, skip
        raise _OddError

    def value(self, first: int, length: int, buffer: bytes, start: int) -> bytes:
        here = first - start
        if here + length <= len(buffer):
            return buffer[here : here + length]
        raw = os.pread(self.descriptor, min(length, tags.LONGEST_VALUE), first)
        if len(raw) < min(length, tags.LONGEST_VALUE):
            raise _OddError
        return raw

    def ahead(self, at: int) -> bytes:
        self.buffer, self.start = os.pread(self.descriptor, _CHUNK, at), at
        return self.buffer

    def after_sequence(self, at: int, *, explicit: bool, depth: int) -> int:
        """Return where a sequence of undefined length ends."""
        if depth > 8:
            raise _OddError
        while True:
            tag, length = self.item(at)
            at += 8
            if tag == _SEQUENCE_END:
                return at
            if tag != _ITEM:
                raise _OddError
            at = self.after_item(at, explicit=explicit, depth=depth) if length == _UNDEFINED else at + length

    def after_item(self, at: int, *, explicit: bool, depth: int) -> int:
        while True:
            tag, length = self.item(at)
            if tag == _ITEM_END:
                return at + 8
            first = at + 8
            if explicit:
                raw = os.pread(self.descriptor, 12, at)
                if raw[4:6] in _LONG:
                    length, first = int.from_bytes(raw[8:12], "little"), at + 12
                else:
                    length = int.from_bytes(raw[6:8], "little")
            if length == _UNDEFINED:
                at = self.after_sequence(first, explicit=explicit, depth=depth + 1)
            else:
                at = first + length

    def item(self, at: int) -> tuple[int, int]:
        raw = os.pread(self.descriptor, 8, at)
        group, element, length = struct.unpack("<HHI", raw)
        return group << 16 | element, length


_SHORT_HEAD = 8
_HEADS = dict.fromkeys(_SHORT, _SHORT_HEAD)
_read_explicit = struct.Struct("<HH2sH").unpack_from  # group, element, kind, length
_read_implicit = struct.Struct("<HHHH").unpack_from  # group, element, lower and upper half of the length


def _decode(raw: bytes, character_set: bytes) -> str:
    """Return text of a character set other than ASCII (PS3.5 6.1); bytes that do not fit become question marks."""
    from pydicom.charset import convert_encodings, decode_bytes

    names = [part.strip() for part in character_set.decode("ascii", "replace").strip("\0").split("\\")]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            text = str(decode_bytes(raw, convert_encodings(names), {0x0C, 0x0A, 0x0D, 0x5C}))
        return _ESCAPE.sub("", text).strip(" \0")
    except (LookupError, UnicodeError, ValueError, TypeError):
        return raw.decode("latin-1").strip(" \0")


def _read_slowly(path: Path) -> Header:
    from isocenter.dicom.slow import read_with_pydicom

    return read_with_pydicom(path)


def is_enveloped(path: Path) -> bool:
    """Return whether a file is a secure DICOM file, encrypted as a whole (PS3.15 annex B, RFC 5652)."""
    with path.open("rb") as file:
        return _ENVELOPED in file.read(64)
