"""A test side that was frozen: who stands on it never trains anything again, under whatever name."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from isocenter.case.dataset import Dataset, Entry
from isocenter.case.person import persons_of

Sign = Literal["name", "image"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """One decision to freeze a test side.

    Args:
        dataset, version: Name and id of the version whose test side it was.
        patients: Pseudonyms.
        images: Digests of every volume of these patients.
        purpose: Why.
    """

    dataset: str
    version: str
    patients: frozenset[str]
    images: frozenset[str]
    purpose: str

    @classmethod
    def of(cls, version: Dataset, *, purpose: str) -> Self:
        """Return the freeze of a version's test side.

        Raises:
            SplitError: The version has no split.
        """
        entries = version.on_side("test")
        return cls(
            dataset=version.name, version=version.id, purpose=purpose,
            patients=frozenset(entry.patient for entry in entries),
            images=frozenset(digest for entry in entries for digest in entry.volumes.values()),
        )  # fmt: skip

    def to_document(self) -> dict[str, Any]:
        """Return the freeze as plain JSON values."""
        return {
            "dataset": self.dataset, "version": self.version, "purpose": self.purpose,
            "patients": sorted(self.patients), "images": sorted(self.images),
        }  # fmt: skip

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the freeze that `to_document` described.

        Raises:
            KeyError, TypeError: Not such a document.
        """
        patients, images = (frozenset(map(str, document[key])) for key in ("patients", "images"))
        told = {key: str(document[key]) for key in ("dataset", "version", "purpose")}
        return cls(patients=patients, images=images, **told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """A patient of some version who was frozen.

    Args:
        sign: What gave them away: their name, or an image that a frozen patient holds.
        dataset: Name of the data set whose test side was frozen.
    """

    patient: str
    sign: Sign
    dataset: str


def frozen_among(entries: Sequence[Entry], freezes: Iterable[Freeze]) -> tuple[Frozen, ...]:
    """Return the patients of some cases who were frozen, by their names; each once.

    Whoever shares an image with a frozen patient of these cases is that person too (see persons_of).
    """
    persons = persons_of(entries)
    found: dict[str, Frozen] = {}
    signs: tuple[Sign, ...] = ("name", "image")
    for freeze in freezes:
        known = {persons[entry.patient] for entry in entries if _is_of(entry, freeze)}
        for patient in (patient for patient, person in persons.items() if person in known):
            sign = signs[patient not in freeze.patients]
            if patient not in found or (sign, found[patient].sign) == signs:
                found[patient] = Frozen(patient=patient, sign=sign, dataset=freeze.dataset)
    return tuple(found[patient] for patient in sorted(found))


def _is_of(entry: Entry, freeze: Freeze) -> bool:
    return entry.patient in freeze.patients or not freeze.images.isdisjoint(entry.volumes.values())
