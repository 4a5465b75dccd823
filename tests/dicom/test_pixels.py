"""Oddities of stored pixels, written by pydicom and read by us."""

from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    MPEG4HP41,
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    PositronEmissionTomographyImageStorage,
    SecondaryCaptureImageStorage,
    UltrasoundMultiFrameImageStorage,
    generate_uid,
)

from isocenter.dicom import load, scan
from isocenter.errors import FileError, SeriesError
from isocenter.image import Volume

RAMP = np.arange(6 * 8, dtype=np.int64).reshape(6, 8)


def header(modality: str = "CT", sop_class: str = CTImageStorage, **more: object) -> Dataset:
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = sop_class, generate_uid()
    made.StudyInstanceUID, made.SeriesInstanceUID = "1.2.3", "1.2.3.4"
    made.Modality, made.PatientID, made.SeriesNumber = modality, "P1", 7
    if modality in ("CT", "MR", "PT"):
        made.ImagePositionPatient, made.ImageOrientationPatient = [0, 0, 0], [1, 0, 0, 0, 1, 0]
        made.PixelSpacing, made.SliceThickness = [1, 1], 2
    for name, value in more.items():
        setattr(made, name, value)
    return made


def fill(
    made: Dataset, values: np.ndarray, *, bits: int = 16, signed: bool = False, photometric: str = "MONOCHROME2"
) -> Dataset:
    made.Rows, made.Columns = (
        values.shape[-2:] if photometric.startswith("MONO") or values.ndim == 2 else values.shape[-3:-1]
    )
    made.SamplesPerPixel = 3 if values.shape[-1] == 3 and photometric in ("RGB", "YBR_FULL") else 1
    made.PhotometricInterpretation = photometric
    made.BitsAllocated = 16 if bits > 8 else 8
    made.BitsStored, made.HighBit, made.PixelRepresentation = bits, bits - 1, int(signed)
    kind = f"<{'i' if signed else 'u'}{made.BitsAllocated // 8}"
    made.PixelData = values.astype(kind).tobytes()
    if made.SamplesPerPixel == 3:
        made.PlanarConfiguration = 0
    return made


def save(made: Dataset, path: Path, syntax: str = ExplicitVRLittleEndian) -> Path:
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = syntax
    made["PixelData"].VR = "OW" if made.BitsAllocated > 8 else "OB"
    if syntax == ExplicitVRBigEndian and made.BitsAllocated == 16:
        made.PixelData = np.frombuffer(made.PixelData, "<u2").astype(">u2").tobytes()
    pydicom.dcmwrite(path, made, enforce_file_format=True)
    return path


def only(path: Path) -> Volume:
    (series,) = scan(path)
    return load(series)


@pytest.mark.parametrize(
    "syntax",
    [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian],
)
@pytest.mark.parametrize("signed", [False, True])
def test_every_uncompressed_form_gives_the_same_values(syntax: str, signed: bool, tmp_path: Path) -> None:
    values = RAMP - 20 if signed else RAMP
    made = fill(header(RescaleSlope=1, RescaleIntercept=-1024), values, signed=signed)
    found = only(save(made, tmp_path / "a", syntax))
    assert found.voxels.dtype == np.int16
    assert np.array_equal(found.voxels[0], values - 1024)
    assert found.unit == "HU"


def test_a_file_without_preamble_or_meta_header_is_read(tmp_path: Path) -> None:
    path = save(fill(header(), RAMP), tmp_path / "a", ImplicitVRLittleEndian)
    whole = path.read_bytes()
    start = whole.index(b"\x08\x00\x16\x00")  # SOP class, the first element of the data set
    path.write_bytes(whole[start:])
    assert np.array_equal(only(path).voxels[0], RAMP)


def test_unused_high_bits_are_dropped_and_the_sign_is_carried(tmp_path: Path) -> None:
    made = fill(header("MR"), RAMP | 0xF000, bits=12)
    assert np.array_equal(only(save(made, tmp_path / "a")).voxels[0], RAMP)
    made = fill(header("MR"), (RAMP - 30) & 0x0FFF, bits=12)
    made.PixelRepresentation = 1
    assert np.array_equal(only(save(made, tmp_path / "a")).voxels[0], RAMP - 30)


