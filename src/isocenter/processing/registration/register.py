"""One volume laid on another, and whether that can be believed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from isocenter.errors import RecipeError
from isocenter.image import Volume
from isocenter.plugins import did_you_mean
from isocenter.processing.registration.bend import bend
from isocenter.processing.registration.gate import Figure, Solved, judge
from isocenter.processing.registration.level import levels_of
from isocenter.processing.registration.linear import Pair
from isocenter.processing.registration.refine import Freedom
from isocenter.processing.registration.search import Reach
from isocenter.processing.registration.transform import Transform
from isocenter.processing.restoration.threads import steady_threads

Kind = Literal["rigid", "affine", "deformable"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Registration:
    """Where each place of the fixed volume lies in the moving one, and what the gate measured.

    Args:
        kind: What was allowed.
        transform: What was found; where `held` is False, nothing that may be used.
        figures: What was measured, each with its limit.
    """

    kind: Kind
    transform: Transform
    figures: tuple[Figure, ...]

    @property
    def held(self) -> bool:
        """Whether every figure keeps its limit: the volumes were found to lie on each other."""
        return not self.failed

    @property
    def failed(self) -> tuple[Figure, ...]:
        """The figures that do not keep their limits."""
        return tuple(figure for figure in self.figures if not figure.held)


def register(
    fixed: Volume,
    moving: Volume,
    *,
    kind: Kind = "rigid",
    reach: Reach | None = None,
    seed: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Registration:
    """Return how a moving volume lies on a fixed one, of any modalities, and whether that can be believed.

    Takes some 4 to 8 s of one processor, whatever the size; 15 s where it bends. The same volumes and seed give the
    same bits.

    Args:
        fixed, moving: Of one channel, with a known voxel size; both show the same part of one body, or some of it.
        kind: "rigid" turns and shifts; "affine" also stretches and shears; "deformable" also bends, over 24 mm or more.
        reach: How far the search looks; None takes 50 degrees and 70 mm.
        seed: Of the places that are compared.
        progress: Told (stages done, of how many).

    Raises:
        InputError: Colour, a picture, an unknown voxel size, an axis under 20 mm, a constant volume, or no body in it.
        RecipeError: No such kind.
    """
    if kind not in KINDS:
        raise RecipeError(f"There is no registration {kind!r}. {did_you_mean(kind, list(KINDS))}")
    tell = progress or (lambda done, of: None)
    reach, rng = reach or Reach(), np.random.default_rng(seed)
    freedom: Freedom = "rigid" if kind == "rigid" else "affine"
    with steady_threads():
        pair = Pair.of(levels_of(fixed), levels_of(moving), rng=rng)
        tell(1, 4)
        fits = pair.search(reach=reach)
        tell(2, 4)
        best = pair.finish(fits, freedom=freedom)
        transform = bend(pair, best.matrix) if kind == "deformable" else Transform(matrix=best.matrix)
        tell(3, 4)
        solved = Solved(best=best, fits=fits, transform=transform, freedom=freedom)
        judged = judge(pair, solved, reach=reach, rng=rng)
    tell(4, 4)
    return Registration(kind=kind, transform=transform, figures=judged)
