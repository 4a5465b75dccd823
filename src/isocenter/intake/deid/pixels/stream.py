"""Pixels without words beside them: comments and foreign segments of JPEG, JPEG-LS and JPEG 2000 streams made blank.

Lengths stay, so that every table of offsets goes on being right, and no coded pixel is touched.

Source: ITU-T T.81 annex B (JPEG), T.87 annex C (JPEG-LS), T.800 annex A (JPEG 2000).
"""

import struct
from collections.abc import Iterator
from dataclasses import replace

from isocenter.dicom.elements.element import ITEM, Element, in_order
from isocenter.dicom.elements.file import DicomFile
from isocenter.dicom.files import tags
from isocenter.errors import FileError
from isocenter.intake.deid.pixels.stored import frame_count

_PIXELS = 0x7FE00010
_JPEG = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 57, 70))
_JPEG_LS = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in (80, 81))
_JPEG_2000 = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in (90, 91, 92, 93, 201, 202, 203))
_START, _START_2000, _BOXED = b"\xff\xd8", b"\xff\x4f", b"\0\0\0\x0cjP  "
_BOXES = frozenset({b"jP  ", b"ftyp", b"rreq", b"jp2h", b"jp2c"})  # that a decoder needs
_END, _SCAN, _COMMENT = 0xD9, 0xDA, 0xFE
_ADOBE, _JFIF, _COLOURS = (
    (0xEE, b"Adobe"),
    (0xE0, b"JFIF\0"),
    (0xE8, b"mrfx"),
)  # segments that say how colours are coded
_TILE, _DATA, _COMMENT_2000, _END_2000 = 0x90, 0x93, 0x64, 0xD9
_DAMAGED = "Its compressed pixels are damaged between their segments, so that words may hide there. Copy it again."


def without_words(file: DicomFile) -> DicomFile:
    """Return a file whose compressed frames hold no comment and no foreign segment, and nothing behind its pixels.

    Raises:
        FileError: A stream is damaged.
    """
    element = file.find(_PIXELS)
    if element is None:
        return file
    if not element.is_open:
        return _without_surplus(file, element)
    if file.syntax not in _JPEG | _JPEG_LS | _JPEG_2000:
        return file
    raw = bytearray(element.value)
    is_touched = False
    for spans in _frames(raw):
        stream = bytearray(b"".join(raw[first:last] for first, last in spans))
        blanks = _blanks_2000(stream) if file.syntax in _JPEG_2000 else _blanks(stream, is_ls=file.syntax in _JPEG_LS)
        found = [(first, last) for first, last in blanks if any(stream[first:last])]
        for first, last in found:
            stream[first:last] = bytes(last - first)
        is_touched |= bool(found)
        at = 0
        for first, last in spans:
            raw[first:last] = stream[at : at + last - first]
            at += last - first
    if not is_touched:
        return file
    new = Element(_PIXELS, element.vr, bytes(raw), is_open=True)
    return replace(file, elements=in_order([*file.elements, new]))


def _without_surplus(file: DicomFile, element: Element) -> DicomFile:
    """Return a file with uncompressed pixels, what lies behind the last of them made blank."""
    rows, columns, bits, samples = (
        file.integer(tag, 1) for tag in (tags.ROWS, tags.COLUMNS, tags.BITS_ALLOCATED, tags.SAMPLES)
    )
    per_pixel = 2 * bits if file.text(tags.PHOTOMETRIC).endswith("_422") else samples * bits  # C.7.6.3.1.2: two in four
    needed = (rows * columns * per_pixel * frame_count(file) + 7) // 8
    if not any(element.value[needed:]):
        return file
    value = bytes(element.value[:needed]) + bytes(len(element.value) - needed)
    return replace(file, elements=in_order([*file.elements, Element(_PIXELS, element.vr, value)]))


def _frames(raw: bytearray) -> Iterator[list[tuple[int, int]]]:
    """Yield where the fragments of each frame lie: a frame begins with a fragment that begins a stream."""
    spans: list[tuple[int, int]] = []
    for number, (first, last) in enumerate(_items(raw)):
        if number == 0:
            continue  # the table of offsets
        if (raw[first : first + 2] in (_START, _START_2000) or raw[first : first + 8] == _BOXED) and spans:
            yield spans
            spans = []
        spans.append((first, last))
    if spans:
        yield spans


