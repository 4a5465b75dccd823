"""Words between the segments of compressed pixels are made blank; every pixel, and every length, stays."""

import struct
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate, generate_frames

from isocenter.dicom.elements.file import DicomFile, pieces_of, read_file
from isocenter.errors import FileError
from isocenter.intake.deid.pixels.stored import stored
from isocenter.intake.deid.pixels.stream import without_words

NAME = b"Canary^Yellow"
FILES = {
    "JPEG": "SC_rgb_jpeg_gdcm.dcm", "JPEG, lossless": "JPGLosslessP14SV1_1s_1f_8b.dcm", "JPEG 2000": "JPEG2000.dcm",
    "JPEG-LS": "MR_small_jpeg_ls_lossless.dcm",
}  # fmt: skip


def with_words(stream: bytes, form: str) -> bytes:
    """Return a stream with a name in a comment, in a foreign segment where there are such, and behind its end."""
    behind = NAME + b"!"
    if form == "JPEG 2000":
        comment = b"\xff\x64" + struct.pack(">HH", 4 + len(NAME), 1) + NAME
        size = 2 + struct.unpack_from(">H", stream, 4)[0]
        return stream[: 2 + size] + comment + stream[2 + size :] + behind
    comment = b"\xff\xfe" + struct.pack(">H", 2 + len(NAME)) + NAME
    foreign = b"\xff\xe5" + struct.pack(">H", 2 + len(NAME)) + NAME
    return stream[:2] + comment + foreign + stream[2:] + behind


def planted(form: str, folder: Path, *, per_frame: int = 1) -> DicomFile:
    dataset = pydicom.dcmread(str(get_testdata_file(FILES[form])))
    (stream,) = generate_frames(dataset.PixelData, number_of_frames=1)
    dataset.PixelData = encapsulate([with_words(stream.rstrip(b"\0"), form)], fragments_per_frame=per_frame)
    dataset.save_as(folder / "in.dcm")
    return read_file(folder / "in.dcm")


@pytest.mark.parametrize("form", FILES)
@pytest.mark.parametrize("per_frame", [1, 3])
def test_words_go_and_pixels_stay(form: str, per_frame: int, tmp_path: Path) -> None:
    file = planted(form, tmp_path, per_frame=per_frame)
    assert NAME in b"".join(pieces_of(file))
    clean = without_words(file)
    assert NAME not in b"".join(pieces_of(clean))
    assert len(b"".join(pieces_of(clean))) == len(b"".join(pieces_of(file)))
    for (was, how), (now, shown) in zip(stored(file), stored(clean), strict=True):
        assert how == shown
        assert np.array_equal(was, now)


@pytest.mark.parametrize("name", ["CT_small.dcm", "SC_rgb.dcm", "SC_ybr_full_422_uncompressed.dcm"])
def test_words_behind_uncompressed_pixels_go(name: str, tmp_path: Path) -> None:
    found = get_testdata_file(name)
    if found is None:
        pytest.skip(f"{name} is not among pydicom's test files here")
    dataset = pydicom.dcmread(str(found))
    before = dataset.PixelData
    dataset.PixelData = before + NAME + b"!"
    dataset.save_as(tmp_path / "in.dcm")
    clean = without_words(read_file(tmp_path / "in.dcm")).find(0x7FE00010)
    assert clean is not None
    assert bytes(clean.value) == before + bytes(len(NAME) + 1)


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small_RLE.dcm"])
def test_what_has_no_segments_is_handed_back(name: str) -> None:
    file = read_file(Path(str(get_testdata_file(name))))
    assert without_words(file) is file


def test_a_stream_without_words_is_handed_back() -> None:
    file = read_file(Path(str(get_testdata_file(FILES["JPEG-LS"]))))
    assert without_words(without_words(file)) is without_words(file) or b"\xff\xfe" not in b"".join(pieces_of(file))


@pytest.mark.parametrize("form", FILES)
def test_a_stream_that_is_damaged_is_refused(form: str, tmp_path: Path) -> None:
    dataset = pydicom.dcmread(str(get_testdata_file(FILES[form])))
    (stream,) = generate_frames(dataset.PixelData, number_of_frames=1)
    dataset.PixelData = encapsulate([stream[:2] + b"Canary" + stream[2:]])
    dataset.save_as(tmp_path / "in.dcm")
    with pytest.raises(FileError, match="damaged"):
        without_words(read_file(tmp_path / "in.dcm"))


def test_every_compressed_file_of_pydicom_can_be_walked() -> None:
    root = Path(str(get_testdata_file("CT_small.dcm"))).parent
    walked = 0
    for path in sorted(root.glob("*.dcm")):
        try:
            file = read_file(path)
            before = [frame for frame, _ in stored(file)]
        except (FileError, ValueError, AttributeError, KeyError):
            continue  # damaged on purpose
        after = [frame for frame, _ in stored(without_words(file))]
        assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True)), path.name
        walked += 1
    assert walked > 20
