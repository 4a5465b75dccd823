"""A case in figures, small enough that those of all cases are held: what is unlike the rest is seen beside it."""

from collections.abc import Iterable
from dataclasses import dataclass

from isocenter.case import Case
from isocenter.intake.issue import Issue
from isocenter.intake.quality.alike import check_alike
from isocenter.intake.quality.figures import Figures, figures_of
from isocenter.intake.quality.forms import check_forms
from isocenter.intake.quality.labels import check_outlines
from isocenter.intake.quality.outlines import OutlineFigures, outlines_of

_MARKED = 0.0005  # of the pixels lie in the lightest strokes: there is writing in the image


@dataclass(frozen=True, slots=True)
class Portrait:
    """One case in figures: its volumes, and every structure that its readers outlined."""

    case: str
    images: tuple[Figures, ...]
    outlines: tuple[OutlineFigures, ...]


def portray(case: Case) -> Portrait:
    """Return a case in figures."""
    is_alone = len(case.volumes) == 1
    images = (
        figures_of(volume, where=case.id if is_alone else f"{case.id} ({role})", role=role)
        for role, volume in case.volumes.items()
    )
    first = next(iter(case.volumes.values()))
    several = len(case.annotations) > 1
    outlines = (
        figures
        for one in case.annotations
        for figures in outlines_of(one.mask, first, where=f"{case.id} ({one.reader})" if several else case.id)
    )
    return Portrait(case=case.id, images=tuple(images), outlines=tuple(outlines))


def traits_of(portrait: Portrait) -> dict[str, str]:
    """Return how the first image of a case was made, in words."""
    first = portrait.images[0]
    return {
        "image size": " × ".join(map(str, first.shape)), "colours": str(first.colours),
        "spacing": " × ".join(f"{step:.2g}" for step in first.spacing), "depth": "deep" if first.is_deep else "8 bits",
        "marks": "marked" if first.values["marks"] > _MARKED else "plain",
    }  # fmt: skip


def check_portraits(portraits: Iterable[Portrait], *, name: str, tolerance: float = 1.0) -> tuple[Issue, ...]:
    """Return what only shows beside the others: pictures of several kinds, images and outlines unlike the rest.

    Args:
        portraits: Of every case of a data set.
        name: Of the data set.
        tolerance: How many times as far from the others as usual something may lie before it is told.
    """
    held = tuple(portraits)
    images = [one for portrait in held for one in portrait.images]
    outlines = [one for portrait in held for one in portrait.outlines]
    return (
        *check_forms(images, name=name),
        *check_alike(images, tolerance=tolerance),
        *check_outlines(outlines, tolerance=tolerance),
    )
