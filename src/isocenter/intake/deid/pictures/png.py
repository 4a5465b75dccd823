"""PNG (W3C PNG, third edition): chunks that say how pixels look stay, all others go."""

import struct

from isocenter.errors import FileError
from isocenter.intake.deid.pictures import Bare

_START = b"\x89PNG\r\n\x1a\n"
_NEEDED = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"sBIT", b"gAMA", b"cHRM", b"sRGB", b"cICP", b"bKGD", b"pHYs",
     b"acTL", b"fcTL", b"fdAT"}
)  # fmt: skip
_HEAD, _SUM = 8, 4


def strip(content: bytes) -> Bare:
    """Return a PNG of the chunks that are needed to show it.

    Raises:
        FileError: It is no PNG, or cut off.
    """
    if not content.startswith(_START):
        raise FileError("A picture is no PNG, whatever its name says.")
    kept, removed, at = [_START], list[str](), len(_START)
    while at + _HEAD + _SUM <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        behind = at + _HEAD + length + _SUM
        if behind > len(content):
            break
        if kind in _NEEDED:
            kept.append(content[at:behind])
        else:
            removed.append(kind.decode("latin-1"))
        at = behind
        if kind == b"IEND":
            removed += ["bytes behind its end"] if at < len(content) else []
            return Bare(b"".join(kept), tuple(removed))
    raise FileError("A PNG is cut off before its end. Copy it again from its source.")
