"""From a real PACS into a folder: whole, as it is stored, nothing twice, nobody named."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pydicom
import pytest

from isocenter import pipeline
from isocenter.errors import FileError, InputError, NotFoundError, PeerError, StoreError
from isocenter.pipeline.fetching import Counted, Fetched
from tests.clinic.hospital.conftest import CANARY, PUBLIC, SHAPE
from tests.clinic.hospital.orthanc import Orthanc, free_ports
from tests.flows.world import ENVIRONMENT, isocenter

pytestmark = pytest.mark.xdist_group("orthanc")

WAYS = ("get", "move", "web")
DAYS = {"from_": "1990-01-01", "to": "2026-12-31"}
EVERYTHING = 2 * SHAPE[0] + 1 + len(PUBLIC)


def fetch(pacs: Orthanc, out: Path, way: str = "web", **asked: Any) -> Fetched:
    """Fetch from a PACS one way."""
    how = {"how": way, "listen": f"127.0.0.1:{pacs.ours}" if way == "move" else ""}
    address = pacs.web if way == "web" else pacs.address
    found = pipeline.fetch(address, out, store=out.parent / "store", **({} if "how" in asked else how), **asked)
    assert isinstance(found, Fetched)
    return found


def images(out: Path) -> dict[str, Path]:
    """Return SOP Instance UID to file of everything below a folder's images."""
    found = {}
    for path in sorted((out / "images").rglob("*.dcm")):
        uid = str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID)
        assert uid not in found
        found[uid] = path
    return found


@pytest.mark.parametrize("way", WAYS)
def test_what_comes_is_what_was_stored_in_its_own_transfer_syntax(
    way: str, pacs: Orthanc, stored: Path, public: Path, tmp_path: Path
) -> None:
    done = fetch(pacs, tmp_path / "out", way, **DAYS)
    assert (done.way, done.retrieved.lacks, done.to_json()["held"]) == (way, (), True)
    came = images(tmp_path / "out")
    sent = [pydicom.dcmread(path) for path in (*sorted(stored.rglob("*.dcm")), *sorted(public.iterdir()))]
    assert len(came) == len(sent) == EVERYTHING == done.to_json()["instances"]
    for was in sent:
        now = pydicom.dcmread(came[str(was.SOPInstanceUID)])
        assert now.file_meta.TransferSyntaxUID == was.file_meta.TransferSyntaxUID
        assert now.get("PixelData") == was.get("PixelData")
        assert (now.PatientName, now.get("Rows"), len(now) > 10) == (was.PatientName, was.get("Rows"), True)