def _items(raw: bytearray) -> Iterator[tuple[int, int]]:
    at = 0
    while at + 8 <= len(raw):
        group, element, length = struct.unpack_from("<HHI", raw, at)
        if (group << 16 | element) != ITEM:
            return
        if at + 8 + length > len(raw):
            raise FileError(_DAMAGED)
        yield at + 8, at + 8 + length
        at += 8 + length


def _blanks(stream: bytearray, *, is_ls: bool) -> Iterator[tuple[int, int]]:
    """Yield where a JPEG or JPEG-LS stream holds what no decoder needs."""
    if stream[:2] != _START:
        raise FileError(_DAMAGED)
    at = 2
    while at + 2 <= len(stream):
        if stream[at] != 0xFF:
            raise FileError(_DAMAGED)
        marker = stream[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker == _END:
            yield at + 2, len(stream)
            return
        behind = at + 2 + _length(stream, at + 2)
        is_needed = any(marker == one and stream[at + 4 :].startswith(word) for one, word in (_ADOBE, _JFIF, _COLOURS))
        if marker == _COMMENT or (0xE0 <= marker <= 0xEF and not is_needed):
            yield at + 4, behind
        at = _scan_end(stream, behind, is_ls=is_ls) if marker == _SCAN else behind
    # an end that is cut off is what some devices write, and decoders bear it


def _scan_end(stream: bytearray, at: int, *, is_ls: bool) -> int:
    """Return where coded data ends: at a marker that is neither a stuffed byte nor a restart."""
    while True:
        at = stream.find(b"\xff", at)
        if at < 0 or at + 1 >= len(stream):
            return len(stream)
        following = stream[at + 1]
        if following == 0 or 0xD0 <= following <= 0xD7 or (is_ls and following < 0x80):
            at += 2
        elif following == 0xFF:
            at += 1
        else:
            return at


def _blanks_2000(stream: bytearray) -> Iterator[tuple[int, int]]:
    """Yield where a JPEG 2000 stream holds what no decoder needs; some devices write it with a file's boxes around."""
    if stream[:8] != _BOXED:
        yield from _comments_2000(stream)
        return
    at = 0
    while at + 8 <= len(stream):
        length, kind = struct.unpack_from(">I4s", stream, at)
        end = at + length if length else len(stream)
        if length in range(1, 8) or end > len(stream):
            raise FileError(_DAMAGED)
        if kind == b"jp2c":
            yield from ((at + 8 + first, at + 8 + last) for first, last in _comments_2000(stream[at + 8 : end]))
        elif kind not in _BOXES:
            yield at + 8, end
        at = end


def _comments_2000(stream: bytearray) -> Iterator[tuple[int, int]]:
    """Yield where a JPEG 2000 code stream holds comments, in its main header and in those of its tiles."""
    if stream[:2] != _START_2000:
        raise FileError(_DAMAGED)
    at, tile_end = 2, 0
    while at + 2 <= len(stream):
        if stream[at] != 0xFF:
            raise FileError(_DAMAGED)
        marker = stream[at + 1]
        if marker == _END_2000:
            yield at + 2, len(stream)
            return
        if marker == _DATA:
            if tile_end <= at:  # the last tile's length may be left open: it runs to the end of the stream
                return
            at = tile_end
            continue
        behind = at + 2 + _length(stream, at + 2)
        if marker == _TILE:
            part = struct.unpack_from(">I", stream, at + 6)[0]
            tile_end = at + part if part else 0
        elif marker == _COMMENT_2000:
            yield at + 6, behind
        at = behind


def _length(stream: bytearray, at: int) -> int:
    """Return a segment's length, its own two bytes counted."""
    if at + 2 > len(stream):
        raise FileError(_DAMAGED)
    length: int = struct.unpack_from(">H", stream, at)[0]
    if length < 2 or at + length > len(stream):
        raise FileError(_DAMAGED)
    return length
