"""Tables beside images: paths as the files are now called, no patient's number, no column that nobody vouched for."""

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from isocenter.intake.deid.pixels.cleaner import Cleaner
from isocenter.intake.deid.profile.profile import Profile, Site
from isocenter.intake.deid.proof.second import SecondLook
from isocenter.intake.deid.run import Done, treat_all
from isocenter.intake.deid.treat import Way
from isocenter.intake.deid.treated import Treated
from isocenter.intake.deid.vault.vault import Vault
from isocenter.pages.words import WORDS, reword
from isocenter.security.cipher import Key
from tests.intake.deid.test_treat import Blind, slice_of

SITE = Site(columns={"label": "what the study asks"})


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault.make(tmp_path / "vault", key=Key(raw=bytes(32)), who="marta")


def cohort(tmp_path: Path, *lines: str, encoding: str = "utf-8") -> Path:
    """Return a folder with three pictures below images/, and a table of them."""
    root = tmp_path / "in"
    (root / "images").mkdir(parents=True)
    for number, name in enumerate(("Finch.png", "Heron.png", "Wren.png")):
        Image.fromarray(np.full((9, 9), number, np.uint8)).save(root / "images" / name)
    (root / "Canary ward.csv").write_bytes("\n".join(lines).encode(encoding))
    return root


def treated(root: Path, vault: Vault, *, site: Site = SITE, proves: bool = True, project: str = "birds") -> Done:
    profile = Profile.of(("clean-pixel-data",), site=site)
    way = Way(
        profile=profile, pseudonyms=vault.pseudonyms(project), root=root, out=root.parent / "out",
        review=root.parent / "review", cleaner=Cleaner(reader=Blind()),
        second=SecondLook(profile=profile) if proves else None,
    )  # fmt: skip
    return treat_all(way, project=project, keep={}.__setitem__)


def table_of(done: Done) -> Treated:
    (table,) = (file for file in done.files if file.kind == "table")
    return table


def lines_of(tmp_path: Path, done: Done) -> list[Mapping[str, str]]:
    path = tmp_path / "out" / table_of(done).name
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


TABLE = (
    "path,patient,label,name", "images/Finch.png,4711001,benign,Finch", "images/Heron.png,4711002,malignant,Heron",
    "images/Wren.png,4711001,benign,Wren",
)  # fmt: skip


def test_paths_lead_to_the_files_as_they_are_called_now(tmp_path: Path, vault: Vault) -> None:
    done = treated(cohort(tmp_path, *TABLE), vault)
    lines = lines_of(tmp_path, done)
    folder = (tmp_path / "out" / table_of(done).name).parent
    levels = [int(np.asarray(Image.open(folder / line["path"])).max()) for line in lines]
    assert levels == [0, 1, 2]
    assert [line["label"] for line in lines] == ["benign", "malignant", "benign"]


def test_one_patient_is_one_pseudonym_and_stands_in_the_vault(tmp_path: Path, vault: Vault) -> None:
    done = treated(cohort(tmp_path, *TABLE), vault)
    words = [line["patient"] for line in lines_of(tmp_path, done)]
    assert words[0] == words[2] != words[1]
    assert {one.pseudonym: one.known_as["id"] for one in done.people} == {
        words[0]: ("4711001",), words[1]: ("4711002",),
    }  # fmt: skip


def test_a_column_that_nobody_vouched_for_is_left_out_and_counted(tmp_path: Path, vault: Vault) -> None:
    done = treated(cohort(tmp_path, *TABLE), vault)
    assert list(lines_of(tmp_path, done)[0]) == ["path", "label", "patient"]
    assert table_of(done).removed == ("0 lines", "1 columns")
    everything = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*.csv"))
    assert not any(word in everything for word in (b"4711", b"Finch", b"Heron", b"Wren", b"Canary"))


