"""The keys of a store: one pair that signs (Ed25519), one secret that makes pseudonyms (HMAC-SHA-256).

Sources: RFC 8032 (Ed25519), RFC 5958 and RFC 7468 (the PEM forms), RFC 2104 (HMAC).
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from isocenter.errors import SealError, StoreError

_SECRET_BYTES = 32
# 80 bits: a million patients share a pseudonym with a chance below 1 in 10^12
_PSEUDONYM_BYTES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """What a stranger needs to check a signature.

    Args:
        raw: The 32 bytes of an Ed25519 public key.
    """

    raw: bytes

    @property
    def id(self) -> str:
        """Fingerprint: sha256 in hex of the key's DER form, as `openssl pkey -pubin -outform DER | sha256sum` says."""
        der = self._key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return hashlib.sha256(der).hexdigest()

    def to_pem(self) -> bytes:
        """Return the key as a PEM file."""
        return self._key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @classmethod
    def from_pem(cls, pem: bytes) -> Self:
        """Return the key in a PEM file.

        Raises:
            SealError: It holds no Ed25519 public key, or not in the one form that `to_pem` writes.
        """
        try:
            loaded = load_pem_public_key(pem)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise SealError("The signer's key cannot be read: it was changed, or is no public key.") from error
        if not isinstance(loaded, Ed25519PublicKey):
            raise SealError("The signer's key is no Ed25519 key.")
        key = cls(raw=loaded.public_bytes(Encoding.Raw, PublicFormat.Raw))
        if key.to_pem() != pem:  # one key, one form: no byte of the file is free to change
            raise SealError("The signer's key was changed after it was written.")
        return key

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Return whether the signature is this key's on that message."""
        try:
            self._key().verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def _key(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.raw)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The private side: signs statements and makes pseudonyms. Nothing of it shows in a repr."""

    signing: Ed25519PrivateKey = field(repr=False)
    secret: bytes = field(repr=False)

    @classmethod
    def create(cls) -> Self:
        """Return new keys from the system's source of randomness."""
        return cls(signing=Ed25519PrivateKey.generate(), secret=secrets.token_bytes(_SECRET_BYTES))

    @classmethod
    def read(cls, *, signing: bytes, secret: bytes) -> Self:
        """Return the keys that `signing_pem` and `secret` were written from.

        Raises:
            StoreError: They are damaged.
        """
        try:
            loaded = load_pem_private_key(signing, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise StoreError("The store's signing key is damaged; bring its keys folder back from a backup.") from error
        if not isinstance(loaded, Ed25519PrivateKey) or len(secret) != _SECRET_BYTES:
            raise StoreError("The store's keys are not of the kind it was made with; bring them back from a backup.")
        return cls(signing=loaded, secret=secret)

    def signing_pem(self) -> bytes:
        """Return the private signing key as PEM (PKCS #8, not encrypted: its file is for its owner alone)."""
        return self.signing.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def public(self) -> PublicKey:
        """The key that checks what these keys signed."""
        return PublicKey(raw=self.signing.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message, 64 bytes."""
        return self.signing.sign(message)

    def pseudonym(self, identity: str) -> str:
        """Return a file-name-safe word that stands for an identity: the same in this store, another in every other.

        Args:
            identity: What must not be written anywhere, such as a patient's number with its issuer.
        """
        code = hmac.new(self.secret, identity.encode(), hashlib.sha256).digest()[:_PSEUDONYM_BYTES]
        return base64.b32encode(code).decode().lower()
