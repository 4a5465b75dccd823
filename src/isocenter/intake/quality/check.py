"""Every check, on one case and on a whole data set."""

from collections.abc import Callable, Collection, Sequence

from isocenter.case import Case, Dataset, Entry
from isocenter.errors import InputError, NotFoundError, SealError
from isocenter.image import LabelTable
from isocenter.intake.issue import Issue, issue_of
from isocenter.intake.quality.cohort import check_cohort
from isocenter.intake.quality.copies.repeats import Image, check_repeats
from isocenter.intake.quality.images import check_images
from isocenter.intake.quality.labels import check_labels
from isocenter.intake.quality.limits import USUAL, Limits
from isocenter.intake.quality.portrait import Portrait, check_portraits, portray, traits_of
from isocenter.intake.quality.shortcuts import check_shortcuts

EMPTY_MASKS = "empty-masks"
"""The word that takes a mask which outlines nothing as saying that nothing is there."""


def check_case(case: Case, *, table: LabelTable | None, accept: Collection[str] = ()) -> tuple[Issue, ...]:
    """Return what is wrong with one case: its images, then its outlines.

    Args:
        case: Opened; grids and label values have held already, since a case refuses what does not fit.
        table: Of the data set; None where nothing is labelled.
        accept: With EMPTY_MASKS among it, masks may be empty.
    """
    return (*check_images(case), *check_labels(case, table=table, is_empty_fine=EMPTY_MASKS in accept))


def check_dataset(
    dataset: Dataset,
    load: Callable[[Entry], Case],
    *,
    accept: Collection[str] = (),
    limits: Limits = USUAL,
    progress: Callable[[int, int], None] | None = None,
    comparing: Callable[[int, int], None] | None = None,
) -> tuple[Issue, ...]:
    """Return what is wrong with a data set: first as a whole, then case by case, one in memory at a time.

    Args:
        dataset: The version.
        load: Opens a case from where it is kept.
        accept: With EMPTY_MASKS among it, masks may be empty.
        limits: From which on something is told.
        progress: Called with (cases looked at, cases in all).
        comparing: Called with (ways in which images may repeat looked at, ways in all).
    """
    issues: list[Issue] = []
    portraits: list[Portrait] = []
    for place, entry in enumerate(dataset.entries, 1):
        try:
            case = load(entry)
            portraits.append(portray(case))
            issues += check_case(case, table=dataset.table, accept=accept)
        except InputError as error:
            issues.append(issue_of(error, where=entry.id))
        except (NotFoundError, SealError) as error:
            issues.append(_lost(error, where=entry.id))
        if progress is not None:
            progress(place, len(dataset.entries))
    return (*check_together(dataset, portraits, limits=limits, progress=comparing), *issues)


def check_together(
    dataset: Dataset,
    portraits: Sequence[Portrait],
    *,
    limits: Limits = USUAL,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Issue, ...]:
    """Return what only shows when all cases are seen together.

    Args:
        dataset: The version.
        portraits: Of its cases, as far as they could be opened.
        limits: From which on something is told.
        progress: Called with (ways in which images may repeat looked at, ways in all).
    """
    traits = {portrait.case: traits_of(portrait) for portrait in portraits}
    images = [Image(portrait.case, one) for portrait in portraits for one in portrait.images]
    return (
        *check_cohort(dataset), *check_portraits(portraits, name=dataset.name, tolerance=limits.tolerance),
        *check_repeats(dataset, images, limit=limits.near_duplicate, progress=progress),
        *check_shortcuts(dataset, traits),
    )  # fmt: skip


def _lost(error: NotFoundError | SealError, *, where: str) -> Issue:
    return Issue(
        check="bytes", where=where, figure=str(error).removeprefix(f"{where}: "), limit="the bytes that were put there",
        mend="Ingest the folder again, or bring the store back from a backup.",
    )  # fmt: skip
