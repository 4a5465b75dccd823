"""What the source of cases lets be done with them: licence or legal basis, uses, until when."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal, Self

from isocenter.errors import InputError
from isocenter.plugins import did_you_mean

Use = Literal["training", "evaluation", "sharing"]
USES: tuple[Use, ...] = ("training", "evaluation", "sharing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What one source of cases grants, as the register states it.

    Args:
        id: The source's word in the register, such as "ward-3-2026".
        name: Of the collection.
        origin: Who gave it, and where it is described.
        licence: SPDX identifier, or the words of a licence.
        basis: Legal basis, or consent and its form, such as "consent form 3 of 2026-02-01".
        scope: Uses that are granted, of USES; all where none is named.
        expires: Last day of use, ISO 8601; empty for no end.
        withdrawn: Day of withdrawal, ISO 8601; empty where it holds.
        terms: What whoever uses the cases must do or leave.

    Raises:
        InputError: A use that there is not, a day that is none, an id that is no plain word, or neither licence,
            basis nor terms.
    """

    id: str
    name: str = ""
    origin: str = ""
    licence: str = ""
    basis: str = ""
    scope: tuple[str, ...] = ()
    expires: str = ""
    withdrawn: str = ""
    terms: str = ""

    def __post_init__(self) -> None:
        if not self.id.replace("-", "").replace("_", "").replace(".", "").isalnum() or len(self.id) > 64:
            raise InputError(f"{self.id!r} cannot name a source: letters, digits, '-', '_' and '.', 64 at most.")
        for use in self.scope:
            if use not in USES:
                raise InputError(f"There is no use {use!r}. {did_you_mean(use, list(USES))}")
        for told, day in (("expires", self.expires), ("withdrawn", self.withdrawn)):
            if day and not _is_day(day):
                raise InputError(f"{told}: {day!r} is no day; write it as 2026-12-31.")
        if not (self.licence or self.basis or self.terms):
            raise InputError(
                f"Source {self.id!r}: say on what ground its cases may be used, with --licence, --basis or --terms."
            )

    @property
    def ground(self) -> str:
        """Licence, basis and terms in one line."""
        return "; ".join(text for text in (self.licence, self.basis, self.terms) if text)

    def state(self, day: str) -> str:
        """Return "withdrawn", "expired" or "in force" on a day, ISO 8601."""
        if self.withdrawn and self.withdrawn <= day:
            return "withdrawn"
        return "expired" if self.expires and self.expires < day else "in force"

    def objection(self, use: Use, *, day: str) -> str:
        """Return why cases may not be put to a use on a day, in a clause; empty where they may."""
        state = self.state(day)
        if state == "withdrawn":
            return f"what source {self.id!r} granted was withdrawn on {self.withdrawn}"
        if state == "expired":
            return f"what source {self.id!r} granted ended on {self.expires}"
        if self.scope and use not in self.scope:
            return f"source {self.id!r} grants {', '.join(self.scope)}, not {use}"
        return ""

    def to_document(self) -> dict[str, Any]:
        """Return the grant as plain JSON values."""
        return asdict(self) | {"scope": list(self.scope)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the grant that `to_document` described.

        Raises:
            InputError, TypeError: Not such a document.
        """
        return cls(**(dict(document) | {"scope": tuple(document.get("scope", ()))}))


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
