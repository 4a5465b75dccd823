"""Bytes that only a key's holder can read, and nobody can change unseen: AES-256-GCM, or SM4-GCM.

Sources: NIST SP 800-38D (GCM), GB/T 32907 (SM4), RFC 5869 (HKDF), RFC 7914 (scrypt).
"""

import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self, get_args

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher as _Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import GCM
from cryptography.hazmat.primitives.hashes import SHA256, SM3
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from isocenter.errors import FileError, InputError, SealError

Way = Literal["aes-256-gcm", "sm4-gcm"]

_NONCE, _TAG = 12, 16
_KEY_BYTES = 32
_KEY_BYTES_OF = {"aes-256-gcm": 32, "sm4-gcm": 16}
_WORD = "isocenter-key-1:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key of 32 random bytes, kept by a person, not by a program."""

    raw: bytes = field(repr=False)

    @classmethod
    def create(cls) -> Self:
        """Return a new key from the system's source of randomness."""
        return cls(raw=secrets.token_bytes(_KEY_BYTES))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the key in a file.

        Raises:
            FileError: It cannot be read, is no key, or others may read it too.
        """
        try:
            text = path.read_text(encoding="ascii").strip()
            mode = path.stat().st_mode
        except (OSError, UnicodeDecodeError) as error:
            raise FileError(f"The key in {path} cannot be read. Name the file that `vault open --key` made.") from error
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise FileError(f"Others may read the key in {path}. Keep it for yourself: chmod 600 {path}")
        try:
            raw = bytes.fromhex(text.removeprefix(_WORD))
        except ValueError:
            raw = b""
        if not text.startswith(_WORD) or len(raw) != _KEY_BYTES:
            raise FileError(f"{path} is no key. Name the file that `vault open --key` made.")
        return cls(raw=raw)

    def write(self, path: Path) -> None:
        """Write the key to a new file that only its owner may read.

        Raises:
            FileError: There is a file already, or none can be written.
        """
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise FileError(f"{path} exists, and a key is never written over another one. Name a new file.") from error
        except OSError as error:
            raise FileError(f"The key cannot be written to {path}: {error.strerror}.") from error
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{_WORD}{self.raw.hex()}\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A key, used in one way for one purpose.

    Args:
        key: Whose holder can open.
        purpose: What is locked, such as "vault"; what was locked for one cannot be opened for another.
        way: "aes-256-gcm", or "sm4-gcm" with its keys derived by SM3.
    """

    key: Key
    purpose: str
    way: Way = "aes-256-gcm"

    def __post_init__(self) -> None:
        if self.way not in get_args(Way):
            raise InputError(f"There is no cipher {self.way!r}. Known: {', '.join(get_args(Way))}.")

    def lock(self, plain: bytes, *, about: str) -> bytes:
        """Return bytes locked: a nonce, what cannot be read, and a tag.

        Args:
            plain: What to lock.
            about: Where it belongs, such as its file's name; it opens nowhere else.
        """
        nonce = secrets.token_bytes(_NONCE)
        if self.way == "aes-256-gcm":
            return nonce + AESGCM(self._derived()).encrypt(nonce, plain, about.encode())
        maker = _Cipher(SM4(self._derived()), GCM(nonce)).encryptor()
        maker.authenticate_additional_data(about.encode())
        return nonce + maker.update(plain) + maker.finalize() + maker.tag

    def open(self, locked: bytes, *, about: str) -> bytes:
        """Return what was locked.

        Raises:
            SealError: Another key's, changed, or moved from where it belonged.
        """
        try:
            return self._opened(locked, about=about)
        except (InvalidTag, ValueError) as error:
            raise SealError("The key does not open it: it is another one's, or the file was changed.") from error

    def _opened(self, locked: bytes, *, about: str) -> bytes:
        nonce, rest = locked[:_NONCE], locked[_NONCE:]
        if self.way == "aes-256-gcm":
            return AESGCM(self._derived()).decrypt(nonce, rest, about.encode())
        opener = _Cipher(SM4(self._derived()), GCM(nonce, rest[-_TAG:])).decryptor()
        opener.authenticate_additional_data(about.encode())
        return opener.update(rest[:-_TAG]) + opener.finalize()

    def _derived(self) -> bytes:
        hashed = SHA256() if self.way == "aes-256-gcm" else SM3()
        made = HKDF(algorithm=hashed, length=_KEY_BYTES_OF[self.way], salt=None, info=self.purpose.encode())
        return made.derive(self.key.raw)
