"""From a PACS into a folder for `deid`: the only step that opens a connection, and only where it is told to."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from isocenter.clinic.hospital.pacs import Pacs, pacs_at
from isocenter.clinic.hospital.query import ARCHIVES
from isocenter.clinic.hospital.query.archive import Archive, Outcome, Take
from isocenter.clinic.hospital.query.arrivals import Arrivals
from isocenter.clinic.hospital.query.ledger import NAME, Ledger
from isocenter.clinic.hospital.query.look import Found, Patience, look, silent
from isocenter.clinic.hospital.query.question import Question, questions_of
from isocenter.clinic.hospital.query.retrieve import Meter, Retrieved, retrieve
from isocenter.errors import FileError, InputError, NotFoundError
from isocenter.pipeline.ground import Place, Watch, opened, seal, told
from isocenter.pipeline.public import document
from isocenter.plugins import find
from isocenter.result import Check, Item
from isocenter.store import Store
from isocenter.store.files import LocalFiles
from isocenter.store.locks import FileLocks

IMAGES, CONTENTS, LOCKS = "images", "contents.csv", ".locks"
WAYS = ("auto", "get", "move", "web")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What came from a PACS, and what did not; no UID and no name stands in it.

    Args:
        pacs: Who was asked.
        way: "get", "move" or "web".
        out: The folder.
        found: What the PACS has of what was asked for.
        retrieved: What is here of that.
        new: What became of each instance that came in this run.
        bytes: Written in this run.
        apart: Name and reason of each file that was kept apart.
        receipt: Digest.
    """

    pacs: Pacs
    way: str
    out: Path
    found: Found
    retrieved: Retrieved
    new: Mapping[Outcome, int]
    bytes: int
    apart: Sequence[tuple[str, str]]
    receipt: str
    seconds: float

    @property
    def checks(self) -> tuple[Check, ...]:
        """What a receipt says was looked at."""
        return checks_of(self.found, self.retrieved, self.apart)

    def to_json(self) -> dict[str, Any]:
        """Return the public document of `fetch`."""
        rows = self.retrieved.rows
        return document(
            "fetch", dry_run=False, pacs=self.pacs.address, way=self.way, encrypted=self.pacs.is_encrypted,
            out=str(self.out), images=str(self.out / IMAGES), studies=len({row.study for row in rows}),
            series=[asdict(row) for row in rows], instances=sum(row.here for row in rows),
            new=self.new.get("kept", 0), bytes=self.bytes, lacks=[asdict(one) for one in self.retrieved.lacks],
            apart=[{"file": name, "why": why} for name, why in self.apart], not_asked_for=self.new.get("foreign", 0),
            strangers=self.found.strangers, unanswered=list(self.found.unanswered),
            changed={"came": self.retrieved.came, "gone": self.retrieved.gone},
            held=all(check.held for check in self.checks), receipt=self.receipt, seconds=self.seconds,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What a PACS has of what is asked for; nothing was fetched."""

    pacs: Pacs
    way: str
    found: Found

    def to_json(self) -> dict[str, Any]:
        """Return the public document of `fetch --dry-run`."""
        modalities = Counter(one.modality or "unknown" for one in self.found.series)
        return document(
            "fetch", dry_run=True, pacs=self.pacs.address, way=self.way, encrypted=self.pacs.is_encrypted,
            studies=self.found.studies, series=len(self.found.series), instances=self.found.instances,
            modalities=dict(sorted(modalities.items())), strangers=self.found.strangers,
            unanswered=list(self.found.unanswered),
        )  # fmt: skip


def fetch(
    pacs: str,
    out: Path | None = None,
    *,
    study: str = "",
    accession: str = "",
    patient: str = "",
    modality: str = "",
    from_: str = "",
    to: str = "",
    listed: Path | None = None,
    how: str = "auto",
    listen: str = "",
    aet: str = "ISOCENTER",
    ca: Path | None = None,
    certificate: Path | None = None,
    login: Path | None = None,
    dry_run: bool = False,
    store: Place = None,
    progress: Watch | None = None,
) -> Fetched | Counted:
    """Fetch studies from a PACS into a folder that this account alone can read; a second run fetches what lacks.

    Args:
        pacs: dicom://TITLE@host:port, dicoms:// for the same over TLS, or https://host/dicom-web.
        out: A new folder, or one that was fetched into before. Images lie in OUT/images, under numbers.
        study, accession, patient: A value (of patients none: it would stay in the shell's history), "@FILE" with one
            on each line, or "-" for lines on stdin. One of the three.
        modality: Series of these alone, comma between.
        from_, to: First and last day of the study, such as 2026-01-31.
        listed: A table with a question on each line, instead of the three; "-" for stdin.
        how: "get", "move", "web", or "auto": get where the PACS accepts it, else move.
        listen: For move, the port that the PACS sends to, such as "0.0.0.0:11112". It is open during this call.
        aet: Our AE title.
        ca: PEM file with the certificates that are trusted. They are checked in any case.
        certificate: PEM file with our certificate and its key.
        login: File with a line user:password or Bearer TOKEN, for DICOMweb.
        dry_run: Say what there is; fetch and write nothing.
        store: Whose key signs the receipt; made where there is none.
        progress: Told how far it is.

    Raises:
        InputError: Nothing is asked for, or something that cannot be.
        FileError, LayoutError: OUT holds something else, or a file cannot be read.
        NotFoundError: The PACS has nothing of what is asked for.
        PeerError: The PACS does not answer, or refuses.
        StoreError: The store cannot be used, or another process fetches into OUT.
        MissingExtraError: The extra "hospital" is not installed.
    """
    begun = time.monotonic()
    words = {
        "study": study, "accession": accession, "patient": patient, "modality": modality, "from": from_, "to": to
    }  # fmt: skip
    asked = questions_of(words, listed=None if listed is None else Path(listed))
    there = pacs_at(pacs, calling=aet, ca=ca, certificate=certificate, login=login)
    asking = _Asking(pacs=there, questions=asked, how=how, listen=listen, progress=progress)
    with silent():
        if dry_run:
            return asking.counted()
        folder = _required_out(out)
        with opened(store, create_new=True) as house, _ours(folder) as ledger:
            return asking.fetched(folder, ledger, house, begun=begun)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asking:
    """Whom is asked what, and how."""

    pacs: Pacs
    questions: tuple[Question, ...]
    how: str
    listen: str
    progress: Watch | None

    def counted(self) -> Counted:
        with self._archive(None) as archive:
            return Counted(pacs=self.pacs, way=archive.way, found=self._found(archive))

    def fetched(self, out: Path, ledger: Ledger, house: Store, *, begun: float) -> Fetched:
        meter = Meter(progress=told(self.progress, "fetch"))
        arrivals = Arrivals(out, ledger, kept=meter.step)
        arrivals.settle_what_lies_there()
        with self._archive(arrivals.take) as archive:
            found = self._found(archive)
            got = retrieve(archive, ledger, self.questions, found, patience=Patience(), meter=meter)
        _write_contents(ledger, out)
        apart = ledger.apart()
        facts = {"pacs": self.pacs.address, "way": archive.way, "encrypted": self.pacs.is_encrypted}
        receipt = seal(
            house, "fetch", inputs=(), outputs=(Item(name=f"fetched:{IMAGES}", digest=_digest(ledger)),),
            checks=checks_of(found, got, apart), facts={**facts, "new": arrivals.outcomes["kept"]},
        )  # fmt: skip
        return Fetched(
            pacs=self.pacs, way=archive.way, out=out, found=found, retrieved=got, new=dict(arrivals.outcomes),
            bytes=arrivals.bytes, apart=apart, receipt=receipt, seconds=time.monotonic() - begun,
        )  # fmt: skip

    def _found(self, archive: Archive) -> Found:
        found = look(archive, self.questions, patience=Patience(), progress=told(self.progress, "look"))
        if not found.series:
            raise NotFoundError("The PACS has nothing of what is asked for. Check numbers, days and modalities.")
        return found

    def _archive(self, take: Take | None) -> Archive:
        if self.how not in WAYS:
            raise InputError(f"--how is one of {', '.join(WAYS)}.")
        if self.how == "web" and not self.pacs.is_web:
            raise InputError("DICOMweb is asked at an address of https://, this one is of dicom://.")
        made = find("web" if self.pacs.is_web else "dimse", table=ARCHIVES, group="isocenter.archives")
        return cast("Archive", cast("Any", made)(self.pacs, how=self.how, listen=self.listen, take=take))


def checks_of(found: Found, got: Retrieved, apart: Sequence[tuple[str, str]]) -> tuple[Check, ...]:
    """Return what holds of a fetch: everything is here, nothing is doubtful, every question was answered."""
    expected, lacking = sum(row.expected for row in got.rows), sum(one.count for one in got.lacks)
    return (
        Check(name="complete", held=not lacking, figure=f"{lacking} of {expected} instances lack", limit="0"),
        Check(name="apart", held=not apart, figure=f"{len(apart)} files kept apart", limit="0"),
        Check(
            name="answered",
            held=not found.unanswered,
            figure=f"{len(found.unanswered)} questions unanswered",
            limit="0",
        ),
    )


def _required_out(out: Path | None) -> Path:
    """Return the folder to fetch into, made or found fit for it.

    Raises:
        FileError: It holds something else.
        InputError: None was named.
    """
    if out is None:
        raise InputError("Name the folder OUT that the images shall lie in, or ask with --dry-run what there is.")
    out = Path(out).absolute()
    if out.exists() and not (out.is_dir() and ((out / NAME).is_file() or not any(out.iterdir()))):
        raise FileError(f"{out} holds something else than what was fetched before. Name a new folder.")
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    out.chmod(0o700)  # persons stand in what comes
    return out


@contextmanager
def _ours(folder: Path) -> Iterator[Ledger]:
    with FileLocks(folder / LOCKS).hold("this folder"):
        ledger = Ledger(folder)
        try:
            yield ledger
        finally:
            ledger.close()


def _write_contents(ledger: Ledger, out: Path) -> None:
    files = LocalFiles(out)
    files.write(CONTENTS, [ledger.contents()], is_secret=True)
    files.tidy()


def _digest(ledger: Ledger) -> str:
    """Return one digest of everything that is here: nobody can tell from it what that is."""
    return sha256("".join(sorted(place.digest for place in ledger.places("here"))).encode()).hexdigest()
