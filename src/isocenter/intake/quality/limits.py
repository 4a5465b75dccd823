"""From which figure on something is told, and which checks stop."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from isocenter.errors import RecipeError
from isocenter.intake.issue import Issue
from isocenter.intake.quality.copies.repeats import LIKENESS
from isocenter.plugins import did_you_mean
from isocenter.recipe import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is told, and how.

    Args:
        near_duplicate: Likeness from which on two images are taken for the same.
        tolerance: How many times as far from the others as usual something may lie before it is told.
        stop: Names of checks that stop, where they would only warn.
        leave: Names of checks of which nothing is told; what stops by itself is told always.
    """

    near_duplicate: float = LIKENESS
    tolerance: float = 1.0
    stop: frozenset[str] = frozenset()
    leave: frozenset[str] = frozenset()

    def graded(self, issues: Iterable[Issue]) -> tuple[Issue, ...]:
        """Return issues with the severity that is asked for, without those that are to be left."""
        return tuple(
            replace(issue, severity="stop") if issue.check in self.stop else issue
            for issue in issues
            if issue.severity == "stop" or issue.check not in self.leave
        )


USUAL = Limits()

CHECKS = frozenset({
    "Hounsfield units", "another kind of image", "blocks", "blur", "box off the image", "brightness",
    "burned-in marks", "classes", "clipping", "constant image", "contrast", "covered", "empty box", "empty mask",
    "extent", "few grey levels", "field of view", "form of outline", "fragments", "gap in outline", "ghosting", "holes",
    "image size", "intensity scale", "label of another image", "lost lines", "lost slices", "mask size",
    "near duplicates", "noise", "one image twice", "one image, two labels", "order of slices", "orientation",
    "orientation of axes", "outline beside the image", "pairing", "patients", "pictures alike", "place of outline",
    "polarity", "repeated slices", "sharpening", "shortcut", "size of outline", "spacing", "spikes", "stripes",
    "structure missing", "structures", "structures exchanged", "uneven slices", "wrong side",
})  # fmt: skip
"""What a recipe may name: every check of this room but the one of bytes, which nobody may leave out."""


def limits_of(recipe: Recipe) -> Limits:
    """Return the limits that a recipe asks for; what it leaves open is as usual.

    Raises:
        RecipeError: It names a check that there is not.
    """
    asked = recipe.quality
    for name in (*(asked.stop or ()), *(asked.leave or ())):
        if name not in CHECKS:
            raise RecipeError(f"[quality] names no check: {name!r}. {did_you_mean(name, sorted(CHECKS))}")
    return Limits(
        near_duplicate=LIKENESS if asked.near_duplicate is None else asked.near_duplicate,
        tolerance=1.0 if asked.tolerance is None else asked.tolerance,
        stop=frozenset(asked.stop or ()),
        leave=frozenset(asked.leave or ()),
    )
