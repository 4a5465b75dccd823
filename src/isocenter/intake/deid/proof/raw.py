"""Words of a file's identity, looked for in the bytes of what came out, in every usual encoding."""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from isocenter.intake.deid.identity import Identity

_ENCODINGS = ("utf-8", "gb18030", "utf-16-le", "utf-16-be", "shift_jis", "euc_kr", "latin-1")
_LONG = 6  # bytes: shorter ones are met in pixels by chance
_PIXELS = b"\xe0\x7f\x10\x00"


def words_left(path: Path, identity: Identity) -> tuple[str, ...]:
    """Return the words of an identity that stand in a file's bytes, upper and lower case alike.

    Among pixels only words of six bytes and more are looked for: shorter ones are met there by chance.
    """
    content = path.read_bytes()
    searched = identity.searched
    start = content.rfind(_PIXELS)
    head, pixels = (content, b"") if start < 0 else (content[:start], content[start:])
    found = {*_found(searched, head, least=1), *_found(searched, pixels, least=_LONG)}
    return tuple(sorted(found))


def _found(searched: frozenset[str], content: bytes, *, least: int) -> Iterator[str]:
    for pattern, words in _patterns(searched, least):
        for hit in pattern.finditer(content):
            yield words[hit.group().lower()]


@lru_cache(maxsize=512)
def _patterns(searched: frozenset[str], least: int) -> tuple[tuple[re.Pattern[bytes], dict[bytes, str]], ...]:
    """Return one pattern of all words that bear letters of ASCII, whose neighbours must be none, and one of others."""
    plain: dict[bytes, str] = {}
    other: dict[bytes, str] = {}
    for word in searched:
        for encoding in _ENCODINGS:
            try:
                coded = word.encode(encoding)
            except UnicodeEncodeError:
                continue
            if len(coded) >= least:
                (plain if coded.isascii() and b"\0" not in coded else other)[coded.lower()] = word
    made = []
    if plain:
        made.append((re.compile(rb"(?<![A-Za-z0-9])(?:" + _any_of(plain) + rb")(?![A-Za-z0-9])", re.IGNORECASE), plain))
    if other:
        made.append((re.compile(_any_of(other), re.IGNORECASE), other))
    return tuple(made)


def _any_of(words: dict[bytes, str]) -> bytes:
    return b"|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
