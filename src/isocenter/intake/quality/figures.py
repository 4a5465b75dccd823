"""What an image is like, in figures that do not depend on what it shows: how noisy, how sharp, how far it is cut off.

Each figure is taken of a few slices, spread over the volume, so that a scan of 600 slices takes little longer than one
of 60. All but two are shares of the image's own range, so that images in other units can be compared.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import convolve, gaussian_gradient_magnitude, grey_opening

from isocenter.image import Volume
from isocenter.intake.quality.copies.sketch import Sketch, sketch_of

_SLICES = 12
_LEAST = 8  # pixels of a slice's side: below, nothing can be said of it
_LAPLACES = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_EDGE = 16  # pixels of the coarse form's sides
_DARK = 0.15  # of the range: what is darker is taken for background
_SPIKE = 0.5  # of the range
_BLOCK = 8  # pixels of a block of JPEG
_WRITTEN = 32  # pixels of a side: in less nobody writes
_STROKE = 7  # pixels that a stroke of writing is wide at most

Slices = npt.NDArray[np.float32]
"""(slice, row, column), scaled so that the middle 98 % of the volume's values run from 0 to 1, and cut off there."""

Grey = npt.NDArray[Any]
"""(slice, row, column), as stored; colours averaged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One volume in figures.

    Args:
        where: Case, and its role where the case has several.
        role, modality: Images are compared with those of the same.
        shape: Voxels (slice, row, column).
        spacing: mm a voxel; nan where there is none or nobody said.
        orientation: Of the axes, such as "SPL"; empty for a picture.
        colours: 1 or 3.
        is_deep: Its values need more than 8 bits.
        values: Name of a figure to its value; nan where it cannot be told.
        form: (16, 16) coarse form of its middle slice, of mean 0 and deviation 1; 0 where it has no contrast.
        sketch: What copies of it are found by.
    """

    where: str
    role: str
    modality: str
    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    orientation: str
    colours: int
    is_deep: bool
    values: Mapping[str, float]
    form: npt.NDArray[np.float32]
    sketch: Sketch

    @property
    def is_planar(self) -> bool:
        """Whether it is a picture, and not a stack."""
        return not self.orientation

    @property
    def group(self) -> tuple[str, str, bool]:
        """What it is compared with: role, modality, and whether it is a picture."""
        return self.role, self.modality, self.is_planar


