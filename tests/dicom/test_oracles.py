"""Real scanners' files against other programs: dcm2niix' NIfTI, NEMA's references, GDCM by SimpleITK, DCMTK."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
import zstandard

from isocenter.dicom import Series, load, scan
from isocenter.image import Affine, Volume

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def reference_volumes(path: Path) -> list[Volume]:
    """Return one volume per time of a NIfTI file, by nibabel alone."""
    image = nibabel.load(path)
    values = np.asarray(image.dataobj)
    values = values[..., None] if values.ndim == 3 else values
    matrix = RAS_TO_LPS @ image.affine @ np.eye(4)[:, [2, 1, 0, 3]]
    return [
        Volume(voxels=values[..., time].transpose(2, 1, 0), affine=Affine(matrix=matrix))
        for time in range(values.shape[3])
    ]


def assert_same(series: Series, reference: Volume) -> None:
    found = load(series)
    told = reference.oriented(found.affine.orientation)
    assert np.array_equal(found.voxels, told.voxels)
    # 1e-3 mm over the whole grid: NIfTI keeps the matrix in float32, of coordinates up to 150 mm
    assert found.affine.is_close(told.affine, shape=found.shape, tolerance_mm=1e-3)


@pytest.mark.parametrize("number", range(1, 10))
def test_a_mosaic_in_nine_transfer_syntaxes_equals_its_nifti(number: int, shared_data: Path) -> None:
    folder = shared_data / "dicom2nii_ref" / "dcm_qa_ts"
    (series,) = scan(folder / "In" / f"{number}.dcm")
    (reference,) = reference_volumes(folder / "Ref" / f"{number}.nii")
    assert series.verdict == "regular"
    assert_same(series, reference)


@pytest.mark.parametrize(
    ("plane", "name"),
    [("ax", "ax_asc_35sl_6"), ("cor", "cor_desc_36sl_14"), ("sag", "sag_int_36sl_21")],
)
def test_mosaics_in_three_planes_equal_their_nifti(plane: str, name: str, shared_data: Path) -> None:
    folder = shared_data / "dicom2nii_ref" / "dcm_qa_orient"
    found = scan(folder / "In" / plane).series
    references = reference_volumes(folder / "Ref" / f"{name}.nii")
    assert len(found) == len(references) == 2
    for series, reference in zip(found, references, strict=True):
        assert_same(series, reference)


def test_siemens_xa10_times_equal_their_nifti(shared_data: Path) -> None:
    folder = shared_data / "dicom2nii_ref" / "dcm_qa_enh"
    found = scan(folder / "In" / "Siemens").series
    references = reference_volumes(folder / "Ref" / "Siemens_REST1_w_SMS_PF7-8_6.nii")
    assert [series.part for series in found] == ["time 1", "time 2", "time 3", "time 4"]
    for series, reference in zip(found, references, strict=True):
        assert_same(series, reference)


def test_philips_magnitude_and_field_map_equal_their_nifti(shared_data: Path) -> None:
    """One file holds both. dcm2niix keeps Philips' private float scale; we keep the standard's rescaled value.

    Its value is ours / (rescale slope × private scale slope), by Chenevert et al. 2014 (10.1016/j.tranon.2013.11.006):
    for the magnitude 1.27985347985347 × 8.44864e-06; for the field map 0.2442 × 4.095 = 1.0, so both are in Hz.
    """
    folder = shared_data / "dicom2nii_ref" / "dcm_qa_enh"
    field, magnitude = scan(folder / "In" / "Philips").series
    assert "FIELD_MAP" in field.part
    assert "MAGNITUDE" in magnitude.part
    (told_field,) = reference_volumes(folder / "Ref" / "Philips_WIP_B0_NS_801_e2_fieldmaphz.nii")
    # 0.01 Hz, a 24th of one stored level: dcm2niix works its slope out in float32 (0.24420166, the header 0.24420024)
    assert np.allclose(load(field).voxels, told_field.oriented("SPL").voxels, rtol=0, atol=0.01)
    assert load(field).affine.is_close(told_field.oriented("SPL").affine, shape=load(field).shape, tolerance_mm=1e-3)
    (told,) = reference_volumes(folder / "Ref" / "Philips_WIP_B0_NS_801_e1.nii")
    ours = load(magnitude).voxels
    # the private slope is known here to six digits only: the ratio must be one number for all voxels
    inside = ours > 0
    ratio = told.oriented("SPL").voxels[inside] / ours[inside]
    assert np.allclose(ratio, ratio.mean(), rtol=1e-5)
    assert ratio.mean() == pytest.approx(1 / (1.27985347985347 * 8.44864e-06), rel=1e-5)


def plain(path: Path, folder: Path) -> Path:
    """Return a file as it is, or unpacked from zstandard into a folder."""
    if path.suffix != ".zst":
        return path
    target = folder / path.with_suffix("").name
    with path.open("rb") as source, target.open("wb") as sink:
        zstandard.ZstdDecompressor().copy_stream(source, sink)
    return target


def wg04(shared_data: Path, *kinds: str) -> Sequence[Path]:
    return sorted(path for kind in kinds for path in (shared_data / "dicom_codecs" / "WG04" / kind).iterdir())


def only(path: Path) -> Volume:
    (series,) = scan(path)
    return load(series)


def test_lossless_codecs_decode_to_their_reference(shared_data: Path, tmp_path: Path) -> None:
    paths = wg04(shared_data, "J2KR", "JLSL", "JPLL", "RLE")
    assert len(paths) == 18
    for path in paths:
        reference = shared_data / "dicom_codecs" / "WG04" / "REF" / f"{path.name.split('_')[0]}_UNC.zst"
        assert np.array_equal(only(path).voxels, only(plain(reference, tmp_path)).voxels), path.name


def test_uncompressed_references_equal_what_gdcm_reads(shared_data: Path, tmp_path: Path) -> None:
    for packed in wg04(shared_data, "REF"):
        path = plain(packed, tmp_path)
        found, told = only(path).voxels, by_gdcm(path)
        if packed.name.startswith("CT1"):
            # stored -2000 (-3024 HU) marks what lies outside the scanner's circle: it takes the lowest value measured
            outside = told == -3024
            assert outside.any()
            assert (found[outside] == found.min()).all()
            found, told = found[~outside], told[~outside]
        assert np.array_equal(found, told), packed.name


def by_gdcm(path: Path) -> np.ndarray:
    values = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    return np.moveaxis(values, -1, 0) if values.ndim == 4 else values


def test_lossy_codecs_decode_as_a_second_decoder_does(shared_data: Path) -> None:
    for path in wg04(shared_data, "J2KI", "JLSN"):
        found, told = only(path).voxels.astype(int), by_gdcm(path).astype(int)
        padding = told < -1024  # a lossy code smears CT1's padding; near it only the order of magnitude is told
        apart = np.abs(found - told)[~padding]
        # JPEG 2000 leaves the last bit of the inverse wavelet to the decoder
        assert (apart <= 1).mean() > 0.999, path.name


@pytest.mark.skipif(shutil.which("dcmdjpeg") is None, reason="dcmtk is not installed")
def test_twelve_bit_jpeg_decodes_as_dcmtk_does(shared_data: Path, tmp_path: Path) -> None:
    for path in wg04(shared_data, "JPLY"):
        target = tmp_path / path.name
        subprocess.run(["dcmdjpeg", str(path), str(target)], check=True, capture_output=True)
        apart = np.abs(only(path).voxels.astype(int) - only(target).voxels.astype(int))
        # the cosine transforms of two libraries may round the last bit differently
        assert apart.max() <= 1, path.name


def test_a_series_of_two_years_and_three_vendors_is_regular(shared_data: Path) -> None:
    found = {series.number: series for series in scan(shared_data / "btp_dicom_4modality")}
    assert {series.verdict for series in found.values()} == {"regular"}
    assert found[11].sequence == "t1ce"
    assert found[37870].sequence == "t2"
    assert found[0].shape == (40, 50, 34)


@pytest.mark.parametrize("name", ["11-T1post-18670", "11_HCropVolume", "37830-T2reg-78532"])
def test_an_mr_series_equals_what_gdcm_reads(name: str, shared_data: Path) -> None:
    folder = shared_data / "btp_dicom_4modality" / "Study3" / name
    (series,) = scan(folder)
    found = load(series)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    assert np.array_equal(found.voxels, sitk.GetArrayFromImage(image))
    # 0.01 mm: GDCM takes the step from the first two slices, we from all of them
    assert np.allclose(image.GetOrigin(), found.affine.origin, atol=0.01)
    last = [size - 1 for size in image.GetSize()]
    told = image.TransformIndexToPhysicalPoint(last)
    assert np.allclose(told, found.affine.to_world(last[::-1]), atol=0.01)


def test_multi_frame_and_single_frame_forms_of_one_scan_agree(shared_data: Path, tmp_path: Path) -> None:
    root = shared_data / "dicom_codecs" / "dcmqi" / "segmentations"
    for name in ("23x38x3", "24x38x3"):
        single, multi = tmp_path / name / "single", tmp_path / name / "multi"
        single.mkdir(parents=True)
        multi.mkdir()
        for path in (root / name / "image").iterdir():
            plain(path, single)
        plain(root / name / "multiframe" / "mf.dcm.zst", multi)
        one, other = only(single), only(multi)
        assert np.array_equal(one.voxels, other.voxels)
        assert one.affine.is_close(other.affine, shape=one.shape)


def test_objects_that_are_no_scan_are_told_apart(shared_data: Path) -> None:
    found = scan(shared_data / "highdicom_files" / "data" / "test_files")
    kinds = {(series.modality, series.verdict) for series in found}
    assert ("SEG", "not an image") in kinds
    assert ("SR", "not an image") in kinds
    assert ("SM", "not an image") in kinds
    assert ("CT", "regular") in kinds
    segmentations = [series for series in found if series.modality == "SEG"]
    assert any(series.references for series in segmentations)
    (chest,) = [series for series in found if series.modality == "DX"]
    picture = load(chest)
    assert picture.is_planar
    assert np.isnan(picture.spacing[0])
    assert picture.spacing[1:] == pytest.approx((1.2, 1.2012), abs=1e-6)