def test_unsigned_values_above_int16_stay_exact(tmp_path: Path) -> None:
    made = fill(header(RescaleSlope=1, RescaleIntercept=-1024), RAMP + 60000)
    found = only(save(made, tmp_path / "a"))
    assert found.voxels.dtype == np.int32
    assert np.array_equal(found.voxels[0], RAMP + 60000 - 1024)


def test_a_slope_of_its_own_for_each_slice_is_applied(tmp_path: Path) -> None:
    for index, slope in enumerate((0.5, 2.25, 1.0)):
        made = header(
            "PT", PositronEmissionTomographyImageStorage, RescaleSlope=slope, RescaleIntercept=0, Units="BQML"
        )
        made.ImagePositionPatient = [0, 0, 2 * index]
        save(fill(made, RAMP), tmp_path / str(index))
    found = only(tmp_path)
    assert found.unit == "Bq/ml"
    assert found.voxels.dtype == np.float32
    assert np.array_equal(found.voxels, np.stack([RAMP * 0.5, RAMP * 2.25, RAMP]).astype(np.float32))


def test_padding_that_would_read_as_hu_takes_the_lowest_value_measured(tmp_path: Path) -> None:
    values = RAMP.copy() + 24
    values[0, :3] = -2000
    made = fill(header(RescaleSlope=1, RescaleIntercept=-1024), values, signed=True)
    made.PixelPaddingValue = -2000
    found = only(save(made, tmp_path / "a")).voxels[0]
    assert (found[0, :3] == RAMP[0, 3] + 24 - 1024).all()
    assert np.array_equal(found[1:], values[1:] - 1024)


def test_padding_within_the_measured_range_is_left_alone(tmp_path: Path) -> None:
    made = fill(header(RescaleSlope=1, RescaleIntercept=0), RAMP - 20, signed=True)
    made.PixelPaddingValue = 0  # some scanners declare the value of water so
    assert np.array_equal(only(save(made, tmp_path / "a")).voxels[0], RAMP - 20)


def test_monochrome1_is_turned_in_radiographs_and_left_in_ct(tmp_path: Path) -> None:
    chest = fill(header("DX", DigitalXRayImageStorageForPresentation), RAMP, bits=8, photometric="MONOCHROME1")
    assert np.array_equal(only(save(chest, tmp_path / "a")).voxels[0], 255 - RAMP)
    slice_ = fill(header(RescaleSlope=1, RescaleIntercept=-1024), RAMP, photometric="MONOCHROME1")
    assert np.array_equal(only(save(slice_, tmp_path / "a")).voxels[0], RAMP - 1024)


def test_a_radiograph_lies_as_its_header_says(tmp_path: Path) -> None:
    made = header(
        "DX", DigitalXRayImageStorageForPresentation, ImagerPixelSpacing=[0.2, 0.1], PatientOrientation=["L", "F"]
    )
    found = only(save(fill(made, RAMP), tmp_path / "a"))
    assert found.is_planar
    assert found.spacing[1:] == (0.2, 0.1)
    assert found.affine.orientation[1:] == "IL"


def test_non_square_pixels_keep_their_ratio(tmp_path: Path) -> None:
    made = header("XA", SecondaryCaptureImageStorage, PixelAspectRatio=[2, 1])
    found = only(save(fill(made, RAMP), tmp_path / "a"))
    assert found.affine.spacing[1:] == (2.0, 1.0)
    assert not found.has_size


@pytest.mark.parametrize("planar", [0, 1])
def test_colour_comes_as_three_channels_whatever_its_planar_configuration(planar: int, tmp_path: Path) -> None:
    colours = np.stack([RAMP, RAMP + 50, RAMP + 100], axis=-1)
    made = fill(header("XC", SecondaryCaptureImageStorage), colours, bits=8, photometric="RGB")
    if planar:
        made.PlanarConfiguration = 1
        made.PixelData = np.moveaxis(colours, -1, 0).astype(np.uint8).tobytes()
    found = only(save(made, tmp_path / "a"))
    assert found.channels == 3
    assert np.array_equal(found.voxels[:, 0], np.moveaxis(colours, -1, 0))


