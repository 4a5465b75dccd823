"""A way to the PACS that is cut, a PACS that answers what was not asked, senders that nobody called."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pydicom
import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE, evt

from isocenter.clinic.hospital.listen import Listener, Storing
from isocenter.clinic.hospital.pacs import pacs_at
from isocenter.clinic.hospital.query.archive import Archive, Instance, Series
from isocenter.clinic.hospital.query.arrivals import Arrivals, content_digest
from isocenter.clinic.hospital.query.dimse import FIND, GET, MOVE, DimseArchive
from isocenter.clinic.hospital.query.ledger import Ledger
from isocenter.clinic.hospital.query.look import Patience, look, silent
from isocenter.clinic.hospital.query.question import Question
from isocenter.clinic.hospital.query.retrieve import Meter, Retrieved, retrieve
from isocenter.clinic.hospital.query.web import WebArchive
from isocenter.errors import DroppedError, PeerError
from tests.clinic.hospital.conftest import CANARY, SHAPE
from tests.clinic.hospital.orthanc import OURS, TITLE, Orthanc, free_ports
from tests.clinic.hospital.wire import Wire, wire

pytestmark = pytest.mark.xdist_group("orthanc")

SHORT = Patience(waits_s=(0.02, 0.05))
CANARYS = (Question(study=CANARY.uid("study")),)
IN_ALL = 2 * SHAPE[0]


def asked(way: str, port: int, listen: int, arrivals: Arrivals) -> Archive:
    """Return a PACS that is reached through a wire."""
    address = f"http://localhost:{port}/dicom-web" if way == "web" else f"dicom://{TITLE}@localhost:{port}"
    pacs = pacs_at(address, calling=OURS, ca=None, certificate=None, login=None)
    if way == "web":
        return WebArchive(pacs, how="web", listen="", take=arrivals.take)
    return DimseArchive(pacs, how=way, listen=f"127.0.0.1:{listen}" if way == "move" else "", take=arrivals.take)


def fetched(way: str, out: Path, pacs: Orthanc, relay: Wire) -> tuple[Retrieved, Arrivals]:
    """Fetch the canary's study through a wire."""
    out.mkdir(exist_ok=True)
    ledger = Ledger(out)
    arrivals = Arrivals(out, ledger)
    arrivals.settle_what_lies_there()
    with silent(), asked(way, relay.port, pacs.ours, arrivals) as archive:
        found = look(archive, CANARYS, patience=SHORT)
        got = retrieve(archive, ledger, CANARYS, found, patience=SHORT, meter=Meter())
    ledger.close()
    return got, arrivals


@pytest.mark.parametrize(
    ("way", "budgets"),
    # bytes until the way is cut, by connection: a series has some 130 kB, answers to questions a few hundred each
    [("get", (None, 60_000, 90_000)), ("web", (90_000, 60_000)), ("move", (3_500, 900))],
    ids=["get", "web", "move"],
)
def test_a_dropped_association_is_taken_up_again_and_nothing_comes_twice(
    way: str, budgets: tuple[int | None, ...], pacs: Orthanc, tmp_path: Path
) -> None:
    target = pacs.http if way == "web" else pacs.dicom
    with wire(target, *budgets) as relay:
        got, arrivals = fetched(way, tmp_path / "out", pacs, relay)
    assert relay.opened > len(budgets)
    assert (got.lacks, got.came, got.gone) == ((), 0, 0)
    assert arrivals.outcomes["kept"] == IN_ALL == len(list(tmp_path.glob("out/images/*/*/*.dcm")))
    assert arrivals.outcomes["there"] <= (IN_ALL if way == "move" else 0)


