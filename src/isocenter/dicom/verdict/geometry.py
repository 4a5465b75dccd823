"""Order, gaps, tilt: what the positions of slices say about the volume that they make."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from isocenter.image import Affine

Verdict = Literal[
    "regular", "tilted", "missing slice", "duplicate positions", "uneven spacing", "localiser", "not an image",
    "truncated", "encrypted", "unsupported",
]  # fmt: skip
FloatArray = npt.NDArray[np.float64]

SAME_MM = 0.01
"""Slices nearer than this lie at one place: headers round positions to 0.01 mm and finer."""
OFF_GRID = 0.1
"""Share of a step that a slice may lie off its place: positions rounded to 0.1 mm stay within at steps of 0.5 mm."""
TILT = 0.005
"""Sideways share of a step below which a stack counts as upright: rounding of the cosines leaves up to 0.001."""
_MOST_HOLES = 0.34  # above this share of wide steps, the stack was planned unevenly rather than left with holes


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """One thing that keeps slices from being a regular volume.

    Args:
        verdict: Its name.
        reason: What was found, in mm.
        accept: The word by which a caller takes it as it is; empty where nothing mends it.
    """

    verdict: Verdict
    reason: str
    accept: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Slices in their order, and where they lie.

    Args:
        order: Indices of the slices given, first along the normal first; one per position.
        step: (3,) from one slice to the next, in LPS mm.
        offsets: Place of each ordered slice in steps from the first: 0, 1, 2 … where regular.
        flaws: What stands against a regular volume, gravest first.
    """

    order: tuple[int, ...]
    step: FloatArray
    offsets: tuple[float, ...]
    flaws: tuple[Flaw, ...]


def normal_of(orientation: Sequence[float]) -> FloatArray:
    """Return the unit vector along which slices grow: row cosines × column cosines (PS3.3 C.7.6.2.1.1)."""
    row, column = np.asarray(orientation[:3], dtype=np.float64), np.asarray(orientation[3:], dtype=np.float64)
    normal = np.cross(row, column)
    return np.asarray(normal / np.linalg.norm(normal))


def is_orientation(orientation: Sequence[float]) -> bool:
    """Return whether six cosines are two unit vectors at right angles, within 1 %."""
    if len(orientation) != 6:
        return False
    a, b, c, d, e, f = orientation
    # in plain numbers: this runs once a file, and arrays of three would cost more than reading the header
    lengths = abs(a * a + b * b + c * c - 1.0), abs(d * d + e * e + f * f - 1.0)
    return max(lengths) < 0.02 and abs(a * d + b * e + c * f) < 0.01


def stack(
    positions: npt.ArrayLike, *, orientation: Sequence[float], thickness_mm: float, pixel_mm: float = 1.0
) -> Stack:
    """Return slices ordered along their normal, their common step, and what is wrong with them.

    Args:
        positions: (n, 3) ImagePositionPatient in LPS mm.
        orientation: ImageOrientationPatient, six cosines.
        thickness_mm: Step of a stack of one slice, whose neighbours do not say it.
        pixel_mm: Smaller in-plane spacing: slices shifted sideways by less than half of it count as aligned.
    """
    points = np.asarray(positions, dtype=np.float64).reshape(-1, 3)
    normal = normal_of(orientation)
    along = points @ normal
    order = np.argsort(along, kind="stable")
    flaws: list[Flaw] = []
    apart = np.diff(along[order])
    if (apart < SAME_MM).any():
        flaws.append(_duplicates(apart))
        order = order[np.concatenate([[True], apart >= SAME_MM])]
    if len(order) < 2:
        return Stack(order=_ints(order), step=normal * thickness_mm, offsets=(0.0,), flaws=tuple(flaws))
    gaps = np.diff(along[order])
    pitch, offsets, flaw = _grid(along[order] - along[order[0]], gaps)
    step, slid = _line(points[order], normal=normal, offsets=offsets, pitch=pitch)
    flaws += _sideways(step, normal=normal, slid=slid, pixel_mm=pixel_mm, extent=float(offsets[-1]))
    flaws += [flaw] if flaw else []
    return Stack(order=_ints(order), step=step, offsets=tuple(float(o) for o in offsets), flaws=tuple(flaws))


def affine_of(
    position: Sequence[float], *, orientation: Sequence[float], step: npt.ArrayLike, spacing: Sequence[float]
) -> Affine:
    """Return the affine of a stack.

    Args:
        position: Of the centre of the first voxel of the first slice, LPS mm.
        orientation: Six cosines; the first three say where a row runs, so where columns grow.
        step: (3,) from slice to slice, LPS mm; the affine keeps it as it is, also when it is tilted.
        spacing: PixelSpacing: mm between rows, mm between columns.

    Raises:
        GridError: The parts make a flat or singular matrix.
    """
    matrix = np.eye(4)
    matrix[:3, 0] = step
    # cosines of few digits are not quite of length 1, and PixelSpacing alone says how large a pixel is
    along_row, along_column = np.asarray(orientation[:3]), np.asarray(orientation[3:])
    matrix[:3, 1] = along_column / (np.linalg.norm(along_column) or 1.0) * spacing[0]
    matrix[:3, 2] = along_row / (np.linalg.norm(along_row) or 1.0) * spacing[1]
    matrix[:3, 3] = position
    return Affine(matrix=matrix)