def test_ybr_becomes_rgb(tmp_path: Path) -> None:
    ybr = np.stack([RAMP + 80, np.full_like(RAMP, 128), np.full_like(RAMP, 138)], axis=-1)
    made = fill(header("US", UltrasoundMultiFrameImageStorage), ybr, bits=8, photometric="YBR_FULL")
    found = only(save(made, tmp_path / "a")).voxels[:, 0]
    # ten above the middle in Cr is 14 more red and 7 less green, PS3.3 C.7.6.3.1.2
    assert np.array_equal(found, np.stack([RAMP + 94, RAMP + 73, RAMP + 80]))


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL"])
def test_colour_whose_planes_are_equal_is_grey(photometric: str, tmp_path: Path) -> None:
    other = np.full_like(RAMP, 128) if photometric == "YBR_FULL" else RAMP * 2
    values = np.stack([RAMP * 2, other, other], axis=-1)
    made = fill(header("US", UltrasoundMultiFrameImageStorage), values, bits=8, photometric=photometric)
    found = only(save(made, tmp_path / "a"))
    assert found.is_planar
    assert np.array_equal(found.voxels[0], RAMP * 2)


def test_a_radiograph_is_as_large_as_at_its_detector_where_nothing_else_is_said(tmp_path: Path) -> None:
    made = header("DX", DigitalXRayImageStorageForPresentation, ImagerPixelSpacing=[0.2, 0.1])
    found = only(save(fill(made, RAMP), tmp_path / "a"))
    assert found.spacing[1:] == (0.2, 0.1)
    made.PixelSpacing = [0.18, 0.09]
    assert only(save(made, tmp_path / "a")).spacing[1:] == (0.18, 0.09)


def region(**more: object) -> Dataset:
    found = Dataset()
    found.RegionSpatialFormat, found.PhysicalUnitsXDirection, found.PhysicalUnitsYDirection = 1, 3, 3
    found.PhysicalDeltaX, found.PhysicalDeltaY = 0.02, 0.03
    for name, value in more.items():
        setattr(found, name, value)
    return found


def sounding(*regions: Dataset) -> Dataset:
    return header("US", UltrasoundMultiFrameImageStorage, SequenceOfUltrasoundRegions=list(regions))


def test_ultrasound_is_as_large_as_its_regions_say(tmp_path: Path) -> None:
    doppler = region(RegionSpatialFormat=3, PhysicalUnitsXDirection=4, PhysicalDeltaX=1.0)
    found = only(save(fill(sounding(region(), doppler), RAMP, bits=8), tmp_path / "a"))
    assert found.spacing[1:] == pytest.approx((0.3, 0.2))


@pytest.mark.parametrize(
    "regions",
    [(), (region(), region(PhysicalDeltaX=0.04)), (region(PhysicalUnitsYDirection=0),)],
    ids=["no region", "two scales", "no centimetres"],
)
def test_ultrasound_of_no_one_scale_has_no_size(regions: tuple[Dataset, ...], tmp_path: Path) -> None:
    assert not only(save(fill(sounding(*regions), RAMP, bits=8), tmp_path / "a")).has_size


def test_a_loop_is_a_stack_that_claims_no_millimetres(tmp_path: Path) -> None:
    made = header("XA", SecondaryCaptureImageStorage, ImagerPixelSpacing=[0.2, 0.2], NumberOfFrames=3)
    found = only(save(fill(made, np.stack([RAMP] * 3), bits=8), tmp_path / "a"))
    assert found.shape == (3, 6, 8)
    assert not found.is_planar
    assert not found.has_size


