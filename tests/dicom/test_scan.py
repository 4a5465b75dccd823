"""Folders to series: order, verdicts, and what is left out."""

import os
from pathlib import Path

import numpy as np
import pydicom
import pytest

from isocenter.dicom import load, scan
from isocenter.errors import FileError, SeriesError
from isocenter.image import Affine, Volume
from isocenter.testing.phantom import Body, Header, axis_grid, tilted, write_series

SHAPE = (14, 24, 20)
SPACING = (2.5, 3.0, 2.0)


def grid(orientation: str = "SPL") -> Affine:
    return axis_grid(orientation, shape=SHAPE, spacing_mm=SPACING)


def body(affine: Affine) -> Volume:
    return Body().sample(affine, SHAPE)[0]


@pytest.mark.parametrize("orientation", ["SPL", "IPL", "LSA", "RIP", "ASL", "PIR"])
def test_a_series_comes_back_as_the_volume_that_was_written(orientation: str, tmp_path: Path) -> None:
    volume = body(grid(orientation))
    write_series(volume, tmp_path)
    (series,) = scan(tmp_path)
    found = load(series).oriented(orientation)
    assert series.verdict == "regular"
    assert found.unit == "HU"
    assert found.voxels.dtype == np.int16
    assert np.array_equal(found.voxels, volume.voxels)
    # 1e-3 mm: decimal strings hold 16 characters
    assert found.affine.is_close(volume.affine, shape=SHAPE, tolerance_mm=1e-3)


def test_the_order_of_files_does_not_matter(tmp_path: Path) -> None:
    volume = body(grid())
    write_series(volume, tmp_path, order=np.random.default_rng(3).permutation(SHAPE[0]).tolist())
    (series,) = scan(tmp_path)
    assert np.array_equal(load(series).voxels, volume.voxels)
    heights = [instance.position[2] for instance in series.instances if instance.position]
    assert heights == sorted(heights)


def test_a_hole_is_named_in_mm_and_stops_the_series(tmp_path: Path) -> None:
    volume = body(grid())
    write_series(volume, tmp_path, leave_out=[6])
    (series,) = scan(tmp_path)
    assert series.verdict == "missing slice"
    assert "Slices 6 and 7 lie 5.000 mm apart, the others 2.500 mm" in series.reason
    with pytest.raises(SeriesError, match="accept 'gaps'"):
        load(series)
    found = load(series, accept=["gaps"])
    assert found.shape == SHAPE
    mended = np.rint((volume.voxels[5].astype(float) + volume.voxels[7]) / 2)
    assert np.array_equal(found.voxels[6], mended)
    assert np.array_equal(np.delete(found.voxels, 6, 0), np.delete(volume.voxels, 6, 0))


def test_a_tilted_stack_is_sheared_back_to_where_the_body_lies(tmp_path: Path) -> None:
    upright = Body().sample(axis_grid("SPL", shape=(14, 60, 40), spacing_mm=(2.5, 2, 2)), (14, 60, 40))[0]
    slanting = tilted(upright.affine, degrees=15)
    write_series(Body().sample(slanting, (14, 60, 40))[0], tmp_path)
    (series,) = scan(tmp_path)
    assert series.verdict == "tilted"
    assert "15.0 degrees" in series.reason
    with pytest.raises(SeriesError, match="accept 'tilt'"):
        load(series)
    found = load(series, accept=["tilt"])
    assert not found.affine.is_sheared
    truth = Body().sample(found.affine, found.shape)[0]
    # air fills what lay outside the tilted stack; edges of organs shift by less than half a 2 mm voxel
    inside = found.voxels != found.voxels.min()
    assert (np.abs(found.voxels[inside].astype(int) - truth.voxels[inside]) < 60).mean() > 0.9


def test_another_patient_position_of_one_slice_twice_is_a_duplicate(tmp_path: Path) -> None:
    volume = body(grid())
    write_series(volume, tmp_path / "a")
    moved = Volume(voxels=volume.voxels[:1] + 1, affine=volume.affine, modality="CT", unit="HU")
    paths = write_series(moved, tmp_path / "b")
    again = pydicom.dcmread(paths[0])
    again.SOPInstanceUID = again.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    again.save_as(paths[0])
    (series,) = scan(tmp_path)
    assert series.verdict == "duplicate positions"
    with pytest.raises(SeriesError, match="accept 'duplicates'"):
        load(series)
    assert load(series, accept=["duplicates"]).shape == SHAPE


