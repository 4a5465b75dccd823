"""Elements to bytes: what was not changed comes out as it went in."""

import struct
from collections.abc import Iterable

from isocenter.dicom.elements.element import ITEM, ITEM_END, LONG, SEQUENCE_END, Bytes, Element, Item

_UNDEFINED = 0xFFFFFFFF
_LONGEST_SHORT = 0xFFFF
_short = struct.Struct("<HH2sH").pack
_long = struct.Struct("<HH2sHI").pack
_bare = struct.Struct("<HHI").pack


def encode(elements: Iterable[Element], *, is_explicit: bool) -> list[Bytes]:
    """Return a data set as pieces of bytes, to be written one after the other."""
    pieces: list[Bytes] = []
    for element in elements:
        _put(element, pieces, is_explicit=is_explicit)
    return pieces


def length_of(pieces: Iterable[Bytes]) -> int:
    """Return how many bytes pieces are."""
    return sum(map(len, pieces))


def _put(element: Element, pieces: list[Bytes], *, is_explicit: bool) -> None:
    if element.items is None:
        length = _UNDEFINED if element.is_open else len(element.value)
        pieces.append(_head(element, length, is_explicit=is_explicit))
        pieces.append(element.value)
        return
    inside: list[Bytes] = []
    for item in element.items:
        _put_item(item, inside, is_explicit=is_explicit and element.vr != "UN")
    length = _UNDEFINED if element.is_open else length_of(inside)
    pieces.append(_head(element, length, is_explicit=is_explicit))
    pieces += inside
    if element.is_open:
        pieces.append(_mark(SEQUENCE_END, 0))


def _put_item(item: Item, pieces: list[Bytes], *, is_explicit: bool) -> None:
    inside = encode(item.elements, is_explicit=is_explicit)
    pieces.append(_mark(ITEM, _UNDEFINED if item.is_open else length_of(inside)))
    pieces += inside
    if item.is_open:
        pieces.append(_mark(ITEM_END, 0))


def _head(element: Element, length: int, *, is_explicit: bool) -> bytes:
    group, low = element.tag >> 16, element.tag & 0xFFFF
    if not is_explicit:
        return _bare(group, low, length)
    if element.vr in LONG:
        return _long(group, low, element.vr.encode(), 0, length)
    if length > _LONGEST_SHORT:  # a text made longer than its kind can be written: as UN (PS3.5 6.2.2)
        return _long(group, low, b"UN", 0, length)
    return _short(group, low, element.vr.encode(), length)


def _mark(tag: int, length: int) -> bytes:
    return _bare(tag >> 16, tag & 0xFFFF, length)
