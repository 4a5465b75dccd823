"""Whether a registration can be believed: what is measured without knowing the truth, and the limit of each figure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from isocenter.processing.registration.bend import bend
from isocenter.processing.registration.likeness import distance_mm, sampled
from isocenter.processing.registration.linear import Fit, Pair
from isocenter.processing.registration.refine import Freedom, refine
from isocenter.processing.registration.search import Reach
from isocenter.processing.registration.transform import Transform

Floats = npt.NDArray[np.float64]

# Chosen on the development cases of benchmarks/registration.py (seed 1), before any of the evaluation's were run.
LIMITS = {
    "overlap": 0.25, "likeness": 0.1, "rival": 0.8, "backward_mm": 1.5, "halves_mm": 2.0,
    "parts_mm": 6.0, "mirror": 1.05, "stretch": 1.5, "jacobian": 0.1, "inverse_mm": 0.1,
}  # fmt: skip
_AT_LEAST = ("overlap", "likeness", "jacobian")
_OTHER_MM = 16.0  # twice the coarsest grid: ends of starts that are surely others
_BODY, _PARTS = 3000, 16_000  # places that distances are averaged over, and that parts are compared at
_FEWEST = 300  # places of a part
_PUT_OFF_DEG, _PUT_OFF_MM = 6.0, 6.0  # of the start of the way back along each axis, that it finds its own way
_BLOCK_MM = 16.0
_NOTHING_MM = 999.0  # where no part is covered well enough to be asked
_NO_LIKENESS = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One thing that the gate measured.

    Args:
        name: Such as "backward_mm".
        value: What was measured.
        limit: The most that it may be, or the least.
        is_least: Whether the limit is the least.
    """

    name: str
    value: float
    limit: float
    is_least: bool

    @property
    def held(self) -> bool:
        """Whether the value is on the right side of its limit."""
        return self.value >= self.limit if self.is_least else self.value <= self.limit


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solved:
    """A registration before it is judged.

    Args:
        best: The linear transform that was found.
        fits: Where the starts of the search led.
        transform: What is handed back: `best`, bent where that was asked for.
        freedom: Of the linear part.
    """

    best: Fit
    fits: Sequence[Fit]
    transform: Transform
    freedom: Freedom


def judge(pair: Pair, solved: Solved, *, reach: Reach, rng: np.random.Generator) -> tuple[Figure, ...]:
    """Return what can be told of a registration without knowing the truth (docs/reference/registration.md).

    Args:
        pair: Both volumes.
        solved: The registration.
        reach: How far its search looked.
        rng: Draws places, and the start of the way back.
    """
    body = pair.fixed[1].points(_BODY, rng=rng, within=pair.fixed[1].body)
    best = solved.best
    alike = max(best.likeness, _NO_LIKENESS)
    lengths = np.linalg.svd(best.matrix[:3, :3], compute_uv=False)
    found = {
        "overlap": best.share,
        "likeness": best.likeness,
        "rival": _rival(solved, body),
        "backward_mm": _backward(pair, solved, body=body, rng=rng),
        "halves_mm": _halves(pair, solved, body=body),
        "parts_mm": _parts(pair, solved, body=body, rng=rng),
        "mirror": pair.mirrored(reach=reach).likeness / alike,
        "stretch": float(max(lengths[0], 1 / lengths[-1])),
        **(_of_bend(solved.transform, body) if solved.transform.bends else {}),
    }
    return figures(found)


def figures(found: Mapping[str, float]) -> tuple[Figure, ...]:
    """Return values by name, each with its limit."""
    return tuple(
        Figure(name=name, value=value, limit=LIMITS[name], is_least=name in _AT_LEAST) for name, value in found.items()
    )


def _rival(solved: Solved, body: Floats) -> float:
    """Return the likeness at the best other end of a start, by that at the transform."""
    apart = [distance_mm(fit.matrix, solved.best.matrix, body) for fit in solved.fits]
    others = [fit.likeness for fit, mm in zip(solved.fits, apart, strict=True) if mm > _OTHER_MM]
    return max(others, default=0.0) / max(solved.best.likeness, _NO_LIKENESS)


def _of_bend(transform: Transform, body: Floats) -> dict[str, float]:
    """Return the smallest change of volume by the bend, and how far its inverse misses."""
    linear = float(np.linalg.det(transform.matrix[:3, :3]))
    missed = np.linalg.norm(transform.back(transform.places(body)) - body, axis=1)
    return {"jacobian": float(transform.jacobian(body).min() / linear), "inverse_mm": float(missed.max())}


def _backward(pair: Pair, solved: Solved, *, body: Floats, rng: np.random.Generator) -> float:
    """Return how far the other way round, found from another start on other places, leads beside."""
    centre = pair.fixed[0].centre
    off = np.eye(4)
    off[:3, :3] = Rotation.from_rotvec(np.radians(_PUT_OFF_DEG) * rng.choice((-1, 1), 3)).as_matrix()
    off[:3, 3] = centre - off[:3, :3] @ centre + _PUT_OFF_MM * rng.choice((-1, 1), 3)
    turned = pair.turned(rng=rng)
    fit = turned.fit(off @ np.linalg.inv(solved.best.matrix), freedom=solved.freedom)
    there = solved.transform.places(body)
    back = Transform(matrix=fit.matrix)
    if solved.transform.bends:
        back = bend(turned, fit.matrix)
    return float(np.linalg.norm(back.places(there) - body, axis=1).mean())


def _halves(pair: Pair, solved: Solved, *, body: Floats) -> float:
    """Return how far two halves of the places, dealt in blocks like a chessboard, lead apart."""
    ends = []
    for colour in (0, 1):
        points = tuple(one[np.floor(one / _BLOCK_MM).astype(int).sum(axis=1) % 2 == colour] for one in pair.points)
        half = replace(pair, points=points)
        fit = half.fit(solved.best.matrix, freedom=solved.freedom, since=1, to=1)
        ends.append(bend(half, fit.matrix) if solved.transform.bends else Transform(matrix=fit.matrix))
    return float(np.linalg.norm(ends[0].places(body) - ends[1].places(body), axis=1).mean())


def _parts(pair: Pair, solved: Solved, *, body: Floats, rng: np.random.Generator) -> float:
    """Return how far eighths of the body would shift by themselves, the median."""
    fixed, moving, matrix = pair.fixed[1], pair.moving[1], solved.best.matrix
    points = fixed.points(_PARTS, rng=rng)
    covered = points[sampled(moving, points @ matrix[:3, :3].T + matrix[:3, 3])[1]]
    eighth = ((covered > np.median(body, axis=0)) @ [4, 2, 1]).astype(int)
    alone = []
    for number in range(8):
        there = covered[eighth == number]
        if len(there) >= _FEWEST:
            shifted = refine(fixed, moving, matrix, points=there, freedom="shift", rounds=30)
            alone.append(distance_mm(shifted, matrix, there))
    return float(np.median(alone)) if alone else _NOTHING_MM
