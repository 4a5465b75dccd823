"""A volume as registration looks at it: on a coarse grid, its grey levels evened, and where its body lies."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_dilation

from isocenter.errors import InputError
from isocenter.image import Affine, Volume, resample_volume, spaced
from isocenter.processing.restoration.body import body_mask
from isocenter.processing.restoration.restored import require_grey, span_of

Floats = npt.NDArray[np.float64]

SPACINGS_MM = (8.0, 4.0, 2.0)
_QUANTILES = 64
_AIR = 0.15  # of the scale: what is darker than the body; the body has the rest, each grey level as often as another
_BRIGHTEST = 0.995  # share of the body; the rest is one grey level
_STEEPEST = 4.0  # times a straight line: evening out would blow up the noise of what is nearly flat
_RIM_MM = 10.0  # of air around the body, whose outline tells more than its inside
_SMALLEST_MM = 20.0  # of an axis
_LEAST_ML = 20.0  # of a body: of less, its grey levels cannot be counted
_SCALE_MM = 4.0  # of the grid that grey levels are counted on


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Level:
    """A volume on a grid of one spacing.

    Args:
        volume: Grey levels in 0..1, air below 0.15, those of the body evened.
        body: Which voxels are of the body.
        rim: The body and 10 mm around it: what a comparison looks at.
        spacing_mm: Of the grid along each axis, nearly.
    """

    volume: Volume
    body: npt.NDArray[np.bool_]
    rim: npt.NDArray[np.bool_]
    spacing_mm: float

    def points(self, most: int, *, rng: np.random.Generator, within: npt.NDArray[np.bool_] | None = None) -> Floats:
        """Return at most so many places in LPS mm (n, 3), drawn evenly from the rim, or from other voxels."""
        places = np.argwhere(self.rim if within is None else within)
        if len(places) > most:
            places = places[np.sort(rng.choice(len(places), most, replace=False))]
        # between the voxels: on the grid itself a measure is best where two grids meet, wherever the bodies lie
        return self.volume.affine.to_world(places + rng.uniform(-0.5, 0.5, places.shape))

    @property
    def centre(self) -> Floats:
        """The body's centre of mass, LPS mm."""
        return np.asarray(self.volume.affine.to_world(np.argwhere(self.body).mean(axis=0)))


def levels_of(volume: Volume, *, spacings_mm: tuple[float, ...] = SPACINGS_MM) -> tuple[Level, ...]:
    """Return a volume on grids of several spacings, coarse ones smoothed before.

    Args:
        volume: Of one channel.
        spacings_mm: Coarse to fine; 4 is among them.

    Raises:
        InputError: Colour, a picture, a volume of unknown voxel size, thinner than 20 mm, constant, or without a body.
    """
    _require_fit(volume)
    grids = [volume]
    for spacing in reversed(spacings_mm):
        grids.append(_on_grid(grids[-1], spacing))
    by_spacing = dict(zip(spacings_mm, grids[:0:-1], strict=True))
    counted = by_spacing[_SCALE_MM]
    body = body_mask(counted)
    if body.sum() * counted.affine.voxel_ml < _LEAST_ML:
        raise InputError(
            f"What stands out from air in a volume is less than {_LEAST_ML:.0f} ml: there is no body to go by."
        )
    known, even = _scale(counted.voxels[body], darkest=float(min(grid.voxels.min() for grid in grids[1:])))
    made = []
    for spacing, grid in by_spacing.items():
        voxels = np.interp(grid.voxels, known, even).astype(np.float32)
        there = body if grid is counted else _laid(body, counted.affine, grid)
        rim = binary_dilation(there, iterations=max(1, round(_RIM_MM / spacing)))
        made.append(Level(volume=replace(grid, voxels=voxels, unit="1"), body=there, rim=rim, spacing_mm=spacing))
    return tuple(made)


def _scale(inside: npt.NDArray[np.float32], *, darkest: float) -> tuple[Floats, Floats]:
    """Return values and the grey levels that they become: as often as one another, as far as noise is not blown up."""
    known = np.unique(np.quantile(inside, np.linspace(0.0, _BRIGHTEST, _QUANTILES)).astype(np.float64))
    if len(known) < 2:  # a body of one value, such as a mask
        known = np.array([known[0] - 1.0, known[0]])
    rank = np.searchsorted(np.sort(inside), known, side="right") / len(inside)
    rise = np.minimum(np.diff(rank), _STEEPEST * np.diff(known) / (known[-1] - known[0]))
    even = _AIR + (1 - _AIR) * np.concatenate([[0.0], np.cumsum(rise)]) / rise.sum()
    if darkest < known[0]:
        return np.concatenate([[darkest], known]), np.concatenate([[0.0], even])
    return known, even


def _laid(body: npt.NDArray[np.bool_], affine: Affine, grid: Volume) -> npt.NDArray[np.bool_]:
    """Return a mask on another grid of the same axes, by the nearest voxel."""
    ratio = np.asarray(grid.affine.spacing) / np.asarray(affine.spacing)
    first = affine.to_index(grid.affine.origin)
    each = [
        np.clip(np.rint(begin + np.arange(count) * step), 0, most - 1).astype(int)
        for begin, count, step, most in zip(first, grid.shape, ratio, body.shape, strict=True)
    ]
    return np.asarray(body[np.ix_(*each)])


def _on_grid(volume: Volume, spacing_mm: float) -> Volume:
    affine, shape = spaced(volume.affine, shape=volume.shape, spacing_mm=(spacing_mm,) * 3)
    return replace(resample_volume(volume, affine=affine, shape=shape), modality=volume.modality)


def _require_fit(volume: Volume) -> None:
    require_grey(volume, step="register")
    span_of(volume, step="register")
    if volume.is_planar or not volume.has_size:
        raise InputError("Registration is of volumes whose voxels have a known size in mm; this is a picture.")
    lengths = [count * step for count, step in zip(volume.shape, volume.affine.spacing, strict=True)]
    if min(lengths) < _SMALLEST_MM:
        raise InputError(
            f"A volume of {' by '.join(f'{mm:.0f}' for mm in lengths)} mm is too thin to be registered: "
            f"each axis takes {_SMALLEST_MM:.0f} mm."
        )