@pytest.mark.parametrize("way", ["get", "web"])
def test_a_second_run_fetches_nothing(way: str, pacs: Orthanc, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert fetch(pacs, out, way, study=CANARY.uid("study")).to_json()["new"] == 2 * SHAPE[0]
    before = {path: path.stat().st_mtime_ns for path in images(out).values()}
    again = fetch(pacs, out, way, study=CANARY.uid("study"))
    assert (again.to_json()["new"], again.bytes, again.to_json()["instances"]) == (0, 0, 2 * SHAPE[0])
    assert {path: path.stat().st_mtime_ns for path in images(out).values()} == before


def test_a_file_that_went_away_and_no_other_is_fetched_again(pacs: Orthanc, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fetch(pacs, out, study=CANARY.uid("study"))
    lost, cut, *others = sorted(images(out).values())
    lost.unlink()
    cut.write_bytes(cut.read_bytes()[:999])
    before = {path: path.stat().st_mtime_ns for path in others}
    assert fetch(pacs, out, study=CANARY.uid("study")).to_json()["new"] == 2
    assert len(images(out)) == 2 * SHAPE[0]
    assert {path: path.stat().st_mtime_ns for path in others} == before


def test_a_killed_fetch_goes_on_where_it_was(pacs: Orthanc, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = [pacs.web, str(out), "--from", "1990-01-01", "--store", str(tmp_path / "store")]
    running = subprocess.Popen([sys.executable, "-m", "isocenter", "fetch", *words], env=ENVIRONMENT, stderr=-3)
    while running.poll() is None and len(list(out.glob("images/*/*/*.dcm"))) < 5:
        time.sleep(0.002)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    before = {path: path.stat().st_mtime_ns for path in images(out).values()}
    assert 5 <= len(before) < EVERYTHING
    told = fetch(pacs, out, **DAYS).to_json()
    assert told["new"] == EVERYTHING - len(before)
    assert told["instances"] == len(images(out)) == EVERYTHING
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_dry_run_counts_and_writes_nothing(pacs: Orthanc, tmp_path: Path) -> None:
    for address in (pacs.address, pacs.web):
        found = pipeline.fetch(address, **DAYS, dry_run=True, store=tmp_path / "store")
        assert isinstance(found, Counted)
        told, there = found.to_json(), pacs.ask("/statistics")
        assert told["studies"], told["series"] == (there["CountStudies"], there["CountSeries"])
        assert told["instances"] == there["CountInstances"] == EVERYTHING
        assert told["modalities"]["CT"] >= 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("way", "asked", "count"),
    [
        ("get", {"study": CANARY.uid("study")}, 28),
        ("web", {"study": CANARY.uid("study"), "modality": "MR"}, 14),
        ("web", {"accession": "ACC1"}, 1),
        ("web", {"from_": "2026-01-01", "to": "2026-01-31"}, 28),
        ("web", {"from_": "2026-02-01", "modality": "mr,ct"}, 1),
    ],
    ids=["study", "modality", "accession", "days", "from"],
)
def test_what_is_asked_for_comes_and_nothing_else(
    way: str, asked: dict[str, str], count: int, pacs: Orthanc, tmp_path: Path
) -> None:
    assert fetch(pacs, tmp_path / "out", way, **asked).to_json()["instances"] == count


def test_a_list_names_what_it_found_nothing_for_by_line(pacs: Orthanc, tmp_path: Path) -> None:
    table = tmp_path / "cohort.csv"
    table.write_text("PatientID;Modality;who\nCANARY-4711;CT;me\nNOBODY-HERE;;me\n;;\nWREN-1;;you\n", encoding="utf-8")
    done = fetch(pacs, tmp_path / "out", listed=table)
    assert (done.found.unanswered, done.to_json()["held"]) == ((3,), False)
    assert done.to_json()["instances"] == SHAPE[0] + 1


def test_patients_come_from_a_file_or_stdin_never_from_the_command_line(pacs: Orthanc, tmp_path: Path) -> None:
    numbers = tmp_path / "numbers.txt"
    numbers.write_text(f"{CANARY.patient}\n\n")
    assert fetch(pacs, tmp_path / "a", patient=f"@{numbers}").to_json()["instances"] == 2 * SHAPE[0]
    command = [sys.executable, "-m", "isocenter", "fetch", pacs.web, "--list", "-", "--dry-run", "--json"]
    ended = subprocess.run(
        command, input="patient\nWREN-1\n", capture_output=True, text=True, env=ENVIRONMENT, check=True
    )
    assert json.loads(ended.stdout)["instances"] == 1
    with pytest.raises(InputError, match="history"):
        fetch(pacs, tmp_path / "b", patient=CANARY.patient)


def test_nobody_is_named_anywhere_but_in_the_folder(pacs: Orthanc, tmp_path: Path) -> None:
    out, store = tmp_path / "out", tmp_path / "store"
    secrets = [CANARY.patient, "Canary", "金丝雀", "19610704", str(CANARY.uid("study"))[:24]]
    numbers = tmp_path / "numbers.txt"
    numbers.write_text(CANARY.patient)
    words = ("--patient", f"@{numbers}", "--store", store)
    told = (
        isocenter("fetch", pacs.address, out, *words, "--json"),
        isocenter("fetch", pacs.web, out, *words),
        isocenter("fetch", pacs.web, "--dry-run", "--study", str(CANARY.uid("study"))[:-2], code=4),
    )
    said = "".join(ended.out + ended.err for ended in told)
    written = b"".join(path.read_bytes() for path in store.rglob("*") if path.is_file())
    for secret in secrets:
        assert secret not in said
        assert secret.encode() not in written
        assert not any(secret in path.name for path in out.rglob("*"))
    assert CANARY.patient.encode() in next(out.glob("images/*/*/*.dcm")).read_bytes()


def test_what_comes_is_for_this_account_alone(pacs: Orthanc, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fetch(pacs, out, study=CANARY.uid("study"), modality="MR")
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    loose = [path for path in out.rglob("*") if ".locks" not in path.parts and path.stat().st_mode & 0o077]
    assert loose == []
    assert str(CANARY.uid("study")) in (out / "contents.csv").read_text()


def test_what_was_fetched_goes_to_deid(pacs: Orthanc, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fetch(pacs, out, study=CANARY.uid("study"), modality="MR")
    told = pipeline.deid(out / "images", dry_run=True).to_json()
    assert len({one["file"] for one in told["differences"]}) == SHAPE[0]


def test_instances_that_come_into_the_archive_meanwhile_are_fetched_and_said(pacs: Orthanc, tmp_path: Path) -> None:
    late = tmp_path / "late.dcm"
    made = pydicom.dcmread(pydicom.data.get_testdata_file("CT_small.dcm"))
    made.PatientID, made.StudyInstanceUID, made.SeriesInstanceUID = "LATE", "2.25.1", "2.25.2"
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = "2.25.3"
    made.save_as(late)
    pacs.store(late)
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = "2.25.4"
    made.save_as(late)

    def meanwhile(stage: str, done: float, total: float, note: str = "") -> None:
        if stage == "fetch" and done == total and "2.25.4" not in images(tmp_path / "out"):
            pacs.store(late)

    done = fetch(pacs, tmp_path / "out", study="2.25.1", progress=meanwhile)
    assert (done.retrieved.came, done.retrieved.gone, done.retrieved.lacks) == (1, 0, ())
    assert sorted(images(tmp_path / "out")) == ["2.25.3", "2.25.4"]
    assert "changed while it was read: 1" in isocenter_says(done)
    pacs.remove("study", StudyInstanceUID="2.25.1")


def test_instances_that_leave_the_archive_meanwhile_are_said_and_not_waited_for(
    pacs: Orthanc, tmp_path: Path, public: Path
) -> None:
    made = pydicom.dcmread(public / "MR_small_RLE.dcm")
    for number in (1, 2):
        made.StudyInstanceUID, made.SeriesInstanceUID = "2.25.10", f"2.25.11.{number}"
        made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = f"2.25.12.{number}"
        made.save_as(tmp_path / "one.dcm")
        pacs.store(tmp_path / "one.dcm")

    def meanwhile(stage: str, done: float, total: float, note: str = "") -> None:
        if stage == "look" and done == total:
            pacs.remove("series", SeriesInstanceUID="2.25.11.2")

    done = fetch(pacs, tmp_path / "out", study="2.25.10", progress=meanwhile)
    assert (done.retrieved.came, done.retrieved.gone, done.retrieved.lacks) == (0, 1, ())
    assert list(images(tmp_path / "out")) == ["2.25.12.1"]
    assert done.to_json()["held"] is True
    pacs.remove("study", StudyInstanceUID="2.25.10")


def test_one_uid_for_two_instances_keeps_the_second_apart_and_names_it(
    pacs: Orthanc, tmp_path: Path, public: Path
) -> None:
    made = pydicom.dcmread(public / "MR_small_RLE.dcm")
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = "2.25.22"
    for number in (1, 2):
        made.StudyInstanceUID, made.SeriesInstanceUID = "2.25.20", f"2.25.21.{number}"
        made.save_as(tmp_path / "one.dcm")
        pacs.store(tmp_path / "one.dcm")
    done = fetch(pacs, tmp_path / "out", study="2.25.20")
    told = done.to_json()
    assert (told["instances"], told["lacks"], told["held"]) == (1, [], False)
    assert "another series" in told["apart"][0]["why"]
    assert (tmp_path / "out" / told["apart"][0]["file"]).is_file()
    assert len(images(tmp_path / "out")) == 1
    again = fetch(pacs, tmp_path / "out", study="2.25.20").to_json()
    assert (again["new"], len(again["apart"]), again["held"]) == (0, 1, False)
    pacs.remove("study", StudyInstanceUID="2.25.20")


def test_an_instance_that_the_archive_keeps_damaged_is_asked_for_twice_then_kept_apart(
    pacs: Orthanc, tmp_path: Path
) -> None:
    made = pydicom.dcmread(pydicom.data.get_testdata_file("CT_small.dcm"))
    made.PatientID, made.StudyInstanceUID, made.SeriesInstanceUID = "CUT", "2.25.30", "2.25.31"
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = "2.25.32"
    made.PixelData = made.PixelData[:1000]
    made.save_as(tmp_path / "cut.dcm")
    pacs.store(tmp_path / "cut.dcm")
    for new in (1, 0):
        done = fetch(pacs, tmp_path / "out", study="2.25.30")
        assert done.new.get("apart", 0) == new
        assert "not all there" in done.apart[0][1]
        assert done.to_json()["held"] is False
    assert images(tmp_path / "out") == {}
    pacs.remove("study", StudyInstanceUID="2.25.30")


def test_a_folder_of_something_else_and_one_in_use_are_refused(pacs: Orthanc, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "one.txt").write_text("Dear")
    with pytest.raises(FileError, match="something else"):
        fetch(pacs, tmp_path / "letters", study=CANARY.uid("study"))

    def meanwhile(stage: str, done: float, total: float, note: str = "") -> None:
        with pytest.raises(StoreError, match="in use"):
            fetch(pacs, tmp_path / "out", study=CANARY.uid("study"))

    fetch(pacs, tmp_path / "out", study=CANARY.uid("study"), modality="MR", progress=meanwhile)


def test_what_is_not_there_and_who_does_not_answer_have_their_own_exit_codes(pacs: Orthanc, tmp_path: Path) -> None:
    (nobody,) = free_ports(1)
    with pytest.raises(NotFoundError, match="nothing"):
        fetch(pacs, tmp_path / "out", accession="NO-SUCH")
    with pytest.raises(PeerError, match="AE titles"):
        pipeline.fetch(f"dicom://WRONG@localhost:{pacs.dicom}", dry_run=True, accession="ACC1")
    told = isocenter("fetch", f"dicom://ARCHIVE@localhost:{nobody}", "--dry-run", "--accession", "1", code=9)
    assert "No PACS answers" in told.err
    with pytest.raises(PeerError, match="HTTP 404"):
        pipeline.fetch(f"http://localhost:{pacs.http}/nothing", dry_run=True, accession="1")


def test_a_disk_that_takes_nothing_stops_the_fetch(pacs: Orthanc, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fetch(pacs, out, accession="ACC1")
    (out / ".coming").mkdir()  # what is written aside cannot be opened, as on a full disk
    for way in ("get", "move", "web"):
        with pytest.raises(OSError, match="directory"):
            fetch(pacs, out, way, study=CANARY.uid("study"))


def test_a_receipt_says_whether_everything_came(pacs: Orthanc, tmp_path: Path) -> None:
    done = fetch(pacs, tmp_path / "out", study=CANARY.uid("study"), modality="CT")
    from isocenter.store import open_store

    receipt = open_store(tmp_path / "store").receipts.get(done.receipt)
    assert receipt.step == "fetch"
    assert [check.held for check in receipt.checks] == [True, True, True]
    assert receipt.checks[0].figure == f"0 of {SHAPE[0]} instances lack"


def isocenter_says(done: Fetched) -> str:
    """Return what a person would read of an outcome."""
    from contextlib import redirect_stdout
    from io import StringIO

    from isocenter.cli.show.hospital import fetch as show

    with redirect_stdout(StringIO()) as told:
        show(done.to_json())
    return told.getvalue()
