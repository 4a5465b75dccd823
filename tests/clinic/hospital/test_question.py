"""What may be asked of a PACS, and where it is read from."""

from io import StringIO
from pathlib import Path

import pytest

from isocenter.clinic.hospital.pacs import pacs_at
from isocenter.clinic.hospital.query.question import Question, questions_of
from isocenter.errors import FileError, InputError


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"modality": "CT"},
        {"accession": "12*"},
        {"accession": "1\\2"},
        {"accession": "1" * 17},
        {"study": "Canary"},
        {"from": "2026-13-01"},
        {"from": "2026-02-01", "to": "2026-01-01"},
        {"study": "1.2", "accession": "3"},
    ],
    ids=str,
)
def test_a_question_that_would_fetch_more_than_was_meant_is_refused(words: dict[str, str]) -> None:
    with pytest.raises(InputError) as told:
        questions_of(words, listed=None)
    assert "Canary" not in str(told.value)


def test_lines_of_a_file_are_questions_each_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("﻿A1\r\n\r\n A2 \n", encoding="utf-8")
    found = questions_of({"accession": f"@{tmp_path / 'a.txt'}", "modality": "ct"}, listed=None)
    assert [(one.accession, one.line, one.modalities) for one in found] == [("A1", 1, ("CT",)), ("A2", 3, ("CT",))]


def test_lines_of_stdin_are_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("P1\n\nP 2\n"))
    assert [one.patient for one in questions_of({"patient": "-"}, listed=None)] == ["P1", "P 2"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_a_list_is_read_as_it_was_saved(encoding: str, tmp_path: Path) -> None:
    table = tmp_path / "list.csv"
    table.write_text("patient\tday\t备注\n金丝雀-1\t2026-01-02\t好\n", encoding=encoding)
    (found,) = questions_of({"modality": "MR"}, listed=table)
    assert found.keys == {"PatientID": "金丝雀-1", "StudyDate": "20260102", "ModalitiesInStudy": "MR"}
    assert "金丝雀" not in repr(found)


def test_a_list_without_a_column_that_asks_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("name,age\nCanary,3\n")
    with pytest.raises(InputError, match="Known: study"):
        questions_of({}, listed=tmp_path / "list.csv")


def test_days_are_asked_for_as_a_range() -> None:
    assert Question(first="20260101").keys == {"StudyDate": "20260101-"}
    assert Question(last="20260101").keys == {"StudyDate": "-20260101"}
    assert Question(first="20260101", last="20260131").keys == {"StudyDate": "20260101-20260131"}


def test_a_study_fits_only_where_everything_that_was_asked_for_holds() -> None:
    asked = Question(patient="7", first="20260101", last="20260131")
    assert asked.fits({"PatientID": "7 ", "StudyDate": "20260131"})
    for study in (
        {},
        {"PatientID": "7"},
        {"PatientID": "70", "StudyDate": "20260102"},
        {"PatientID": "7", "StudyDate": "20260201"},
    ):
        assert not asked.fits(study)


@pytest.mark.parametrize(
    "url",
    [
        "ARCHIVE@host:104",
        "dicom://host:104",
        "dicom://A@host:0",
        "dicom://A@host:port",
        "dicom://ATITLETHATISTOOLONG@host:104",
        "ftp://host/x",
        "https://user:secret@host/dicom-web",
        "https://host/dicom-web?PatientID=1",
    ],
)
def test_an_address_that_is_none_or_holds_a_secret_is_refused(url: str) -> None:
    with pytest.raises(InputError) as told:
        pacs_at(url, calling="US", ca=None, certificate=None, login=None)
    assert "secret" not in str(told.value)


def test_an_address_is_said_again_without_anything_secret(tmp_path: Path) -> None:
    login = tmp_path / "login"
    login.write_text("me:secret\n")
    pacs = pacs_at("https://host/dicom-web/", calling="US", ca=None, certificate=None, login=login)
    assert (pacs.address, pacs.login) == ("https://host:443/dicom-web", "Basic bWU6c2VjcmV0")
    assert "secret" not in repr(pacs)
    assert "bWU6" not in repr(pacs)
    assert pacs_at("dicom://A B@[::1]", calling="US", ca=None, certificate=None, login=None).address == (
        "dicom://A B@[::1]:104"
    )


def test_a_login_never_crosses_a_network_in_the_clear(tmp_path: Path) -> None:
    login = tmp_path / "login"
    login.write_text("me:secret\n")
    with pytest.raises(InputError, match="in the clear"):
        pacs_at("http://pacs.example.org/dicom-web", calling="US", ca=None, certificate=None, login=login)
    login.write_text("nothing of that kind")
    with pytest.raises(FileError, match="holds no login"):
        pacs_at("https://pacs.example.org", calling="US", ca=None, certificate=None, login=login)
