"""JPEG (ITU-T T.81) and JFIF: segments that decode pixels stay; Exif, XMP, IPTC, comments and thumbnails go.

Exif's orientation stays, since a picture without it may be shown lying on its side.
"""

import struct
from collections.abc import Iterator

from isocenter.errors import FileError
from isocenter.intake.deid.pictures import Bare

_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_JFIF, _EXIF, _ADOBE, _COMMENT = 0xE0, 0xE1, 0xEE, 0xFE
_JFIF_BYTES = 14  # of its segment without a thumbnail
ORIENTATION = "Exif or XMP"
"""What Exif is called where it is removed; of one that says the orientation alone, that stays."""
_NAMES = {_JFIF: "JFIF extension or thumbnail", _EXIF: ORIENTATION, 0xE2: "colour profile", 0xED: "IPTC",
          _COMMENT: "comment"}  # fmt: skip
_ORIENTATION = 0x0112


def strip(content: bytes) -> Bare:
    """Return a JPEG of the segments that are needed to show it.

    Raises:
        FileError: It is no JPEG, or cut off.
    """
    if content[:2] != b"\xff\xd8":
        raise FileError("A picture is no JPEG, whatever its name says.")
    kept, removed = [content[:2]], list[str]()
    for marker, segment in _segments(content):
        if marker == _JFIF and segment[4:9] == b"JFIF\0":
            kept.append(segment[:2] + struct.pack(">H", _JFIF_BYTES + 2) + segment[4:16] + b"\0\0")
            removed += ["thumbnail"] if len(segment) > _JFIF_BYTES + 4 else []
        elif marker == _ADOBE and segment[4:9] == b"Adobe":
            kept.append(segment)
        elif 0xE0 <= marker <= 0xEF or marker == _COMMENT:
            removed.append(_NAMES.get(marker, f"APP{marker - 0xE0}"))
            kept += _turned(segment) if marker == _EXIF else []
        else:
            kept.append(segment)
            if marker == _END:
                break
    else:
        raise FileError("A JPEG is cut off before its end. Copy it again from its source.")
    whole = b"".join(kept)
    return Bare(whole, tuple(removed))


def _segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (marker, bytes) of each segment; that of a scan holds its coded data too."""
    at = 2
    while at + 2 <= len(content):
        if content[at] != 0xFF:
            raise FileError("A JPEG is damaged between its segments. Copy it again from its source.")
        marker = content[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker == _END:
            yield marker, content[at : at + 2]
            return
        if at + 4 > len(content):
            return
        behind = at + 2 + struct.unpack_from(">H", content, at + 2)[0]
        if marker == _SCAN:
            behind = _scan_end(content, behind)
        if behind > len(content):
            return
        yield marker, content[at:behind]
        at = behind


def _scan_end(content: bytes, at: int) -> int:
    """Return where coded data ends: at a marker that is neither a stuffed byte nor a restart."""
    while True:
        at = content.find(b"\xff", at)
        if at < 0 or at + 1 >= len(content):
            return len(content) + 1
        following = content[at + 1]
        if following == 0 or 0xD0 <= following <= 0xD7:
            at += 2
        elif following == 0xFF:
            at += 1
        else:
            return at


def _turned(segment: bytes) -> list[bytes]:
    """Return an Exif segment that says the picture's orientation and nothing else; none where that is usual."""
    body = segment[10:]
    order = {b"II": "<", b"MM": ">"}.get(body[:2])
    if segment[4:10] != b"Exif\0\0" or order is None or len(body) < 8:
        return []
    first = struct.unpack_from(f"{order}I", body, 4)[0]
    count = struct.unpack_from(f"{order}H", body, first)[0] if first + 2 <= len(body) else 0
    for entry in range(count):
        place = first + 2 + 12 * entry
        if place + 12 > len(body):
            return []
        tag, _, _, value = struct.unpack_from(f"{order}HHIH", body, place)
        if tag == _ORIENTATION and 1 < value <= 8:
            exif = b"Exif\0\0MM\0*" + struct.pack(">IHHHIHHI", 8, 1, _ORIENTATION, 3, 1, value, 0, 0)
            return [b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif]
    return []
