"""A folder leaves without names, or not at all; the vault gives names back by key and purpose alone."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from isocenter import pipeline
from isocenter.errors import FileError, InputError, NotFoundError, SealError
from isocenter.pipeline.releasing import Previewed, Released
from tests.intake.deid.test_treat import slice_of

NAMES = ("anary", "4711001", "19850312", "金丝雀")


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    """Return a folder of two patients' slices, a NIfTI file and a letter."""
    root = tmp_path / "in" / "Canary"
    somebody = {"SpecificCharacterSet": "ISO_IR 192", "PatientName": "Canary^Yellow=金丝雀", "PatientID": "4711001"}
    slice_of(root, "a.dcm", **somebody, PatientBirthDate="19850312", StudyInstanceUID="1.2.3")
    slice_of(root, "b.dcm", PatientName="Finch^Red", PatientID="4711002", SOPInstanceUID="1.2.4")
    nib.Nifti1Image(np.zeros((2, 2, 2), np.int16), np.eye(4)).to_filename(root / "Canary.nii.gz")
    (root / "letter.txt").write_text("Dear Dr. Canary")
    return tmp_path / "in"


@pytest.fixture
def vault(tmp_path: Path) -> dict[str, Path]:
    """Return a new vault and its key."""
    made = {"vault": tmp_path / "vault", "key": tmp_path / "vault.key"}
    pipeline.open_vault(**made, new=True)
    return made


def released(cohort: Path, vault: dict[str, Path], **asked: object) -> Released:
    found = pipeline.deid(cohort, cohort.parent / "out", store=cohort.parent / "store", **vault, **asked)
    assert isinstance(found, Released)
    return found


def require_nobody(folder: Path) -> None:
    for path in folder.rglob("*"):
        assert not any(name in str(path.relative_to(folder)) for name in NAMES), path
        if path.is_file():
            raw = path.read_bytes()
            assert not any(name.encode() in raw for name in NAMES), path


def test_a_cohort_leaves_proved_and_anybody_can_check_it(cohort: Path, vault: dict[str, Path]) -> None:
    found = released(cohort, vault, prove=True)
    told = found.to_json()
    assert told["files"] == {"all": 4, "released": 3, "review": 1, "left_out": 0}
    assert [(one.what, one.of) for one in found.bounds] == [("files", 3), ("patients", 2)]
    require_nobody(found.out)
    verified = pipeline.verify(found.out)
    assert verified.links[0][0] == "deid"
    page = (found.out / "evidence" / "report.zh.html").read_text(encoding="utf-8")
    assert "复查" in page
    assert (found.out / "evidence" / "sheet.png").is_file()
    assert found.review is not None
    (kept_back,) = json.loads((found.review / "review.json").read_text())
    assert kept_back["reason"].startswith("No DICOM file and no picture")


def test_a_changed_file_of_a_release_is_found(cohort: Path, vault: dict[str, Path]) -> None:
    found = released(cohort, vault)
    path = next(found.out.rglob("*.dcm"))
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    with pytest.raises(SealError):
        pipeline.verify(found.out)


