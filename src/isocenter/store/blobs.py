"""Bytes by the hash of their content: the same bytes are kept once, and every read is checked."""

import hashlib
from collections.abc import Sequence
from typing import Protocol

from isocenter.errors import NotFoundError, SealError
from isocenter.store.files import Files, Part


class Cipher(Protocol):
    """What turns bytes into bytes at rest and back. The hash is of the plain bytes, so names do not change."""

    def lock(self, plain: bytes) -> bytes:
        """Return the bytes at rest."""

    def unlock(self, kept: bytes) -> bytes:
        """Return the plain bytes."""


class Blobs:
    """Bytes by their sha256: blobs/ab/cdef… holds what hashes to abcdef…."""

    def __init__(self, files: Files, *, cipher: Cipher | None = None) -> None:
        self._files = files
        self._cipher = cipher

    def put(self, *parts: Part) -> str:
        """Keep bytes, given in parts, and return the sha256 in hex of them together.

        Bytes that are kept already are not written again, unless they do not hold any more.

        Raises:
            StoreError: The disk is full, or the store may not be written.
        """
        digest = digest_of(parts)
        if not self._holds(digest):
            kept: Sequence[Part] = parts
            if self._cipher is not None:
                kept = (self._cipher.lock(b"".join(parts)),)
            self._files.write(_name(digest), kept)
        return digest

    def get(self, digest: str) -> bytes:
        """Return the bytes of a digest, checked.

        Raises:
            NotFoundError: There are none.
            SealError: They are not the bytes that were put.
        """
        kept = self._files.read(_name(digest))
        plain = kept if self._cipher is None else self._cipher.unlock(kept)
        if hashlib.sha256(plain).hexdigest() != digest:
            raise SealError(
                f"Blob {digest[:16]}… holds other bytes than were put there: the disk failed, or somebody changed it. "
                "Ingest its source again, or bring it back from a backup."
            )
        return plain

    def has(self, digest: str) -> bool:
        """Return whether there is a blob of that digest; its bytes are not looked at."""
        return self._files.has(_name(digest))

    def remove(self, digest: str) -> None:
        """Remove a blob; nothing happens where there is none."""
        self._files.remove(_name(digest))

    def _holds(self, digest: str) -> bool:
        try:
            self.get(digest)
        except (NotFoundError, SealError):
            return False
        return True


def digest_of(parts: Sequence[Part]) -> str:
    """Return the sha256 in hex of parts, one after the other."""
    hashed = hashlib.sha256()
    for part in parts:
        hashed.update(part)
    return hashed.hexdigest()


def _name(digest: str) -> str:
    return f"blobs/{digest[:2]}/{digest[2:]}"
