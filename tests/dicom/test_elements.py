"""A file's elements come out as they went in, and what breaks the rules is read with patience or refused."""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.data import get_testdata_file, get_testdata_files

from isocenter.dicom.elements.decode import decode
from isocenter.dicom.elements.element import Element, Item
from isocenter.dicom.elements.encode import encode
from isocenter.dicom.elements.file import read_file, write_file
from isocenter.dicom.elements.text import decode_text, encode_text
from isocenter.dicom.walk import OddError
from isocenter.errors import FileError

SYNTAXES = ("MR_small.dcm", "MR_small_implicit.dcm", "JPEG2000.dcm", "SC_rgb_rle.dcm", "rtplan.dcm", "test-SR.dcm")


def walk(elements: list[Element], *, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Element]]:
    """Yield every element of a data set at every level, each with the tags of the sequences around it."""
    for element in elements:
        yield path, element
        for item in element.items or ():
            yield from walk(item.elements, path=(*path, element.tag))


def data_set(path: Path) -> bytes:
    """Return a file's bytes behind its meta information."""
    raw = path.read_bytes()
    at = 132
    while raw[at : at + 2] == b"\x02\x00":
        long = raw[at + 4 : at + 6] in (b"OB", b"UN", b"UT", b"OW", b"SQ")
        at += 12 + struct.unpack_from("<I", raw, at + 8)[0] if long else 8 + struct.unpack_from("<H", raw, at + 6)[0]
    return raw[at:]


@pytest.mark.parametrize("name", SYNTAXES)
def test_an_unchanged_file_keeps_every_byte_of_its_data_set(name: str, tmp_path: Path) -> None:
    path = Path(str(get_testdata_file(name)))
    write_file(read_file(path), tmp_path / "out.dcm")
    assert data_set(tmp_path / "out.dcm") == data_set(path)


def test_every_real_file_reads_as_before(shared_data: Path, tmp_path: Path) -> None:
    paths = [
        path
        for path in (shared_data / "dicom_codecs").rglob("*")
        if path.is_file() and path.read_bytes()[128:132] == b"DICM" and path.stat().st_size < 4 << 20
    ]
    assert paths
    for path in paths:
        write_file(read_file(path), tmp_path / "out.dcm")
        was, now = pydicom.dcmread(path, force=True), pydicom.dcmread(tmp_path / "out.dcm")
        assert [element.tag for element in was] == [element.tag for element in now], path.name
        assert was.get("PixelData") == now.get("PixelData"), path.name


def test_a_deflated_file_is_inflated_and_deflated_again(tmp_path: Path) -> None:
    path = Path(str(get_testdata_file("image_dfl.dcm")))
    write_file(read_file(path), tmp_path / "out.dcm")
    inflated = [zlib.decompress(data_set(one), -zlib.MAX_WBITS) for one in (path, tmp_path / "out.dcm")]
    assert inflated[0] == inflated[1]


def test_big_endian_becomes_little_endian_with_the_same_pixels(tmp_path: Path) -> None:
    path = Path(str(get_testdata_file("MR_small_bigendian.dcm")))
    write_file(read_file(path), tmp_path / "out.dcm")
    was, now = pydicom.dcmread(path), pydicom.dcmread(tmp_path / "out.dcm")
    assert (was.pixel_array == now.pixel_array).all()
    assert now.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian


def test_a_file_without_preamble_is_read(tmp_path: Path) -> None:
    path = tmp_path / "bare.dcm"
    path.write_bytes(data_set(Path(str(get_testdata_file("MR_small.dcm")))))
    assert read_file(path).text(0x00080060) == "MR"


def test_what_is_no_dicom_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Dr. Canary")
    with pytest.raises(FileError, match="No DICOM file"):
        read_file(path)


def test_a_file_cut_anywhere_is_read_or_refused_and_never_hangs(tmp_path: Path) -> None:
    raw = Path(str(get_testdata_file("rtplan.dcm"))).read_bytes()
    path = tmp_path / "cut.dcm"
    for length in range(0, len(raw), 61):
        path.write_bytes(raw[:length])
        try:
            read_file(path)
        except FileError:
            continue


def test_a_bomb_is_not_inflated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isocenter.dicom.elements.file._MOST_INFLATED", 1 << 12)
    with pytest.raises(FileError, match="unpacks to more"):
        read_file(Path(str(get_testdata_file("image_dfl.dcm"))))


def nested(depth: int) -> Element:
    inner: list[Element] = [Element(0x00080100, "SH", b"CODE")]
    for _ in range(depth):
        inner = [Element(0x00081140, "SQ", items=[Item(inner, is_open=True)], is_open=True)]
    return inner[0]


def test_a_sequence_too_deep_to_be_meant_is_refused() -> None:
    raw = memoryview(b"".join(map(bytes, encode([nested(40)], is_explicit=True))))
    with pytest.raises(OddError):
        decode(raw, is_explicit=True)


@pytest.mark.parametrize("is_explicit", [True, False])
def test_sequences_are_walked_at_every_level(is_explicit: bool) -> None:
    raw = memoryview(b"".join(map(bytes, encode([nested(5)], is_explicit=is_explicit))))
    found = list(walk(decode(raw, is_explicit=is_explicit)))
    assert found[-1][0] == (0x00081140,) * 5
    assert bytes(found[-1][1].value) == b"CODE"


def test_a_standard_element_written_as_unknown_gets_its_kind_back() -> None:
    raw = struct.pack("<HH2sHI", 0x0010, 0x0010, b"UN", 0, 6) + b"Canary"
    (element,) = decode(memoryview(raw), is_explicit=True)
    assert element.vr == "PN"


def test_a_sequence_written_as_unknown_is_read_as_implicit() -> None:
    inside = b"".join(map(bytes, encode([Element(0x00080100, "SH", b"CODE")], is_explicit=False)))
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(inside)) + inside
    raw = struct.pack("<HH2sHI", 0x0008, 0x1032, b"UN", 0, len(item)) + item
    (element,) = decode(memoryview(raw), is_explicit=True)
    assert element.items is not None
    assert bytes(element.items[0].elements[0].value) == b"CODE"


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_elements_or_odd(raw: bytes, is_explicit: bool) -> None:
    try:
        elements = decode(memoryview(raw), is_explicit=is_explicit)
    except OddError:
        return
    again = b"".join(map(bytes, encode(elements, is_explicit=is_explicit)))
    assert decode(memoryview(again), is_explicit=is_explicit) == elements


@pytest.mark.parametrize(
    ("charset", "text"),
    [("GB18030", "王^小东"), ("ISO_IR 100", "Müller^Jürgen"), ("ISO_IR 192", "김^희중"), ("", "Canary^Yellow")],
)
def test_text_goes_through_its_character_set(charset: str, text: str) -> None:
    assert decode_text(encode_text(text, charset), charset) == text


def test_every_name_of_pydicoms_character_sets_is_read() -> None:
    for name in get_testdata_files("chr*.dcm"):
        was = pydicom.dcmread(name, force=True)
        if "PatientName" not in was or "SOPClassUID" not in was:
            continue
        file = read_file(Path(name))
        element = file.find(0x00100010)
        assert element is not None
        assert decode_text(element.value, file.text(0x00080005)) == str(was.PatientName).strip(), name
