"""Encoded text to words and back, in the character set that a data set names (PS3.5 6.1)."""

import re
import warnings
from collections.abc import Sequence
from functools import lru_cache

from isocenter.dicom.elements.element import Bytes

TEXT = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
"""Kinds whose characters the data set's character set decides."""
_DELIMITERS = {0x09, 0x0A, 0x0C, 0x0D, 0x5C}
_ESCAPE = re.compile("\x1b[ -/]+[@-~]")  # ISO 2022 designations, which some codecs leave in the text


def decode_text(value: Bytes, charset: str) -> str:
    """Return a value as text without padding; bytes that do not fit become question marks.

    Args:
        value: As encoded.
        charset: Specific Character Set (0008,0005), values separated by backslashes; empty for ASCII.
    """
    raw = bytes(value)
    if raw.isascii() and b"\x1b" not in raw:
        return raw.decode("ascii").strip(" \0")
    from pydicom.charset import decode_bytes

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            text = str(decode_bytes(raw, _encodings(charset), _DELIMITERS))
    except (LookupError, UnicodeError, ValueError, TypeError):
        text = raw.decode("latin-1")
    return _ESCAPE.sub("", text).strip(" \0")


def encode_text(text: str, charset: str) -> bytes:
    """Return text as encoded in a character set, padded to an even length; what does not fit becomes "?"."""
    if text.isascii():
        return padded(text.encode("ascii"))
    from pydicom.charset import encode_string

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return padded(bytes(encode_string(text, list(_encodings(charset)))))


def padded(raw: bytes, blank: bytes = b" ") -> bytes:
    """Return bytes made even in number."""
    return raw + blank * (len(raw) % 2)


@lru_cache(maxsize=64)
def _encodings(charset: str) -> Sequence[str]:
    from pydicom.charset import convert_encodings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tuple(convert_encodings([part.strip() for part in charset.split("\\")]))
