"""A picture with what is written in it blanked: as PNG, since a JPEG written again would change every pixel."""

from dataclasses import replace

import numpy as np

from isocenter.image import Volume
from isocenter.image.raster import decode_raster
from isocenter.intake.deid.pixels.blank import Box
from isocenter.intake.deid.pixels.look import Seen, look
from isocenter.intake.deid.pixels.stored import Frame
from isocenter.processing.text.line import Reader

_NAME = "A picture"  # in messages: its own name may be somebody's


def seen_in(content: bytes, *, reader: Reader, keeps_scales: bool) -> tuple[Volume, Seen]:
    """Return a picture, and what is written in it.

    Raises:
        FileError: It is damaged, too large, in printers' colours, or of several pages.
    """
    picture = decode_raster(content, name=_NAME)
    return picture, look(shown_as(picture), reader=reader, keeps_scales=keeps_scales)


def shown_as(picture: Volume) -> Frame:
    """Return a picture as (rows, columns), or (rows, columns, 3)."""
    voxels = picture.voxels
    return voxels[0] if voxels.ndim == 3 else np.moveaxis(voxels[:, 0], 0, -1)


def blank_picture(picture: Volume, boxes: tuple[Box, ...]) -> Volume:
    """Return a picture with boxes of it black."""
    voxels = picture.voxels.copy()
    for top, left, bottom, right in boxes:
        voxels[..., max(0, top) : bottom, max(0, left) : right] = voxels.min()
    return replace(picture, voxels=voxels)
