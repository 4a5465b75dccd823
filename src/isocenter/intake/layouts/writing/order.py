"""What a form is asked to write, and what it has written."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from isocenter.case import Case, Dataset, Entry, Grant, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A data set that is to be written.

    Args:
        dataset: Which version.
        case: Opens one of its cases.
        version: Id of the version as the store keeps it, where what is written bears other names; else empty.
        grants: What the sources of its cases grant.
        progress: Told (cases done, cases in all).
    """

    dataset: Dataset
    case: Callable[[Entry], Case] = field(repr=False)
    version: str = ""
    grants: tuple[Grant, ...] = ()
    progress: Callable[[int, int], None] | None = field(default=None, repr=False)

    @property
    def id(self) -> str:
        """Id of the version in the store."""
        return self.version or self.dataset.id

    def cases(self) -> Iterator[tuple[Entry, Case]]:
        """Open the cases one after the other."""
        entries = self.dataset.entries
        for place, entry in enumerate(entries, 1):
            yield entry, self.case(entry)
            if self.progress is not None:
                self.progress(place, len(entries))

    def side(self, entry: Entry) -> Side | None:
        """Return the side of the split that a case's patient is on, None where there is no split."""
        split = self.dataset.split
        return None if split is None else split.sides[entry.patient]

    def fold(self, entry: Entry) -> int | None:
        """Return the fold of a case's patient, None on the test side."""
        split = self.dataset.split
        return None if split is None else split.folds.get(entry.patient)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a form holds of a data set.

    Args:
        cases: Case to its files, as names in the folder.
        notes: What the form cannot hold, or holds otherwise, in sentences.
    """

    cases: Mapping[str, Sequence[str]]
    notes: tuple[str, ...] = ()


class Writer(Protocol):
    """How a form is written."""

    def __call__(self, order: Order, folder: Path) -> Written:
        """Write the data set into a folder that is there and empty.

        Raises:
            InputError: The form cannot hold such a data set; the message says which can.
            FileError: The folder cannot be written.
        """
        ...


_LOST = {
    "pictures": "{} case(s) hold pictures. NIfTI knows volumes only: they come back as stacks of one slice.",
    "sizes": "In {} case(s) nobody stated how large a pixel is. NIfTI must say it, and says 1 mm.",
}


def lost_in_nifti(case: Case) -> set[str]:
    """Return words for what NIfTI cannot say of a case's volumes, for nifti_notes."""
    volumes = case.volumes.values()
    found = {"pictures": any(one.is_planar for one in volumes), "sizes": not all(one.has_size for one in volumes)}
    return {word for word, is_lost in found.items() if is_lost}


def nifti_notes(lost: Counter[str]) -> tuple[str, ...]:
    """Return a sentence for each thing that NIfTI lost, with the number of cases."""
    return tuple(told.format(lost[word]) for word, told in _LOST.items() if lost[word])
