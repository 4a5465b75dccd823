"""Which series a model reads: of its role, of one study, from one origin, and none twice."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from isocenter.errors import FileError, SeriesError
from isocenter.intake.opening import open_input
from isocenter.recipe import Channel, Scaling
from isocenter.testing.phantom import Body, Header, axis_grid, write_series

SHAPE, SPACING_MM = (6, 10, 12), (3.0, 1.5, 1.25)
SCALING = Scaling(kind="zscore", low=0.5, high=99.5)
T1, FLAIR = (Channel(role=role, scaling=SCALING, modality="MR") for role in ("t1", "flair"))


def write(folder: Path, *, description: str, number: int, patient: str = "P") -> None:
    grid = axis_grid("SPL", shape=SHAPE, spacing_mm=SPACING_MM)
    volume, _ = Body().sample(grid, SHAPE, modality="MR", rng=np.random.default_rng(number))
    header = Header(description=description, number=number, patient=patient)
    write_series(volume, folder / f"{patient}-{number}", header=header)


def test_each_channel_gets_the_series_of_its_role(tmp_path: Path) -> None:
    write(tmp_path, description="T2 FLAIR", number=1)
    write(tmp_path, description="T1 mprage", number=2)
    opened = open_input(tmp_path, channels=(T1, FLAIR))
    assert [series.sequence for series in opened.series] == ["t1", "flair"]
    assert len(opened.files) == 2 * SHAPE[0]


def test_one_series_never_fills_two_channels(tmp_path: Path) -> None:
    write(tmp_path, description="T1 mprage", number=1)
    with pytest.raises(SeriesError, match="'flair'"):
        open_input(tmp_path, channels=(T1, FLAIR))


def test_channels_are_never_of_two_people(tmp_path: Path) -> None:
    write(tmp_path, description="T1 mprage", number=1, patient="A")
    write(tmp_path, description="T2 FLAIR", number=2, patient="B")
    with pytest.raises(SeriesError, match="several studies"):
        open_input(tmp_path, channels=(T1, FLAIR))


def test_several_series_that_fit_are_listed(tmp_path: Path) -> None:
    write(tmp_path, description="T1 mprage", number=1)
    write(tmp_path, description="T1 mprage", number=2)
    with pytest.raises(SeriesError, match="--series"):
        open_input(tmp_path, channels=(T1,))
    assert open_input(tmp_path, channels=(T1,), series=2).series[0].number == 2


def test_another_modality_is_named(tmp_path: Path) -> None:
    write(tmp_path, description="T1 mprage", number=1)
    with pytest.raises(SeriesError, match="reads CT"):
        open_input(tmp_path, channels=(replace(T1, modality="CT"),))


def test_a_folder_without_an_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("no image")
    with pytest.raises(FileError, match="no DICOM image"):
        open_input(tmp_path)
