"""Outlines that cannot be learnt from, or look unlike an outline."""

from collections.abc import Iterator

import numpy as np

from isocenter.case import Annotation, Case
from isocenter.image import LabelTable
from isocenter.intake.issue import Issue

_MOST = 0.9  # share of an image that one outline covers: above it, mask and image may have been mistaken


def check_labels(case: Case, *, table: LabelTable | None) -> Iterator[Issue]:
    """Yield what is wrong with the outlines of a case."""
    if table is not None and not case.annotations:
        yield Issue(
            check="pairing", where=case.id, figure="an image without an outline", limit="an image and its outline",
            mend="Outline it; until then it is neither learnt from nor tested on.", severity="warn",
        )  # fmt: skip
    for annotation in case.annotations:
        yield from _outline(annotation, case.id)


def _outline(annotation: Annotation, where: str) -> Iterator[Issue]:
    mask = annotation.mask
    named = [value for value in mask.present if value != mask.table.ignore]
    if not named:
        yield Issue(
            check="empty mask", where=where, figure="a mask that outlines nothing", limit="one labelled voxel",
            mend="Outline the structures, or take image and mask out; unfinished masks teach that nothing is there.",
        )  # fmt: skip
        return
    covered = float(np.count_nonzero(mask.labels)) / mask.labels.size
    if covered > _MOST:
        yield Issue(
            check="mask size", where=where, figure=f"the outlines cover {covered:.0%} of the image",
            limit=f"at most {_MOST:.0%}", mend="Look whether background and structure were exchanged.", severity="warn",
        )  # fmt: skip
