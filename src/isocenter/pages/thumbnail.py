"""A case in one small picture: the slice that shows most of what was outlined, in true proportions."""

import io

import numpy as np
from PIL import Image
from scipy.ndimage import binary_erosion

from isocenter.image import Label, LabelTable, Mask, Volume
from isocenter.pages.figure import PLANES, View, lay
from isocenter.pages.greys import choose_greys
from isocenter.result.report import Plane

_NOTHING = LabelTable(labels=(Label(value=1, name="nothing"),))


def thumbnail(volume: Volume, mask: Mask | None = None, *, edge: int = 160) -> bytes:
    """Return a PNG of a case, its longer side so many pixels.

    Args:
        volume: Shown in the plane that it was acquired in, as far as its steps tell.
        mask: Outlined in the colours of its table; it decides the slice. None shows the middle one.
        edge: In pixels.
    """
    drawn = mask or Mask(labels=np.zeros(volume.shape, np.uint8), affine=volume.affine, table=_NOTHING)
    greys = choose_greys(volume, drawn)
    view = lay(volume, drawn, plane=_plane(volume))
    index = _fullest(view)
    values = np.asarray(view.volume.voxels[..., index, :, :], np.float32)
    shown = greys.of(np.moveaxis(values, 0, -1) if values.ndim == 3 else values)
    _, row_mm, column_mm = view.volume.affine.spacing
    rows, columns = shown.shape[0] * row_mm, shown.shape[1] * column_mm
    size = tuple(max(1, round(edge * length / max(rows, columns))) for length in (columns, rows))
    picture = np.array(Image.fromarray(shown).convert("RGB").resize((size[0], size[1]), Image.Resampling.BILINEAR))
    labels = Image.fromarray(view.mask.labels[index].astype(np.uint16)).resize(
        (size[0], size[1]), Image.Resampling.NEAREST
    )
    outlined = np.asarray(labels)
    for label in view.mask.table:
        inside = outlined == label.value
        picture[inside & ~binary_erosion(inside)] = label.colour
    target = io.BytesIO()
    Image.fromarray(picture).save(target, "png", optimize=True)
    return target.getvalue()


def _plane(volume: Volume) -> Plane:
    """Return the plane across the longest step, in which it was acquired; the axial one where all are alike."""
    if volume.is_planar:
        return "picture"
    steps = {plane: volume.oriented(letters).affine.spacing[0] for plane, letters in PLANES.items()}
    longest = max(steps.values())
    return next(plane for plane, step in steps.items() if step > 0.99 * longest)


def _fullest(view: View) -> int:
    """Return the slice with most of what was outlined, the middle one where nothing was."""
    counts = np.count_nonzero(view.mask.labels, axis=(1, 2))
    return int(counts.argmax()) if counts.any() else len(counts) // 2
