"""What the steps on readers' answers stand on: outlines opened reader by reader, and the next version, sealed."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from isocenter.case import UNSIGNED, Dataset, Entry
from isocenter.errors import InputError
from isocenter.image import LabelTable, Mask
from isocenter.intake.issue import Issue
from isocenter.intake.labelling.asked import AGREED, Opened, Opener
from isocenter.pipeline.ground import dataset_item, now, seal
from isocenter.pipeline.outcome import issue_document
from isocenter.pipeline.public import document
from isocenter.result import Check, Item
from isocenter.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """What a step on readers' answers found or made.

    Args:
        step: "label_import" and the like.
        name: Of the data set.
        dataset: Id of the version: the new one, where one was made.
        issues: What is wrong or doubtful.
        fields: What belongs to the step.
    """

    step: str
    name: str
    dataset: str
    issues: tuple[Issue, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the public document of a command of `label`."""
        issues = [issue_document(issue) for issue in self.issues]
        return document(self.step, name=self.name, dataset=self.dataset, issues=issues, **self.fields)


def readers_in(dataset: Dataset, readers: Collection[str]) -> tuple[str, ...]:
    """Return the readers that were named, each known to the version.

    Raises:
        InputError: One is not.
    """
    known = own_readers(dataset)
    for reader in readers:
        if reader not in known:
            raise InputError(
                f"{reader!r} has said nothing in data set {dataset.name!r}. Its readers: {_listed(known)}."
            )
    return tuple(dict.fromkeys(readers))


def own_readers(dataset: Dataset) -> tuple[str, ...]:
    """Return everybody who has said something, consensus and adjudication left out."""
    return tuple(sorted({who for entry in dataset.entries for who, how in entry.said if how not in AGREED}))


def opener(house: Store, dataset: Dataset, *, readers: Collection[str] = ()) -> Opener:
    """Return what opens the readers' own outlines of a case.

    Outlines that nobody signed are a reader's only where fewer than two others outlined, or where they are named.

    Args:
        house: The store.
        dataset: The version.
        readers: Whose outlines are wanted; all where none is named.
    """

    def open_masks(entry: Entry) -> Opened:
        table = dataset.table
        own = [one for one in entry.outlines if one.how not in AGREED and (not readers or one.reader in readers)]
        signed = [one for one in own if one.reader != UNSIGNED]
        own = signed if not readers and len(signed) > 1 else own
        masks: dict[str, Mask] = {}
        if table is not None:
            masks = {one.reader: house.get_mask(one.digest, table=table) for one in own}
        first = next(iter(entry.volumes.values()))
        return Opened(masks=masks, has_size=len(masks) < 2 or house.get_volume(first).has_size)

    return open_masks


def saved(
    house: Store, old: Dataset, new: Dataset, *, step: str, inputs: Iterable[Item] = (),
    checks: Iterable[Check] = (), facts: Mapping[str, Any] | None = None,
) -> str:  # fmt: skip
    """Seal and keep the next version of a data set, and return the receipt's digest.

    Raises:
        StoreError: The store may not be written.
    """
    receipt = seal(
        house, step, inputs=(dataset_item(house, old), *inputs),
        outputs=(Item(name=f"dataset:{new.name}", digest=new.id),), checks=checks, facts=facts,
    )  # fmt: skip
    house.datasets.save(new, at=now())
    return receipt


def table_of(dataset: Dataset) -> LabelTable:
    """Return what the outlines of a version mean.

    Raises:
        InputError: Nothing is outlined.
    """
    if dataset.table is None:
        raise InputError(f"Nobody has outlined anything in data set {dataset.name!r}.")
    return dataset.table


def _listed(names: Collection[str]) -> str:
    return ", ".join(names) or "none"
