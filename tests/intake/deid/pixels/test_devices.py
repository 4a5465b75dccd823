"""What known devices write is blanked where they write it, whether or not it is read."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from isocenter.dicom.elements.file import DicomFile, read_file
from isocenter.intake.deid.identity import NOBODY
from isocenter.intake.deid.pixels.cleaner import Cleaner
from isocenter.intake.deid.pixels.devices import device_boxes, places
from isocenter.intake.deid.pixels.stored import stored
from tests.intake.deid.test_treat import Blind


def of(folder: Path, *, shape: tuple[int, int], **values: object) -> DicomFile:
    dataset = pydicom.dcmread(str(get_testdata_file("CT_small.dcm")))
    dataset.Rows, dataset.Columns = shape
    dataset.PixelData = np.full(shape, 300, np.int16).tobytes()
    for key, value in values.items():
        setattr(dataset, key, value)
    dataset.save_as(folder / "in.dcm")
    return read_file(folder / "in.dcm")


@pytest.mark.parametrize(
    ("shape", "values", "boxes"),
    [
        ((480, 640), {"Modality": "US", "ManufacturerModelName": "LOGIQ9"}, ((0, 0, 40, 640),)),
        ((768, 1024), {"Modality": "US", "Manufacturer": "Philips", "ManufacturerModelName": "iU22"},
         ((0, 0, 75, 1024),)),
        ((480, 640), {"Modality": "US", "ManufacturerModelName": "nobody's"}, ()),
        ((768, 1024), {"Modality": "US", "ManufacturerModelName": "LOGIQ9"}, ()),
        ((512, 512), {"Manufacturer": "GE MEDICAL SYSTEMS", "BurnedInAnnotation": "YES"}, ((0, 0, 25, 512),)),
        ((512, 512), {"Manufacturer": "GE MEDICAL SYSTEMS", "BurnedInAnnotation": "NO"}, ()),
    ],
)  # fmt: skip
def test_a_device_is_known_by_its_name_and_the_size_of_its_image(
    shape: tuple[int, int], values: dict[str, str], boxes: tuple, tmp_path: Path
) -> None:
    assert device_boxes(of(tmp_path, shape=shape, **values), shape=shape) == boxes


def test_the_place_is_blanked_though_nothing_is_read(tmp_path: Path) -> None:
    raw = np.full((480, 640), 300, np.int16)
    raw[50, 50] = 0
    file = of(tmp_path, shape=(480, 640), Modality="US", ManufacturerModelName="LOGIQ9", PixelData=raw.tobytes())
    looked = Cleaner(reader=Blind()).clean(file, was=file, identity=NOBODY)
    ((frame, _),) = stored(looked.file)
    assert (frame[:40] == 0).all()
    assert (frame[40:] == raw[40:]).all()


def test_every_place_of_the_table_lies_in_an_image_of_its_size() -> None:
    for place in places():
        assert place.manufacturer or place.model or place.says
        for top, left, bottom, right in place.boxes:
            assert 0 <= top < bottom <= (place.rows or bottom) + 10  # one known place runs a little over the edge
            assert 0 <= left < right <= (place.columns or right)