def figures_of(volume: Volume, *, where: str, role: str) -> Figures:
    """Return a volume in figures.

    Args:
        volume: Of any type, in grey or colour.
        where: What findings call it.
        role: Of the volume in its case.
    """
    grey: Grey = volume.voxels if volume.voxels.ndim == 3 else volume.voxels.mean(axis=0)
    thin = grey[tuple(slice(None, None, max(1, length // 128)) for length in grey.shape)]
    low, high = (float(np.percentile(thin, share)) for share in (1, 99))
    scaled = _scaled(_spread(grey), low, high)
    values = {name: measure(thin, low, high) for name, measure in _OF_VALUES.items()}
    values |= {name: _measured(measure, scaled) for name, measure in _OF_SLICES.items()}
    values |= {name: measure(grey) for name, measure in _OF_STACKS.items()}
    return Figures(
        where=where, role=role, modality=volume.modality, shape=volume.shape, spacing=volume.spacing,
        orientation="" if volume.is_planar else volume.affine.orientation,
        colours=volume.channels, is_deep=volume.voxels.dtype.itemsize > 1, values=values,
        form=coarse_form(_scaled(grey[len(grey) // 2][None], low, high)[0]),
        sketch=sketch_of(grey if volume.is_planar else thin, low, high, is_stack=not volume.is_planar),
    )  # fmt: skip


def coarse_form(picture: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return (16, 16) means over a picture, of mean 0 and deviation 1; 0 throughout where it has no contrast."""
    rows, columns = (np.linspace(0, length, _EDGE + 1).astype(int)[:-1] for length in picture.shape)
    sums = np.add.reduceat(np.add.reduceat(picture, rows, axis=0), columns, axis=1)
    counts = np.add.reduceat(np.add.reduceat(np.ones_like(picture), rows, axis=0), columns, axis=1)
    form = sums / counts
    deviation = float(form.std())
    return np.asarray((form - form.mean()) / deviation if deviation > 1e-6 else np.zeros_like(form), np.float32)


def _spread(grey: Grey) -> Grey:
    """Return a few slices, spread over the middle of a stack."""
    count = len(grey)
    chosen = np.unique(np.linspace(0.1 * count, 0.9 * count, _SLICES).astype(int).clip(0, count - 1))
    picked: Grey = grey[chosen]
    return picked


def _scaled(slices: Grey, low: float, high: float) -> Slices:
    scaled = (slices.astype(np.float32) - np.float32(low)) / np.float32(max(high - low, 1e-12))
    return np.asarray(scaled.clip(0, 1), np.float32)


def _measured(measure: Callable[[Slices], float], slices: Slices) -> float:
    return measure(slices) if min(slices.shape[1:]) >= _LEAST else float("nan")


def _level(thin: Grey, low: float, high: float) -> float:
    """Return the middle of the range, on a scale on which ten times as much is 1 more."""
    middle = (low + high) / 2
    return float(np.sign(middle) * np.log10(1 + abs(middle)))


def _range(thin: Grey, low: float, high: float) -> float:
    """Return the range, on the same scale."""
    return float(np.log10(max(high - low, 1e-12)))


def _shades(thin: Grey, low: float, high: float) -> float:
    """Return how many values occur, as a power of 2."""
    return float(np.log2(len(np.unique(thin))))


def _cut_off(thin: Grey, edge: float) -> float:
    """Return the share of voxels that have the one value at an end of the range."""
    return float((thin == edge).mean())


def _noise(slices: Slices) -> float:
    """Return the deviation of noise, by how far pixels are from what their neighbours let expect.

    Source: Immerkær 1996, Comput Vis Image Underst 64:300; here by the median, which edges change less.
    """
    far = np.concatenate([np.abs(convolve(one, _LAPLACES))[1:-1, 1:-1].ravel() for one in slices])
    shown = far[far > 0]
    return float(np.median(shown) / (6 * 0.6745)) if len(shown) else 0.0


def _sharpness(slices: Slices) -> float:
    """Return how steep the steepest edges are."""
    return float(np.percentile([gaussian_gradient_magnitude(one, 1.0) for one in slices], 99.5))


def _spikes(slices: Slices) -> float:
    """Return the share of pixels that stand out by half of the range along their row and along their column."""
    return float(np.mean((_out_of_line(slices, 1) > _SPIKE) & (_out_of_line(slices, 2) > _SPIKE)))


def _out_of_line(slices: Slices, axis: int) -> Slices:
    """Return how far each pixel lies from the median of itself and its two neighbours along an axis."""
    before, after = np.roll(slices, 1, axis), np.roll(slices, -1, axis)
    low, high = np.minimum(before, after), np.maximum(before, after)
    return np.asarray(np.maximum(low - slices, slices - high).clip(0), np.float32)


def _tone(slices: Slices) -> float:
    """Return how light it is on average."""
    return float(slices.mean())


def _detail(slices: Slices) -> float:
    """Return how much neighbours differ, as a share of how much pixels four apart do; along the axis where less."""
    shares = []
    for axis in (1, 2):
        moved = np.moveaxis(slices, axis, -1)
        near, far = (float(np.abs(moved[..., apart:] - moved[..., :-apart]).mean()) for apart in (1, 4))
        shares.append(near / far if far > 0 else float("nan"))
    return min(shares)


def _bend(slices: Slices) -> float:
    """Return how much steps from pixel to pixel change, as a share of how large they are; along the axis where less.

    What blurs an image makes its steps follow each other, in whatever direction; what it shows matters little.
    """
    shares = []
    for axis in (1, 2):
        steps = np.diff(slices, axis=axis)
        size = float(np.abs(steps).mean())
        shares.append(float(np.abs(np.diff(steps, axis=axis)).mean()) / size if size > 0 else float("nan"))
    return min(shares)


def _flat(slices: Slices) -> float:
    """Return the share of blocks that have one value throughout."""
    rows, columns = (length - length % _BLOCK for length in slices.shape[1:])
    blocks = slices[:, :rows, :columns].reshape(len(slices), rows // _BLOCK, _BLOCK, columns // _BLOCK, _BLOCK)
    return float((np.ptp(blocks, axis=(2, 4)) == 0).mean())


def _blocks(slices: Slices) -> float:
    """Return how much steeper every eighth step from pixel to pixel is than the others: about 1 without blocks."""
    ratios = []
    for axis in (1, 2):
        steps = np.abs(np.diff(slices, axis=axis)).mean(axis=(0, 3 - axis))
        phases = np.array([steps[phase::_BLOCK].mean() for phase in range(_BLOCK)]) if len(steps) > 2 * _BLOCK else None
        if phases is not None and np.median(phases) > 0:
            ratios.append(float(phases.max() / np.median(phases)))
    return min(ratios, default=float("nan"))


def _stripes(slices: Slices) -> float:
    """Return how far lines as a whole differ from the two beside them, where that differs most."""
    return max(
        float(np.abs(np.diff(slices.mean(axis=3 - axis), n=2, axis=1)).mean()) for axis in (1, 2)
    )  # fmt: skip


def _marks(slices: Slices) -> float:
    """Return the share of pixels that are as light as can be and lie in strokes: writing, crosses, rulers."""
    if min(slices.shape[1:]) < _WRITTEN:
        return float("nan")
    strokes = [
        (one >= 1) & (one - grey_opening(one, size=(_STROKE, _STROKE)) > _SPIKE) for one in slices
    ]  # fmt: skip
    return float(np.mean(strokes))


def _background(slices: Slices) -> float:
    """Return the share of pixels that are dark."""
    return float((slices < _DARK).mean())


def _polarity(slices: Slices) -> float:
    """Return how much lighter the rim is than the middle."""
    rows, columns = slices.shape[1] // 8, slices.shape[2] // 8
    rim = np.ones(slices.shape[1:], bool)
    rim[rows:-rows, columns:-columns] = False
    return float(slices[:, rim].mean() - slices[:, ~rim].mean())


def _ghost(slices: Slices) -> float:
    """Return how far the background shows the image again, shifted by half of it: as a moving patient's does in MR."""
    return max(_shown_again(slices, axis) for axis in (1, 2))


def _shown_again(slices: Slices, axis: int) -> float:
    shifted = np.roll(slices, slices.shape[axis] // 2, axis=axis)
    dark = (slices < _DARK) & (slices > 0)
    if dark.sum() < 64:
        return 0.0
    here, there = slices[dark], shifted[dark]
    spread = float(here.std() * there.std())
    return float(((here - here.mean()) * (there - there.mean())).mean() / spread) if spread > 1e-9 else 0.0


def _lost_lines(slices: Slices) -> float:
    """Return the share of rows and columns that have one value, between others that have not."""
    shares = []
    for axis in (1, 2):
        flat = np.ptp(slices, axis=axis) == 0
        inside = np.logical_or.accumulate(~flat, axis=1) & np.logical_or.accumulate(~flat[:, ::-1], axis=1)[:, ::-1]
        shares.append(float((flat & inside).mean()))
    return max(shares)


def _repeated(grey: Grey) -> float:
    """Return the share of slices that repeat the one before them."""
    pairs = [bool(np.array_equal(one, other)) and np.ptp(one) > 0 for one, other in pairwise(grey)]
    return float(np.mean(pairs)) if pairs else 0.0


def _lost_slices(grey: Grey) -> float:
    """Return the share of slices that have one value, between others that have not."""
    shown = np.array([np.ptp(one) > 0 for one in grey])
    inside = np.logical_or.accumulate(shown) & np.logical_or.accumulate(shown[::-1])[::-1]
    return float((~shown & inside).mean())


def _uneven(grey: Grey) -> float:
    """Return how much two neighbouring slices differ at most, as times of how much they usually do."""
    if len(grey) < 5:
        return float("nan")
    small = grey[:, :: max(1, grey.shape[1] // 64), :: max(1, grey.shape[2] // 64)].astype(np.float32)
    steps = np.abs(np.diff(small, axis=0)).mean(axis=(1, 2))
    return float(steps.max() / np.median(steps)) if np.median(steps) > 0 else float("nan")


def _disorder(grey: Grey) -> float:
    """Return how much neighbouring slices differ, as a share of how much those two apart do: about 1 where shuffled."""
    if len(grey) < 5:
        return float("nan")
    small = grey[:, :: max(1, grey.shape[1] // 64), :: max(1, grey.shape[2] // 64)].astype(np.float32)
    next_, second = (float(np.abs(small[apart:] - small[:-apart]).mean()) for apart in (1, 2))
    return next_ / second if second else float("nan")


_OF_VALUES: Mapping[str, Callable[[Grey, float, float], float]] = {
    "level": _level, "range": _range, "shades": _shades,
    "cut off below": lambda thin, low, high: _cut_off(thin, float(thin.min())),
    "cut off above": lambda thin, low, high: _cut_off(thin, float(thin.max())),
}  # fmt: skip
_OF_SLICES: Mapping[str, Callable[[Slices], float]] = {
    "noise": _noise, "sharpness": _sharpness, "spikes": _spikes, "background": _background, "polarity": _polarity,
    "ghost": _ghost, "lost lines": _lost_lines, "tone": _tone, "detail": _detail, "bend": _bend, "flat": _flat,
    "blocks": _blocks, "stripes": _stripes, "marks": _marks,
}  # fmt: skip
_OF_STACKS: Mapping[str, Callable[[Grey], float]] = {
    "repeated slices": _repeated, "lost slices": _lost_slices, "disorder": _disorder, "uneven": _uneven,
}  # fmt: skip
