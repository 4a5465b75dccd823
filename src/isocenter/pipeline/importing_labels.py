"""What readers said elsewhere becomes part of the next version of a data set."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from isocenter.case import Dataset, Entry, Outline, Reading, Schema
from isocenter.errors import LabelError, LayoutError
from isocenter.image import LabelTable, Mask, Volume
from isocenter.intake.issue import Issue, issue_of
from isocenter.intake.labelling.imports import importer_of, recognise
from isocenter.intake.labelling.said import Said, Wanted
from isocenter.intake.labelling.schema import read_schema
from isocenter.intake.labelling.version import Answer, grown, with_answers
from isocenter.pipeline.ground import Place, opened
from isocenter.pipeline.labelled import Labelled, saved
from isocenter.pipeline.publishing import taken_in
from isocenter.result import Check, Item
from isocenter.store import Store

STEP = "label_import"
_NAMED = 12  # problems that a refusal spells out
_INSTANCE = "source:instance:"


def import_labels(
    name: str,
    path: Path,
    *,
    as_: str | None = None,
    reader: str = "",
    schema: Path | None = None,
    blinded: bool | None = None,
    over: bool = False,
    leave_out: bool = False,
    store: Place = None,
) -> Labelled:
    """Take readers' answers in, as annotations of the cases of a data set's next version.

    Args:
        name: Name or id of a data set.
        path: A file or folder of labels: NIfTI or PNG masks, DICOM SEG, RTSTRUCT or SR of TID 1500, COCO, VOC, CSV or
            LIDC XML.
        as_: Its form; None recognises it.
        reader: Who said it, in a word; empty where the files say so.
        schema: A TOML file that says what was asked; None takes that of the version, or what the answers show.
        blinded: Whether the reader saw no other's answers; None where nobody knows.
        over: What a reader said before of a case is replaced.
        leave_out: Take the rest where some cannot be used; else nothing is taken.
        store: Where the data set is kept.

    Raises:
        NotFoundError: There is no such data set.
        LayoutError: No form that is known, or answers that cannot be used; every one is named with what mends it.
        InputError: Answers that do not fit the schema, a reader who spoke before, or nothing new.
        StoreError: The store cannot be used.
    """
    begun = time.monotonic()
    path = Path(path)
    form = as_ or recognise(path)
    stated = None if schema is None else read_schema(Path(schema))
    with opened(store) as house, house.hold(f"dataset:{house.datasets.find(name).name}"):
        dataset = house.datasets.get(name)
        asked = _joined(dataset.schema, stated)
        wanted = _wanted(house, dataset, asked, reader=reader)
        heard = importer_of(form)(path, wanted)
        taken = _Taken(house=house, dataset=dataset, blinded=blinded)
        try:
            taken.take(heard.said)
            taken.require_sound(leave_out=leave_out)
            new = with_answers(
                dataset, taken.answers, table=taken.table, schema=_joined(asked, heard.schema), over=over
            )
            receipt = saved(house, dataset, new, step=STEP, inputs=taken.items, checks=taken.checks, facts={
                "form": heard.form, "reader": reader, "blinded": blinded, "over": over
            })  # fmt: skip
        except BaseException:
            house.datasets.discard(taken.digests)  # Ctrl-C too leaves nothing behind
            raise
    return Labelled(
        step=STEP, name=new.name, dataset=new.id, issues=tuple(taken.issues),
        fields={
            "form": heard.form, "readers": sorted({one.reading.reader for one in taken.answers if one.reading}),
            "answers": len(taken.answers), "outlines": sum(one.outline is not None for one in taken.answers),
            "cases": len({one.case for one in taken.answers}), "receipt": receipt,
            "seconds": time.monotonic() - begun,
        },
    )  # fmt: skip


class _Taken:
    """Answers put into the store one at a time, and what is wrong with others."""

    def __init__(self, *, house: Store, dataset: Dataset, blinded: bool | None) -> None:
        self._house, self._dataset, self._blinded = house, dataset, blinded
        self.table: LabelTable | None = dataset.table
        self.answers: list[Answer] = []
        self.issues: list[Issue] = []
        self._files: dict[str, str] = {}
        self._drawn: dict[tuple[str, str], str] = {}
        self._put: list[str] = []

    @property
    def digests(self) -> list[str]:
        """What was put into the store."""
        return self._put

    @property
    def items(self) -> tuple[Item, ...]:
        """The files that were read."""
        return tuple(Item(name=f"labels:{name}", digest=digest) for name, digest in sorted(self._files.items()))

    @property
    def checks(self) -> tuple[Check, ...]:
        """What was looked at."""
        stops = sum(issue.severity == "stop" for issue in self.issues)
        return (Check(name="answers of no use", held=not stops, figure=str(stops), limit="0, or left out"),)

    def take(self, said: Iterator[Said | Issue]) -> None:
        """Keep every answer that can be used."""
        for one in said:
            if isinstance(one, Issue):
                self.issues.append(one)
                continue
            entry = self._dataset.entry(one.case)
            reading = one.reading if self._blinded is None else replace(one.reading, blinded=self._blinded)
            other = _other_image(entry, reading)
            if other is not None:
                self.issues.append(other)
                continue
            try:
                outline = self._outline(one)
            except LabelError as error:
                self.issues.append(issue_of(error, where=f"{entry.id} ({reading.reader})"))
                continue
            self.answers.append(Answer(case=entry.id, reading=reading, outline=outline))
            self._files |= one.files

    def require_sound(self, *, leave_out: bool) -> None:
        """Do nothing where every answer, or with `leave_out` any, could be used.

        Raises:
            LayoutError: Else; each problem is named.
        """
        stops = [issue for issue in self.issues if issue.severity == "stop"]
        if (stops and not leave_out) or not self.answers:
            listed = "\n".join(f"  {issue}" for issue in stops[:_NAMED])
            more = f"\n  and {len(stops) - _NAMED} more" if len(stops) > _NAMED else ""
            way_out = (
                "Mend them, or take the rest with --leave-out." if self.answers else "No answer is left; mend them."
            )
            raise LayoutError(
                f"{len(stops)} problem(s) stop these labels ({len(self.answers)} answers are sound). Nothing was taken "
                f"in. {way_out}\n{listed}{more}"
            )

    def _outline(self, said: Said) -> Outline | None:
        if said.mask is None:
            return None
        self.table = grown(self.table, said.mask.table)
        key, mask = (said.case, said.reading.reader), said.mask.in_table(self.table)
        if key in self._drawn:  # one file for each structure is common
            mask = _together(self._house.get_mask(self._drawn[key], table=self.table), mask)
            self.answers = [one for one in self.answers if _key(one) != key or one.outline is None]
        self._drawn[key] = digest = self._house.put_mask(mask)
        self._put.append(digest)
        return Outline(reader=said.reading.reader, how=said.reading.how, digest=digest, present=mask.present)


def _key(answer: Answer) -> tuple[str, str]:
    return answer.case, "" if answer.outline is None else answer.outline.reader


def _together(first: Mask, second: Mask) -> Mask:
    """Return the outlines of two files of one reader.

    Raises:
        LabelError: They overlap, or outline one structure twice.
    """
    both = int(np.count_nonzero((first.labels > 0) & (second.labels > 0)))
    if both or set(first.present) & set(second.present):
        raise LabelError(
            f"Two files of one reader outline this case, and {both} voxels or a structure in both. Keep one of "
            "them, or name the readers apart."
        )
    return replace(first, labels=np.maximum(first.labels, second.labels))


def _wanted(house: Store, dataset: Dataset, schema: Schema | None, *, reader: str) -> Wanted:
    receipts = taken_in(house, dataset)
    own = frozenset(
        item.name.removeprefix(_INSTANCE) for receipt in receipts for item in receipt.inputs
        if item.name.startswith(_INSTANCE)
    )  # fmt: skip
    image: Callable[[Entry], Volume] = partial(_image, house)
    return Wanted(
        entries={entry.id: entry for entry in dataset.entries}, image=image, table=dataset.table, schema=schema,
        reader=reader, pseudonym=house.keys.pseudonym,
        is_own=(lambda uid: house.keys.pseudonym(uid) in own) if own else None,
    )  # fmt: skip


def _image(house: Store, entry: Entry) -> Volume:
    return house.get_volume(next(iter(entry.volumes.values())))


def _joined(one: Schema | None, other: Schema | None) -> Schema | None:
    return one if other is None else other if one is None else one.joined(other)


def _other_image(entry: Entry, reading: Reading) -> Issue | None:
    """Return the issue of a reading of another version of the image."""
    own = next(iter(entry.volumes.values()))
    if reading.image in ("", own):
        return None
    return Issue(
        check="version of the image", where=f"{entry.id} ({reading.reader})",
        figure=f"read on image {reading.image[:12]}…", limit=f"image {own[:12]}… of this version",
        mend="Have it read again on this version, or add it to the version that it was read on.",
    )  # fmt: skip
