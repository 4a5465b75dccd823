"""Codes that only who holds a secret can make: names that stand for persons and objects, without naming them.

Sources: RFC 2104 (HMAC), FIPS 180-4 (SHA-256), GB/T 32905 (SM3).
"""

from dataclasses import dataclass, field
from typing import Literal, get_args

from cryptography.hazmat.primitives.hashes import SHA256, SM3, HashAlgorithm
from cryptography.hazmat.primitives.hmac import HMAC

from isocenter.errors import InputError

Digest = Literal["sha256", "sm3"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed:
    """A secret, and the hash that it is used with.

    Args:
        secret: At least 32 bytes.
        digest: "sha256" for HMAC-SHA-256, "sm3" for HMAC-SM3.
    """

    secret: bytes = field(repr=False)
    digest: Digest = "sha256"

    def __post_init__(self) -> None:
        if self.digest not in get_args(Digest):
            raise InputError(f"There is no keyed hash {self.digest!r}. Known: {', '.join(get_args(Digest))}.")
        if len(self.secret) < 32:
            raise InputError("A secret of fewer than 32 bytes is no secret.")

    def code(self, kind: str, text: str) -> bytes:
        """Return the 32 bytes that stand for a text; another kind gives others for the same text."""
        maker = HMAC(self.secret, self._hash())
        maker.update(f"{kind}\0{text}".encode())
        return maker.finalize()

    def derive(self, name: str) -> "Keyed":
        """Return another secret, such as a project's: codes made with the two cannot be linked."""
        return Keyed(secret=self.code("derive", name), digest=self.digest)

    def _hash(self) -> HashAlgorithm:
        return SHA256() if self.digest == "sha256" else SM3()
