"""What a recipe asks to be done to images before anything else, and what its steps learn from a version's cases."""

from collections.abc import Sequence
from functools import partial

from isocenter.case import Dataset, Entry
from isocenter.errors import NotFoundError, PlanError
from isocenter.image import Volume
from isocenter.learning.training.restoring import Asked, Volumes, asked_chains, fit_chains
from isocenter.pipeline.ground import Watch
from isocenter.processing.restoration import Chain, find_fit
from isocenter.recipe import Recipe
from isocenter.store import Store


def asked_of(version: Dataset, recipe: Recipe, *, entries: Sequence[Entry], all_roles: bool = False) -> Asked:
    """Return what a recipe asks to be done to a version's cases, and what has been done to them before.

    Args:
        version: Of a data set.
        recipe: What was asked.
        entries: The cases to learn from.
        all_roles: Take roles that only some cases have as well.

    Raises:
        RecipeError, NotFoundError, MissingExtraError: The steps cannot be taken: see asked_chains.
        PlanError: A fold is asked for whose validation cases taught a step when the version was prepared.
    """
    roles = dict.fromkeys(role for entry in entries for role in entry.volumes)
    shared = [role for role in roles if all_roles or all(role in entry.volumes for entry in entries)]
    wanted = recipe.tasks.volumes
    known = [role for role in shared if wanted is None or role in wanted or all_roles]
    learnt = [line["step"] for lines in version.steps.values() for line in lines if _learns(str(line["step"]))]
    if recipe.training.fold is not None and learnt:
        raise PlanError(
            f"Data set {version.name!r} was prepared by {learnt[0]!r}, which learnt from its training side; a fold "
            "would validate on some of these cases. Put the steps into the recipe and train on the data set as it was."
        )
    return Asked(
        chains=asked_chains(recipe, known),
        before={role: (one.steps, one.unit) for role, one in version.prepared.items()},
        cases=len(entries),
    )


def fitted_on(house: Store, asked: Asked, *, entries: Sequence[Entry], progress: Watch | None) -> dict[str, Chain]:
    """Return the chains that were asked for, with what their steps learn from cases of the training side.

    Raises:
        InputError: A step cannot learn from them.
        NotFoundError, SealError: A volume is gone from the store, or was changed.
    """
    seen = 0

    def loaded(digest: str) -> Volume:
        nonlocal seen
        seen += 1
        if progress is not None:
            progress("learn steps", seen, asked.learns * len(entries), "")
        return house.get_volume(digest)

    def volumes(role: str) -> Volumes:
        return Volumes([partial(loaded, entry.volumes[role]) for entry in entries if role in entry.volumes])

    return fit_chains(asked.chains, volumes)


def _learns(step: str) -> bool:
    """Return whether a step is one that learns from a cohort, whatever it was told beforehand."""
    try:
        find_fit(step)
    except NotFoundError:
        return False
    return True
