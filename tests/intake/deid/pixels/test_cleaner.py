"""On a real ultrasound picture callipers and scales stay where that is asked, and nothing else of what is written."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.data import get_testdata_file

from isocenter.dicom.elements.file import DicomFile, read_file
from isocenter.intake.deid.identity import NOBODY
from isocenter.intake.deid.pixels.cleaner import Cleaner, Looked
from isocenter.intake.deid.pixels.stored import stored
from isocenter.plugins import find
from isocenter.processing.text import READERS

# (rows, columns) in the picture: a measurement and its two callipers, gain and depth; and what says when and with what
SCALES = {"measurement": np.s_[82:106, 121:306], "callipers": np.s_[280:310, 448:512], "gain": np.s_[197:221, 5:71]}
TOLD = {"day": np.s_[5:27, 666:776], "time": np.s_[33:53, 663:783], "study": np.s_[33:52, 93:266]}


@pytest.fixture(scope="module")
def ultrasound() -> DicomFile:
    return read_file(Path(str(get_testdata_file("examples_palette.dcm"))))


def cleaned(file: DicomFile, *, keeps_scales: bool) -> Looked:
    reader: Any = find("rapidocr", table=READERS, group="isocenter.readers")
    return Cleaner(reader=reader(), keeps_scales=keeps_scales).clean(file, was=file, identity=NOBODY)


def test_scales_and_callipers_stay_where_asked(ultrasound: DicomFile) -> None:
    (was, _), (now, _) = next(stored(ultrasound)), next(stored(cleaned(ultrasound, keeps_scales=True).file))
    for name, place in SCALES.items():
        assert (now[place] == was[place]).all(), name
        assert len(np.unique(was[place])) > 1, name
    for name, place in TOLD.items():
        assert len(np.unique(now[place])) == 1, name


def test_everything_written_goes_otherwise(ultrasound: DicomFile) -> None:
    looked = cleaned(ultrasound, keeps_scales=False)
    (now, _) = next(stored(looked.file))
    for name, place in {**TOLD, "measurement": np.s_[84:102, 240:304], "gain": SCALES["gain"]}.items():
        assert len(np.unique(now[place])) == 1, name
