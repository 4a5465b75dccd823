"""The network's grid and size: spacing, patch, depth, width, batch, and whether they fit into memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt

from isocenter.errors import PlanError
from isocenter.learning.inference.prepare import SAME_SPACING
from isocenter.learning.training.fingerprint import Fingerprint
from isocenter.learning.training.plan.machine import SHARE, Geometry, Machine, case_bytes, reading_bytes, training_bytes
from isocenter.learning.training.plan.networks import Choice
from isocenter.models.ladder import SMALLEST_EDGE, Level, Triple, divisor, ladder
from isocenter.recipe import Recipe
from isocenter.recipe.recipe import Precision

Array = npt.NDArray[np.float64]

_WIDTH = 16
_CASE_VOXELS_PER_CORE = 2**24  # of a whole case: a minute or two of reading, windows overlapping by half
_DEEPEST = 5
_SLICES = 8  # of a patch that is read slice by slice: neighbours teach the same thing twice
_VOXELS_PER_CORE = 2**16  # of a patch: what a core turns round in a tenth of a second at a width of 16
_LARGEST_PATCH, _SMALLEST_PATCH = 2**21, 2**17
_STEP_VOXELS = (
    90_000  # of a batch, about so many: on a CPU twice the steps beat twice the batch (hippocampus, 0.84 : 0.78)
)
_LARGEST_BATCH = 16


def grid_spacing(
    recipe: Recipe, fingerprint: Fingerprint, *, machine: Machine, reasons: dict[str, str]
) -> tuple[float, float, float]:
    """Return the spacing of the network's grid in mm.

    The median; along thick slices what the finer tenth of the cases has, so that their detail is not averaged away
    (nnU-Net's rule); and coarser along the finest axes where a case would take this machine too long to read.
    """
    key = "inference.spacing_mm"
    if recipe.inference.spacing_mm is not None:
        reasons[key] = "as the recipe asks"
        return recipe.inference.spacing_mm
    found = np.array(fingerprint.spacings_mm)
    middle = np.median(found, axis=0)
    is_same = np.allclose(found, middle, rtol=SAME_SPACING)
    reasons[key] = (
        f"all {fingerprint.cases} cases have it: nothing is resampled"
        if is_same
        else f"the median of {fingerprint.cases} cases"
    )
    thick = int(middle.argmax())
    others = float(np.delete(middle, thick).max())
    if not fingerprint.is_planar and not is_same and middle[thick] > 3 * others:
        middle[thick] = max(float(np.percentile(found[:, thick], 10)), others)
        reasons[key] += "; along the thick slices the finer tenth decides"
    sizes = np.median(np.array(fingerprint.shapes) * found, axis=0)
    coarser = _coarser(middle.copy(), sizes, most=_CASE_VOXELS_PER_CORE * machine.cores)
    if not np.array_equal(coarser, middle):
        was = " × ".join(f"{step:.2g}" for step in middle)
        reasons[key] = f"coarser than the cases' {was} mm: {machine.cores} cores would read them too slowly"
    s, r, c = (round(float(step), 4) for step in coarser)
    return s, r, c


def _coarser(spacing: Array, sizes_mm: Array, *, most: int) -> Array:
    """Return a spacing at which a box holds at most so many voxels: the finest axes grow first, to one length."""
    while float(np.prod(np.maximum(1.0, sizes_mm / spacing))) > most:
        finest = spacing <= spacing.min() * 1.01
        spacing[finest] *= 1.02
    return spacing


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a geometry is decided on."""

    fingerprint: Fingerprint
    machine: Machine
    spacing_mm: tuple[float, float, float]
    precision: Precision
    channels: int
    classes: int
    choice: Choice

    def shapes(self) -> tuple[Triple, ...]:
        """Return each case's shape on the network's grid."""
        sizes = np.array(self.fingerprint.shapes) * np.array(self.fingerprint.spacings_mm)
        counts = np.maximum(1, np.rint(sizes / np.array(self.spacing_mm))).astype(int)
        return tuple((int(s), int(r), int(c)) for s, r, c in counts)

    def largest(self) -> int:
        """Return the bytes that the largest case takes while it is prepared."""
        pairs = zip(self.fingerprint.shapes, self.shapes(), strict=True)
        return max(case_bytes(stored, shown, channels=self.channels) for stored, shown in pairs)

    def memory(self, shape: Geometry) -> int:
        """Return the bytes that training takes at its highest."""
        return training_bytes(shape, precision=self.precision, classes=self.classes, largest=self.largest())


def geometry(recipe: Recipe, ground: Ground, *, reasons: dict[str, str]) -> Geometry:
    """Return patch, depth, width and batch: what was asked, and for the rest what suits cases, cores and memory.

    Raises:
        PlanError: A patch that the levels do not divide, or more memory than this machine has.
    """
    width = recipe.models.width or ground.choice.network.width or _WIDTH
    reasons["models.width"] = "as the recipe asks" if recipe.models.width else "compact: quick on a CPU"
    most = min(_LARGEST_PATCH, max(_SMALLEST_PATCH, _VOXELS_PER_CORE * ground.machine.cores))
    while True:
        patch, depth = _patch(recipe, ground, most=most, reasons=reasons)
        batch = recipe.training.batch or max(1, min(_LARGEST_BATCH, round(_STEP_VOXELS / prod(patch))))
        shape = Geometry(patch=patch, depth=depth, width=width, batch=batch)
        fits = ground.memory(shape) <= SHARE * ground.machine.memory
        if fits or recipe.training.patch or most < 16**3:
            break
        most //= 2
    asked = recipe.training.batch is not None
    reasons["training.batch"] = (
        "as the recipe asks"
        if asked
        else f"{batch * prod(patch):,} voxels a step: on few cores more steps teach more than larger ones"
    )
    _require_memory(ground, shape, reasons=reasons)
    return shape


def _patch(recipe: Recipe, ground: Ground, *, most: int, reasons: dict[str, str]) -> tuple[Triple, int]:
    asked = recipe.training.patch
    typical = np.percentile(np.array(ground.shapes()), 75, axis=0).round().astype(int)
    if ground.choice.dimensions == "2.5-D":
        typical[0] = min(typical[0], _SLICES)
    patch = asked or _shrunk(typical.tolist(), spacing_mm=ground.spacing_mm, most=most)
    if ground.choice.network.multiple > 0:
        patch, reached = _multiplied(recipe, patch, choice=ground.choice)
        reasons["models.depth"] = "as the recipe asks" if recipe.models.depth else "the network's own"
    else:
        patch, reached = _laddered(recipe, patch, ground=ground, reasons=reasons)
    whole = prod(typical) <= most
    reasons["training.patch"] = (
        "as the recipe asks"
        if asked
        else f"three of four cases fit in whole, {' × '.join(map(str, typical))} voxels"
        if whole
        else f"about {most:,} voxels on {ground.machine.cores} cores; cases of {' × '.join(map(str, typical))} "
        "voxels are read in parts"
    )
    return patch, reached


def _laddered(recipe: Recipe, patch: Triple, *, ground: Ground, reasons: dict[str, str]) -> tuple[Triple, int]:
    """Return a patch that the levels of the plan's depth divide, and that depth."""
    asked, depth = recipe.training.patch, recipe.models.depth
    # what reads slice by slice halves no stack
    seen = (1, *patch[1:]) if ground.choice.dimensions == "2.5-D" else patch
    levels = ladder(spacing_mm=ground.spacing_mm, patch=seen, depth=depth or _DEEPEST)
    if depth is not None and len(levels) - 1 < depth:
        raise PlanError(
            f"models.depth = {depth} cannot be: a patch of {patch} can be halved {len(levels) - 1} times. "
            "Ask for a larger training.patch, or leave the depth to the plan."
        )
    if asked is None:
        patch = _rounded_up(patch, divisor(levels))
    else:
        levels = _dividing(asked, levels, fixed=depth is not None)
    reached = len(levels) - 1
    reasons["models.depth"] = (
        "as the recipe asks" if depth else f"{reached} halvings leave at least {SMALLEST_EDGE} voxels along an axis"
    )
    return patch, reached


def _multiplied(recipe: Recipe, patch: Triple, *, choice: Choice) -> tuple[Triple, int]:
    """Return a patch whose edges are multiples of what the network asks for, and its depth.

    Raises:
        PlanError: A patch that was asked for and is none.
    """
    by = choice.network.multiple
    near = _rounded_up(patch, (by if choice.dimensions == "3-D" else 1, by, by))
    if recipe.training.patch is not None and near != patch:
        raise PlanError(
            f'training.patch = {list(patch)} cannot be: "{choice.name}" reads edges that {by} divides; {list(near)} is '
            "near."
        )
    return near, recipe.models.depth or choice.network.depth or 1


def _shrunk(shape: Sequence[int], *, spacing_mm: Sequence[float], most: int) -> Triple:
    """Return the largest patch of at most so many voxels, as cubic in mm as the shape lets it be."""
    edge = list(shape)
    while prod(edge) > most:
        longest = max((axis for axis in range(3) if edge[axis] > 1), key=lambda axis: edge[axis] * spacing_mm[axis])
        edge[longest] -= max(1, edge[longest] // 16)
    return edge[0], edge[1], edge[2]


def _rounded_up(patch: Triple, by: Triple) -> Triple:
    s, r, c = (-(-edge // step) * step for edge, step in zip(patch, by, strict=True))
    return s, r, c


def _dividing(patch: Triple, levels: tuple[Level, ...], *, fixed: bool) -> tuple[Level, ...]:
    """Return as many levels as divide a patch that was asked for."""
    while any(edge % step for edge, step in zip(patch, divisor(levels), strict=True)):
        if fixed:
            near = _rounded_up(patch, divisor(levels))
            raise PlanError(
                f"training.patch = {list(patch)} cannot be halved {len(levels) - 1} times as models.depth asks; "
                f"{list(near)} can."
            )
        levels = levels[:-1]
    return levels


def _require_memory(ground: Ground, shape: Geometry, *, reasons: dict[str, str]) -> None:
    """Say how much memory training and reading will take.

    Raises:
        PlanError: More than there is.
    """
    largest = max(ground.shapes(), key=prod)
    learning = ground.memory(shape)
    shown = reading_bytes(shape, case=largest, channels=ground.channels, classes=ground.classes)
    reading = shown + ground.largest()
    there = SHARE * ground.machine.memory
    reasons["memory"] = (
        f"training {learning / 1e9:.1f} GB, reading the largest case {reading / 1e9:.1f} GB, "
        f"of {ground.machine.memory / 1e9:.1f} GB"
    )
    if max(learning, reading) <= there:
        return
    stage = "Training" if learning > reading else f"Reading a case of {' × '.join(map(str, largest))} voxels"
    raise PlanError(
        f"{stage} would take {max(learning, reading) / 1e9:.1f} GB; a plan may count on {there / 1e9:.1f} of this "
        f"machine's {ground.machine.memory / 1e9:.1f} GB. A smaller training.patch or training.batch, a narrower "
        "models.width, or a coarser inference.spacing_mm takes less."
    )
