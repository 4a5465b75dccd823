"""A DICOM file whole: its meta information, its data set, and the syntax that it is written in (PS3.10 7)."""

import gc
import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom

from isocenter.dicom.elements.decode import decode
from isocenter.dicom.elements.element import Bytes, Element, text_of
from isocenter.dicom.elements.encode import encode, length_of
from isocenter.dicom.files import tags
from isocenter.dicom.files.header import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT
from isocenter.dicom.files.slow import BROKEN, quietly
from isocenter.dicom.walk import OddError
from isocenter.errors import FileError

_PREAMBLE = 128
_OBJECTS = 200_000  # made before cycles are looked for
_START = _PREAMBLE + len(b"DICM")
_META_GROUP = b"\x02\x00"
_MOST_INFLATED = 1 << 32  # bytes; more in one deflated data set is a bomb, not a picture
_WORDS = {"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}
_META_LENGTH = 0x00020000
_META_VERSION = 0x00020001
_META_CLASS = 0x00020002
_META_INSTANCE = 0x00020003


@dataclass(slots=True, kw_only=True)
class DicomFile:
    """One file.

    Args:
        syntax: Transfer syntax UID: how the data set is written.
        elements: Its data set.
        meta: Its meta information (group 0002), without the group's length.
    """

    syntax: str
    elements: list[Element]
    meta: list[Element]

    @property
    def is_explicit(self) -> bool:
        """Whether kinds of values are written in the data set."""
        return self.syntax != IMPLICIT

    def find(self, tag: int) -> Element | None:
        """Return an element of the data set's outermost level."""
        return next((element for element in self.elements if element.tag == tag), None)

    def text(self, tag: int) -> str:
        """Return a value of the outermost level as ASCII text; empty where absent."""
        element = self.find(tag)
        return "" if element is None else text_of(element.value)

    def integer(self, tag: int, default: int = 0) -> int:
        """Return an unsigned short of the outermost level; a default where absent."""
        element = self.find(tag)
        return default if element is None else int.from_bytes(bytes(element.value[:2]), "little")

    @property
    def holds_pixels(self) -> bool:
        """Whether it has pixels, in whatever form."""
        return any(self.find(tag) for tag in tags.PIXELS)


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Let Python look for cycles of objects seldom: a file is thousands of elements, none of them in one.

    That search takes two fifths of the time that cleaning a file takes otherwise.
    """
    before = gc.get_threshold()
    gc.set_threshold(_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def read_file(path: Path) -> DicomFile:
    """Return a file's elements; one that breaks the rules is read by pydicom, and is explicit little endian then.

    Raises:
        FileError: No DICOM file, encrypted, or damaged beyond reading.
    """
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise FileError(f"A file cannot be read ({error.strerror}). Copy it again from its source.") from error
    try:
        return _ordinary(memoryview(raw))
    except OddError:
        return _odd(raw)


def write_file(file: DicomFile, path: Path) -> None:
    """Write a file with a blank preamble; the meta group's length is reckoned anew."""
    with Path(path).open("wb") as out:
        out.writelines(pieces_of(file))


def pieces_of(file: DicomFile) -> list[Bytes]:
    """Return the bytes of a file, in pieces."""
    meta = encode((one for one in file.meta if one.tag != _META_LENGTH), is_explicit=True)
    length = Element(_META_LENGTH, "UL", struct.pack("<I", length_of(meta)))
    body = encode(file.elements, is_explicit=file.is_explicit)
    if file.syntax == DEFLATED:
        body = [_deflated(body)]
    return [bytes(_PREAMBLE) + b"DICM", *encode([length], is_explicit=True), *meta, *body]


def meta_of(*, syntax: str, sop_class: str, instance: str) -> list[Element]:
    """Return the meta information that every file needs (PS3.10 table 7.1-1), with us as its writer."""
    return [
        Element(_META_VERSION, "OB", b"\0\1"),
        Element(_META_CLASS, "UI", uid_bytes(sop_class)),
        Element(_META_INSTANCE, "UI", uid_bytes(instance)),
        Element(tags.TRANSFER_SYNTAX, "UI", uid_bytes(syntax)),
        Element(0x00020012, "UI", uid_bytes(str(pydicom.uid.PYDICOM_IMPLEMENTATION_UID))),
        Element(0x00020013, "SH", b"ISOCENTER "),
    ]


def uid_bytes(uid: str) -> bytes:
    """Return a UID as it is encoded: with a zero behind it where its length is odd."""
    raw = uid.encode("ascii")
    return raw + b"\0" * (len(raw) % 2)


def _ordinary(raw: memoryview) -> DicomFile:
    """Return a file that keeps to PS3.10, in little endian.

    Raises:
        OddError: It does not.
    """
    if bytes(raw[_PREAMBLE:_START]) != b"DICM":
        raise OddError
    at = _meta_end(raw)
    meta = decode(raw[_START:at], is_explicit=True)
    syntax = next((text_of(one.value) for one in meta if one.tag == tags.TRANSFER_SYNTAX), "")
    if not syntax or syntax == BIG_ENDIAN:
        raise OddError
    body = raw[at:]
    if syntax == DEFLATED:
        body = memoryview(_inflated(body))
    elements = decode(body, is_explicit=syntax != IMPLICIT)
    if not any(one.tag in (tags.SOP_CLASS, tags.MODALITY) for one in elements):
        raise OddError
    return DicomFile(syntax=syntax, elements=elements, meta=[one for one in meta if one.tag != _META_LENGTH])


def _meta_end(raw: memoryview) -> int:
    """Return where group 0002 ends: its written length is often wrong, its elements are not."""
    at = _START
    while raw[at : at + 2] == _META_GROUP:
        is_long = bytes(raw[at + 4 : at + 6]) in (b"OB", b"UN", b"SQ", b"UT", b"OW")
        at += 12 + struct.unpack_from("<I", raw, at + 8)[0] if is_long else 8 + struct.unpack_from("<H", raw, at + 6)[0]
        if at > len(raw):
            raise OddError
    return at


def _inflated(body: memoryview) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        whole = inflater.decompress(body, _MOST_INFLATED)
    except zlib.error as error:
        raise OddError from error
    if inflater.unconsumed_tail:
        raise FileError("A deflated DICOM file unpacks to more than 4 GB. It is damaged, or made to fill a memory.")
    return whole


def _deflated(pieces: Iterable[Bytes]) -> bytes:
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    whole = b"".join([*(deflater.compress(piece) for piece in pieces), deflater.flush()])
    return whole + b"\0" * (len(whole) % 2)


def _odd(raw: bytes) -> DicomFile:
    """Return a file that only pydicom understands, its uncompressed data set turned to explicit little endian.

    Raises:
        FileError: Nor does pydicom.
    """
    try:
        with quietly():
            dataset = pydicom.dcmread(BytesIO(raw), force=True)
            if "SOPClassUID" not in dataset and "Modality" not in dataset:
                raise FileError("No DICOM file: it names neither an object class nor a modality.")
            was = str(getattr(dataset, "file_meta", {}).get("TransferSyntaxUID", ""))
            syntax = was if was and was not in (IMPLICIT, BIG_ENDIAN, DEFLATED) else EXPLICIT
            if dataset.original_encoding[1] is False:
                _swap(dataset)
            target = BytesIO()
            dataset.file_meta = pydicom.dataset.FileMetaDataset()
            dataset.file_meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
            pydicom.dcmwrite(target, dataset, implicit_vr=False, little_endian=True, enforce_file_format=False)
        return _ordinary(memoryview(_with_preamble(target.getvalue())))
    except FileError:
        raise
    except (*BROKEN, OddError) as error:
        raise FileError(f"A DICOM file is damaged ({type(error).__name__}). Copy it again from its source.") from error


def _swap(dataset: pydicom.Dataset) -> None:
    """Turn the words of a big-endian data set's raw values round: pydicom does so with numbers only."""
    for element in dataset.iterall():
        size = _WORDS.get(element.VR, 1)
        if size > 1 and isinstance(element.value, bytes):
            whole = element.value[: len(element.value) // size * size]
            element.value = np.frombuffer(whole, dtype=f">u{size}").astype(f"<u{size}").tobytes()


def _with_preamble(raw: bytes) -> bytes:
    return raw if raw[_PREAMBLE:_START] == b"DICM" else bytes(_PREAMBLE) + b"DICM" + raw
