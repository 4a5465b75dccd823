"""What scanning needs of a DICOM file's header: raw values, and where the pixels lie."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from isocenter.dicom.elements.text import decode_text
from isocenter.dicom.files import tags

EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
BIG_ENDIAN, DEFLATED = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
NATIVE = frozenset({EXPLICIT, IMPLICIT, BIG_ENDIAN})
UNDEFINED = 0xFFFFFFFF
"""A length that only a delimiter ends (PS3.5 7.1.1)."""


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
        raw = self.values.get(tag)
        if not raw:
            return ""
        return decode_text(raw, self.values.get(tags.CHARACTER_SET, b"").decode("ascii", "replace").strip("\0"))

    def texts(self, tag: int) -> tuple[str, ...]:
        """Return the backslash-separated values of a tag."""
        text = self.text(tag)
        return tuple(part.strip() for part in text.split("\\")) if text else ()

    def numbers(self, tag: int) -> tuple[float, ...]:
        """Return decimal strings as numbers; empty where absent or unreadable."""
        raw = self.values.get(tag)
        raw = raw and raw.strip(b" \0")
        if not raw or b"_" in raw:  # Python would read 1_0 as ten
            return ()
        try:
            return tuple(map(float, raw.split(b"\\")))
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
