"""Every check, on one case and on a whole data set."""

from collections.abc import Callable

from isocenter.case import Case, Dataset, Entry
from isocenter.errors import InputError
from isocenter.image import LabelTable
from isocenter.intake.issue import Issue, issue_of
from isocenter.intake.quality.cohort import check_cohort
from isocenter.intake.quality.images import check_images
from isocenter.intake.quality.labels import check_labels


def check_case(case: Case, *, table: LabelTable | None) -> tuple[Issue, ...]:
    """Return what is wrong with one case: its images, then its outlines.

    Args:
        case: Opened; grids and label values have held already, since a case refuses what does not fit.
        table: Of the data set; None where nothing is labelled.
    """
    return (*check_images(case), *check_labels(case, table=table))


def check_dataset(
    dataset: Dataset, load: Callable[[Entry], Case], *, progress: Callable[[int, int], None] | None = None
) -> tuple[Issue, ...]:
    """Return what is wrong with a data set: first as a whole, then case by case, one in memory at a time.

    Args:
        dataset: The version.
        load: Opens a case from where it is kept.
        progress: Called with (cases looked at, cases in all).
    """
    issues = list(check_cohort(dataset))
    for place, entry in enumerate(dataset.entries, 1):
        try:
            issues += check_case(load(entry), table=dataset.table)
        except InputError as error:
            issues.append(issue_of(error, where=entry.id))
        if progress is not None:
            progress(place, len(dataset.entries))
    return tuple(issues)
