"""TIFF 6.0 and BigTIFF: a new file of the fields that decode pixels, and of the pixels' strips or tiles."""

import struct
from dataclasses import dataclass

from isocenter.errors import FileError
from isocenter.intake.deid.pictures import Bare

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_NEEDED = frozenset(
    {254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 274, 277, 278, 280, 281, 282, 283, 284, 290, 291, 292,
     293, 296, 301, 317, 318, 319, 320, 321, 322, 323, 332, 334, 336, 338, 339, 340, 341, 347, 512, 529, 530, 531, 532}
)  # fmt: skip
_PLACES = {273: 279, 324: 325}  # where strips or tiles lie: how long they are
_NAMES = {
    269: "DocumentName", 270: "ImageDescription", 271: "Make", 272: "Model", 285: "PageName", 305: "Software",
    306: "DateTime", 315: "Artist", 316: "HostComputer", 330: "SubIFDs", 700: "XMP", 33432: "Copyright",
    33723: "IPTC", 34377: "Photoshop", 34665: "Exif", 34675: "ICCProfile", 34853: "GPS",
}  # fmt: skip
_MOST_PAGES = 100_000


@dataclass(frozen=True, slots=True)
class _Form:
    """How numbers are written: byte order, and 4 or 8 bytes to a place."""

    order: str
    is_big: bool

    @property
    def place(self) -> str:
        return "Q" if self.is_big else "I"

    @property
    def place_bytes(self) -> int:
        return 8 if self.is_big else 4

    @property
    def count(self) -> str:
        return "Q" if self.is_big else "H"


@dataclass(frozen=True, slots=True)
class _Field:
    """One field of a page: tag, type, how many values, and their bytes."""

    tag: int
    type: int
    count: int
    raw: bytes


def strip(content: bytes) -> Bare:
    """Return a TIFF of the fields that are needed to show it, page by page.

    Raises:
        FileError: It is no TIFF, damaged, or its pixels do not lie in strips or tiles.
    """
    try:
        return _stripped(content)
    except (struct.error, KeyError, IndexError) as error:
        raise FileError(
            "A TIFF is damaged: a field points to where nothing is. Copy it again from its source."
        ) from error


def _stripped(content: bytes) -> Bare:
    form, at = _opened(content)
    head = content[: 8 if form.is_big else 4]
    out = bytearray(head + bytes(form.place_bytes))
    link, removed, pages = len(head), list[str](), 0
    while at:
        fields, at = _page(content, at, form)
        removed += [_NAMES.get(one.tag, f"tag {one.tag}") for one in fields if not _is_needed(one.tag)]
        kept = [one for one in fields if _is_needed(one.tag)]
        link = _write_page(out, kept, content, form=form, link=link)
        pages += 1
        if pages > _MOST_PAGES:
            raise FileError("A TIFF's pages go round in a circle. Copy it again from its source.")
    return Bare(bytes(out), tuple(removed))


def _opened(content: bytes) -> tuple[_Form, int]:
    """Return how a file's numbers are written, and where its first page is."""
    order = {b"II": "<", b"MM": ">"}.get(content[:2])
    version = struct.unpack_from(f"{order}H", content, 2)[0] if order else 0
    if order is None or version not in (42, 43):
        raise FileError("A picture is no TIFF, whatever its name says.")
    form = _Form(order, version == 43)
    return form, struct.unpack_from(f"{order}{form.place}", content, 8 if form.is_big else 4)[0]


def _is_needed(tag: int) -> bool:
    return tag in _NEEDED or tag in _PLACES or tag in _PLACES.values()


def _page(content: bytes, at: int, form: _Form) -> tuple[list[_Field], int]:
    """Return a page's fields, and where the next page is."""
    count = struct.unpack_from(f"{form.order}{form.count}", content, at)[0]
    at += struct.calcsize(form.count)
    entry = struct.Struct(f"{form.order}HH{form.place}")
    fields = []
    for _ in range(count):
        tag, type_, number = entry.unpack_from(content, at)
        length = _SIZES[type_] * number
        first = at + entry.size
        if length > form.place_bytes:
            first = struct.unpack_from(f"{form.order}{form.place}", content, first)[0]
        if first + length > len(content):
            raise IndexError
        fields.append(_Field(tag, type_, number, content[first : first + length]))
        at += entry.size + form.place_bytes
    return fields, struct.unpack_from(f"{form.order}{form.place}", content, at)[0]


def _write_page(out: bytearray, fields: list[_Field], content: bytes, *, form: _Form, link: int) -> int:
    """Append a page's pixels, values and fields, and point the page before to it; return where its own pointer is."""
    by_tag = {one.tag: one for one in fields}
    if not any(tag in by_tag for tag in _PLACES):
        raise FileError("A TIFF's pixels do not lie in strips or tiles. Convert it to PNG first.")
    for tag, lengths in _PLACES.items():
        if tag in by_tag:
            by_tag[tag] = _moved(out, by_tag[tag], by_tag[lengths], content, form)
    where = {}
    for one in by_tag.values():
        if len(one.raw) > form.place_bytes:
            _align(out)
            where[one.tag] = len(out)
            out += one.raw
    _align(out)
    struct.pack_into(f"{form.order}{form.place}", out, link, len(out))
    out += struct.pack(f"{form.order}{form.count}", len(by_tag))
    for tag, one in sorted(by_tag.items()):
        out += struct.pack(f"{form.order}HH{form.place}", tag, one.type, one.count)
        out += (
            struct.pack(f"{form.order}{form.place}", where[tag])
            if tag in where
            else one.raw.ljust(form.place_bytes, b"\0")
        )
    out += bytes(form.place_bytes)
    return len(out) - form.place_bytes


def _moved(out: bytearray, places: _Field, lengths: _Field, content: bytes, form: _Form) -> _Field:
    """Append strips or tiles, and return the field that says where they lie now."""
    starts = []
    for first, length in zip(_numbers(places, form), _numbers(lengths, form), strict=True):
        if first + length > len(content):
            raise IndexError
        _align(out)
        starts.append(len(out))
        out += content[first : first + length]
    raw = struct.pack(f"{form.order}{len(starts)}{form.place}", *starts)
    return _Field(places.tag, 16 if form.is_big else 4, len(starts), raw)


def _numbers(field: _Field, form: _Form) -> tuple[int, ...]:
    code = {3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}[field.type]
    return struct.unpack(f"{form.order}{field.count}{code}", field.raw)


def _align(out: bytearray) -> None:
    out.extend(bytes(len(out) % 2))
