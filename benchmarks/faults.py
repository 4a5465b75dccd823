# ruff: noqa: E501 - a table
"""Kinds of faults that are planted into real images and outlines: what is done, which check should tell."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

Grey = npt.NDArray[np.float32]
"""(..., row, column) of a volume, slices and colours in front."""

Labels = npt.NDArray[Any]
Rng = np.random.Generator


@dataclass(frozen=True)
class Fault:
    """A kind of fault.

    Args:
        name: With its size.
        told: Checks that name it; any of them counts.
        plant: Makes the faulty voxels, or labels.
        of: "image", "placed" (images that all show their subject the same way up), "stack" (images of several slices only), "mask", "two" (masks of two structures), "stack mask".
    """

    name: str
    told: frozenset[str]
    plant: Callable[[Any, Rng], Any]
    of: str = "image"


def _range(image: Grey) -> float:
    low, high = np.percentile(image, (1, 99))
    return float(max(high - low, 1e-6))


def _each(image: Grey, change: Callable[[npt.NDArray[Any]], npt.ArrayLike]) -> Grey:
    """Return an image, every slice and colour changed."""
    flat = image.reshape(-1, *image.shape[-2:])
    made = np.stack([np.asarray(change(one), np.float32) for one in flat])
    return made.reshape(*image.shape[:-2], *made.shape[-2:])


def _side(image: Grey) -> int:
    return min(image.shape[-2:])


def _noise(image: Grey, rng: Rng) -> Grey:
    return image + rng.normal(0, 0.12 * _range(image), image.shape).astype(np.float32)


def _spikes(image: Grey, rng: Rng) -> Grey:
    hit = rng.random(image.shape[-3:] if image.ndim > 3 else image.shape) < 0.01
    return np.where(hit, np.float32(np.percentile(image, 1) + _range(image) * 1.2), image)


def _ghost(image: Grey, rng: Rng) -> Grey:
    return image + 0.25 * np.roll(image, image.shape[-2] // 2, axis=-2)


def _jpeg(image: Grey, rng: Rng) -> Grey:
    low, spread = float(np.percentile(image, 1)), _range(image)

    def saved(one: Grey) -> Grey:
        written = io.BytesIO()
        Image.fromarray(((one - low) / spread * 255).clip(0, 255).astype(np.uint8)).save(written, "JPEG", quality=4)
        return np.asarray(Image.open(written), np.float32) / 255 * spread + low

    return _each(image, saved)


def _coarse(image: Grey, rng: Rng) -> Grey:
    step = max(3, _side(image) // 48)
    return _each(
        image,
        lambda one: ndimage.zoom(
            one[::step, ::step], np.array(one.shape) / np.array(one[::step, ::step].shape), order=1
        ),
    )


def _cut_in_half(image: Grey, rng: Rng) -> Grey:
    half = image.shape[-1] // 2
    return image[..., :half] if rng.random() < 0.5 else image[..., half:]


def _in_a_frame(image: Grey, rng: Rng) -> Grey:
    rows, columns = (side // 2 for side in image.shape[-2:])
    wide = [(0, 0)] * (image.ndim - 2) + [(rows, rows), (columns, columns)]
    return np.pad(image, wide, constant_values=float(image.min()))


def _covered(image: Grey, rng: Rng) -> Grey:
    made = image.copy()
    rows, columns = image.shape[-2:]
    top, left = int(rng.integers(0, rows // 2)), int(rng.integers(0, columns // 2))
    made[..., top : top + rows // 2, left : left + columns // 2] = image.min()
    return made


def _lost_lines(image: Grey, rng: Rng) -> Grey:
    made, place = image.copy(), image.shape[-2] // 3 + int(rng.integers(0, image.shape[-2] // 3))
    made[..., place : place + max(2, image.shape[-2] // 40), :] = 0
    return made


def _striped(image: Grey, rng: Rng) -> Grey:
    made = image.copy()
    made[..., ::4, :] += 0.2 * _range(image)
    return made


def _shaded(image: Grey, rng: Rng) -> Grey:
    return image * np.linspace(0.15, 1.85, image.shape[-1], dtype=np.float32)


def _drawn(image: Grey, draw: Callable[[ImageDraw.ImageDraw, int, int], None]) -> Grey:
    shown = Image.new("L", image.shape[:-3:-1])
    draw(ImageDraw.Draw(shown), shown.width, shown.height)
    return np.where(np.asarray(shown) > 127, np.float32(max(image.max(), 1)), image)


def _written(image: Grey, rng: Rng) -> Grey:
    size = max(8, _side(image) // 14)
    place = (float(rng.uniform(0, 0.5)), float(rng.uniform(0.1, 0.85)))

    def draw(pen: ImageDraw.ImageDraw, width: int, height: int) -> None:
        pen.text((place[0] * width, place[1] * height), "L 21.7mm 12/04", fill=255, font=ImageFont.load_default(size))

    return _drawn(image, draw)


def _measured(image: Grey, rng: Rng) -> Grey:
    ends = rng.uniform(0.2, 0.8, (4, 2))

    def draw(pen: ImageDraw.ImageDraw, width: int, height: int) -> None:
        arm = max(2, min(width, height) // 40)
        for y, x in ends * (height, width):
            pen.line((x - arm, y, x + arm, y), fill=255)
            pen.line((x, y - arm, x, y + arm), fill=255)
        for (y, x), (v, u) in zip(ends[::2] * (height, width), ends[1::2] * (height, width), strict=True):
            for share in np.linspace(0, 1, 24):
                pen.point((x + share * (u - x), y + share * (v - y)), fill=255)

    return _drawn(image, draw)


def _levels(image: Grey, rng: Rng) -> Grey:
    step = _range(image) / 6
    return np.round(image / step) * step


def _one_slice(change: Callable[[Grey, int], None]) -> Callable[[Grey, Rng], Grey]:
    def planted(image: Grey, rng: Rng) -> Grey:
        made = image.copy()
        change(made, int(rng.integers(len(made) // 4, 3 * len(made) // 4)))
        return made

    return planted


def _repeat(made: Grey, place: int) -> None:
    made[place] = made[place - 1]


def _blank(made: Grey, place: int) -> None:
    made[place] = 0


def _bright(made: Grey, place: int) -> None:
    made[place] *= 2.5


def _other_frame(made: Grey, place: int) -> None:
    made[place:] = np.roll(made[place:], made.shape[-1] // 4, axis=-1)


def _moved_slices(image: Grey, rng: Rng) -> Grey:
    made = image.copy()
    made[::2] = np.roll(made[::2], max(2, image.shape[-1] // 12), axis=-1)
    return made


def _two_thirds(image: Grey, rng: Rng) -> Grey:
    return image[: len(image) // 3]


def _is(*names: str) -> frozenset[str]:
    return frozenset(names)


KIND = "another kind of image"
IMAGES = (
    Fault("noise, 12 % of the range", _is("noise"), _noise),
    Fault("1 % of pixels white", _is("spikes", "noise"), _spikes),
    Fault(
        "blur, 1/64 of the side",
        _is("blur"),
        lambda image, rng: _each(image, lambda one: ndimage.gaussian_filter(one, max(1.5, _side(image) / 64))),
    ),
    Fault(
        "motion, 1/12 of the side",
        _is("blur", "motion"),
        lambda image, rng: ndimage.uniform_filter1d(image, max(4, image.shape[-1] // 12), axis=-1),
    ),
    Fault("a coarser grid, blown up", _is("blur"), _coarse),
    Fault(
        "sharpened",
        _is("sharpening", "noise", "clipping"),
        lambda image, rng: image + 4 * (image - _each(image, lambda one: ndimage.gaussian_filter(one, 1.5))),
    ),
    Fault("ghost, 25 % at half the side", _is("ghosting"), _ghost),
    Fault("clipped, brightest 40 %", _is("clipping"), lambda image, rng: np.minimum(image, np.percentile(image, 60))),
    Fault(
        "clipped, darkest 60 %",
        _is("clipping", "field of view"),
        lambda image, rng: np.maximum(image, np.percentile(image, 60)),
    ),
    Fault(
        "faded to 1/8 of the contrast",
        _is("contrast", "few grey levels"),
        lambda image, rng: image.mean() + (image - image.mean()) / 8,
    ),
    Fault(
        "gamma 4: far too dark",
        _is("brightness", "field of view"),
        lambda image, rng: ((image - image.min()) / np.ptp(image)) ** 4 * np.ptp(image),
    ),
    Fault("six grey levels", _is("few grey levels"), _levels),
    Fault("JPEG of quality 4", _is("blocks"), _jpeg),
    Fault(
        "light and dark exchanged", _is("polarity", "orientation"), lambda image, rng: image.max() + image.min() - image
    ),
    Fault("turned by 90°", _is("orientation"), lambda image, rng: np.rot90(image, 1, axes=(-2, -1)), "placed"),
    Fault("turned by 180°", _is("orientation"), lambda image, rng: np.rot90(image, 2, axes=(-2, -1)), "placed"),
    Fault("mirrored", _is("orientation"), lambda image, rng: image[..., ::-1], "placed"),
    Fault("upside down", _is("orientation"), lambda image, rng: image[..., ::-1, :], "placed"),
    Fault("half of the field cut away", _is("field of view", KIND, "extent"), _cut_in_half),
    Fault("set into a frame twice as wide", _is("field of view", KIND, "extent"), _in_a_frame),
    Fault("a quarter covered", _is("field of view", KIND, "lost lines", "covered"), _covered),
    Fault(
        "stretched by 1.6",
        _is("extent", "spacing"),
        lambda image, rng: _each(image, lambda one: ndimage.zoom(one, (1.6, 1), order=1)),
    ),
    Fault("a thousand times", _is("intensity scale"), lambda image, rng: image * 1000),
    Fault("32768 added", _is("intensity scale"), lambda image, rng: image + 32768),
    Fault("constant", _is("constant image"), lambda image, rng: np.full_like(image, 7)),
    Fault(
        "all but nothing cut away",
        _is("constant image"),
        lambda image, rng: np.where(np.arange(image.size).reshape(image.shape) < 3, image + 9, 0),
    ),
    Fault(
        "a voxel without a number",
        _is("voxels"),
        lambda image, rng: np.where(np.arange(image.size).reshape(image.shape) == 7, np.nan, image),
    ),
    Fault("lines lost", _is("lost lines"), _lost_lines),
    Fault("every fourth line lighter", _is("stripes"), _striped),
    Fault("shaded from 0.15 to 1.85", _is("shading", "orientation", KIND), _shaded),
    Fault("writing", _is("burned-in marks"), _written),
    Fault("calipers", _is("burned-in marks"), _measured),
    Fault("one slice twice", _is("repeated slices"), _one_slice(_repeat), "stack"),
    Fault("a slice lost", _is("lost slices"), _one_slice(_blank), "stack"),
    Fault("a slice 2.5 times as light", _is("uneven slices"), _one_slice(_bright), "stack"),
    Fault(
        "half of the slices shifted by a quarter",
        _is("uneven slices", "order of slices"),
        _one_slice(_other_frame),
        "stack",
    ),
    Fault("every second slice moved by 1/12", _is("order of slices"), _moved_slices, "stack"),
    Fault(
        "slices out of order", _is("order of slices"), lambda image, rng: image[rng.permutation(len(image))], "stack"
    ),
    Fault("a third of the slices only", _is("extent", KIND), _two_thirds, "stack"),
    Fault("slices in reverse", _is("orientation"), lambda image, rng: image[::-1], "stack"),
)


def _near(labels: Labels, times: int, change: Callable[..., Labels]) -> Labels:
    made = labels.copy()
    for value in np.unique(labels[labels > 0]):
        inside = change(labels == value, np.ones((1, 3, 3)), iterations=times)
        made[(labels == value) & ~inside] = 0
        made[inside & (made == 0)] = value
    return made


def _moved(labels: Labels, rng: Rng) -> Labels:
    return np.roll(labels, (int(0.25 * labels.shape[-2]), int(-0.25 * labels.shape[-1])), axis=(-2, -1))


def _fragments(labels: Labels, rng: Rng) -> Labels:
    made = labels.copy()
    free = np.argwhere(ndimage.binary_erosion(labels == 0, np.ones((1, 3, 3))))
    for place in free[rng.choice(len(free), min(10, len(free)), replace=False)]:
        made[tuple(place)] = labels.max()
    return made


def _holes(labels: Labels, rng: Rng) -> Labels:
    """Return labels with their inside emptied, a rim left."""
    rim = max(1, int(np.sqrt((labels > 0).sum() / max(1, (labels > 0).any(axis=(1, 2)).sum())) / 8))
    return np.where(ndimage.binary_erosion(labels > 0, np.ones((1, 3, 3)), iterations=rim), 0, labels)


def _square(labels: Labels, rng: Rng) -> Labels:
    made = labels.copy()
    for place in np.flatnonzero((labels > 0).any(axis=(1, 2))):
        rows, columns = np.nonzero(labels[place])
        made[place, rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = labels[place].max()
    return made


def _fewer(labels: Labels, rng: Rng) -> Labels:
    made, shown = labels.copy(), np.flatnonzero((labels > 0).any(axis=(1, 2)))
    made[shown[len(shown) // 3 : 2 * len(shown) // 3]] = 0
    return made


BESIDE = "outline beside the image"
PLACE = "place of outline"
MASKS = (
    Fault("nothing outlined", _is("empty mask"), lambda labels, rng: labels * 0, "mask"),
    Fault("everything outlined", _is("mask size"), lambda labels, rng: labels * 0 + 1, "mask"),
    Fault("outline mirrored", _is("wrong side", PLACE, BESIDE), lambda labels, rng: labels[..., ::-1], "mask"),
    Fault("outline upside down", _is(PLACE, BESIDE), lambda labels, rng: labels[..., ::-1, :], "mask"),
    Fault("outline moved by a quarter", _is(PLACE, BESIDE), _moved, "mask"),
    Fault("ten fragments", _is("fragments"), _fragments, "mask"),
    Fault("only the rim outlined", _is("holes", BESIDE), _holes, "mask"),
    Fault("a box in place of an outline", _is("form of outline", "size of outline", BESIDE), _square, "mask"),
    Fault("outline grown by 1/8 of the side", _is("size of outline", BESIDE), lambda labels, rng: _near(labels, labels.shape[-1] // 8, ndimage.binary_dilation), "mask"),
    Fault("outline worn to a third or less", _is("size of outline"), lambda labels, rng: _worn(labels), "mask"),
    Fault("every second row of it missing", _is("form of outline", "fragments", "holes", BESIDE), lambda labels, rng: np.where(np.arange(labels.shape[-2])[:, None] % 2, labels, 0), "mask"),
    Fault("classes exchanged", _is("structures exchanged", PLACE, BESIDE, "size of outline"), lambda labels, rng: np.where(labels > 0, 3 - labels, 0), "two"),
    Fault("one structure missing", _is("structure missing"), lambda labels, rng: np.where(labels == 2, 0, labels), "two"),
    Fault("two structures as one", _is("structure missing", "size of outline"), lambda labels, rng: np.where(labels > 0, 1, 0), "two"),
    Fault("a third of its slices not outlined", _is("gap in outline", "form of outline"), _fewer, "stack mask"),
    Fault("a value outside the table", _is("label values"), lambda labels, rng: np.where(labels == labels.max(), 9, labels), "mask"),
)  # fmt: skip


def _worn(labels: Labels) -> Labels:
    made = labels
    for _ in range(40):
        thinner = _near(made, 1, ndimage.binary_erosion)
        if not (thinner > 0).any():
            break
        made = thinner
        if (made > 0).sum() < (labels > 0).sum() / 3:
            break
    return made


BY_NAME: Mapping[str, Fault] = {fault.name: fault for fault in (*IMAGES, *MASKS)}
