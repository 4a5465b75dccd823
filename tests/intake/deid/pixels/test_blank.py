"""Boxes are blank, everything else is what it was, in every way that pixels are stored."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from isocenter.dicom.elements.file import DicomFile, read_file, write_file
from isocenter.errors import FileError, ProofError
from isocenter.intake.deid.pixels import blank
from isocenter.intake.deid.pixels.blank import blanked
from isocenter.intake.deid.pixels.stored import shown, stored

RNG = np.random.default_rng(5)
BOX = (2, 3, 6, 9)
NATIVE = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian)
LOSSLESS = (RLELossless, JPEGLSLossless, JPEG2000Lossless)
FORMS = {
    "8 bit": (np.uint8, 8, "MONOCHROME2", False), "12 bit": (np.uint16, 12, "MONOCHROME2", False),
    "16 bit": (np.uint16, 16, "MONOCHROME2", False), "signed": (np.int16, 16, "MONOCHROME2", False),
    "inverted": (np.uint16, 12, "MONOCHROME1", False), "colour": (np.uint8, 8, "RGB", True),
    "YBR": (np.uint8, 8, "YBR_FULL", True), "palette": (np.uint8, 8, "PALETTE COLOR", False),
}  # fmt: skip


def made(form: str, folder: Path, *, frames: int = 1, syntax: str = ExplicitVRLittleEndian) -> DicomFile:
    """Return a file of random pixels, (frames, 64, 80), written by pydicom."""
    kind, bits, photometric, is_colour = FORMS[form]
    low, high = (-(1 << bits - 1), 1 << bits - 1) if kind is np.int16 else (0, 1 << bits)
    values = RNG.integers(low, high, (frames, 64, 80, *((3,) if is_colour else ()))).astype(kind)
    one = FileDataset("", {}, file_meta=FileMetaDataset(), preamble=bytes(128))
    one.SOPClassUID, one.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3"
    one.file_meta.MediaStorageSOPClassUID, one.file_meta.MediaStorageSOPInstanceUID = one.SOPClassUID, "1.2.3"
    one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    one.Modality, one.Rows, one.Columns, one.SamplesPerPixel = "OT", 64, 80, 3 if is_colour else 1
    one.PhotometricInterpretation, one.BitsStored, one.HighBit = photometric, bits, bits - 1
    one.BitsAllocated, one.PixelRepresentation = 8 * values.itemsize, int(kind is np.int16)
    if is_colour:
        one.PlanarConfiguration = 0
    if frames > 1:
        one.NumberOfFrames = frames
    if form == "palette":
        for colour in ("Red", "Green", "Blue"):
            setattr(one, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
            setattr(one, f"{colour}PaletteColorLookupTableData", (np.arange(256, dtype="<u2") << 8).tobytes())
    one.PixelData = values.tobytes()
    one["PixelData"].VR = "OW" if values.itemsize > 1 else "OB"
    if syntax == JPEG2000Lossless:
        from openjpeg.utils import encode_array

        streams = [
            bytes(encode_array(v, bits_stored=bits, photometric_interpretation=1 if is_colour else 2, use_mct=False))
            for v in values
        ]
        one.PixelData, one.file_meta.TransferSyntaxUID = encapsulate(streams), JPEG2000Lossless
    elif syntax in LOSSLESS:
        one.compress(syntax, generate_instance_uid=False, encoding_plugin="pydicom" if syntax == RLELossless else "")
    else:
        one.file_meta.TransferSyntaxUID = syntax
    path = folder / "in.dcm"
    one.save_as(path, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=True)
    return read_file(path)


def require_blank(file: DicomFile, boxes: dict[int, list[tuple[int, int, int, int]]], folder: Path) -> DicomFile:
    """Blank boxes, look that they are and that nothing else changed, by pydicom on the written file."""
    new = blanked(file, boxes)
    write_file(file, folder / "was.dcm")
    write_file(new, folder / "now.dcm")
    was, now = read_file(folder / "was.dcm"), read_file(folder / "now.dcm")
    for place, (before, after) in enumerate(zip(stored(was), stored(now), strict=True)):
        outside = np.ones(before[0].shape[:2], bool)
        for top, left, bottom, right in boxes.get(place, ()):
            outside[top:bottom, left:right] = False
        assert (before[0][outside] == after[0][outside]).all()
        inside = after[0][~outside].reshape(-1, *after[0].shape[2:])
        assert inside.size == 0 or (inside == inside[0]).all()
    return new


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("syntax", [*NATIVE, *LOSSLESS], ids=lambda uid: uid.name[:24])
def test_a_box_is_blank_and_nothing_else_changes(form: str, syntax: str, tmp_path: Path) -> None:
    if form == "palette" and syntax in (JPEGLSLossless, JPEG2000Lossless):
        pytest.skip("the standard has no palette in these")
    file = made(form, tmp_path, syntax=syntax)
    new = require_blank(file, {0: [BOX]}, tmp_path)
    assert new.syntax == file.syntax


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, *LOSSLESS], ids=lambda uid: uid.name[:24])
def test_frames_without_a_box_keep_their_bytes(syntax: str, tmp_path: Path) -> None:
    file = made("12 bit", tmp_path, frames=3, syntax=syntax)
    new = require_blank(file, {1: [BOX]}, tmp_path)
    if syntax in LOSSLESS:
        streams = [
            list(pydicom.encaps.generate_frames(bytes(one.find(0x7FE00010).value)[:-8], number_of_frames=3))
            for one in (file, new)
        ]  # type: ignore[union-attr]
        assert [a == b for a, b in zip(*streams, strict=True)] == [True, False, True]


@pytest.mark.parametrize(
    "name", ["SC_rgb_jpeg_gdcm.dcm", "JPGLosslessP14SV1_1s_1f_8b.dcm", "JPEG2000.dcm", "examples_ybr_color.dcm"]
)
def test_what_was_lost_before_is_not_lost_again(name: str, tmp_path: Path) -> None:
    found = get_testdata_file(name)
    if found is None:
        pytest.skip(f"{name} is not among pydicom's test files here")
    file = read_file(Path(str(found)))
    new = require_blank(file, {0: [BOX]}, tmp_path)
    assert new.syntax == ExplicitVRLittleEndian
    pictures = [next(iter(shown(one))) for one in (file, new)]
    pictures[0][BOX[0] : BOX[2], BOX[1] : BOX[3]] = pictures[1][BOX[0] : BOX[2], BOX[1] : BOX[3]]
    assert (pictures[0] == pictures[1]).all()


def test_a_frame_is_shown_in_colour(tmp_path: Path) -> None:
    for form in ("colour", "YBR", "palette"):
        (frame,) = shown(made(form, tmp_path))
        assert frame.shape == (64, 80, 3)


def test_no_box_no_change(tmp_path: Path) -> None:
    file = made("8 bit", tmp_path)
    assert blanked(file, {0: []}) is file


def test_a_box_over_the_edge_is_cut(tmp_path: Path) -> None:
    require_blank(made("8 bit", tmp_path), {0: [(50, 60, 99, 99)]}, tmp_path)


def test_a_change_outside_the_boxes_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(frame: np.ndarray, mask: np.ndarray | None, how: str) -> np.ndarray:
        return np.zeros_like(frame)

    monkeypatch.setattr(blank, "_blanked", careless)
    with pytest.raises(ProofError, match="pixels that must stay"):
        blanked(made("8 bit", tmp_path), {0: [BOX]})


def test_pixels_that_cannot_be_decoded_are_refused(tmp_path: Path) -> None:
    path = Path(str(get_testdata_file("JPEG2000.dcm")))
    raw = bytearray(path.read_bytes())
    raw[-2000:-8] = bytes(1992)
    (tmp_path / "a.dcm").write_bytes(raw)
    with pytest.raises(FileError):
        blanked(read_file(tmp_path / "a.dcm"), {0: [BOX]})
