"""Siemens mosaics: one picture that holds a whole volume as tiles.

The step between tiles is not in any public attribute: its direction stands in the private CSA header
(0029,xx10), as SliceNormalVector; its length is SpacingBetweenSlices.
"""

import struct
from collections.abc import Iterator
from dataclasses import replace
from math import ceil, sqrt

import numpy as np

from isocenter.dicom.files import tags
from isocenter.dicom.files.header import Header
from isocenter.dicom.files.slow import BROKEN, quietly, read_dataset
from isocenter.dicom.frames.frame import Frame, plain_frame
from isocenter.errors import FileError

_CREATOR = "SIEMENS CSA HEADER"
_NAME, _HEAD, _ITEM = 64, 84, 16  # bytes of a CSA element's name, of its whole head, of an item's head


def mosaic_frames(header: Header) -> tuple[Frame, ...]:
    """Return the tiles of a mosaic as pictures with their place.

    Raises:
        FileError: The private header that says how many tiles there are, and which way they go, is missing.
    """
    plain = plain_frame(header)
    count = header.integer(tags.SIEMENS_MOSAIC_COUNT) or int(header.number(tags.SIEMENS_MOSAIC_COUNT, 0))
    try:
        normal = _slice_normal(header)
    except FileError:
        raise
    except BROKEN as error:
        raise FileError("A Siemens mosaic's private header is damaged. Copy it again from its source.") from error
    if not 0 < count <= 4096 or normal is None or plain.position is None or plain.orientation is None:
        raise FileError(
            "A Siemens mosaic lacks the private header that says how its tiles lie. "
            "Export it again without taking off private attributes."
        )
    across = ceil(sqrt(count))
    rows, columns = plain.shape[0] // across, plain.shape[1] // across
    spacing = plain.spacing or (1.0, 1.0)
    along_row, along_column = np.asarray(plain.orientation[:3]), np.asarray(plain.orientation[3:])
    # the position in the header is that of a picture as wide as the mosaic around the same centre
    first = (
        np.asarray(plain.position)
        + along_row * spacing[1] * (plain.shape[1] - columns) / 2
        + along_column * spacing[0] * (plain.shape[0] - rows) / 2
    )
    places = [first + normal * plain.thickness_mm * index for index in range(count)]
    return tuple(
        replace(
            plain,
            index=index,
            tile=(index // across * rows, index % across * columns),
            shape=(rows, columns),
            position=(float(place[0]), float(place[1]), float(place[2])),
            # a mosaic is a volume of its own, whatever else was measured at the same places
            key=(*plain.key, ("instance", header.text(tags.INSTANCE_NUMBER)), ("file", header.text(tags.SOP_INSTANCE))),
        )
        for index, place in enumerate(places)
    )


def _slice_normal(header: Header) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]] | None:
    """Return the unit vector from tile to tile, in LPS."""
    for raw in _csa_headers(header):
        found = _csa_numbers(raw, "SliceNormalVector")
        if len(found) == 3 and abs(np.linalg.norm(found) - 1) < 0.01:
            return np.asarray(np.asarray(found) / np.linalg.norm(found))
    return None


def _csa_headers(header: Header) -> Iterator[bytes]:
    with quietly():
        dataset = read_dataset(header.path)
        for element in range(0x10, 0x100):
            owner = dataset.get((0x0029, element))
            raw = dataset.get((0x0029, element << 8 | 0x10))
            if owner is not None and _CREATOR in str(owner.value) and raw is not None and isinstance(raw.value, bytes):
                yield raw.value


def _csa_numbers(raw: bytes, name: str) -> list[float]:
    """Return the numbers of one element of a CSA header.

    Source: the layout as nibabel's documentation describes it (CSA1 and CSA2): name, multiplicity, four bytes of VR,
    syngo type, number of items, a check word; then items of four words, the second the length, padded to four bytes.
    """
    at = raw.find(name.encode() + b"\0")
    if at < 0 or at + _HEAD > len(raw):
        return []
    items = struct.unpack_from("<i", raw, at + _NAME + 12)[0]
    at += _HEAD
    found: list[float] = []
    for _ in range(min(items, 16)):
        if at + _ITEM > len(raw):
            break
        length = struct.unpack_from("<4i", raw, at)[1]
        at += _ITEM
        text = raw[at : at + max(length, 0)].split(b"\0")[0].strip()
        at += (max(length, 0) + 3) // 4 * 4
        try:
            found += [float(text)] if text else []
        except ValueError:
            return []
    return found
