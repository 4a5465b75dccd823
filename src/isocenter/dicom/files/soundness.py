"""Whether a file's pixels are all there, and whether its header describes them in a way that can be."""

from math import isfinite
from pathlib import Path

from isocenter.dicom.files import tags
from isocenter.dicom.files.header import Header

_ITEM, _END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_NUMBERS = {tags.SLOPE: 1, tags.INTERCEPT: 1, tags.POSITION: 3, tags.ORIENTATION: 6, tags.PIXEL_SPACING: 2}
_PHOTOMETRIC = frozenset(
    {"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"}
)
_MOST_TRAILING = 1 << 16  # bytes looked at behind the pixels


def is_cut(header: Header) -> bool:
    """Return whether pixels are missing, or more bytes are there than the header explains.

    DICOM keeps no checksum: the lengths are all that tells a damaged file from a sound one.
    """
    offset, length = header.pixels
    expected = frame_bytes(header) * max(1, int(header.number(tags.FRAMES, 1)))
    if offset < 0:  # in a deflated stream, whose own checks tell whether it is whole
        return length not in (expected, expected + 1)
    if offset == 0:
        return True
    if length < 0:
        return header.is_native or not _fragments_end(header)
    if not header.is_native:
        return True
    behind = offset + length
    if behind > header.size or length < expected:
        return True
    # one byte makes the length even; more must be blank
    return not (length <= expected + 1 or _is_blank(header.path, offset + expected, behind)) or not _goes_on(
        header, behind
    )


def frame_bytes(header: Header) -> int:
    """Return the bytes of one uncompressed frame, by its header."""
    samples = header.integer(tags.ROWS) * header.integer(tags.COLUMNS) * header.integer(tags.SAMPLES, 1)
    if header.text(tags.PHOTOMETRIC) == "YBR_FULL_422":
        samples = samples * 2 // 3  # two pixels share their two colour samples, PS3.3 C.7.6.3.1.2
    return (samples * header.integer(tags.BITS_ALLOCATED) + 7) // 8


def is_malformed(header: Header) -> bool:
    """Return whether the header contradicts itself about the pixels, or holds a number that cannot be read."""
    allocated, stored = header.integer(tags.BITS_ALLOCATED), header.integer(tags.BITS_STORED)
    if not 0 < stored <= allocated or header.integer(tags.HIGH_BIT, stored - 1) >= allocated:
        return True
    if header.integer(tags.SIGNED) not in (0, 1) or header.integer(tags.SAMPLES, 1) not in (1, 3):
        return True
    if header.text(tags.PHOTOMETRIC) not in _PHOTOMETRIC:
        return True
    for tag, count in _NUMBERS.items():
        found, raw = header.numbers(tag), header.values.get(tag, b"")
        # one zero byte makes a length even; more were written over the number
        if (raw.strip(b" \0") and len(found) != count) or raw.count(0) > 1:
            return True
        if not all(isfinite(number) for number in found):
            return True
    return header.number(tags.SLOPE, 1.0) == 0


def _fragments_end(header: Header) -> bool:
    """Return whether the fragments of compressed pixels follow each other up to their delimiter (PS3.5 A.4)."""
    at, fragments = header.pixels[0], 0
    with header.path.open("rb", buffering=0) as file:
        while at + 8 <= header.size:
            file.seek(at)
            head = file.read(8)
            if head[:4] == _END:
                return fragments > 1  # the first is the table of offsets
            if head[:4] != _ITEM:
                return False
            fragments += 1
            at += 8 + int.from_bytes(head[4:], "little")
    return False


def _is_blank(path: Path, first: int, behind: int) -> bool:
    with path.open("rb", buffering=0) as file:
        file.seek(first)
        return not any(file.read(min(behind - first, _MOST_TRAILING)))


def _goes_on(header: Header, at: int) -> bool:
    """Return whether what follows the pixels is nothing, padding, or another element."""
    left = header.size - at
    if left == 0:
        return True
    if left < 8:
        return _is_blank(header.path, at, header.size)
    with header.path.open("rb", buffering=0) as file:
        file.seek(at)
        head = file.read(8)
    group = int.from_bytes(head[:2], "little" if header.is_little else "big")
    return group >= 0x7FE0 or not any(head)
