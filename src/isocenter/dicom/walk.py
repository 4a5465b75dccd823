"""A header read without building a data set: files that keep to PS3.10 and PS3.5, in little endian.

Anything odd is left to pydicom.
"""

import os
import struct
from pathlib import Path

from isocenter.dicom.files import tags
from isocenter.dicom.files.header import BIG_ENDIAN, DEFLATED, IMPLICIT, UNDEFINED, Header

_CHUNK = 1 << 14  # most headers fit; private blobs are jumped over
_LONG = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
_SHORT = frozenset(
    {b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS",
     b"ST", b"TM", b"UI", b"UL", b"US"}
)  # fmt: skip
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD


_SHORT_HEAD = 8
_HEADS = dict.fromkeys(_SHORT, _SHORT_HEAD)
_read_explicit = struct.Struct("<HH2sH").unpack_from  # group, element, kind, length
_read_implicit = struct.Struct("<HHHH").unpack_from  # group, element, lower and upper half of the length


class OddError(Exception):
    """Something that only pydicom may judge."""


class Walk:
    """One pass over the elements of a little-endian file, reading ahead in chunks."""

    __slots__ = ("buffer", "descriptor", "path", "size", "start")

    def __init__(self, descriptor: int, path: Path) -> None:
        self.descriptor, self.path = descriptor, path
        self.size = os.fstat(descriptor).st_size
        self.start = 0
        self.buffer = os.read(descriptor, _CHUNK)

    def header(self) -> Header:
        """Return the header.

        Raises:
            OddError: Something that only pydicom may judge.
        """
        if self.buffer[128:132] != b"DICM":
            raise OddError
        values: dict[int, bytes] = {}
        at = self._meta(132, values)
        syntax = values.get(tags.TRANSFER_SYNTAX, b"").decode("ascii", "replace").strip(" \0")
        if not syntax or syntax in (BIG_ENDIAN, DEFLATED):
            raise OddError
        pixels = self._elements(at, explicit=syntax != IMPLICIT, values=values)
        return Header(path=self.path, syntax=syntax, values=values, pixels=pixels, size=self.size)

    def _meta(self, at: int, values: dict[int, bytes]) -> int:
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
                raise OddError
            values[0x00020000 | element] = buffer[first : first + length]
            at = first + length
        return at

    def _elements(self, at: int, *, explicit: bool, values: dict[int, bytes]) -> tuple[int, int]:
        """Collect wanted values up to the pixels; return the pixels' (offset, length).

        All of scanning's time goes here, a hundred elements a file: hence no call for an ordinary element.
        """
        wanted, halt, last = tags.WANTED, self.size - 8, 0
        buffer, start, enough = self.buffer, self.start, len(self.buffer) - 12
        unpack, heads = (_read_explicit, _HEADS) if explicit else (_read_implicit, {})
        while at <= halt:
            here = at - start
            if here > enough:
                buffer, start, here = self._ahead(at), at, 0
                enough = len(buffer) - 12
            group, element, kind, length = unpack(buffer, here)
            tag = group << 16 | element
            if tag <= last:
                raise OddError
            last, skip = tag, heads.get(kind, 0)
            if skip != _SHORT_HEAD:
                length, skip = self._head(at, kind) if explicit else (kind + (length << 16), _SHORT_HEAD)
            if tag in tags.PIXELS:
                return at + skip, -1 if length == UNDEFINED else length
            if length == UNDEFINED:
                at = self._after_sequence(at + skip, explicit=explicit, depth=0)
                if tag in wanted:
                    values[tag] = b"sequence"
                continue
            if tag in wanted:
                values[tag] = self._value(at + skip, length, buffer, start)
            at += skip + length
        if at != self.size:
            raise OddError
        return 0, 0

    def _head(self, at: int, kind: bytes) -> tuple[int, int]:
        """Return length and head size of an element of a long or unknown kind (PS3.5 7.1.2)."""
        if kind not in _LONG:
            return self._guessed(at)
        here = at - self.start
        return int.from_bytes(self.buffer[here + 8 : here + 12], "little"), 12

    def _guessed(self, at: int) -> tuple[int, int]:
        """Return length and head size of an element of unknown kind: those after which a known element follows."""
        raw = os.pread(self.descriptor, 12, at)
        short, long = int.from_bytes(raw[6:8], "little"), int.from_bytes(raw[8:12], "little")
        for length, skip in ((short, 8), (long, 12)):
            following = os.pread(self.descriptor, 6, at + skip + length)
            if following[4:6] in _SHORT or following[4:6] in _LONG:
                return length, skip
        raise OddError

    def _value(self, first: int, length: int, buffer: bytes, start: int) -> bytes:
        here = first - start
        if here + length <= len(buffer):
            return buffer[here : here + length]
        raw = os.pread(self.descriptor, min(length, tags.LONGEST_VALUE), first)
        if len(raw) < min(length, tags.LONGEST_VALUE):
            raise OddError
        return raw

    def _ahead(self, at: int) -> bytes:
        self.buffer, self.start = os.pread(self.descriptor, _CHUNK, at), at
        return self.buffer

    def _after_sequence(self, at: int, *, explicit: bool, depth: int) -> int:
        """Return where a sequence of undefined length ends."""
        if depth > 8:
            raise OddError
        while True:
            tag, length = self._item(at)
            at += 8
            if tag == _SEQUENCE_END:
                return at
            if tag != _ITEM:
                raise OddError
            at = self._after_item(at, explicit=explicit, depth=depth) if length == UNDEFINED else at + length

    def _after_item(self, at: int, *, explicit: bool, depth: int) -> int:
        while True:
            tag, length = self._item(at)
            if tag == _ITEM_END:
                return at + 8
            first = at + 8
            if explicit:
                raw = os.pread(self.descriptor, 12, at)
                if raw[4:6] in _LONG:
                    length, first = int.from_bytes(raw[8:12], "little"), at + 12
                else:
                    length = int.from_bytes(raw[6:8], "little")
            if length == UNDEFINED:
                at = self._after_sequence(first, explicit=explicit, depth=depth + 1)
            else:
                at = first + length

    def _item(self, at: int) -> tuple[int, int]:
        raw = os.pread(self.descriptor, 8, at)
        group, element, length = struct.unpack("<HHI", raw)
        return group << 16 | element, length
