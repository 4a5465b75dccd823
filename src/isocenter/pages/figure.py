"""Pictures of a plane: patient's left on the right, thin outlines, true proportions."""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from isocenter.image import Mask, Volume
from isocenter.pages.greys import Greys
from isocenter.result.report import Picture, Plane

# Where (slice, row, column) grow towards, so that rows run down the page and columns to the right:
# axial seen from the feet, coronal from the front, sagittal from the patient's left with the face to the left.
PLANES: dict[Plane, str] = {"axial": "SPL", "coronal": "PIL", "sagittal": "LIP"}
_AXIS: dict[Plane, int] = {"sagittal": 0, "coronal": 1, "axial": 2}  # of LPS, across the plane

_LEAST_PIXELS, _MOST_PIXELS = 640, 1024  # of the longer edge: sharp on a dense screen, small in a file
_LINE, _HALO = 0.0055, 0.003  # widths, as shares of the longer edge: 1.5 and 1 px of a picture of 280 px
_TURNED = 0.26  # sine of 15 degrees: an axis turned further from the patient's bears a second letter

Box = tuple[slice, slice]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A volume and its mask laid so that one plane can be read off: index 0 counts planes.

    Args:
        numbers: Slice of the input, counted from 1, of each plane.
    """

    plane: Plane
    volume: Volume
    mask: Mask
    numbers: tuple[int, ...]


def lay(volume: Volume, mask: Mask, *, plane: Plane) -> View:
    """Return the volume and its mask turned for a plane; arrays are views. A "picture" stays as it is stored.

    Raises:
        GridError: The mask lies on another grid.
    """
    mask.require_grid_of(volume)
    if plane == "picture":
        return View(plane=plane, volume=volume, mask=mask, numbers=tuple(range(1, volume.shape[0] + 1)))
    letters = PLANES[plane]
    order, flips = volume.affine.permutation_to(letters)
    numbers = range(1, volume.shape[order[0]] + 1)
    return View(
        plane=plane,
        volume=volume.oriented(letters),
        mask=mask.oriented(letters),
        numbers=tuple(reversed(numbers) if flips[0] else numbers),
    )


def draw_picture(view: View, index: int, *, greys: Greys, box: Box | None = None) -> Picture:
    """Return one plane as a picture.

    Args:
        view: Laid for the plane.
        index: Which plane of the view, from 0.
        greys: How values become greys.
        box: Rows and columns to show; None shows all.
    """
    rows, columns = box or (slice(None), slice(None))
    values = np.asarray(view.volume.voxels[..., index, rows, columns], dtype=np.float32)
    labels = view.mask.labels[index, rows, columns]
    _, row_mm, column_mm = view.volume.affine.spacing
    size_mm = (labels.shape[0] * row_mm, labels.shape[1] * column_mm)
    pixels = _pixels(size_mm, finest_mm=min(row_mm, column_mm))
    shown = [label for label in view.mask.table if (labels == label.value).any()]
    return Picture(
        plane=view.plane,
        number=view.numbers[index],
        count=len(view.numbers),
        place_mm=_place_mm(view, index),
        size_mm=size_mm,
        image=_png(_grey_pixels(values, greys=greys, pixels=pixels)),
        outlines=_png(_outline_pixels(labels, [(one.value, one.colour) for one in shown], pixels=pixels)),
        letters=_letters(view),
        structures=tuple(label.name for label in shown),
        is_cropped=labels.shape != view.mask.shape[1:],
        has_size=view.volume.has_size,
    )


def letters_of(direction: npt.ArrayLike) -> str:
    """Return where a direction in LPS points: "L", or "LP" where it is turned by more than 15 degrees.

    Source: DICOM PS3.3 C.7.6.1.1.1, Patient Orientation: letters in the order of their share.
    """
    named = list(zip(("LR", "PA", "HF"), np.asarray(direction, dtype=np.float64).tolist(), strict=True))
    named.sort(key=lambda part: -abs(part[1]))
    return "".join(pair[int(share < 0)] for pair, share in named if abs(share) > _TURNED)


def _letters(view: View) -> tuple[str, str, str, str]:
    if view.plane == "picture":
        return ("", "", "", "")  # a picture's matrix may know nothing of the patient
    down, right = view.volume.affine.directions[:, 1], view.volume.affine.directions[:, 2]
    return letters_of(-down), letters_of(right), letters_of(down), letters_of(-right)


def _place_mm(view: View, index: int) -> float:
    """Return the plane's distance from the origin along its normal; the same for any crop, oblique or not."""
    if view.plane == "picture":
        return 0.0
    _, down, right = view.volume.affine.directions.T
    normal = np.cross(down, right)
    normal /= np.linalg.norm(normal)
    toward = normal[_AXIS[view.plane]]
    return float(np.copysign(1.0, toward) * (normal @ view.volume.affine.to_world((index, 0, 0))))


