"""The object bears its source's patient, in letters that survive, and nothing else says who it is."""

import warnings
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_charset_files

from isocenter.dicom.seg import write_seg
from isocenter.dicom.seg.identity import take_identity
from isocenter.errors import SeriesError
from isocenter.image import LabelTable, Mask
from isocenter.testing.phantom import Body, Header, axis_grid, write_series

SHAPE = (4, 20, 24)
GRID = axis_grid("SPL", shape=SHAPE, spacing_mm=(12.0, 3.0, 3.0))
CHINESE = LabelTable.of("肿瘤", "水肿", "c", "d", "e")


def made_of(folder: Path, header: Header, edits: dict[str, object] | None = None) -> pydicom.Dataset:
    """Return the object made of a series whose headers were edited; None takes an attribute out."""
    volume, mask = Body().sample(GRID, SHAPE)
    sources = write_series(volume, folder / "series", header=header)
    with pydicom.config.disable_value_validation():
        for path in sources:
            file = pydicom.dcmread(path)
            for keyword, value in (edits or {}).items():
                if value is None:
                    delattr(file, keyword)
                else:
                    setattr(file, keyword, value)
            file.save_as(path)
    target = folder / "mask.seg.dcm"
    chinese = Mask(labels=mask.labels, affine=GRID, table=CHINESE)
    write_seg(chinese, sources=sources, path=target, algorithm="a", version="1")
    return pydicom.dcmread(target)


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("ISO_IR 192", "Canary^Yellow=金丝雀"),
        ("GB18030", "Canary^Yellow=金丝雀"),
        ("ISO_IR 100", "Müller^Änne"),
        ("ISO_IR 144", "Люкceмбypг"),
    ],
)
def test_names_and_chinese_labels_stand_side_by_side(tmp_path: Path, charset: str, name: str) -> None:
    made = made_of(tmp_path, Header(name=name, charset=charset))
    assert str(made.PatientName) == name
    assert [item.SegmentLabel for item in made.SegmentSequence][:2] == ["肿瘤", "水肿"]
    assert made.SpecificCharacterSet == ("GB18030" if charset == "GB18030" else "ISO_IR 192")


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("gbk", "Zhu^RongJi=朱^镕基"), ("utf-8", "Zhu^RongJi=朱^镕基"), ("latin-1", "Müller^René")],
)
def test_a_name_in_no_declared_character_set_is_understood(tmp_path: Path, encoding: str, name: str) -> None:
    raw = name.encode(encoding).decode("latin-1")
    made = made_of(tmp_path, Header(name=raw, charset="ISO_IR 100"), {"SpecificCharacterSet": None})
    assert str(made.PatientName) == name


def test_names_of_every_character_set_file_survive() -> None:
    sources = [pydicom.dcmread(path) for path in get_charset_files("*.dcm")]
    named = [source for source in sources if source.get("PatientName")]
    assert len(named) > 10
    for source in named:
        name = str(source.PatientName)
        assert str(take_identity(source).PatientName) == name
        assert str(source.PatientName) == ""


def test_values_that_break_rules_are_left_blank_but_for_those_a_study_is_found_by(tmp_path: Path) -> None:
    edits: dict[str, object] = {
        "PatientSex": "X", "StudyDate": "2026.01.01", "PatientAge": "12", "PatientID": "LONG" * 20,
    }  # fmt: skip
    made = made_of(tmp_path, Header(), edits)
    assert (made.PatientSex, made.StudyDate, "PatientAge" in made) == ("", "", False)
    assert made.PatientID == "LONG" * 20


def test_nothing_that_is_said_on_the_way_names_the_patient(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        made_of(
            tmp_path, Header(name="Canary", patient="CANARY" * 20), {"StudyDate": "CANARY", "StudyID": "CANARY" * 9}
        )
    said = " ".join(str(one.message) for one in heard) + caplog.text
    assert "canary" not in said.lower()


def test_a_header_without_a_study_is_refused_without_naming_anyone(tmp_path: Path) -> None:
    with pytest.raises(SeriesError, match="no StudyInstanceUID") as refused:
        made_of(tmp_path, Header(name="Canary^Yellow", patient="CANARY-7"), {"StudyInstanceUID": None})
    assert "canary" not in str(refused.value).lower()


def test_only_what_dicom_demands_of_a_patient_is_carried_over(tmp_path: Path) -> None:
    edits: dict[str, object] = {
        "PatientComments": "lives at 5 Canary Street", "OtherPatientNames": "Canary", "PatientWeight": 70,
        "PerformingPhysicianName": "Canary", "InstitutionName": "Canary Hospital",
    }  # fmt: skip
    made = made_of(tmp_path, Header(), edits)
    assert "canary" not in str(made).lower()
    assert made.PatientWeight == 70
