"""A volume as a DICOM series: read again it is the same volume, and a validator finds no error."""

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from isocenter.dicom import load, scan
from isocenter.dicom.export import write_series
from isocenter.errors import FileError, InputError
from isocenter.image import Volume
from isocenter.testing.phantom import AXIS_ORIENTATIONS, Body, axis_grid, tilted

SHAPE, SPACING_MM = (6, 10, 12), (3.0, 1.5, 1.25)


def body(orientation: str = "SPL", *, modality: str = "CT") -> Volume:
    return Body().sample(axis_grid(orientation, shape=SHAPE, spacing_mm=SPACING_MM), SHAPE, modality=modality)[0]


@pytest.mark.parametrize("orientation", AXIS_ORIENTATIONS[::7])
@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_a_written_series_is_read_as_the_same_volume(tmp_path: Path, orientation: str, modality: str) -> None:
    volume = body(orientation, modality=modality)
    write_series(volume, tmp_path / "series")
    (series,) = scan(tmp_path / "series")
    back = load(series).oriented(orientation)
    assert series.verdict == "regular"
    assert np.array_equal(back.voxels, volume.voxels)
    assert back.affine.is_close(volume.affine, shape=SHAPE, tolerance_mm=1e-3)  # decimal strings of 16 characters


def test_fractions_come_back_within_half_a_step(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(scale=40, size=SHAPE).astype(np.float32)
    write_series(replace(body(modality="MR"), voxels=values), tmp_path / "series")
    back = load(scan(tmp_path / "series").series[0])
    assert np.abs(back.voxels - values).max() <= (values.max() - values.min()) / 65535


@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_a_validator_finds_no_error_in_it(tmp_path: Path, dciodvfy: str, modality: str) -> None:
    write_series(body(modality=modality), tmp_path / "series")
    path = next((tmp_path / "series").iterdir())
    told = subprocess.run([dciodvfy, path], capture_output=True, text=True, check=False).stderr
    assert not [line for line in told.splitlines() if line.startswith("Error")], told


def test_the_same_volume_is_the_same_series(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_series(body(), tmp_path / name)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_a_folder_with_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("keep me")
    with pytest.raises(FileError, match="holds files already"):
        write_series(body(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_what_the_form_cannot_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--modality"):
        write_series(replace(body(), modality="OT"), tmp_path / "a")
    sheared = replace(body(), affine=tilted(body().affine, degrees=15))
    with pytest.raises(InputError, match="right angles"):
        write_series(sheared, tmp_path / "a")
    assert list(tmp_path.iterdir()) == []