def test_a_palette_becomes_its_colours(tmp_path: Path) -> None:
    made = fill(header("US", UltrasoundMultiFrameImageStorage), RAMP, bits=8, photometric="PALETTE COLOR")
    for shift, name in enumerate(("Red", "Green", "Blue")):
        setattr(made, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
        table = (np.arange(256, dtype="<u2") // (shift + 1)) << 8
        setattr(made, f"{name}PaletteColorLookupTableData", table.tobytes())
    found = only(save(made, tmp_path / "a"))
    assert np.array_equal(found.voxels[:, 0], np.stack([RAMP, RAMP // 2, RAMP // 3]))


def test_an_ultrasound_loop_comes_as_slices(tmp_path: Path) -> None:
    loop = np.stack([RAMP, RAMP + 1, RAMP + 2])
    made = fill(header("US", UltrasoundMultiFrameImageStorage, NumberOfFrames=3), loop, bits=8)
    found = only(save(made, tmp_path / "a"))
    assert np.array_equal(found.voxels, loop)
    assert not found.is_planar


def test_a_modality_table_stands_in_for_slope_and_intercept(tmp_path: Path) -> None:
    made = fill(header("CR", SecondaryCaptureImageStorage), RAMP)
    item = Dataset()
    item.LUTDescriptor, item.ModalityLUTType = [64, 0, 16], "US"
    item.LUTData = [value * value for value in range(64)]
    item["LUTData"].VR = "US"
    made.ModalityLUTSequence = [item]
    assert np.array_equal(only(save(made, tmp_path / "a")).voxels[0], RAMP * RAMP)


@pytest.mark.parametrize(
    ("charset", "code", "text"),
    [
        ("GB18030", "gb18030", "头颅平扫"),
        ("GBK", "gbk", "头颅平扫"),
        ("ISO_IR 192", "utf-8", "头颅平扫"),
        ("ISO_IR 100", "latin-1", "Schädel"),
        ("\\ISO 2022 IR 58", None, b"\x1b$)A\xcd\xb7\xc2\xad"),
    ],
)
def test_names_in_many_character_sets_are_read(
    charset: str, code: str | None, text: str | bytes, tmp_path: Path
) -> None:
    made = fill(header(), RAMP)
    made.PatientID = "X" * 16
    path = save(made, tmp_path / "a")
    raw = text.encode(code) if isinstance(text, str) and code else text
    assert isinstance(raw, bytes)
    whole = path.read_bytes().replace(b"X" * 16, raw.ljust(16))
    element = b"\x08\x00\x05\x00CS" + (len(charset) + len(charset) % 2).to_bytes(2, "little")
    start = whole.index(b"\x08\x00\x16\x00UI")
    path.write_bytes(whole[:start] + element + charset.encode().ljust(len(charset) + len(charset) % 2) + whole[start:])
    (series,) = scan(path)
    assert series.patient_id == (text if isinstance(text, str) else "头颅")
    assert load(series).shape == (1, 6, 8)


def test_an_unknown_value_representation_does_not_hide_the_picture(tmp_path: Path) -> None:
    made = fill(header(Manufacturer="Odd"), RAMP)
    path = save(made, tmp_path / "a")
    path.write_bytes(path.read_bytes().replace(b"\x08\x00\x70\x00LO", b"\x08\x00\x70\x00??"))
    found = scan(path)
    assert [series.verdict for series in found] == ["regular"]
    assert np.array_equal(load(found.series[0]).voxels[0], RAMP)


def test_a_cut_off_file_is_truncated_and_the_others_can_be_had(tmp_path: Path) -> None:
    for index in range(5):
        made = header("MR", RescaleSlope=1, RescaleIntercept=0)
        made.ImagePositionPatient = [0, 0, 2 * index]
        path = save(fill(made, RAMP), tmp_path / str(index))
    path.write_bytes(path.read_bytes()[:-10])
    (series,) = scan(tmp_path)
    assert series.verdict == "truncated"
    assert "1 of 5 pictures" in series.reason
    with pytest.raises(SeriesError, match="accept 'truncated'"):
        load(series)
    assert load(series, accept=["truncated"]).shape == (4, 6, 8)


def test_a_video_is_unsupported(tmp_path: Path) -> None:
    made = fill(header("US", UltrasoundMultiFrameImageStorage, NumberOfFrames=2), np.stack([RAMP, RAMP]), bits=8)
    made.PixelData = encapsulate([b"\0" * 20])
    (series,) = scan(save(made, tmp_path / "a", MPEG4HP41))
    assert series.verdict == "unsupported"
    with pytest.raises(SeriesError, match="No decoder"):
        load(series)


def test_an_encrypted_object_is_named_so(tmp_path: Path) -> None:
    made = header("MR")
    for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"):
        delattr(made, name)
    item = Dataset()
    item.EncryptedContentTransferSyntaxUID, item.EncryptedContent = ExplicitVRLittleEndian, b"\0" * 16
    made.EncryptedAttributesSequence = [item]
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    pydicom.dcmwrite(tmp_path / "a", made, enforce_file_format=True)
    (series,) = scan(tmp_path / "a")
    assert series.verdict == "encrypted"


def test_a_file_that_changes_after_the_scan_is_refused(tmp_path: Path) -> None:
    path = save(fill(header(), RAMP), tmp_path / "a")
    (series,) = scan(path)
    save(fill(header(), RAMP), path)
    with pytest.raises(FileError, match="has changed since"):
        load(series)
    path.unlink()
    with pytest.raises(FileError):
        load(series)


def test_a_zip_is_read_and_one_that_climbs_out_is_refused(tmp_path: Path) -> None:
    path = save(fill(header(), RAMP), tmp_path / "a.dcm")
    with ZipFile(tmp_path / "good.zip", "w") as packed:
        packed.write(path, "study/a.dcm")
    assert np.array_equal(only(tmp_path / "good.zip").voxels[0], RAMP)
    with ZipFile(tmp_path / "bad.zip", "w") as packed:
        packed.write(path, "../../evil.dcm")
    with pytest.raises(FileError, match="leads out of its folder"):
        scan(tmp_path / "bad.zip")
    (tmp_path / "broken.zip").write_bytes((tmp_path / "good.zip").read_bytes()[:-40])
    assert scan(tmp_path / "broken.zip").series == ()


def test_high_throughput_jpeg_2000_is_decoded(tmp_path: Path) -> None:
    """The decoder tells the two kinds of JPEG 2000 by the stream; nothing here can write the newer one."""
    values = np.arange(64 * 64).reshape(64, 64)
    made = fill(header(RescaleSlope=1, RescaleIntercept=-1024), values, bits=12)
    stream = BytesIO()
    Image.fromarray(values.astype(np.uint16)).save(stream, format="JPEG2000", irreversible=False, no_jp2=True)
    made.PixelData = encapsulate([stream.getvalue()])
    made["PixelData"].is_undefined_length = True
    found = only(save(made, tmp_path / "a", HTJ2KLossless))
    assert np.array_equal(found.voxels[0], values - 1024)


@pytest.mark.parametrize("blanked", [b"\0\0\0\0\0\0\0 ", b"\0\0\0\0\0\0\x300", b"-1x24.0 ", b"nan     "])
def test_a_rescale_that_was_written_over_is_not_taken_for_none(blanked: bytes, tmp_path: Path) -> None:
    path = save(fill(header(RescaleSlope=1, RescaleIntercept="-1024.0"), RAMP), tmp_path / "a")
    path.write_bytes(path.read_bytes().replace(b"-1024.0 ", blanked))
    (series,) = scan(path)
    assert series.verdict == "unsupported"
    assert "contradict themselves" in series.reason
    with pytest.raises(SeriesError):
        load(series)


def test_single_bytes_in_big_endian_words_are_not_swapped(tmp_path: Path) -> None:
    made = fill(header("OT", SecondaryCaptureImageStorage), RAMP, bits=8)
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    made["PixelData"].VR = "OW"
    made.PixelData = np.frombuffer(made.PixelData, "<u2").astype(">u2").tobytes()
    pydicom.dcmwrite(tmp_path / "a", made, enforce_file_format=True)
    expected = pydicom.dcmread(tmp_path / "a").pixel_array
    assert np.array_equal(only(tmp_path / "a").voxels[0], expected)
    assert np.array_equal(expected, RAMP)


def test_an_inverted_picture_with_a_table_still_grows_one_way(tmp_path: Path) -> None:
    made = fill(header("CR", SecondaryCaptureImageStorage), RAMP, photometric="MONOCHROME1")
    item = Dataset()
    item.LUTDescriptor, item.ModalityLUTType = [64, 0, 16], "US"
    item.LUTData = [value * 900 for value in range(64)]
    item["LUTData"].VR = "US"
    made.ModalityLUTSequence = [item]
    found = only(save(made, tmp_path / "a")).voxels[0].astype(float)
    assert np.array_equal(np.argsort(found.ravel()), np.argsort(-RAMP.ravel().astype(float)))
