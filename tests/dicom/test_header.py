"""Our own walk over a header against pydicom's."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from isocenter.dicom.files import tags
from isocenter.dicom.files.reader import read_header
from isocenter.dicom.files.slow import read_with_pydicom
from isocenter.errors import FileError

words = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="\\"), max_size=30)


def test_our_walk_and_pydicom_see_the_same_values_in_real_files(shared_data: Path) -> None:
    folders = ("btp_dicom_4modality", "dicom2nii_ref", "highdicom_files")
    paths = [path for name in folders for path in (shared_data / name).rglob("*") if path.is_file()]
    compared = 0
    for path in paths:
        with path.open("rb") as file:
            if file.read(132)[128:] != b"DICM":
                continue
        ours, theirs = read_header(path), read_with_pydicom(path)
        assert ours.syntax == theirs.syntax
        for tag in tags.WANTED:
            same = ours.values.get(tag, b"").strip(b" \0") == theirs.values.get(tag, b"").strip(b" \0")
            assert same, f"{path.name} {tag:08X}"
        compared += 1
    assert compared > 100


@settings(max_examples=60, deadline=None)
@given(
    description=words, size=st.tuples(st.integers(1, 9), st.integers(1, 9)), implicit=st.booleans(),
    nested=st.integers(0, 3), undefined=st.booleans(), private=st.binary(max_size=40), blob=st.integers(0, 40000),
)  # fmt: skip
def test_any_header_that_pydicom_writes_is_read_alike(
    tmp_path_factory: pytest.TempPathFactory, description: str, size: tuple[int, int], implicit: bool, nested: int,
    undefined: bool, private: bytes, blob: int,
) -> None:  # fmt: skip
    path = tmp_path_factory.getbasetemp() / "one.dcm"
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    made.SOPClassUID, made.SOPInstanceUID, made.Modality = CTImageStorage, "1.2.3", "CT"
    made.SeriesDescription = description
    made.private_block(0x0029, "SOMEONE", create=True).add_new(0x10, "OB", private + b"\0" * (len(private) % 2))
    made.private_block(0x0009, "SOMEONE", create=True).add_new(0x10, "OB", b"\1" * (blob * 2))
    inner = made
    for _ in range(nested):
        inner.ReferencedStudySequence = [Dataset()]
        inner["ReferencedStudySequence"].is_undefined_length = undefined
        inner = inner.ReferencedStudySequence[0]
        inner.is_undefined_length_sequence_item = undefined
        inner.ReferencedSOPInstanceUID = "1.2.3.4"
    made.Rows, made.Columns = size
    made.BitsAllocated, made.PixelRepresentation, made.SamplesPerPixel = 16, 0, 1
    made.PixelData = np.zeros(size, "<u2").tobytes()
    made["PixelData"].VR = "OW"
    pydicom.dcmwrite(path, made, enforce_file_format=True)
    header = read_header(path)
    assert header.text(tags.SERIES_DESCRIPTION) == description.strip(" ")
    assert (header.integer(tags.ROWS), header.integer(tags.COLUMNS)) == size
    assert header.pixels == (path.stat().st_size - 2 * size[0] * size[1], 2 * size[0] * size[1])


def test_a_file_in_an_envelope_is_encrypted(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes.fromhex("3080") + bytes.fromhex("06092a864886f70d010703") + b"\x5a" * 400)
    with pytest.raises(FileError, match="encrypted as a whole"):
        read_header(path)


@pytest.mark.parametrize("content", [b"", b"DICM", b"\0" * 132, b"\0" * 128 + b"DICM", b"GIF89a" + b"\1" * 500])
def test_what_is_no_dicom_file_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(FileError):
        read_header(tmp_path / "a")
