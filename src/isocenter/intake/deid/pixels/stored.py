"""A DICOM file's frames: as people see them, to be read; and as they are stored, to be blanked."""

import warnings
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom

from isocenter.dicom.elements.file import DicomFile, pieces_of
from isocenter.dicom.files import tags
from isocenter.dicom.files.slow import BROKEN
from isocenter.errors import FileError

Frame = npt.NDArray[Any]
_OF_PIXELS = (0x0028, 0x7FE0)
_HTJ2K = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in (201, 202, 203))


def dataset_of(file: DicomFile) -> pydicom.Dataset:
    """Return what a file says of its pixels, and those, as pydicom's data set; decoding needs no more."""
    bare = replace(file, elements=[one for one in file.elements if one.tag >> 16 in _OF_PIXELS])
    return pydicom.dcmread(BytesIO(b"".join(pieces_of(bare))), force=True)


def frame_count(file: DicomFile) -> int:
    """Return how many frames a file says that it has."""
    said = file.text(tags.FRAMES)
    return max(1, int(said)) if said.isdigit() else 1


def shown(file: DicomFile) -> Iterator[Frame]:
    """Yield each frame as it is shown, before any window: (rows, columns), or (rows, columns, 3) in red, green, blue.

    Raises:
        FileError: Its pixels cannot be decoded.
    """
    from pydicom.pixels.processing import apply_color_lut

    dataset = dataset_of(file)
    is_palette = dataset.get("PhotometricInterpretation", "") == "PALETTE COLOR"
    for frame, _ in _decoded(dataset, as_stored=False):
        yield apply_color_lut(frame, dataset) if is_palette else frame


def stored(file: DicomFile) -> Iterator[tuple[Frame, str]]:
    """Yield each frame as it is stored, no colour converted, with how its values mean colour (PS3.3 C.7.6.3.1.2).

    Raises:
        FileError: Its pixels cannot be decoded.
    """
    yield from _decoded(dataset_of(file), as_stored=True)


def _decoded(dataset: pydicom.Dataset, *, as_stored: bool) -> Iterator[tuple[Frame, str]]:
    from pydicom.pixels.decoders.base import get_decoder

    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if syntax in _HTJ2K:
                yield from _by_openjpeg(dataset)
                return
            decoder = get_decoder(syntax)
            # raw: what the stream holds, whatever colours it means
            for frame, meta in decoder.iter_array(dataset, raw=as_stored):
                # two pixels share colours in the stream, not in what is decoded of it
                yield frame, str(meta["photometric_interpretation"]).replace("YBR_FULL_422", "YBR_FULL")
    except BROKEN as error:
        raise FileError(
            f"A file's pixels cannot be decoded ({type(error).__name__}). Copy it again from its source."
        ) from error


def _by_openjpeg(dataset: pydicom.Dataset) -> Iterator[tuple[Frame, str]]:
    """Decode high-throughput JPEG 2000, for which pydicom has no plug-in of its own."""
    from openjpeg.utils import decode
    from pydicom.encaps import generate_frames

    count = int(dataset.get("NumberOfFrames", 1) or 1)
    said = str(dataset.PhotometricInterpretation)
    for stream in generate_frames(dataset.PixelData, number_of_frames=count):
        yield np.asarray(decode(stream, j2k_format=0)), "RGB" if said.startswith("YBR") else said
