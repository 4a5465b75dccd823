"""Volumes and masks as bytes: a magic word, a JSON header, then the voxels, little-endian, (slice, row, column).

    0   8 bytes   b"isovox01"
    8   8 bytes   length of the header, unsigned little-endian
    16  header    canonical JSON, padded by spaces so that the voxels begin at a multiple of 64
    …   voxels    C order, as the header's dtype and shape say: `numpy.memmap` can take them as they lie

The same volume gives the same bytes wherever it is written, so its hash names it.
"""

import json
from typing import Any

import numpy as np
import numpy.typing as npt

from isocenter.errors import FileError
from isocenter.image import Affine, LabelTable, Mask, Volume
from isocenter.result import canonical
from isocenter.store.files import Part

_MAGIC = b"isovox01"
_ALIGNED = 64
_FRONT = len(_MAGIC) + 8


def volume_parts(volume: Volume) -> tuple[Part, Part]:
    """Return a volume as header and voxels."""
    told: dict[str, str | bool] = {"unit": volume.unit, "modality": volume.modality, "is_planar": volume.is_planar}
    if not volume.has_size:  # said only where it is so: the bytes of all other volumes stay as they were
        told["has_size"] = False
    return _parts(volume.voxels, volume.affine, header={"kind": "volume", **told})


def mask_parts(mask: Mask) -> tuple[Part, Part]:
    """Return a mask as header and labels; its table is the data set's affair."""
    return _parts(mask.labels, mask.affine, header={"kind": "mask"})


def volume_from(blob: bytes) -> Volume:
    """Return the volume in a blob, without a copy of its voxels.

    Raises:
        FileError: The blob holds no volume.
    """
    header, voxels, affine = _opened(blob, kind="volume")
    return Volume(
        voxels=voxels, affine=affine, unit=header["unit"], modality=header["modality"], is_planar=header["is_planar"],
        has_size=header.get("has_size", True),
    )  # fmt: skip


def mask_from(blob: bytes, *, table: LabelTable) -> Mask:
    """Return the mask in a blob, without a copy of its labels.

    Raises:
        FileError: The blob holds no mask.
        LabelError: Its values stand outside the table.
    """
    _, labels, affine = _opened(blob, kind="mask")
    return Mask(labels=labels, affine=affine, table=table)


def _parts(array: npt.NDArray[Any], affine: Affine, *, header: dict[str, str | bool]) -> tuple[Part, Part]:
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    placed = {"dtype": little.dtype.str, "shape": list(array.shape), "affine": affine.matrix.tolist()}
    told = canonical({**header, **placed})
    told += b" " * (-(_FRONT + len(told)) % _ALIGNED)
    front = _MAGIC + len(told).to_bytes(8, "little") + told
    return front, little.reshape(-1).view(np.uint8).data


def _opened(blob: bytes, *, kind: str) -> tuple[dict[str, Any], npt.NDArray[Any], Affine]:
    length = int.from_bytes(blob[len(_MAGIC) : _FRONT], "little")
    try:
        if blob[: len(_MAGIC)] != _MAGIC:
            raise ValueError("another magic word")
        header: dict[str, Any] = json.loads(blob[_FRONT : _FRONT + length])
        if header["kind"] != kind:
            raise ValueError(f"it holds a {header['kind']}")
        array = np.frombuffer(blob, dtype=np.dtype(header["dtype"]), offset=_FRONT + length)
        shaped = array.reshape(header["shape"])
        return header, shaped.astype(shaped.dtype.newbyteorder("="), copy=False), Affine(matrix=header["affine"])
    except (ValueError, KeyError, TypeError) as error:
        raise FileError(f"The blob holds no {kind} ({error}).") from error
