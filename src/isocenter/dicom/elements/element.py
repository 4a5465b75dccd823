"""An element of a data set as it is encoded: its value stays bytes until somebody wants another one."""

from collections.abc import Iterable
from dataclasses import dataclass, field

Bytes = bytes | memoryview

ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
LONG = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
"""Kinds of value whose length takes four bytes (PS3.5 7.1.2)."""
SHORT = frozenset(
    {"AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "PN", "SH", "SL", "SS", "ST", "TM", "UI",
     "UL", "US"}
)  # fmt: skip


@dataclass(slots=True)
class Element:
    """One element.

    Args:
        tag: Group and element in one number, 0x00100010.
        vr: Its kind (value representation): as written; by the dictionary where it is not written, or written as
            unknown. A private sequence of kind UN is written within as in implicit files (PS3.5 6.2.2).
        value: Encoded value, as it stands in the file; of a sequence nothing; of compressed pixels all fragments with
            their delimiter.
        items: Of a sequence its items, else None.
        is_open: Whether its length is written as undefined, and a delimiter ends it.
    """

    tag: int
    vr: str
    value: Bytes = b""
    items: "list[Item] | None" = None
    is_open: bool = False

    @property
    def is_private(self) -> bool:
        """Whether its group is odd."""
        return bool(self.tag >> 16 & 1)


@dataclass(slots=True)
class Item:
    """One item of a sequence: a data set of its own."""

    elements: list[Element] = field(default_factory=list)
    is_open: bool = False


def in_order(elements: Iterable[Element]) -> list[Element]:
    """Return elements by tag, the last of two with one tag."""
    return [element for _, element in sorted({element.tag: element for element in elements}.items())]


def tag_text(tag: int) -> str:
    """Return a tag as the standard writes it: "(0008,103e)"."""
    return f"({tag >> 16:04x},{tag & 0xFFFF:04x})"


def text_of(value: Bytes) -> str:
    """Return an encoded value of ASCII letters as text, without padding; other bytes become question marks."""
    return bytes(value).decode("ascii", "replace").strip(" \0")
