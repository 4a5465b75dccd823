"""Which cases readers dispute most: the queue of whoever decides."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from isocenter.case import Entry, Schema
from isocenter.image import Mask
from isocenter.intake.labelling.asked import AGREED, Opener, Ratings, own_readings, ratings_of
from isocenter.metrics import compare_boxes, compare_outlines


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """What readers say differently of one case.

    Args:
        case: Its id.
        share: The worst of its disputes: 0 where all say the same, 1 where no two do.
        about: Each dispute in words, the worst first.
        readers: Who has said something of the case.
    """

    case: str
    share: float
    about: tuple[str, ...]
    readers: tuple[str, ...]


def disputes(
    entries: Sequence[Entry], schema: Schema | None, open_masks: Opener, *,
    readers: Collection[str] = (),
) -> tuple[Dispute, ...]:  # fmt: skip
    """Return the cases that readers dispute and that nobody has decided, the most disputed first.

    Of outlines and boxes a dispute is what the worst pair of readers lacks of a Dice, or F1, of 1; of classes and
    grades the share of readers outside the majority, times two where there are two answers only; of numbers the range
    over the mean.

    Args:
        entries: Of a version.
        schema: What was asked.
        open_masks: Returns readers' masks of a case; one case is held at a time.
        readers: Whose answers count; all where none is named.
    """
    questions = list(ratings_of(entries, schema, readers=readers))
    found = []
    for place, entry in enumerate(entries):
        if any(how == "adjudicated" for _, how in entry.said):
            continue
        masks = open_masks(entry).masks if sum(one.how not in AGREED for one in entry.outlines) > 1 else {}
        told = [*_of_outlines(masks), *_of_boxes(entry, schema, readers), *_of_questions(questions, place)]
        told = sorted((one for one in told if one[0] > 0), reverse=True)
        if told:
            names = {*masks, *own_readings(entry, readers=readers)}
            about = tuple(text for _, text in told)
            found.append(Dispute(case=entry.id, share=told[0][0], about=about, readers=tuple(sorted(names))))
    return tuple(sorted(found, key=lambda one: (-one.share, one.case)))


def _of_outlines(masks: Mapping[str, Mask]) -> Iterator[tuple[float, str]]:
    if len(masks) < 2:
        return
    compared = [one for one in compare_outlines(masks, patient="", tolerance_mm=0.0) if one.name == "dice"]
    for label in dict.fromkeys(one.label for one in compared):
        worst = min((one for one in compared if one.label == label and one.value == one.value), default=None,
                    key=lambda one: one.value)  # fmt: skip
        if worst is not None:
            yield 1 - worst.value, f"{label}: Dice {worst.value:.2f} between {' and '.join(worst.readers)}"


def _of_boxes(entry: Entry, schema: Schema | None, readers: Collection[str]) -> Iterator[tuple[float, str]]:
    own = own_readings(entry, readers=readers)
    for asked in () if schema is None else schema.findings:
        boxes = {
            name: np.array([mark.box for mark in one.seen(asked.name)], dtype=np.float64)
            for name, one in own.items()
            if asked.several and asked.name in one.asked and all(mark.box for mark in one.seen(asked.name))
        }
        if len(boxes) < 2 or not any(len(one) for one in boxes.values()):
            continue
        compared = [one for one in compare_boxes(boxes, patient="", label=asked.name) if one.name == "box_f1"]
        worst = min((one for one in compared if one.value == one.value), key=lambda one: one.value)
        yield 1 - worst.value, f"{asked.name}: F1 of boxes {worst.value:.2f} between {' and '.join(worst.readers)}"


def _of_questions(questions: Sequence[Ratings], place: int) -> Iterator[tuple[float, str]]:
    for ratings in questions:
        row = ratings.table[place]
        known = row[~np.isnan(row)]
        if len(known) < 2 or np.ptp(known) == 0:
            continue
        if ratings.is_number:
            middle = float(np.abs(known).mean())
            yield min(1.0, float(np.ptp(known)) / middle), f"{ratings.label}: {known.min():g} to {known.max():g}"
            continue
        counts = np.unique(known, return_counts=True)[1]
        share = 1 - counts.max() / len(known)
        words = ratings.words()
        said = ", ".join(
            f"{name} {words[int(value)]}" for name, value in zip(ratings.readers, row, strict=True) if value == value
        )
        yield min(1.0, float(share) * len(counts) / (len(counts) - 1)), f"{ratings.label}: {said}"
