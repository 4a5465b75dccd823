"""Parts of frames made blank; not one pixel outside of them differs, and that is checked before the file goes on.

Uncompressed files and RLE, JPEG-LS and JPEG 2000 without loss keep their transfer syntax, and every untouched frame
its very bytes. Other compressed files are written uncompressed: what the decoder gives, so that no second loss comes.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from isocenter.dicom.elements.element import ITEM, SEQUENCE_END, Element, in_order
from isocenter.dicom.elements.file import DicomFile
from isocenter.dicom.elements.text import padded
from isocenter.dicom.files import tags
from isocenter.dicom.files.header import EXPLICIT, NATIVE
from isocenter.dicom.files.slow import BROKEN
from isocenter.errors import FileError, ProofError
from isocenter.intake.deid.pixels.stored import Frame, dataset_of, frame_count, stored

Box = tuple[int, int, int, int]
"""Top, left, bottom, right in pixels; bottom and right not included."""

Where = Callable[[int, tuple[int, int]], npt.NDArray[np.bool_] | None]

_PIXELS, _PLANAR, _OFFSETS, _LENGTHS = 0x7FE00010, 0x00280006, 0x7FE00001, 0x7FE00002
_RLE = "1.2.840.10008.1.2.5"
_JPEG_LS = "1.2.840.10008.1.2.4.80"
_JPEG_2000 = "1.2.840.10008.1.2.4.90"
_KEPT = frozenset({_RLE, _JPEG_LS, _JPEG_2000})
_DEFLATED = "1.2.840.10008.1.2.1.99"


def blanked(file: DicomFile, boxes: Mapping[int, Sequence[Box]]) -> DicomFile:
    """Return a file with boxes of its frames made blank.

    Args:
        file: Its pixels are not changed.
        boxes: By the frame's place, from 0.

    Raises:
        FileError: Its pixels cannot be decoded, or not written again without loss.
        ProofError: A pixel outside of the boxes would differ; that is a fault of ours, and the file must not go on.
    """
    if not any(boxes.values()):
        return file
    return blanked_where(file, lambda place, shape: _of_boxes(boxes.get(place, ()), shape))


def blanked_where(file: DicomFile, where: Where) -> DicomFile:
    """Return a file with the pixels of its frames made blank that a function names.

    Args:
        file: Its pixels are not changed.
        where: Says for a frame's place, from 0, and its (rows, columns) which pixels; None says none.

    Raises:
        FileError, ProofError: As in blanked.
    """
    frames = list(stored(file))
    if len(frames) != frame_count(file):
        raise FileError("A file has another number of frames than its header says. Copy it again from its source.")
    asked = {place: where(place, (frame.shape[0], frame.shape[1])) for place, (frame, _) in enumerate(frames)}
    masks = {place: mask for place, mask in asked.items() if mask is not None and mask.any()}
    if not masks:
        return file
    made = [_blanked(frame, masks.get(place), how) for place, (frame, how) in enumerate(frames)]
    new = _written(file, made, how=frames[0][1], touched=set(masks))
    _require_same(new, [frame for frame, _ in frames], masks)
    return new


def _of_boxes(boxes: Sequence[Box], shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    mask = np.zeros(shape, bool)
    for top, left, bottom, right in boxes:
        mask[max(0, top) : bottom, max(0, left) : right] = True
    return mask


def _blanked(frame: Frame, mask: npt.NDArray[np.bool_] | None, how: str) -> Frame:
    if mask is None:
        return frame
    made = frame.copy()
    made[mask] = _black(frame, how)
    return made


def _black(frame: Frame, how: str) -> Any:
    """Return the stored value, or values, that are shown black, or as dark as the frame gets."""
    if how == "MONOCHROME1":
        return frame.max()
    if how.startswith("YBR") and frame.ndim == 3:
        middle = 1 << (8 * frame.dtype.itemsize - 1)
        return np.array([0, middle, middle], frame.dtype)
    return frame.min() if how.startswith("MONO") else 0


def _written(file: DicomFile, frames: Sequence[Frame], *, how: str, touched: set[int]) -> DicomFile:
    """Return the file with its frames written anew; those not touched keep their bytes where their syntax stays."""
    bits = 8 * frames[0].dtype.itemsize
    with suppress(*BROKEN):  # what a coder does not take, such as tiny frames, is written uncompressed
        if file.syntax in _KEPT:
            return _replaced(file, {_PIXELS: _encapsulated(file, frames, touched)}, syntax=file.syntax)
    raw = padded(b"".join(np.ascontiguousarray(frame).tobytes() for frame in frames), b"\0")
    new = {_PIXELS: Element(_PIXELS, "OW" if bits > 8 or file.syntax not in NATIVE else _kind(file), raw)}
    if frames[0].ndim == 3:
        new[_PLANAR] = Element(_PLANAR, "US", struct.pack("<H", 0))
    if file.text(tags.PHOTOMETRIC) != how:
        new[tags.PHOTOMETRIC] = Element(tags.PHOTOMETRIC, "CS", padded(how.encode()))
    return _replaced(file, new, syntax=file.syntax if file.syntax in NATIVE | {_DEFLATED} else EXPLICIT)


def _kind(file: DicomFile) -> str:
    element = file.find(_PIXELS)
    return "OW" if element is None else element.vr


def _replaced(file: DicomFile, new: Mapping[int, Element], *, syntax: str) -> DicomFile:
    gone = {_OFFSETS, _LENGTHS}
    kept = [element for element in file.elements if element.tag not in gone]
    meta = [
        Element(one.tag, "UI", padded(syntax.encode(), b"\0")) if one.tag == tags.TRANSFER_SYNTAX else one
        for one in file.meta
    ]
    return replace(file, syntax=syntax, elements=in_order([*kept, *new.values()]), meta=meta)


def _encapsulated(file: DicomFile, frames: Sequence[Frame], touched: set[int]) -> Element:
    """Return the pixel element with touched frames coded anew, one fragment a frame, and an empty table of offsets."""
    from pydicom.encaps import generate_frames

    dataset = dataset_of(file)
    was = generate_frames(dataset.PixelData, number_of_frames=len(frames))
    coded = [_coded(frames[place], dataset) if place in touched else old for place, old in enumerate(was)]
    whole = [struct.pack("<HHI", ITEM >> 16, ITEM & 0xFFFF, 0)]
    for one in coded:
        even = padded(one, b"\0")
        whole += [struct.pack("<HHI", ITEM >> 16, ITEM & 0xFFFF, len(even)), even]
    whole.append(struct.pack("<HHI", SEQUENCE_END >> 16, SEQUENCE_END & 0xFFFF, 0))
    return Element(_PIXELS, "OB", b"".join(whole), is_open=True)


def _coded(frame: Frame, dataset: Any) -> bytes:
    """Return one frame coded without loss, in the data set's own syntax."""
    syntax = dataset.file_meta.TransferSyntaxUID
    bits = int(dataset.BitsStored)
    frame = np.ascontiguousarray(frame)
    if syntax == _JPEG_2000:
        from openjpeg.utils import encode_array

        colours = {"RGB": 1, "YBR_RCT": 1}.get(str(dataset.PhotometricInterpretation), 2 if frame.ndim == 2 else 0)
        uses_rct = dataset.PhotometricInterpretation == "YBR_RCT"
        return bytes(encode_array(frame, bits_stored=bits, photometric_interpretation=colours, use_mct=uses_rct))
    if syntax == _JPEG_LS:
        from jpeg_ls import encode_array as encode_ls

        # the coder knows no sign; the decoder takes it from the header
        return bytes(encode_ls(frame.view(f"u{frame.itemsize}"), interleave_mode=2 if frame.ndim == 3 else 0))
    from pydicom.pixels.encoders.base import get_encoder

    samples = 3 if frame.ndim == 3 else 1
    more: dict[str, Any] = {"planar_configuration": 0} if samples == 3 else {}
    coded: bytes = get_encoder(syntax).encode(
        frame, rows=frame.shape[0], columns=frame.shape[1], samples_per_pixel=samples, number_of_frames=1,
        bits_allocated=8 * frame.itemsize, bits_stored=bits, pixel_representation=int(dataset.PixelRepresentation),
        photometric_interpretation=str(dataset.PhotometricInterpretation), encoding_plugin="pydicom", **more,
    )  # fmt: skip
    return coded


def _require_same(new: DicomFile, was: Sequence[Frame], masks: Mapping[int, npt.NDArray[np.bool_]]) -> None:
    """Do nothing where every pixel outside of what was to be blank is what it was.

    Raises:
        ProofError: One differs.
    """
    count = 0
    for place, (frame, _) in enumerate(stored(new)):
        outside = ~masks[place] if place in masks else np.ones(frame.shape[:2], bool)
        if frame.shape != was[place].shape or (frame[outside] != was[place][outside]).any():
            raise ProofError("Blanking would change pixels that must stay; the file was not written.")
        count += 1
    if count != len(was):
        raise ProofError("Blanking would lose frames; the file was not written.")