def test_a_second_copy_of_a_folder_changes_nothing(tmp_path: Path) -> None:
    volume = body(grid())
    write_series(volume, tmp_path / "a")
    write_series(volume, tmp_path / "b")
    (series,) = scan(tmp_path)
    assert series.verdict == "regular"
    assert np.array_equal(load(series).voxels, volume.voxels)


def test_one_bad_file_never_stops_the_rest(tmp_path: Path) -> None:
    write_series(body(grid()), tmp_path)
    (tmp_path / "empty.dcm").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("nothing of DICOM in here", encoding="utf-8")
    found = scan(tmp_path)
    assert [one.verdict for one in found] == ["regular"]
    assert {path.name for path, _ in found.refused} == {"empty.dcm", "notes.txt"}


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no such file or folder"):
        scan(tmp_path / "nowhere")


def test_a_pipe_among_the_files_does_not_hang_the_scan(tmp_path: Path) -> None:
    write_series(body(grid()), tmp_path)
    os.mkfifo(tmp_path / "pipe")
    found = scan(tmp_path)
    assert [one.verdict for one in found] == ["regular"]
    assert "pipe" in found.refused[0][1]


def test_workers_and_progress_change_nothing_but_the_waiting(tmp_path: Path) -> None:
    write_series(body(grid()), tmp_path)
    told: list[tuple[int, int]] = []
    found = scan(tmp_path, workers=4, progress=lambda done, of: told.append((done, of)))
    assert found.series == scan(tmp_path).series
    assert told[-1] == (SHAPE[0], SHAPE[0])


def test_times_echoes_and_orientations_become_volumes_of_their_own(tmp_path: Path) -> None:
    for number, (echo, orientation) in enumerate([(3, "SPL"), (80, "SPL"), (3, "RIP")]):
        for path in write_series(Body().sample(grid(orientation), SHAPE, modality="MR")[0], tmp_path / str(number)):
            made = pydicom.dcmread(path)
            made.EchoTime = echo
            made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = f"{made.SOPInstanceUID[:50]}.{number}"
            made.save_as(path)
    found = scan(tmp_path).series
    assert [one.verdict for one in found] == ["regular"] * 3
    assert sorted(one.affine.orientation for one in found if one.affine) == ["RIP", "SPL", "SPL"]
    assert {one.part for one in found} == {"echo time 3", "echo time 80"}


def test_nothing_shown_of_a_series_says_who_it_is(tmp_path: Path) -> None:
    write_series(
        body(grid()), tmp_path, header=Header(name="Canary^Yellow", patient="CANARY-77", description="for Canary")
    )
    (series,) = scan(tmp_path)
    assert series.patient_id == "CANARY-77"
    assert "anary" not in f"{series!r} {series}".replace(str(tmp_path), "").lower()


def test_noise_in_the_cosines_does_not_tear_a_volume_apart(tmp_path: Path) -> None:
    for number, path in enumerate(write_series(body(grid()), tmp_path / "a")):
        made = pydicom.dcmread(path)
        turn = 0.105 + (1e-6 if number % 2 else -1e-6)
        made.ImageOrientationPatient = [(1 - turn**2) ** 0.5, turn, 0, -turn, (1 - turn**2) ** 0.5, 0]
        made.save_as(path)
    (series,) = scan(tmp_path / "a").series
    assert len(series.instances) == SHAPE[0]


def test_repeats_are_numbered_and_their_time_of_day_is_not_told(tmp_path: Path) -> None:
    for number, moment in enumerate(("093012", "093112")):
        for path in write_series(body(grid()), tmp_path / moment):
            made = pydicom.dcmread(path)
            made.AcquisitionTime = made.ContentTime = moment
            made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = f"{made.SOPInstanceUID[:50]}.{number}"
            made.save_as(path)
    found = scan(tmp_path).series
    assert [one.verdict for one in found] == ["regular"] * 2
    assert sorted(one.part for one in found) == ["acquisition time 1", "acquisition time 2"]


def test_a_linked_folder_is_scanned_once_and_a_loop_ends(tmp_path: Path) -> None:
    write_series(body(grid()), tmp_path / "elsewhere" / "series")
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "elsewhere")
    (series,) = scan(tmp_path / "study").series
    assert len(series.instances) == SHAPE[0]
    assert series.verdict == "regular"