def test_a_table_of_dicom_files_takes_their_pseudonyms(tmp_path: Path, vault: Vault) -> None:
    root = tmp_path / "in"
    slice_of(root, "a.dcm", PatientName="Canary^Yellow", PatientID="4711001", SOPInstanceUID="1.2.3.4")
    (root / "labels.csv").write_text("file,patient,label\na.dcm,another number,benign\n", encoding="utf-8")
    done = treated(root, vault)
    (line,) = lines_of(tmp_path, done)
    image = next(file for file in done.files if file.kind == "dicom")
    assert line["patient"] == image.patient
    assert table_of(done).name.startswith("dicom/")
    assert f"dicom/{line['file']}" == image.name


def test_the_number_of_a_header_and_of_a_table_give_one_pseudonym(tmp_path: Path, vault: Vault) -> None:
    root = cohort(tmp_path, *TABLE)
    slice_of(root, "a.dcm", PatientName="Canary^Yellow", PatientID="4711001")
    done = treated(root, vault)
    image = next(file for file in done.files if file.kind == "dicom")
    assert lines_of(tmp_path, done)[0]["patient"] == image.patient


def test_a_line_whose_picture_stays_does_not_leave(tmp_path: Path, vault: Vault) -> None:
    root = cohort(tmp_path, *TABLE)
    (root / "images" / "Heron.png").write_bytes(b"\x89PNG\r\n\x1a\n damaged")
    done = treated(root, vault)
    assert [line["label"] for line in lines_of(tmp_path, done)] == ["benign", "benign"]
    assert table_of(done).removed == ("1 lines", "1 columns")


def test_a_name_that_a_kept_column_repeats_sends_the_table_to_review(tmp_path: Path, vault: Vault) -> None:
    root = cohort(
        tmp_path, "path,name,label", "images/Finch.png,Yellow Canary,benign",
        "images/Heron.png,Grey Partridge,seen with Partridge", "images/Wren.png,Red Robin,benign",
    )  # fmt: skip
    table = table_of(treated(root, vault))
    assert table.decision == "review"
    assert "1 word(s)" in table.reason
    assert not list((tmp_path / "out").rglob("*.csv"))
    assert (tmp_path / "review" / table.name).is_file()
    assert reword(table.reason, lang="zh") != table.reason


def test_a_table_of_chinese_excel_is_read(tmp_path: Path, vault: Vault) -> None:
    root = cohort(tmp_path, "路径,患者,label", "images/Finch.png,金丝雀,良性", encoding="gb18030")
    (line,) = lines_of(tmp_path, treated(root, vault))
    assert line["label"] == "良性"
    assert set(line) == {"路径", "label", "patient"}


def test_a_column_of_patients_can_have_any_name(tmp_path: Path, vault: Vault) -> None:
    root = cohort(tmp_path, "path,group", "images/Finch.png,4711001", "images/Heron.png,4711001")
    lines = lines_of(tmp_path, treated(root, vault, site=Site(patient="group")))
    assert len({line["patient"] for line in lines}) == 1


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (("finding,patient", "Finch,4711001"), "no column of a usual name"),
        (("images/Finch.png,4711001",), "no column of a usual name"),
        (("path,label", "images/Nobody.png,benign"), "no column of a usual name"),
        (("",), "no column of a usual name"),
        (("path,label", '"images/Finch.png,ben' + "x" * 140_000), "cannot be read"),
    ],
)
def test_a_table_that_is_not_understood_stays(
    tmp_path: Path, vault: Vault, lines: tuple[str, ...], reason: str
) -> None:
    table = table_of(treated(cohort(tmp_path, *lines), vault))
    assert table.decision == "review"
    assert reason in table.reason
    assert any(table.reason == english for english, _ in WORDS.values())


def test_a_table_is_not_proved_where_no_proof_was_asked_for(tmp_path: Path, vault: Vault) -> None:
    assert not table_of(treated(cohort(tmp_path, *TABLE), vault, proves=False)).is_proved
