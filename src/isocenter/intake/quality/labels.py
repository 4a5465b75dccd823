"""Outlines that cannot be learnt from, or look unlike an outline."""

from collections.abc import Iterator

import numpy as np

from isocenter.case import Annotation, Case
from isocenter.image import LabelTable
from isocenter.intake.issue import Issue
from isocenter.intake.strata import is_labelled, label_names

_MOST = 0.9  # share of an image that one outline covers: above it, mask and image may have been mistaken


def check_labels(case: Case, *, table: LabelTable | None, is_empty_fine: bool = False) -> Iterator[Issue]:
    """Yield what is wrong with the outlines of a case.

    Args:
        case: Opened.
        table: Of the data set; None where nothing is labelled.
        is_empty_fine: A mask that outlines nothing says that nothing is there.
    """
    if table is not None and not case.annotations and not is_labelled(case.facts, label_names([case.facts])):
        yield Issue(
            check="pairing", where=case.id, figure="an image without an outline", limit="an image and its outline",
            mend="Outline it; until then it is neither learnt from nor tested on.", severity="warn",
        )  # fmt: skip
    for annotation in case.annotations:
        yield from _outline(annotation, case.id, is_empty_fine=is_empty_fine)


def _outline(annotation: Annotation, where: str, *, is_empty_fine: bool) -> Iterator[Issue]:
    mask = annotation.mask
    named = [value for value in mask.present if value != mask.table.ignore]
    if not named:
        if not is_empty_fine:
            yield _empty(where)
        return
    covered = float(np.count_nonzero(mask.labels)) / mask.labels.size
    if covered > _MOST:
        yield Issue(
            check="mask size", where=where, figure=f"the outlines cover {covered:.0%} of the image",
            limit=f"at most {_MOST:.0%}", mend="Look whether background and structure were exchanged.", severity="warn",
        )  # fmt: skip


def _empty(where: str) -> Issue:
    return Issue(
        check="empty mask", where=where, figure="a mask that outlines nothing", limit="one labelled voxel",
        mend="Outline the structures, or take image and mask out; unfinished masks teach that nothing is there. Where "
        "nothing is there, as in the healthy, --accept empty-masks takes it so.",
    )  # fmt: skip