def _ints(order: npt.NDArray[np.intp]) -> tuple[int, ...]:
    return tuple(int(i) for i in order)


def _duplicates(apart: FloatArray) -> Flaw:
    count = int((apart < SAME_MM).sum())
    first = int(np.argmax(apart < SAME_MM))
    return Flaw(
        verdict="duplicate positions", accept="duplicates",
        reason=f"{count} of {len(apart) + 1} slices lie within {SAME_MM} mm of another, first slice {first + 2} on "
        f"slice {first + 1}, and nothing tells them apart. Accepting duplicates keeps the first of each.",
    )  # fmt: skip


def _grid(along: FloatArray, gaps: FloatArray) -> tuple[float, FloatArray, Flaw | None]:
    """Return the pitch, each slice's place in pitches, and the flaw of an uneven row of slices."""
    count = np.arange(len(along), dtype=np.float64)
    centred = count - count.mean()
    pitch = float(centred @ along / (centred @ centred))
    if (np.abs(along - along.mean() - centred * pitch) <= OFF_GRID * pitch).all():
        return pitch, count, None
    usual = float(np.sort(gaps)[(len(gaps) - 1) // 2])
    near = gaps[np.abs(gaps - usual) <= OFF_GRID * usual]
    pitch = float(near.mean())
    ratio = gaps / pitch
    wide = ratio > 1.5
    whole = bool((np.abs(ratio - np.rint(ratio)) <= OFF_GRID * np.maximum(1, np.rint(ratio))).all())
    if whole and wide.any() and (wide.mean() <= _MOST_HOLES or len(gaps) == 2):
        places = np.concatenate([[0.0], np.cumsum(np.rint(ratio))])
        return float(along[-1] / places[-1]), places, _hole(gaps, wide=wide, pitch=pitch, ratio=ratio)
    worst = int(np.argmax(np.abs(gaps - pitch)))
    return pitch, along / pitch, Flaw(
        verdict="uneven spacing", accept="uneven",
        reason=f"Slices lie {gaps.min():.3f} to {gaps.max():.3f} mm apart, most of them {pitch:.3f} mm; slices "
        f"{worst + 1} and {worst + 2} {gaps[worst]:.3f} mm. Accepting uneven interpolates even slices from them.",
    )  # fmt: skip


def _hole(gaps: FloatArray, *, wide: npt.NDArray[np.bool_], pitch: float, ratio: FloatArray) -> Flaw:
    first = int(np.argmax(wide))
    missing = int(np.rint(ratio[wide]).sum() - wide.sum())
    return Flaw(
        verdict="missing slice", accept="gaps",
        reason=f"Slices {first + 1} and {first + 2} lie {gaps[first]:.3f} mm apart, the others {pitch:.3f} mm: "
        f"{missing} {'slice is' if missing == 1 else 'slices are'} missing in {int(wide.sum())} "
        f"{'place' if wide.sum() == 1 else 'places'}. Accepting gaps interpolates them from their neighbours.",
    )  # fmt: skip


def _line(
    points: FloatArray, *, normal: FloatArray, offsets: FloatArray, pitch: float
) -> tuple[FloatArray, FloatArray]:
    """Return the step of the straight line through the slices, and each slice's sideways distance from it in mm."""
    centred = offsets - offsets.mean()
    step = centred @ (points - points.mean(axis=0)) / (centred @ centred)
    # along the normal the pitch stands as found; the fit serves the sideways part
    step = step - (step @ normal) * normal + pitch * normal
    left = points - points.mean(axis=0) - np.outer(centred, step)
    return step, np.linalg.norm(left - np.outer(left @ normal, normal), axis=1)


def _sideways(step: FloatArray, *, normal: FloatArray, slid: FloatArray, pixel_mm: float, extent: float) -> list[Flaw]:
    flaws: list[Flaw] = []
    pitch = float(step @ normal)
    aside = float(np.linalg.norm(step - pitch * normal))
    if aside > TILT * pitch and aside * extent > 0.5 * pixel_mm:
        degrees = float(np.degrees(np.arctan2(aside, pitch)))
        flaws.append(Flaw(
            verdict="tilted", accept="tilt",
            reason=f"Each slice lies {aside:.3f} mm aside of the one before ({degrees:.1f} degrees), as a tilted "
            "gantry leaves them. Accepting tilt shears the stack back onto a right-angled grid.",
        ))  # fmt: skip
    if float(slid.max()) > max(0.5 * pixel_mm, SAME_MM):
        worst = int(np.argmax(slid))
        flaws.append(Flaw(
            verdict="uneven spacing",
            reason=f"Slice {worst + 1} lies {float(slid[worst]):.3f} mm aside of the line of the others. "
            "Nothing mends it: check whether two acquisitions were joined.",
        ))  # fmt: skip
    return flaws