@pytest.mark.parametrize("way", ["get", "web"])
def test_a_pacs_that_stays_away_leaves_word_of_what_lacks_and_the_next_run_fetches_that(
    way: str, pacs: Orthanc, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    target, out = pacs.http if way == "web" else pacs.dicom, tmp_path / "out"
    with wire(target, *([None] if way == "get" else []), 90_000, *[0] * 99) as relay:
        got, arrivals = fetched(way, out, pacs, relay)
    here = arrivals.outcomes["kept"]
    assert 0 < here < IN_ALL
    assert sum(one.count for one in got.lacks) == IN_ALL - here
    assert all("lost" in one.why or "dropped" in one.why or "answer" in one.why for one in got.lacks)
    with wire(target) as relay:
        got, arrivals = fetched(way, out, pacs, relay)
    assert (got.lacks, arrivals.outcomes["kept"], arrivals.outcomes["there"]) == ((), IN_ALL - here, 0)
    assert caplog.records == []  # what libraries log of it names persons


def test_a_way_that_is_cut_at_once_is_no_pacs(tmp_path: Path, pacs: Orthanc) -> None:
    with wire(pacs.http, *[0] * 99) as relay, pytest.raises(DroppedError, match="failed or was lost"):
        fetched("web", tmp_path / "out", pacs, relay)
    with wire(pacs.dicom, *[0] * 99) as relay, pytest.raises(DroppedError, match="No PACS answers"):
        fetched("get", tmp_path / "out", pacs, relay)


def known(folder: Path, path: Path) -> tuple[Ledger, Arrivals]:
    """Return a ledger that asks for one file's instance, and who takes it."""
    made = pydicom.dcmread(path)
    ledger = Ledger(folder)
    one = Instance(uid=str(made.SOPInstanceUID), sop_class=str(made.SOPClassUID))
    ledger.note([Series(study=str(made.StudyInstanceUID), uid=str(made.SeriesInstanceUID), instances=(one,))])
    return ledger, Arrivals(folder, ledger)


def changed(path: Path, to: Path, **values: object) -> bytes:
    """Return a file with some values changed."""
    made = pydicom.dcmread(path)
    for name, value in values.items():
        setattr(made, name, value)
    made.save_as(to)
    return to.read_bytes()


def test_the_same_instance_is_written_once_and_another_one_of_its_uid_is_kept_apart(
    public: Path, tmp_path: Path
) -> None:
    path = public / "JPEG2000.dcm"
    ledger, arrivals = known(tmp_path, path)
    other = changed(path, tmp_path / "x", PatientComments="written later")
    assert [arrivals.take(one) for one in (path.read_bytes(), path.read_bytes(), other, other)] == [
        "kept", "there", "apart", "there"
    ]  # fmt: skip
    ((name, why),) = ledger.apart()
    assert "another content" in why
    assert content_digest((tmp_path / name).read_bytes()) == content_digest(other)
    assert [one.digest for one in ledger.places("here")] == [content_digest(path.read_bytes())]


def test_what_was_not_asked_for_and_what_is_no_dicom_is_not_written(public: Path, tmp_path: Path) -> None:
    path = public / "JPEG2000.dcm"
    ledger, arrivals = known(tmp_path, path)
    strange = changed(path, tmp_path / "x", SeriesInstanceUID="2.25.5")
    (tmp_path / "x").unlink()
    assert arrivals.take(strange) == "foreign"
    assert arrivals.take(b"<html>Sorry</html>") == "damaged"
    for bytes_ in (200, *range(1000, 1100), 2000, path.stat().st_size - 9):
        assert arrivals.take(path.read_bytes()[:bytes_]) == "damaged"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["ledger.db"]
    assert len(ledger.places("asked")) == 1


@pytest.mark.parametrize("name", ["rtplan.dcm", "test-SR.dcm"])
def test_a_file_without_pixels_that_is_cut_is_not_taken(name: str, public: Path, tmp_path: Path) -> None:
    _, arrivals = known(tmp_path, public / name)
    whole = (public / name).read_bytes()
    cuts = [arrivals.take(whole[:-bytes_]) for bytes_ in (1, 50, 301)]
    assert (cuts, arrivals.take(whole)) == (["damaged"] * 3, "kept")


def test_whoever_calls_our_port_leaves_nothing_that_was_not_asked_for(public: Path, tmp_path: Path) -> None:
    ledger, arrivals = known(tmp_path, public / "JPEG2000.dcm")
    (port,) = free_ports(1)
    pacs = pacs_at("dicom://ANY@localhost:104", calling=OURS, ca=None, certificate=None, login=None)
    with silent(), Listener(pacs, address=f"127.0.0.1:{port}", storing=Storing(arrivals.take)):
        told = {}
        for name in ("JPEG2000.dcm", "rtplan.dcm"):
            made = pydicom.dcmread(public / name)
            sender = AE("STRANGER")
            sender.add_requested_context(made.SOPClassUID, made.file_meta.TransferSyntaxUID)
            association = sender.associate("127.0.0.1", port, ae_title=OURS)
            told[name] = association.send_c_store(made).Status
            association.release()
        assert not sender.associate("127.0.0.1", port, ae_title="SOMEONE").is_established
    assert told == {"JPEG2000.dcm": 0x0000, "rtplan.dcm": 0x0124}
    assert len(list(tmp_path.rglob("*.dcm"))) == len(ledger.places("here")) == 1


def test_a_pacs_that_answers_with_everybody_gets_nobody_else_fetched(tmp_path: Path) -> None:
    """A key that a PACS does not know it leaves out of the question (PS3.4 C.2.2.1.3)."""
    (port,) = free_ports(1)
    server = AE(TITLE)
    for model in (FIND, GET, MOVE):
        server.add_supported_context(model)

    def everybody(event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        for patient in ("A", "B", "C"):
            made = Dataset()
            made.PatientID, made.StudyInstanceUID, made.StudyDate = patient, f"2.25.{ord(patient)}", "20260101"
            made.SeriesInstanceUID, made.Modality, made.SOPInstanceUID = "2.25.2", "CT", "2.25.3"
            yield 0xFF00, made

    running = server.start_server(("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_FIND, everybody)])
    pacs = pacs_at(f"dicom://{TITLE}@localhost:{port}", calling=OURS, ca=None, certificate=None, login=None)
    with silent(), DimseArchive(pacs, how="get", listen="", take=None) as archive:
        found = look(archive, [Question(patient="B")], patience=SHORT)
    running.shutdown()
    assert ({one.study for one in found.series}, found.strangers) == ({f"2.25.{ord('B')}"}, 2)


class Answering(BaseHTTPRequestHandler):
    """A web server that knows one answer."""

    status: ClassVar[int] = 200
    heads: ClassVar[dict[str, str]] = {}
    body: ClassVar[bytes] = b""

    def do_GET(self) -> None:
        self.send_response(self.status)
        for name, value in self.heads.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the standard library
        return


@contextmanager
def answering(status: int, body: bytes = b"", **heads: str) -> Iterator[Archive]:
    """Give a DICOMweb archive whose server always gives one answer."""
    kind = type("Kind", (Answering,), {"status": status, "heads": heads, "body": body})
    server = HTTPServer(("127.0.0.1", 0), kind)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    pacs = pacs_at(f"http://localhost:{server.server_port}/web", calling=OURS, ca=None, certificate=None, login=None)
    with silent(), WebArchive(pacs, how="auto", listen="", take=None) as archive:
        yield archive
    server.shutdown()
    server.server_close()


def test_a_question_that_names_somebody_is_not_sent_on() -> None:
    with (
        answering(302, Location="http://localhost:1/elsewhere") as archive,
        pytest.raises(PeerError, match="elsewhere"),
    ):
        archive.find_studies(Question(patient="B"))


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (401, b"", PeerError, "--login"),
        (400, b"", PeerError, "HTTP 400"),
        (503, b"", DroppedError, "HTTP 503"),
        (200, b"<html>Sorry</html>", DroppedError, "no DICOMweb"),
    ],
)
def test_what_a_web_server_refuses_is_said_without_the_question(
    status: int, body: bytes, kind: type[Exception], words: str
) -> None:
    with answering(status, body) as archive, pytest.raises(kind, match=words) as told:
        archive.find_studies(Question(patient="CANARY-4711"))
    assert "CANARY" not in str(told.value)
    assert told.value.__cause__ is None


def test_a_server_that_does_not_know_pages_is_asked_no_longer_than_it_says_something_new() -> None:
    body = b'[{"0020000D": {"vr": "UI", "Value": ["2.25.1"]}}, {"0020000D": {"vr": "UI", "Value": ["2.25.2"]}}]'
    with answering(200, body, **{"Content-Type": "application/dicom+json"}) as archive:
        assert [one["StudyInstanceUID"] for one in archive.find_studies(Question(first="20260101"))] == [
            "2.25.1", "2.25.2"
        ]  # fmt: skip