def test_nobody_is_named_in_store_or_vault_or_on_the_screen(
    cohort: Path, vault: dict[str, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    found = released(cohort, vault, prove=True)
    require_nobody(cohort.parent / "store")
    require_nobody(vault["vault"])
    assert not any(name in json.dumps(found.to_json(), ensure_ascii=False) for name in NAMES)
    told = capfd.readouterr()
    assert not any(name in told.out + told.err for name in NAMES)


def test_the_vault_knows_who_it_was_and_writes_down_who_asked(cohort: Path, vault: dict[str, Path]) -> None:
    found = released(cohort, vault)
    pseudonym = next(path.name for path in (found.out / "dicom").iterdir())
    people = pipeline.find_person(vault["vault"], pseudonym, key=vault["key"], purpose="care").to_json()["people"]
    assert any(one in ("4711001", "4711002") for one in people[0]["known_as"]["id"])
    log = pipeline.open_vault(**vault).to_json()["log"]
    assert [line["deed"] for line in log] == ["made", "found"]
    assert log[-1]["purpose"] == "care"
    named = pipeline.open_vault(**vault, run=found.evidence["run"]).to_json()["sources"]
    assert [one["number"] for one in named] == [1, 2, 3, 4]
    assert named[1]["source"].endswith("a.dcm")
    with pytest.raises(InputError, match="Say why"):
        pipeline.find_person(vault["vault"], pseudonym, key=vault["key"], purpose=" ")


def test_two_projects_cannot_be_linked(cohort: Path, vault: dict[str, Path]) -> None:
    first = released(cohort, vault, project="one")
    names = {path.name for path in (first.out / "dicom").iterdir()}
    shutil.rmtree(first.out)
    shutil.rmtree(cohort.parent / "out-review")
    again = released(cohort, vault, project="one")
    assert {path.name for path in (again.out / "dicom").iterdir()} == names
    shutil.rmtree(again.out)
    other = released(cohort, vault, project="two")
    assert not {path.name for path in (other.out / "dicom").iterdir()} & names


def test_a_dry_run_writes_nothing_and_names_every_element(cohort: Path) -> None:
    before = sorted(cohort.parent.rglob("*"))
    found = pipeline.deid(cohort, dry_run=True)
    assert isinstance(found, Previewed)
    assert sorted(cohort.parent.rglob("*")) == before
    told = {(one.file, one.name): one for one in found.differences}
    assert told[2, "Patient's Name"].action == "Z"
    assert not any(name in json.dumps(found.to_json(), ensure_ascii=False) for name in NAMES)


def test_a_dry_run_names_what_stands_beside_the_pixels_of_a_picture(tmp_path: Path) -> None:
    told = PngInfo()
    told.add_text("Author", "Canary Yellow")
    (tmp_path / "in").mkdir()
    Image.new("L", (4, 4)).save(tmp_path / "in" / "a.png", pnginfo=told)
    found = pipeline.deid(tmp_path / "in", dry_run=True)
    assert isinstance(found, Previewed)
    assert [(one.element, one.action, one.became) for one in found.differences] == [("tEXt", "X", None)]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"profile": ("clean-pixels",)}, "Did you mean 'clean-pixel-data'"),
        ({"profile": ("retain-full-dates", "retain-modified-dates")}, "contradict"),
        ({"vault": None}, "--vault"),
        ({"key": None}, "--key"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_written(
    asked: dict[str, object], message: str, cohort: Path, vault: dict[str, Path]
) -> None:
    with pytest.raises(InputError, match=message):
        pipeline.deid(cohort, cohort.parent / "out", store=cohort.parent / "store", **{**vault, **asked})
    assert not (cohort.parent / "out").exists()


def test_out_is_never_written_over(cohort: Path, vault: dict[str, Path]) -> None:
    (cohort.parent / "out").mkdir()
    with pytest.raises(FileError, match="does not write over"):
        released(cohort, vault)


def test_out_does_not_lie_in_what_is_read(cohort: Path, vault: dict[str, Path]) -> None:
    with pytest.raises(FileError, match="lie in each other"):
        pipeline.deid(cohort, cohort / "out", **vault)


def test_a_wrong_key_releases_nothing(cohort: Path, vault: dict[str, Path], tmp_path: Path) -> None:
    other = {"vault": tmp_path / "other", "key": tmp_path / "other.key"}
    pipeline.open_vault(**other, new=True)
    with pytest.raises(SealError, match="does not open it"):
        released(cohort, {"vault": vault["vault"], "key": other["key"]})
    assert not (cohort.parent / "out").exists()


def test_a_key_does_not_lie_in_its_vault(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Keep it elsewhere"):
        pipeline.open_vault(tmp_path / "vault", key=tmp_path / "vault" / "key", new=True)
    assert not (tmp_path / "vault").exists()


def test_a_vault_that_cannot_be_made_leaves_no_key(tmp_path: Path) -> None:
    (tmp_path / "vault").mkdir()
    with pytest.raises(OSError, match="exists"):
        pipeline.open_vault(tmp_path / "vault", key=tmp_path / "key", new=True)
    assert not (tmp_path / "key").exists()


def test_a_rotated_vault_gives_the_same_pseudonyms(cohort: Path, vault: dict[str, Path], tmp_path: Path) -> None:
    before = {path.name for path in (released(cohort, vault).out / "dicom").iterdir()}
    shutil.rmtree(cohort.parent / "out")
    pipeline.rotate_vault(vault["vault"], key=vault["key"], new_key=tmp_path / "new.key")
    after = released(cohort, {"vault": vault["vault"], "key": tmp_path / "new.key"})
    assert {path.name for path in (after.out / "dicom").iterdir()} == before


def test_who_is_erased_is_in_no_version_any_more(cohort: Path, vault: dict[str, Path], tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(4):  # four patients of one series each, which make volumes
        for row in range(6):
            slice_of(
                tmp_path / "four", f"{number}-{row}.dcm", PatientID=f"P{number}", PatientName=f"Bird^{number}",
                SOPInstanceUID=f"1.2.{number}.{row + 1}", SeriesInstanceUID=f"1.2.{number}.99",
                StudyInstanceUID=f"1.2.{number}.98", ImagePositionPatient=[0, 0, 2.0 * row],
                PixelData=rng.integers(0, 99, (128, 128), dtype=np.int16).tobytes(),
            )  # fmt: skip
    store = tmp_path / "store"
    found = pipeline.deid(tmp_path / "four", tmp_path / "out", store=store, **vault)
    assert isinstance(found, Released)
    taken = pipeline.ingest(found.out / "dicom", dataset="birds", as_="dicom", store=store)
    assert len(taken.dataset.entries) == 4
    pseudonym = next(path.name for path in (found.out / "dicom").iterdir())
    told = pipeline.erase_person(
        vault["vault"], pseudonym, key=vault["key"], purpose="consent withdrawn", store=store
    ).to_json()
    assert told["versions"] == [taken.dataset.id]
    rows = pipeline.list_kept("datasets", store=store).to_json()["rows"]
    assert [(row["name"], row["cases"]) for row in rows] == [("birds", 3)]
    assert pipeline.verify("birds", store=store).links
    with pytest.raises(NotFoundError):
        pipeline.find_person(vault["vault"], pseudonym, key=vault["key"], purpose="care")
    looked = tmp_path / "looked"
    named = pipeline.open_vault(**vault, run=found.evidence["run"], found=looked).to_json()["sources"]
    assert len(named) == 18
    assert len(list(looked.iterdir())) == 3
    assert looked.stat().st_mode & 0o77 == 0
    with pytest.raises(InputError, match="--run"):
        pipeline.open_vault(**vault, found=looked)


@pytest.mark.parametrize("moment", ["dicom/*", "evidence/*.json", "receipts"])  # cleaning, telling, sealing
def test_a_kill_at_any_moment_leaves_no_out(moment: str, cohort: Path, vault: dict[str, Path]) -> None:
    for number in range(40):
        slice_of(cohort, f"{number}.dcm", SOPInstanceUID=f"1.2.77.{number + 1}", PatientID=f"P{number}")
    out = cohort.parent / "out"
    command = [
        sys.executable, "-m", "isocenter", "deid", str(cohort), str(out), "--prove", "--vault", str(vault["vault"]),
        "--key", str(vault["key"]), "--store", str(cohort.parent / "store"),
    ]  # fmt: skip
    started = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not list(cohort.parent.glob(f".out.*/{moment}")) and started.poll() is None:
        time.sleep(0.001)
    os.kill(started.pid, signal.SIGKILL)
    started.wait()
    if out.exists():  # it was quicker: then OUT is whole
        assert pipeline.verify(out).links
        return
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert out.is_dir()
    assert not list(cohort.parent.glob(".out.*"))


def test_a_full_disk_releases_nothing_and_is_said(cohort: Path, vault: dict[str, Path]) -> None:
    pipeline.init(cohort.parent / "store")
    large = {"Rows": 512, "Columns": 512, "PixelData": bytes(512 * 512 * 2)}
    slice_of(cohort, "large.dcm", SOPInstanceUID="1.2.99", PatientID="P9", **large)
    out, before = cohort.parent / "out", sorted(cohort.parent.glob("vault/**/*"))

    def limit() -> None:  # the system refuses a write beyond it (EFBIG) as a full disk does (ENOSPC)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300 << 10,) * 2)

    command = [
        sys.executable, "-m", "isocenter", "deid", str(cohort), str(out), "--vault", str(vault["vault"]),
        "--key", str(vault["key"]), "--store", str(cohort.parent / "store"),
    ]  # fmt: skip
    ended = subprocess.run(command, preexec_fn=limit, capture_output=True, text=True, check=False)
    assert ended.returncode == 3
    assert "cannot be written" in ended.stderr
    assert not out.exists()
    assert not list(cohort.parent.glob(".out.*"))
    assert sorted(cohort.parent.glob("vault/**/*")) == before
