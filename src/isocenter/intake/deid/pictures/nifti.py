"""NIfTI-1 and NIfTI-2: free texts of the header blanked, extensions left away, the voxels as they are."""

import gzip
import struct
import zlib
from collections.abc import Mapping

from isocenter.errors import FileError
from isocenter.intake.deid.pictures import Bare

_GZIP = b"\x1f\x8b"
# field: (place, length), by the header's length
_TEXTS: Mapping[int, Mapping[str, tuple[int, int]]] = {
    348: {
        "data_type": (4, 10), "db_name": (14, 18), "descrip": (148, 80), "aux_file": (228, 24),
        "intent_name": (328, 16),
    },
    540: {"descrip": (240, 80), "aux_file": (320, 24), "intent_name": (508, 16)},
}  # fmt: skip
_OFFSET = {348: (108, "f"), 540: (168, "q")}
_UNUSED = {540: (525, 15)}
_EXTENDER = 4
_MOST_INFLATED = 1 << 34


def strip(content: bytes) -> Bare:
    """Return a NIfTI file without free texts and extensions.

    Raises:
        FileError: It is no NIfTI, half of a pair, or damaged.
    """
    if not content.startswith(_GZIP):
        return _stripped(content)
    try:
        inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
        whole = inflater.decompress(content, _MOST_INFLATED)
    except zlib.error as error:
        raise FileError("A gzipped NIfTI file is damaged. Copy it again from its source.") from error
    if not inflater.eof:
        raise FileError("A gzipped NIfTI file is cut off, or unpacks to more than 16 GB. Copy it again.")
    bare = _stripped(whole)
    removed = bare.removed + (("bytes behind its end",) if inflater.unused_data else ())
    return Bare(gzip.compress(bare.content, mtime=0), removed)


def _stripped(whole: bytes) -> Bare:
    order = next((sign for sign in "<>" if len(whole) > 4 and struct.unpack_from(f"{sign}i", whole)[0] in _TEXTS), None)
    if order is None:
        raise FileError("A file is no NIfTI, whatever its name says.")
    size = struct.unpack_from(f"{order}i", whole)[0]
    head, removed = bytearray(whole[:size]), list[str]()
    if len(head) < size:
        raise FileError("A NIfTI file is cut off in its header. Copy it again from its source.")
    for name, (at, length) in _TEXTS[size].items():
        removed += [name] if any(head[at : at + length]) else []
        head[at : at + length] = bytes(length)
    for at, length in filter(None, [_UNUSED.get(size)]):
        head[at : at + length] = bytes(length)
    at, code = _OFFSET[size]
    voxels = int(struct.unpack_from(f"{order}{code}", whole, at)[0])
    if voxels == 0:
        raise FileError("The header of a NIfTI pair (.hdr, .img). Convert the pair to one .nii file first.")
    if not size <= voxels <= len(whole):
        raise FileError("A NIfTI file's voxels begin where there is nothing. Copy it again from its source.")
    removed += ["extensions"] if any(whole[size:voxels]) else []
    struct.pack_into(f"{order}{code}", head, at, size + _EXTENDER)
    return Bare(bytes(head) + bytes(_EXTENDER) + whole[voxels:], tuple(removed))
