"""What is decided for good, and kept as receipts alone: names that always mean one version, and frozen test sides.

A ledger has no files of its own, as the register of sources has none: what counts is signed, and nothing is taken back.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from isocenter.case import Freeze
from isocenter.errors import SealError
from isocenter.result import Item, Receipt, canonical
from isocenter.store.receipts import Receipts

PIN = "pin"
FREEZE = "freeze"
AT = "@"
"""Between a data set's name and the word of a pin."""

_Kept = TypeVar("_Kept")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A word that means one version of a data set, whatever comes after it.

    Args:
        dataset: Name of the data set.
        word: What stands behind the "@".
        version: Id of the version.
        receipt, at, who: Of the receipt that says so; empty before it is sealed.
    """

    dataset: str
    word: str
    version: str
    receipt: str = ""
    at: str = ""
    who: str = ""

    @property
    def name(self) -> str:
        """The whole name, such as "hippocampus@paper"."""
        return f"{self.dataset}{AT}{self.word}"

    def to_document(self) -> dict[str, str]:
        """Return what a receipt's facts say of it."""
        return {"dataset": self.dataset, "word": self.word, "version": self.version}

    @property
    def item(self) -> Item:
        """The pin as its receipt names it; its digest is not the version's, which another receipt made."""
        return Item(name=f"pin:{self.name}", digest=_digest(self.to_document()))


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeRow:
    """A freeze as it was sealed."""

    freeze: Freeze
    receipt: str
    at: str
    who: str


class Ledgers:
    """Pins and freezes, as the receipts say."""

    def __init__(self, receipts: Receipts) -> None:
        self._receipts = receipts

    def pins(self) -> tuple[Pin, ...]:
        """Return every pin, the newest first.

        Raises:
            SealError: A receipt was changed, or is gone.
        """
        return tuple(_read(digest, receipt, _pin) for digest, receipt in self._receipts.of_step(PIN))

    def pin(self, name: str) -> Pin | None:
        """Return the pin of a whole name such as "hippocampus@paper"; None where there is none.

        Were a name pinned twice, by two processes at once, the first one would count: a pin never moves.

        Raises:
            SealError: A receipt was changed, or is gone.
        """
        return next((pin for pin in reversed(self.pins()) if pin.name == name), None) if AT in name else None

    def words(self) -> dict[tuple[str, str], tuple[str, ...]]:
        """Return the words that mean each pinned version, by name of the data set and id; the oldest first.

        Raises:
            SealError: A receipt was changed, or is gone.
        """
        found: dict[tuple[str, str], list[str]] = {}
        for pin in reversed(self.pins()):
            found.setdefault((pin.dataset, pin.version), []).append(pin.word)
        return {version: tuple(words) for version, words in found.items()}

    def freezes(self) -> tuple[FreezeRow, ...]:
        """Return every freeze, the newest first.

        Raises:
            SealError: A receipt was changed, or is gone.
        """
        return tuple(_read(digest, receipt, _freeze) for digest, receipt in self._receipts.of_step(FREEZE))


def freeze_item(freeze: Freeze) -> Item:
    """Return a freeze as its receipt names it."""
    return Item(name=f"frozen:{freeze.dataset}", digest=_digest(freeze.to_document()))


def _read(digest: str, receipt: Receipt, read: Callable[[str, Receipt], _Kept]) -> _Kept:
    try:
        return read(digest, receipt)
    except (KeyError, TypeError) as error:
        raise SealError(
            f"Receipt {digest[:16]}… of step {receipt.step!r} has a form that is not known here."
        ) from error


def _pin(digest: str, receipt: Receipt) -> Pin:
    told = {key: str(receipt.facts[key]) for key in ("dataset", "word", "version")}
    return Pin(**told, receipt=digest, at=receipt.at, who=receipt.who)


def _freeze(digest: str, receipt: Receipt) -> FreezeRow:
    return FreezeRow(freeze=Freeze.from_document(receipt.facts), receipt=digest, at=receipt.at, who=receipt.who)


def _digest(document: dict[str, Any]) -> str:
    return hashlib.sha256(canonical(document)).hexdigest()
