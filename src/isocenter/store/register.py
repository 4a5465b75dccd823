"""The register of sources: what each grants, as the newest receipt says that was sealed of it."""

import hashlib
from dataclasses import dataclass

from isocenter.case import Grant
from isocenter.errors import InputError, NotFoundError, SealError
from isocenter.plugins import did_you_mean
from isocenter.result import Item, Receipt, canonical
from isocenter.store.receipts import Receipts

STEP = "source"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """One statement of what a source grants.

    Args:
        receipt: Digest of the receipt that holds it.
        at, who: When it was made and by whom.
    """

    grant: Grant
    receipt: str
    at: str
    who: str

    @property
    def item(self) -> Item:
        """The statement as other receipts name it."""
        return grant_item(self.grant, receipt=self.receipt)


class Register:
    """Sources by their ids. It has no files of its own: what counts is signed, and what was said before stays."""

    def __init__(self, receipts: Receipts) -> None:
        self._receipts = receipts

    def get(self, id_: str) -> Registered:
        """Return what a source grants now.

        Raises:
            NotFoundError: It is not in the register.
            SealError: A statement was changed.
        """
        found = self.history(id_)
        if not found:
            known = [row.grant.id for row in self.rows()]
            told = did_you_mean(id_, known) if known else f"Note it with `isocenter source add {id_}`."
            raise NotFoundError(f"There is no source {id_!r} in the register. {told}")
        return found[0]

    def history(self, id_: str) -> tuple[Registered, ...]:
        """Return everything that was ever stated of a source, the newest first.

        Raises:
            SealError: A statement was changed.
        """
        return tuple(row for row in self._all() if row.grant.id == id_)

    def rows(self) -> tuple[Registered, ...]:
        """Return what each source grants now, by id.

        Raises:
            SealError: A statement was changed.
        """
        newest = {row.grant.id: row for row in reversed(self._all())}
        return tuple(newest[id_] for id_ in sorted(newest))

    def _all(self) -> tuple[Registered, ...]:
        return tuple(_registered(digest, receipt) for digest, receipt in self._receipts.of_step(STEP))


def grant_item(grant: Grant, *, receipt: str = "") -> Item:
    """Return a grant as a receipt names it."""
    digest = hashlib.sha256(canonical(grant.to_document())).hexdigest()
    return Item(name=f"grant:{grant.id}", digest=digest, receipt=receipt)


def _registered(digest: str, receipt: Receipt) -> Registered:
    try:
        grant = Grant.from_document(receipt.facts)
    except (InputError, TypeError) as error:
        raise SealError(f"Receipt {digest[:16]}… states a source in a form that is not known here.") from error
    return Registered(grant=grant, receipt=digest, at=receipt.at, who=receipt.who)