def _pixels(size_mm: tuple[float, float], *, finest_mm: float) -> tuple[int, int]:
    """Return (width, height) of a picture with square pixels."""
    longest = max(size_mm)
    edge = float(np.clip(longest / finest_mm, _LEAST_PIXELS, _MOST_PIXELS))
    height, width = (max(1, round(edge * mm / longest)) for mm in size_mm)
    return width, height


def _stretched(values: Floats, pixels: tuple[int, int]) -> Floats:
    return np.asarray(Image.fromarray(values).resize(pixels, Image.Resampling.BICUBIC), dtype=np.float32)


def _grey_pixels(values: Floats, *, greys: Greys, pixels: tuple[int, int]) -> npt.NDArray[np.uint8]:
    if values.ndim == 3:
        return np.stack([greys.of(_stretched(channel, pixels)) for channel in values], axis=-1)
    return greys.of(_stretched(values, pixels))


def _outline_pixels(
    labels: npt.NDArray[Any], structures: Sequence[tuple[int, tuple[int, int, int]]], *, pixels: tuple[int, int]
) -> npt.NDArray[np.uint8]:
    """Return RGBA (height, width, 4): a line just inside each structure's edge, on a faint dark halo."""
    layer = np.zeros((pixels[1], pixels[0], 4), dtype=np.float32)
    drawn = [(_line(labels == value, pixels), np.asarray(colour, dtype=np.float32)) for value, colour in structures]
    for line, _ in drawn:
        shade = layer[line.box][..., 3]
        np.maximum(shade, 0.5 * line.halo, out=shade)
    for line, colour in drawn:
        part, cover = layer[line.box], line.cover[..., None]
        part[..., :3] = (1 - cover) * part[..., :3] + cover * colour
        part[..., 3:] = np.maximum(part[..., 3:], cover)
    layer[..., 3] *= 255
    return np.asarray(np.rint(layer), dtype=np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A structure's line and its halo, 0..1, on the part of a picture that they cover."""

    box: Box
    cover: Floats
    halo: Floats


def _line(inside: npt.NDArray[np.bool_], pixels: tuple[int, int]) -> _Line:
    """Return the line along the edge, which lies where the structure's interpolated share is one half.

    Near the edge the share over its slope is the distance to it in fractions of a pixel, which keeps the outer rim
    smooth; further inside and outside whole distances do.
    """
    width, halo = _LINE * max(pixels), _HALO * max(pixels)
    share = _stretched(inside.astype(np.float32), pixels)
    box = _reach(share > 0.5, math.ceil(halo) + 2)
    share = share[box]
    inner = ndimage.distance_transform_edt(share > 0.5)
    outer = ndimage.distance_transform_edt(share <= 0.5)
    down, right = np.gradient(share)
    rim = np.clip((share - 0.5) / np.maximum(np.hypot(down, right), 1e-4) + 0.5, 0, 1)
    cover = np.clip(width + 1 - inner, 0, 1) * rim
    dark = np.clip(halo + 1 - outer, 0, 1) * np.clip(width + halo + 1 - inner, 0, 1)
    return _Line(box=box, cover=cover.astype(np.float32), halo=dark.astype(np.float32))


def _reach(inside: npt.NDArray[np.bool_], margin: int) -> Box:
    """Return rows and columns that hold everything inside, with a margin; at least two of each."""
    parts = []
    for axis, size in enumerate(inside.shape):
        there = np.flatnonzero(inside.any(axis=1 - axis))
        first, last = (int(there[0]), int(there[-1])) if there.size else (0, 0)
        parts.append(slice(max(0, min(first - margin, size - 2)), last + margin + 1))
    return parts[0], parts[1]


def _png(pixels: npt.NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG", compress_level=6)
    return stream.getvalue()
