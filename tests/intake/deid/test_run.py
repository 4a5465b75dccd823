"""A whole folder: nothing doubtful in what leaves, everybody in the vault."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from isocenter.dicom.elements.file import DicomFile
from isocenter.errors import FileError
from isocenter.intake.deid.cohort import TWO_PERSONS
from isocenter.intake.deid.headers import Cleaned, clean_headers
from isocenter.intake.deid.profile.profile import Profile
from isocenter.intake.deid.proof.second import SecondLook
from isocenter.intake.deid.pseudonyms import Pseudonyms
from isocenter.intake.deid.run import Done, Progress, require_apart, treat_all
from isocenter.intake.deid.treat import Way
from isocenter.intake.deid.vault.vault import Vault
from isocenter.security.cipher import Key
from tests.intake.deid.test_treat import slice_of


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault.make(tmp_path / "vault", key=Key(raw=bytes(32)), who="marta")


def way(root: Path, vault: Vault, *, proves: bool = False) -> Way:
    profile = Profile.of(())
    return Way(
        profile=profile, pseudonyms=vault.pseudonyms("birds"), root=root, out=root.parent / "out",
        review=root.parent / "review", second=SecondLook(profile=profile) if proves else None,
    )  # fmt: skip


def treated(way: Way, progress: Progress | None = None) -> Done:
    return treat_all(way, project="birds", keep={}.__setitem__, progress=progress)


def test_everybody_who_was_named_is_in_the_vault(tmp_path: Path, vault: Vault) -> None:
    slice_of(tmp_path / "in", "a.dcm", PatientName="Canary^Yellow", PatientID="4711001", StudyInstanceUID="1.2.3")
    done = treated(way(tmp_path / "in", vault))
    (file,), (person,) = done.files, done.people
    assert person.pseudonym == file.patient
    assert person.studies == {vault.pseudonyms("birds").uid("1.2.3"): "1.2.3"}
    assert "Canary" in person.known_as["name"]


def test_a_proved_file_is_marked_and_lies_in_out(tmp_path: Path, vault: Vault) -> None:
    slice_of(tmp_path / "in", "a.dcm", PatientName="Canary^Yellow", PatientID="4711001")
    (file,) = treated(way(tmp_path / "in", vault, proves=True)).files
    assert file.is_proved
    assert (tmp_path / "out" / file.name).is_file()


def test_what_the_second_look_doubts_is_moved_to_review(
    tmp_path: Path, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    slice_of(tmp_path / "in", "a.dcm", PatientName="Canary^Yellow", PatientID="4711001", ImageComments="Canary")

    def careless(file: DicomFile, *, profile: Profile, pseudonyms: Pseudonyms) -> Cleaned:
        cleaned = clean_headers(file, profile=profile, pseudonyms=pseudonyms)
        return replace(cleaned, file=file)

    monkeypatch.setattr("isocenter.intake.deid.treat.clean_headers", careless)
    (file,) = treated(way(tmp_path / "in", vault, proves=True)).files
    assert file.decision == "review"
    assert "header: " in file.reason
    assert "bytes: " in file.reason
    assert "anary" not in file.reason
    assert not list((tmp_path / "out").rglob("*.dcm"))
    assert (tmp_path / "review" / file.name).is_file()


def test_two_persons_under_one_number_do_not_leave(tmp_path: Path, vault: Vault) -> None:
    birth = {"PatientID": "1", "PatientBirthDate": "19850312"}
    slice_of(tmp_path / "in", "a.dcm", PatientName="Canary^Yellow", **birth)
    slice_of(tmp_path / "in", "b.dcm", PatientName="Finch^Red", SOPInstanceUID="1.2.3", **birth)
    slice_of(tmp_path / "in", "c.dcm", PatientID="2", SOPInstanceUID="1.2.4")
    done = treated(way(tmp_path / "in", vault))
    assert [(file.decision, file.reason) for file in done.files] == [
        ("review", TWO_PERSONS), ("review", TWO_PERSONS), ("release", ""),
    ]  # fmt: skip
    assert len(list((tmp_path / "out").rglob("*.dcm"))) == 1
    assert len(list((tmp_path / "review").rglob("*.dcm"))) == 2


def test_a_source_that_goes_away_releases_nothing(tmp_path: Path, vault: Vault) -> None:
    for number in range(4):
        slice_of(tmp_path / "in", f"{number}.dcm", SOPInstanceUID=f"1.2.{number + 1}")

    def unplugged(done: int, _of: int) -> None:
        if done == 2:
            shutil.rmtree(tmp_path / "in")

    with pytest.raises(FileError, match="source went away"):
        treated(way(tmp_path / "in", vault), progress=unplugged)


def test_what_cannot_be_looked_at_again_does_not_leave(
    tmp_path: Path, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    slice_of(tmp_path / "in", "a.dcm")

    def broken(*_: object, **__: object) -> None:
        raise FileError("A file's pixels cannot be decoded (ValueError). Copy it again from its source.")

    monkeypatch.setattr(SecondLook, "at", broken)
    (file,) = treated(way(tmp_path / "in", vault, proves=True)).files
    assert file.decision == "review"
    assert not list((tmp_path / "out").rglob("*.dcm"))


@pytest.mark.parametrize(("root", "out"), [("a", "a"), ("a", "a/b"), ("a/b", "a")])
def test_folders_that_lie_in_each_other_are_refused(root: str, out: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="lie in each other"):
        require_apart(tmp_path / root, tmp_path / out)


def test_an_empty_folder_is_refused(tmp_path: Path, vault: Vault) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(FileError, match="holds no file"):
        treated(way(tmp_path / "in", vault))
