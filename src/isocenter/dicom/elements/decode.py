"""Bytes to elements: PS3.5 chapter 7, little endian, with kinds written or not; strict, or not at all."""

import struct
from functools import cache

from isocenter.dicom.elements.element import ITEM, ITEM_END, LONG, SEQUENCE_END, SHORT, Element, Item
from isocenter.dicom.walk import OddError

_UNDEFINED = 0xFFFFFFFF
_DEEPEST = 32  # sequences in sequences; the standard's deepest has about ten
_PIXELS = 0x7FE00010
_BLANK = bytes(8)
_explicit = struct.Struct("<HH2sH").unpack_from  # group, element, kind, length
_implicit = struct.Struct("<HHI").unpack_from  # group, element, length
_length = struct.Struct("<I").unpack_from
_SHORT = {kind.encode(): kind for kind in SHORT}
_LONG = {kind.encode(): kind for kind in LONG}


def decode(buffer: memoryview, *, is_explicit: bool) -> list[Element]:
    """Return the elements of a data set.

    Raises:
        OddError: Something that only a more patient reader may judge.
    """
    try:
        elements, at = _elements(buffer, 0, len(buffer), is_explicit=is_explicit, depth=0)
    except struct.error as error:
        raise OddError from error
    if at != len(buffer):
        raise OddError
    return elements


@cache
def kind_of(tag: int) -> str:
    """Return the kind that the dictionary (PS3.6) gives a tag; UN where it has none, or several."""
    from pydicom.datadict import dictionary_VR

    if tag >> 16 & 1:
        return "LO" if 0x10 <= tag & 0xFFFF <= 0xFF else "UN"
    try:
        kind = dictionary_VR(tag)
    except KeyError:
        return "UL" if tag & 0xFFFF == 0 else "UN"
    return kind if len(kind) == len("UN") else _of_several(kind)


def _of_several(kinds: str) -> str:
    """Return the kind of values that may be numbers or bytes: OW where they may be long, US else."""
    return "OW" if "OW" in kinds else "US"


def _elements(
    buffer: memoryview, at: int, end: int, *, is_explicit: bool, depth: int, is_open: bool = False
) -> tuple[list[Element], int]:
    """Return the elements between two places, or up to an item's delimiter, and where they end."""
    if depth > _DEEPEST:
        raise OddError
    found: list[Element] = []
    while at < end:
        if end - at < 8 or (is_explicit and buffer[at : at + 8] == _BLANK):  # only blanks may follow
            return found, _padding(buffer, at, end)
        tag, vr, length, first, is_unknown = _head(buffer, at, is_explicit=is_explicit)
        if tag == ITEM_END and is_open:
            return found, at + 8
        inside = is_explicit and not is_unknown
        if length == _UNDEFINED:
            element, at = _open(buffer, Element(tag, vr), first, end, is_explicit=inside, depth=depth)
        else:
            at = first + length
            if at > end:
                raise OddError
            element = Element(tag, vr, buffer[first:at])
            if vr == "SQ":
                _unfold(element, is_explicit=inside, depth=depth)
        found.append(element)
    if is_open:
        raise OddError
    return found, at


def _head(buffer: memoryview, at: int, *, is_explicit: bool) -> tuple[int, str, int, int, bool]:
    """Return an element's tag, kind and length, where its value begins, and whether its kind was written as unknown.

    A plain tuple: there are hundreds in every file, and anything with names takes four times as long to make.
    """
    group, low, kind, length = _explicit(buffer, at)
    tag = group << 16 | low
    if not is_explicit or tag == ITEM_END:
        return tag, kind_of(tag), _length(buffer, at + 4)[0], at + 8, False
    if kind in _SHORT:
        return tag, _SHORT[kind], length, at + 8, False
    if kind not in _LONG:
        raise OddError
    vr, length = _LONG[kind], _length(buffer, at + 8)[0]
    if vr != "UN":
        return tag, vr, length, at + 12, False
    # somebody on the way did not know it (PS3.5 6.2.2); the dictionary may, but not what private elements are
    return tag, "UN" if group & 1 else kind_of(tag), length, at + 12, True


def _padding(buffer: memoryview, at: int, end: int) -> int:
    """Return the end of what lies behind the last element, where that is blank."""
    if any(buffer[at:end]):
        raise OddError
    return end


def _unfold(element: Element, *, is_explicit: bool, depth: int) -> None:
    """Turn the bytes of a sequence of known length into its items."""
    whole = memoryview(element.value)
    items, at = [], 0
    while at < len(whole):
        item, at = _item(whole, at, len(whole), is_explicit=is_explicit, depth=depth)
        items.append(item)
    element.value, element.items = b"", items


def _open(
    buffer: memoryview, element: Element, at: int, end: int, *, is_explicit: bool, depth: int
) -> tuple[Element, int]:
    """Return an element whose end only a delimiter marks, and where that is: a sequence, or compressed pixels."""
    element.is_open = True
    if element.tag == _PIXELS:
        behind = _fragments_end(buffer, at, end)
        element.value = buffer[at:behind]
        return element, behind
    element.items = items = []
    while True:
        group, low, _ = _implicit(buffer, at)
        if group << 16 | low == SEQUENCE_END:
            return element, at + 8
        item, at = _item(buffer, at, end, is_explicit=is_explicit, depth=depth)
        items.append(item)


def _item(buffer: memoryview, at: int, end: int, *, is_explicit: bool, depth: int) -> tuple[Item, int]:
    group, low, length = _implicit(buffer, at)
    if group << 16 | low != ITEM:
        raise OddError
    is_open = length == _UNDEFINED
    first = at + 8
    last = end if is_open else first + length
    if last > end:
        raise OddError
    elements, behind = _elements(buffer, first, last, is_explicit=is_explicit, depth=depth + 1, is_open=is_open)
    return Item(elements, is_open), behind


def _fragments_end(buffer: memoryview, at: int, end: int) -> int:
    """Return where compressed pixels end, their delimiter included (PS3.5 A.4)."""
    while at + 8 <= end:
        group, low, length = _implicit(buffer, at)
        at += 8
        if group << 16 | low == SEQUENCE_END:
            return at
        if group << 16 | low != ITEM or length == _UNDEFINED:
            raise OddError
        at += length
    raise OddError
