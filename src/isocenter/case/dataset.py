"""A version of a data set: which cases, which labels, which split; its id is the hash of all that."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from typing import Any

from isocenter.case.annotation import UNSIGNED, How
from isocenter.case.case import Fact
from isocenter.case.reading import Reading
from isocenter.case.schema import Schema
from isocenter.case.source import Source
from isocenter.case.split import Side, Split
from isocenter.errors import InputError, NotFoundError, SplitError
from isocenter.image import Code, Label, LabelTable, Region
from isocenter.result.receipt import canonical


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One reader's mask as the store keeps it: who, how, the digest of its bytes, which labels occur.

    Args:
        made_on: Entry.image as it was when the outline was made, where that is another one by now; empty where it was
            made on the image beside which it stands.
    """

    reader: str
    digest: str
    how: How = "unknown"
    present: tuple[int, ...] = ()
    made_on: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A case as a data set lists it: volumes and outlines by the digest of their bytes in the store.

    Args:
        source: Id in the register of sources; empty where nobody said where it comes from.
        readings: What readers said beside outlines, each reader once.

    Raises:
        InputError: Two readings by one reader.
    """

    id: str
    patient: str
    volumes: Mapping[str, str]
    outlines: tuple[Outline, ...] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict)
    day: int | None = None
    source: str = ""
    readings: tuple[Reading, ...] = ()

    def __post_init__(self) -> None:
        readers = [reading.reader for reading in self.readings]
        if len(set(readers)) < len(readers):
            raise InputError(f"Case {self.id}: a reader has read it twice; keep one reading, or name them apart.")

    @property
    def said(self) -> tuple[tuple[str, How], ...]:
        """Who has said something of the case, and how it came about; outlines first."""
        outlined = ((one.reader, one.how) for one in self.outlines)
        return (*outlined, *((one.reader, one.how) for one in self.readings))

    @property
    def image(self) -> str:
        """What outlines of the case are made on: the digest of its volume; of several, one over all of theirs."""
        digests = tuple(self.volumes.values())
        return digests[0] if len(digests) == 1 else hashlib.sha256(canonical(dict(self.volumes))).hexdigest()

    def renamed(self, name: Callable[[str], str]) -> "Entry":
        """Return the same case with its patient and its readers under other names."""
        outlines = (one if one.reader == UNSIGNED else replace(one, reader=name(one.reader)) for one in self.outlines)
        readings = (one if one.reader == UNSIGNED else replace(one, reader=name(one.reader)) for one in self.readings)
        return replace(
            self, id=name(self.id), patient=name(self.patient), outlines=tuple(outlines), readings=tuple(readings)
        )

    def to_document(self) -> dict[str, Any]:
        """Return the entry as nested plain JSON values; what is said of few cases is left out of the others."""
        document = asdict(self)
        for name in ("source", "readings"):
            if not document[name]:
                del document[name]
        for outline in document["outlines"]:
            if not outline["made_on"]:
                del outline["made_on"]
        return document


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """What the volumes of one role went through before they came into a version.

    Args:
        steps: In order, everything learnt written out (see processing.restoration.Chain).
        unit: That they were in before.
    """

    steps: tuple[Mapping[str, Any], ...]
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A version of a data set. Cases are listed, not held: the store loads one at a time.

    Args:
        name: What people call it; not part of the id.
        entries: Its cases, in the order of their ids.
        table: What the labels mean; None where nothing is labelled.
        split: None where there are too few patients to split; such a set can be evaluated on, not learnt from.
        left_out: Things that were found and not taken in, each with the reason.
        schema: What readers were asked; None where nobody was.
        prepared: By role, what its volumes have gone through; empty where they are as they were taken in.

    Raises:
        InputError: No case, or two cases of one id.
        SplitError: The split speaks of other patients than the cases do.
    """

    name: str
    entries: tuple[Entry, ...]
    table: LabelTable | None
    split: Split | None
    source: Source = field(default_factory=Source)
    left_out: tuple[str, ...] = ()
    schema: Schema | None = None
    prepared: Mapping[str, Preparation] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.entries:
            raise InputError(f"Data set {self.name!r} holds no case.")
        entries = tuple(sorted(self.entries, key=lambda entry: entry.id))
        ids = [entry.id for entry in entries]
        twice = next((a for a, b in pairwise(ids) if a == b), None)
        if twice is not None:
            raise InputError(f"Two cases of data set {self.name!r} are called {twice!r}.")
        object.__setattr__(self, "entries", entries)
        if self.split is not None and set(self.split.sides) != {entry.patient for entry in entries}:
            raise SplitError(f"The split of data set {self.name!r} does not speak of its patients.")

    @property
    def id(self) -> str:
        """sha256 in hex of the contents; the name is not part of it."""
        document = self.to_document()
        del document["name"]
        return hashlib.sha256(canonical(document)).hexdigest()

    @property
    def sources(self) -> Mapping[str, int]:
        """How many cases come from each source of the register, by its id; from "" where nobody said."""
        return dict(sorted(Counter(entry.source for entry in self.entries).items()))

    @property
    def steps(self) -> Mapping[str, tuple[Mapping[str, Any], ...]]:
        """By role, the steps that its volumes have gone through; empty where they are as they were taken in."""
        return {role: one.steps for role, one in self.prepared.items()}

    def on_side(self, side: Side, *, fold: int | None = None) -> tuple[Entry, ...]:
        """Return the cases of a side (see Split.patients).

        Raises:
            SplitError: The data set has no split, or no such fold.
        """
        if self.split is None:
            raise SplitError(f"Data set {self.name!r} has too few patients for a split.")
        patients = self.split.patients(side, fold=fold)
        return tuple(entry for entry in self.entries if entry.patient in patients)

    def entry(self, case_id: str) -> Entry:
        """Return one case's entry.

        Raises:
            NotFoundError: There is none of that id.
        """
        for entry in self.entries:
            if entry.id == case_id:
                return entry
        raise NotFoundError(f"Data set {self.name!r} has no case {case_id!r}.")

    def renamed(self, name: Callable[[str], str]) -> "Dataset":
        """Return the same cases, patients and readers under other names; that is another version.

        Args:
            name: From an id to another, each its own.
        """
        entries = tuple(entry.renamed(name) for entry in self.entries)
        return replace(self, entries=entries, split=None if self.split is None else self.split.renamed(name))

    def to_document(self) -> dict[str, Any]:
        """Return the version as nested plain JSON values; that nothing was prepared is left out."""
        document = asdict(self)
        document["entries"] = [entry.to_document() for entry in self.entries]
        if self.schema is None:  # said only where there is one: the ids of all other versions stay as they were
            del document["schema"]
        for one in document["prepared"].values():
            one["steps"] = list(one["steps"])
        if not self.prepared:
            del document["prepared"]
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Dataset":
        """Return the data set that `to_document` described.

        Raises:
            KeyError, TypeError: Not such a document.
        """
        split = document["split"]
        return cls(
            name=document["name"],
            entries=tuple(_entry(entry) for entry in document["entries"]),
            table=None if document["table"] is None else table_from(document["table"]),
            split=None if split is None else Split(**split),
            source=Source(**document["source"]),
            left_out=tuple(document["left_out"]),
            schema=Schema.from_document(document["schema"]) if "schema" in document else None,
            prepared={
                role: Preparation(steps=tuple(one["steps"]), unit=one["unit"])
                for role, one in document.get("prepared", {}).items()
            },
        )


def table_from(document: Mapping[str, Any]) -> LabelTable:
    """Return the label table that `dataclasses.asdict` described.

    Raises:
        LabelError: The labels cannot be.
        KeyError, TypeError: Not such a document.
    """
    labels = tuple(
        Label(
            value=label["value"],
            name=label["name"],
            code=None if label["code"] is None else Code(**label["code"]),
            colour=tuple(label["colour"]),
        )
        for label in document["labels"]
    )
    regions = tuple(Region(name=r["name"], values=tuple(r["values"])) for r in document["regions"])
    return LabelTable(labels=labels, regions=regions, ignore=document["ignore"])


def _entry(document: Mapping[str, Any]) -> Entry:
    outlines = tuple(Outline(**(dict(o) | {"present": tuple(o["present"])})) for o in document["outlines"])
    facts = {name: Fact(**fact) for name, fact in document["facts"].items()}
    readings = tuple(Reading.from_document(reading) for reading in document.get("readings", ()))
    return Entry(**(dict(document) | {"outlines": outlines, "facts": facts, "readings": readings}))
