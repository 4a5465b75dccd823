"""A PACS into a folder: look what there is, fetch what lacks, look again, until nothing lacks or nothing helps."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from isocenter.clinic.hospital.query.archive import Archive, Series
from isocenter.clinic.hospital.query.ledger import Ledger, Row
from isocenter.clinic.hospital.query.look import Found, Patience, Progress, look
from isocenter.clinic.hospital.query.question import Question
from isocenter.errors import DroppedError, PeerError

_Key = tuple[str, str]

_MOST_LOOKS = 3  # at an archive that grows while it is read
_HOPELESS = 2  # series in a row that a lost connection brought nothing of: the PACS is away
_MOST_FRUITLESS = 2  # answers to the end that bring nothing: for the series, and for each instance
_SILENT = "The PACS lists them, and does not send them or not whole."
_UNLISTED = "The PACS says that there are more than it lists."
_GROWING = "They came into the archive while it was read; the same command fetches them."


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """How many instances of a series are not here, and why."""

    study: int
    series: int
    count: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieved:
    """What came of asking.

    Args:
        rows: Each series that was asked for.
        lacks: What is not here.
        came, gone: Instances that came into the archive, and left it, while it was read; None where it could not be
            asked again.
    """

    rows: tuple[Row, ...]
    lacks: tuple[Lack, ...]
    came: int | None
    gone: int | None


@dataclass(slots=True)
class Meter:
    """How many instances are here, of how many; told to whoever watches."""

    progress: Progress | None = None
    done: int = 0
    total: int = 0

    def expect(self, rows: Sequence[Row]) -> None:
        """Take over how far the series are."""
        self.done, self.total = sum(row.here + row.apart for row in rows), sum(row.expected for row in rows)
        self._tell()

    def step(self) -> None:
        """Count one more."""
        self.done += 1
        self._tell()

    def _tell(self) -> None:
        if self.progress is not None and self.total:
            self.progress(min(self.done, self.total), self.total)


def retrieve(
    archive: Archive, ledger: Ledger, questions: Sequence[Question], found: Found, *, patience: Patience, meter: Meter
) -> Retrieved:
    """Fetch what lacks of what was found, and what comes into the archive meanwhile.

    Args:
        archive: What it sends goes to the folder of the ledger.
        ledger: What is here.
        questions: Asked again afterwards.
        found: The answers of before.
        patience: With an archive that drops the connection.
        meter: Told what is here.

    Raises:
        OSError: What comes cannot be written.
    """
    came: int | None = 0
    gone: int | None = 0
    reasons: dict[_Key, str] = {}
    for looks_left in reversed(range(_MOST_LOOKS)):
        ledger.note(found.series)
        meter.expect([ledger.row(one) for one in found.series])
        reasons = dict(_fetch_all(archive, ledger, found.series, patience))
        try:
            again = look(archive, questions, patience=patience)
        except PeerError:
            came = gone = None
            break
        new, lost = again.since(found)
        came, gone = (came or 0) + new, (gone or 0) + lost
        found = Found(series=again.and_gone(found))
        ledger.note(found.series)
        if not new:
            break
        if not looks_left:
            reasons = dict.fromkeys(map(_key, found.series), _GROWING) | reasons
    rows = [(ledger.row(one), reasons.get(_key(one), _SILENT)) for one in found.series]
    return Retrieved(
        rows=tuple(row for row, _ in rows if row.expected or row.here or row.apart),
        lacks=tuple(
            Lack(study=row.study, series=row.series, count=row.lacking, why=why) for row, why in rows if row.lacking
        ),
        came=came, gone=gone,
    )  # fmt: skip


def _key(series: Series) -> _Key:
    return series.study, series.uid


def _fetch_all(
    archive: Archive, ledger: Ledger, series: Sequence[Series], patience: Patience
) -> Iterator[tuple[_Key, str]]:
    """Yield why a series lacks something, for each that does; give up where the PACS is away."""
    hopeless, why = 0, ""
    for one in series:
        if hopeless < _HOPELESS:
            before = _arrived(ledger, one)
            try:
                why = _fetch(archive, ledger, one, patience)
                hopeless = 0
            except DroppedError as error:
                why = str(error)
                hopeless = hopeless + 1 if _arrived(ledger, one) == before else 0
        if why:
            yield _key(one), why


def _fetch(archive: Archive, ledger: Ledger, series: Series, patience: Patience) -> str:
    """Fetch what lacks of one series; return why something still does, or nothing.

    Raises:
        DroppedError: The connection was lost more often than patience lasts.
    """
    waits = list(patience.waits_s)
    asks_all, fruitless = not _arrived(ledger, series), 0
    while lacking := ledger.lacking(series):
        before = _arrived(ledger, series)
        try:
            archive.retrieve(series, () if asks_all else lacking)
            lost = None
        except DroppedError as error:
            lost = error
        except PeerError as error:
            return str(error)
        if _arrived(ledger, series) > before:
            waits, asks_all, fruitless = list(patience.waits_s), False, 0
        elif lost is None:
            fruitless, asks_all = fruitless + 1, not asks_all  # it may not know how to send single instances
            if fruitless == _MOST_FRUITLESS:
                return _SILENT
        elif not waits:
            raise lost
        if lost is not None:
            time.sleep(waits.pop(0) if waits else 0.0)
    return _UNLISTED if ledger.row(series).lacking else ""


def _arrived(ledger: Ledger, series: Series) -> int:
    row = ledger.row(series)
    return row.here + row.apart
