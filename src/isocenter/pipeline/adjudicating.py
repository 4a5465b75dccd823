"""What readers dispute is decided by somebody: the queue, and each decision with who, when and why."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from isocenter.case import Dataset, Entry, Outline, Reading
from isocenter.errors import InputError, NotFoundError
from isocenter.image import LabelTable
from isocenter.intake.labelling.amend import ADJUDICATED, amended
from isocenter.intake.labelling.asked import doubts
from isocenter.intake.labelling.dispute import disputes
from isocenter.intake.labelling.imports.masks import open_mask
from isocenter.intake.labelling.settle import facts_of
from isocenter.intake.labelling.version import Answer, with_answers
from isocenter.pipeline.ground import Place, opened
from isocenter.pipeline.labelled import Labelled, opener, readers_in, saved, table_of
from isocenter.result import Item
from isocenter.store import Store

STEP = "label_adjudicate"


def adjudicate(
    name: str,
    case: str = "",
    *,
    take: str = "",
    mask: Path | None = None,
    answers: tuple[str, ...] = (),
    why: str = "",
    readers: tuple[str, ...] = (),
    store: Place = None,
) -> Labelled:
    """Return the cases that readers dispute, the most disputed first; or decide one of them.

    What is decided becomes the annotation "adjudicated" of the case, which stands before a consensus and before any
    reader's, and facts called "agreed-QUESTION". Who decided, when and why stand in the receipt.

    Args:
        name: Name or id of a data set.
        case: The case to decide; empty for the queue.
        take: The reader (or "consensus:RULE") whose answer is taken.
        mask: A label image drawn anew, NIfTI or PNG, in place of that reader's.
        answers: What is answered otherwise, such as "nodule.kind=solid" or "nodule=no".
        why: The reason; write no name into it.
        readers: For the queue: whose answers count; all where none is named.
        store: Where the data set is kept.

    Raises:
        NotFoundError: There is no such data set, case or reader's answer.
        InputError: A decision without a reason or without an answer, or an answer that cannot be.
        GridError: A mask on another grid than the image.
        StoreError: The store cannot be used.
    """
    if not case:
        return _queue(name, readers, store)
    if not why.strip():
        raise InputError("Say why with --why; it is kept with your account and the time.")
    if not (take or mask or answers):
        raise InputError("Say what is right: a reader's answer with --take, --mask FILE, or --answer QUESTION=WORD.")
    with opened(store) as house, house.hold(f"dataset:{house.datasets.find(name).name}"):
        dataset = house.datasets.get(name)
        entry = dataset.entry(case)
        taken, outline = _taken(dataset, entry, take)
        items: tuple[Item, ...] = ()
        if mask is not None:
            outline, item = _drawn(house, dataset, entry, Path(mask))
            items = (item,)
        reading = replace(amended(taken, answers, dataset.schema), image=next(iter(entry.volumes.values())))
        facts = {} if dataset.schema is None else facts_of(reading, dataset.schema)
        decided = None if outline is None else replace(outline, reader=ADJUDICATED, how="adjudicated")
        answer = Answer(case=entry.id, reading=reading, outline=decided, facts=facts)
        new = with_answers(dataset, [answer], table=dataset.table, schema=dataset.schema, over=True)
        told = {"name": dataset.name, "case": case, "take": take, "answers": list(answers), "why": why.strip()}
        receipt = saved(house, dataset, new, step=STEP, inputs=items, facts=told | {"mask": mask is not None})
        return Labelled(step=STEP, name=new.name, dataset=new.id, fields={
            "queue": None, "decisions": _decisions(house, new.name)[:1], "receipt": receipt
        })  # fmt: skip


def _queue(name: str, readers: tuple[str, ...], store: Place) -> Labelled:
    with opened(store) as house:
        dataset = house.datasets.get(name)
        wanted = readers_in(dataset, readers)
        found = disputes(
            dataset.entries, dataset.schema, opener(house, dataset, readers=wanted), readers=wanted
        )  # fmt: skip
        rows = [
            {"case": one.case, "share": round(one.share, 4), "about": list(one.about), "readers": list(one.readers)}
            for one in found
        ]
        return Labelled(
            step=STEP, name=dataset.name, dataset=dataset.id,
            issues=tuple(doubts(dataset.entries, readers=wanted)),
            fields={"queue": rows, "decisions": _decisions(house, dataset.name), "receipt": None},
        )  # fmt: skip


def _decisions(house: Store, name: str) -> list[dict[str, Any]]:
    """Return what was decided in a data set's versions, the newest first: which case, by whom, when and why."""
    found = [receipt for _, receipt in house.receipts.of_step(STEP) if receipt.facts.get("name") == name]
    return [
        {
            "case": one.facts["case"], "who": one.who, "at": one.at, "why": one.facts["why"], "take": one.facts["take"],
            "answers": one.facts["answers"], "mask": one.facts["mask"],
        }
        for one in found
    ]  # fmt: skip


def _taken(dataset: Dataset, entry: Entry, take: str) -> tuple[Reading | None, Outline | None]:
    """Return a reader's answer and outlines; what stands now where nobody is named.

    Raises:
        NotFoundError: This reader has said nothing of the case.
    """
    word = take or ADJUDICATED
    reading = next((one for one in entry.readings if one.reader == word), None)
    outline = next((one for one in entry.outlines if one.reader == word), None)
    if take and reading is None and outline is None:
        there = sorted({who for who, _ in entry.said})
        raise NotFoundError(f"{take!r} has said nothing of case {entry.id}. There are: {', '.join(there) or 'none'}.")
    return reading, outline


def _drawn(house: Store, dataset: Dataset, entry: Entry, path: Path) -> tuple[Outline, Item]:
    table: LabelTable = table_of(dataset)
    mask, digest = open_mask(path, table, house.get_volume(next(iter(entry.volumes.values()))))
    kept = house.put_mask(mask)
    outline = Outline(reader=ADJUDICATED, digest=kept, how="adjudicated", present=mask.present)
    return outline, Item(name=f"labels:{entry.id}", digest=digest)
