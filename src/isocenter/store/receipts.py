"""Receipts: signed, kept for good, found by what they speak of."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import insert, select

from isocenter.errors import NotFoundError, SealError
from isocenter.result import Receipt
from isocenter.security import Keys, PublicKey, read_envelope, seal_statement
from isocenter.store.catalogue import MENTIONS, RECEIPTS, Catalogue
from isocenter.store.files import Files, LocalFiles

SIGNER = "signer.pem"
FOLDER = "receipts"
_REMOVE = "remove"
_AT_ONCE = 500  # things that one question names: databases take about a thousand


class Receipts:
    """The envelopes of a store, in receipts/<digest>.json."""

    def __init__(self, files: Files, *, catalogue: Catalogue, keys: Keys) -> None:
        self._files = files
        self._catalogue = catalogue
        self._keys = keys

    @property
    def key(self) -> PublicKey:
        """The key that checks every receipt of this store."""
        return self._keys.public

    def seal(self, receipt: Receipt) -> str:
        """Sign a receipt, keep it, and return its digest. The same receipt may be sealed again.

        Raises:
            StoreError: The disk is full, or the store may not be written.
        """
        digest = receipt.digest
        self._files.write(_name(digest), [seal_statement(receipt.to_statement(), keys=self._keys)])
        removed = receipt.inputs if receipt.step == _REMOVE else ()
        mentions = [{"digest": item.digest, "receipt": digest, "how": "made"} for item in receipt.outputs]
        mentions += [{"digest": item.digest, "receipt": digest, "how": "removed"} for item in removed]
        with self._catalogue.begin() as connection:
            if connection.execute(select(RECEIPTS).where(RECEIPTS.c.digest == digest)).first() is None:
                connection.execute(insert(RECEIPTS).values(digest=digest, step=receipt.step, at=receipt.at))
                if mentions:
                    connection.execute(insert(MENTIONS), mentions)
        return digest

    def envelope(self, digest: str) -> bytes:
        """Return a receipt's envelope as it is kept.

        Raises:
            NotFoundError: There is none of that digest.
        """
        return self._files.read(_name(digest))

    def get(self, digest: str) -> Receipt:
        """Return a receipt, its signature and its digest checked.

        Raises:
            NotFoundError: There is none of that digest.
            SealError: It was changed.
        """
        return opened(self.envelope(digest), digest=digest, key=self.key)

    def maker(self, output: str) -> str | None:
        """Return the digest of the newest receipt of the making of a thing; None where none speaks of it."""
        return self._newest(output, how="made")

    def removal(self, thing: str) -> str | None:
        """Return the digest of the newest receipt of a thing's removal; None where none speaks of it."""
        return self._newest(thing, how="removed")

    def makers(self, things: Iterable[str], *, step: str) -> dict[str, str]:
        """Return thing to the newest receipt of its making in a step; things that none speaks of are left out."""
        digests, found = list(things), dict[str, str]()
        made = (MENTIONS.c.how == "made") & (RECEIPTS.c.step == step)
        joined = select(MENTIONS.c.digest, MENTIONS.c.receipt).join(RECEIPTS, RECEIPTS.c.digest == MENTIONS.c.receipt)
        with self._catalogue.begin() as connection:
            for first in range(0, len(digests), _AT_ONCE):
                asked = joined.where(made, MENTIONS.c.digest.in_(digests[first : first + _AT_ONCE]))
                found |= {row.digest: row.receipt for row in connection.execute(asked.order_by(MENTIONS.c.number))}
        return found

    def of_step(self, step: str) -> tuple[tuple[str, Receipt], ...]:
        """Return every receipt of a step with its digest, the newest first.

        Raises:
            SealError: One was changed, or is gone.
        """
        asked = select(RECEIPTS.c.digest).where(RECEIPTS.c.step == step).order_by(RECEIPTS.c.number.desc())
        with self._catalogue.begin() as connection:
            digests = [str(row.digest) for row in connection.execute(asked)]
        try:
            return tuple((digest, self.get(digest)) for digest in digests)
        except NotFoundError as error:
            raise SealError(f"A receipt of step {step!r} is gone. ({error})") from error

    def find(self, prefix: str) -> str:
        """Return the whole digest of a receipt that is kept, by its first digits.

        Raises:
            NotFoundError: None, or several, begin so.
        """
        asked = select(RECEIPTS.c.digest).where(RECEIPTS.c.digest.startswith(prefix, autoescape=True)).limit(2)
        with self._catalogue.begin() as connection:
            found = [str(row.digest) for row in connection.execute(asked)]
        if len(found) != 1:
            raise NotFoundError(f"{'Several receipts begin' if found else 'No receipt begins'} with {prefix!r}.")
        return found[0]

    def chain(self, digest: str) -> tuple[str, ...]:
        """Return the digests of a receipt and of every receipt behind it, the newest first, each once.

        Raises:
            NotFoundError: One of them is gone.
            SealError: One of them was changed.
        """
        found = [digest]
        for one in found:  # grows while it is walked
            behind = (item.receipt for item in self.get(one).inputs)
            found += [further for further in dict.fromkeys(behind) if further and further not in found]
        return tuple(found)

    def export(self, digest: str, folder: Path) -> tuple[str, ...]:
        """Write a receipt and every one behind it to folder/receipts, with the key that checks them.

        Returns:
            Their digests, the newest first.

        Raises:
            NotFoundError: One of them is gone.
            SealError: One of them was changed, or another store's key has sealed the folder.
            StoreError: The folder cannot be written.
        """
        digests = self.chain(digest)
        there = LocalFiles(folder / FOLDER)
        if there.has(SIGNER) and there.read(SIGNER) != self.key.to_pem():
            raise SealError(
                f"{folder.name} was sealed by another store's key, and a folder has one signer. "
                "Name the store that made it with --store."
            )
        for one in digests:
            there.write(f"{one}.json", [self.envelope(one)])
        there.write(SIGNER, [self.key.to_pem()])
        there.tidy()
        return digests

    def _newest(self, thing: str, *, how: str) -> str | None:
        asked = select(MENTIONS.c.receipt).where(MENTIONS.c.digest == thing, MENTIONS.c.how == how)
        with self._catalogue.begin() as connection:
            found = connection.execute(asked.order_by(MENTIONS.c.number.desc())).first()
        return None if found is None else str(found.receipt)


def opened(envelope: bytes, *, digest: str, key: PublicKey) -> Receipt:
    """Return the receipt in an envelope whose digest and signature hold.

    Raises:
        SealError: One of them does not.
    """
    named = f"Receipt {digest[:16]}…:"
    try:
        statement = read_envelope(envelope, key=key)
    except SealError as error:
        raise SealError(f"{named} {error}") from error
    try:
        receipt = Receipt.from_statement(statement)
    except (ValueError, KeyError, TypeError) as error:
        raise SealError(f"{named} it holds another kind of statement than isocenter writes.") from error
    found = hashlib.sha256(statement).hexdigest()
    if found != digest:
        raise SealError(f"{named} under its name lies receipt {found[:16]}…; one was put in place of another.")
    if receipt.to_statement() != statement:
        raise SealError(f"{named} it says more than this isocenter reads. Upgrade isocenter to check it.")
    return receipt


def _name(digest: str) -> str:
    return f"{FOLDER}/{digest}.json"
