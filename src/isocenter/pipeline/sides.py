"""Who is learnt from: the cases of a version's training side whose truth is known, or some of their patients."""

from isocenter.case import Dataset, Entry
from isocenter.case.split import some_patients
from isocenter.errors import SplitError
from isocenter.intake.strata import strata_of
from isocenter.pipeline.ground import judged
from isocenter.recipe import Goal


def learning_side(
    version: Dataset, *, goal: Goal, fold: int | None, patients: int | None = None, seed: int = 0
) -> tuple[Entry, ...]:
    """Return the cases to learn from: outlined ones, or those with a fact that is learnt.

    Args:
        version: Of a data set.
        goal: What is learnt.
        fold: Whose cases are left out to validate on; None leaves out the validation side.
        patients: How many are learnt from, in the shares of what is learnt; None is all of them.
        seed: Of that draw; of one seed fewer patients always lie within more.

    Raises:
        SplitError: There are not so many patients.
    """
    entries = judged(version.on_side("train", fold=fold), goal)
    if patients is None:
        return entries
    words = strata_of([entry.facts for entry in entries], goal.target)
    strata = {entry.patient: word for entry, word in zip(entries, words, strict=True)}
    if patients > len(strata):
        raise SplitError(
            f"training.patients = {patients}, and data set {version.name!r} has {len(strata)} patients to learn from. "
            "Ask for fewer, or leave it out to learn from all."
        )
    chosen = some_patients(strata, count=patients, seed=seed)
    return tuple(entry for entry in entries if entry.patient in chosen)
