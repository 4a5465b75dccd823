"""2,000 damaged files: no crash, no hang, no volume that is silently wrong."""

import time
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
)

from isocenter.dicom import load, scan
from isocenter.dicom.files.slow import BROKEN
from isocenter.errors import IsocenterError
from isocenter.image import Volume
from isocenter.testing.phantom import Body, axis_grid, write_enhanced, write_series

SHAPE = (5, 20, 18)
DAMAGED = 250
"""Files damaged per form; eight forms make 2,000."""
FORMS = ("explicit", "implicit", "big endian", "deflated", "rle", "jpeg-ls", "bare", "enhanced")
LONGEST_S = 5.0  # a sound one takes a hundredth of a second; a machine under load ten times that


def body() -> Volume:
    grid = axis_grid("SPL", shape=SHAPE, spacing_mm=(40.0, 15.0, 18.0))
    return Body().sample(grid, SHAPE, rng=np.random.default_rng(5))[0]


def written(form: str, folder: Path) -> tuple[Path, ...]:
    """Return the files of a phantom's series in one form."""
    if form == "enhanced":
        folder.mkdir()
        return (write_enhanced(body(), folder / "one.dcm"),)
    paths = write_series(body(), folder)
    compressed = {"rle": RLELossless, "jpeg-ls": JPEGLSLossless}
    plain = {
        "implicit": ImplicitVRLittleEndian,
        "big endian": ExplicitVRBigEndian,
        "deflated": DeflatedExplicitVRLittleEndian,
    }
    for path in paths:
        made = pydicom.dcmread(path)
        if form in compressed:
            made.compress(compressed[form], generate_instance_uid=False)
        elif form in plain:
            made.file_meta.TransferSyntaxUID = plain[form]
            if form == "big endian":
                made.PixelData = np.frombuffer(made.PixelData, "<u2").astype(">u2").tobytes()
        pydicom.dcmwrite(
            path, made, enforce_file_format=True, implicit_vr=form == "implicit", little_endian=form != "big endian"
        )
        if form == "bare":  # neither preamble nor meta header
            whole = path.read_bytes()
            path.write_bytes(whole[whole.index(b"\x08\x00\x05\x00CS") :])
    return paths


def damage(sound: bytes, rng: np.random.Generator) -> bytes:
    """Return a file cut off, with bytes flipped, taken out, put in, blanked, or moved."""
    # headers are a fraction of a file, and the more telling part: three of four damages go there
    first, last = (132, min(len(sound), 1800)) if rng.random() < 0.75 else (0, len(sound))
    at = int(rng.integers(first, last))
    length = int(rng.integers(1, 40))
    kind = rng.choice(["cut", "flip", "flips", "delete", "insert", "blank", "repeat"])
    if kind == "cut":
        return sound[:at]
    if kind in ("flip", "flips"):
        changed = bytearray(sound)
        for place in [at, *rng.integers(first, last, 0 if kind == "flip" else 8)]:
            changed[int(place)] ^= 1 << int(rng.integers(8))
        return bytes(changed)
    if kind == "delete":
        return sound[:at] + sound[at + length :]
    if kind == "insert":
        return sound[:at] + rng.bytes(length) + sound[at:]
    if kind == "blank":
        return sound[:at] + b"\0" * min(length, len(sound) - at) + sound[at + length :]
    return sound[: at + length] + sound[at:]


def told_by_pydicom(path: Path) -> list[np.ndarray] | None:
    """Return what the bytes say of each picture by another reader, values rescaled; None where it cannot say."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read = pydicom.dcmread(path, force=True)
            if "TransferSyntaxUID" not in read.file_meta:
                read.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            values = read.pixel_array.astype(np.int64)
            bits = int(read.BitsStored)
            if bits < int(read.BitsAllocated):
                values &= (1 << bits) - 1
                values -= (values >> (bits - 1) << bits) if read.PixelRepresentation else 0
            scales = [(float(read.get("RescaleSlope", 1)), float(read.get("RescaleIntercept", 0)))]
            frames = read.get("PerFrameFunctionalGroupsSequence")
            if frames:
                shared = read.SharedFunctionalGroupsSequence[0]
                groups = [
                    (one if "PixelValueTransformationSequence" in one else shared).PixelValueTransformationSequence[0]
                    for one in frames
                ]
                scales = [(float(group.RescaleSlope), float(group.RescaleIntercept)) for group in groups]
    except BROKEN:
        return None
    stack = values if values.ndim == 3 else values[None]
    return [picture * slope + intercept for picture, (slope, intercept) in zip(stack, scales, strict=True)]


def assert_honest(folder: Path, hurt: Path, truth: Volume) -> None:
    """Every volume that comes without a flaw holds, slice by slice, the truth or what the damaged bytes say."""
    for series in scan(folder):
        try:
            found = load(series)
        except IsocenterError:
            continue
        assert np.isfinite(found.voxels).all()
        told = None
        for index, instance in enumerate(series.instances):
            picture = found.voxels[..., index, :, :]
            height = instance.position and instance.position[2]
            places = truth.affine.to_index((*truth.affine.origin[:2], height)) if height is not None else [0.0, 0, 0]
            true_index = round(float(places[0]))
            is_true = (
                abs(float(places[0]) - true_index) < 1e-3
                and 0 <= true_index < SHAPE[0]
                and np.array_equal(picture, truth.voxels[true_index])
            )
            if is_true:
                continue
            assert instance.path == hurt, "a sound file came out wrong"
            told = told_by_pydicom(hurt) if told is None else told
            if told is None:
                # the pixels are the last element of an uncompressed file, whatever became of those before
                told = [np.frombuffer(hurt.read_bytes()[-2 * picture.size :], "<u2").reshape(picture.shape) - 1024.0]
            assert any(np.allclose(picture, one) for one in told if one.shape == picture.shape)


@pytest.mark.parametrize("form", FORMS)
def test_a_damaged_file_is_refused_or_read_as_its_bytes_say(form: str, tmp_path: Path) -> None:
    truth = body()
    paths = written(form, tmp_path / "series")
    (series,) = scan(tmp_path / "series")
    assert np.array_equal(load(series).voxels, truth.voxels)
    hurt = paths[len(paths) // 2]
    sound = hurt.read_bytes()
    rng = np.random.default_rng(FORMS.index(form))
    slowest = 0.0
    for number in range(DAMAGED):
        hurt.write_bytes(damage(sound, rng))
        started = time.perf_counter()
        try:
            assert_honest(tmp_path / "series", hurt, truth)
        except AssertionError as error:
            raise AssertionError(f"{form}, damage {number}: {error}") from error
        slowest = max(slowest, time.perf_counter() - started)
    assert slowest < LONGEST_S
