"""What was asked for and what has come: kept beside the images, so that a second run fetches only what lacks.

UIDs name persons; they stand here and nowhere else. Outside, studies, series and instances have numbers.
"""

import csv
import errno
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Literal

from isocenter.clinic.hospital.query.archive import Instance, Series
from isocenter.errors import FileError

NAME = "ledger.db"
State = Literal["asked", "here", "apart", "gone"]
"""Of an instance: not come yet; in its place; come, but kept apart; no longer in the archive before it came."""

_FORMAT = 1
_TABLES = """
create table study (number integer primary key, uid text unique not null);
create table series (
    study integer not null, number integer not null, uid text not null, modality text not null, said integer,
    primary key (study, number), unique (study, uid));
create table instance (
    study integer not null, series integer not null, number integer not null, uid text not null,
    class text not null, state text not null, digest text not null default '', size integer not null default 0,
    primary key (study, series, number), unique (study, series, uid));
create index instance_uid on instance (uid);
create table apart (name text primary key, why text not null);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an instance belongs, and what is known of it.

    Args:
        study, series, number: From 1; of the series within its study, of the instance within its series.
        uid: SOP Instance UID.
        state: See State.
        digest: sha256 in hex of its data set, without the file's own header; empty until it came.
        size: Bytes of its file.
    """

    study: int
    series: int
    number: int
    uid: str = field(repr=False)
    state: State
    digest: str = ""
    size: int = 0

    @property
    def name(self) -> str:
        """Its file's name below the folder."""
        return f"{folder_name(self.study, self.series)}/{self.number:06d}.dcm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A series by its numbers, and how far it is."""

    study: int
    series: int
    modality: str
    expected: int
    here: int
    apart: int

    @property
    def lacking(self) -> int:
        """How many instances have not come."""
        return max(0, self.expected - self.here - self.apart)


class Ledger:
    """A small database beside the images; one process at a time writes it.

    Args:
        folder: Where it lies, or is made.

    Raises:
        FileError: It is damaged, or of a later isocenter.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / NAME
        path.touch(mode=0o600)
        # threads of the network write too; who takes what comes lets in one at a time
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        try:
            version = self._database.execute("pragma user_version").fetchone()[0]
            if version == 0:
                self._database.executescript(f"begin; {_TABLES} pragma user_version = {_FORMAT}; commit;")
        except sqlite3.DatabaseError as error:
            raise FileError(f"{path} is damaged. Fetch into a new folder.") from error
        if version > _FORMAT:
            raise FileError(f"{path} was written by a later isocenter. Use that one.")

    def close(self) -> None:
        """Leave the file."""
        self._database.close()

    def note(self, series: Iterable[Series]) -> None:
        """Take down series as the PACS lists them now; numbers that were given stay.

        What it listed before and lists no longer is gone, unless it is here.

        Raises:
            OSError: The disk is full, or the folder may not be written.
        """
        with _written(), _at_once(self._database):
            for one in series:
                study = self._number("study", "uid = ?", (one.study,))
                self._database.execute("insert or ignore into study values (?, ?)", (study, one.study))
                number = self._number("series", "study = ? and uid = ?", (study, one.uid), within=(study,))
                self._database.execute(
                    "insert into series values (?, ?, ?, ?, ?) on conflict do update set modality = excluded.modality, "
                    "said = excluded.said",
                    (study, number, one.uid, one.modality, one.said),
                )
                self._list(study, number, one.instances)

    def place(self, study: str, series: str, instance: str, *, sop_class: str = "") -> Place | None:
        """Return where an instance belongs, made where its series was asked for; None where it was not.

        Raises:
            OSError: The disk is full, or the folder may not be written.
        """
        row = self._database.execute(
            "select s.study, s.number from series s join study t on t.number = s.study where t.uid = ? and s.uid = ?",
            (study, series),
        ).fetchone()
        if row is None:
            return None
        where, values = "study = ? and series = ? and uid = ?", (*row, instance)
        found = self._places(where, values)
        if not found:  # it came with its series, but was not in the list of it
            with _written():
                self._add(int(row[0]), int(row[1]), [Instance(uid=instance, sop_class=sop_class)])
            found = self._places(where, values)
        return found[0]

    def lacking(self, series: Series) -> tuple[Instance, ...]:
        """Return the instances of a series that have not come yet."""
        rows = self._database.execute(
            "select i.uid, i.class from instance i join series s on s.study = i.study and s.number = i.series "
            "join study t on t.number = i.study where t.uid = ? and s.uid = ? and i.state = 'asked' order by i.number",
            (series.study, series.uid),
        )
        return tuple(Instance(uid=uid, sop_class=sop_class) for uid, sop_class in rows)

    def others(self, place: Place) -> tuple[Place, ...]:
        """Return where else an instance's UID was written: one UID names one instance, or should."""
        return tuple(one for one in self._places("uid = ? and state = 'here'", (place.uid,)) if one.name != place.name)

    def settle(self, place: Place, state: State, *, digest: str = "", size: int = 0) -> None:
        """Take down what became of an instance.

        Raises:
            OSError: The disk is full, or the folder may not be written.
        """
        with _written():
            self._database.execute(
                "update instance set state = ?, digest = ?, size = ? where study = ? and series = ? and number = ?",
                (state, digest, size, place.study, place.series, place.number),
            )

    def set_apart(self, name: str, why: str) -> None:
        """Take down that a file was kept apart, and why.

        Raises:
            OSError: The disk is full, or the folder may not be written.
        """
        with _written():
            self._database.execute("insert or replace into apart values (?, ?)", (name, why))

    def apart(self) -> tuple[tuple[str, str], ...]:
        """Return name and reason of each file that was kept apart."""
        return tuple(self._database.execute("select name, why from apart order by name"))

    def places(self, state: State) -> tuple[Place, ...]:
        """Return every instance of a state."""
        return tuple(self._places("state = ?", (state,)))

    def row(self, series: Series) -> Row:
        """Return how far a series that was noted is."""
        found = self._database.execute(
            "select s.study, s.number, s.modality, coalesce(s.said, 0), count(i.uid) - coalesce(sum(i.state = 'gone'), "
            "0), coalesce(sum(i.state = 'here'), 0), coalesce(sum(i.state = 'apart'), 0) from series s "
            "join study t on t.number = s.study left join instance i on i.study = s.study and i.series = s.number "
            "where t.uid = ? and s.uid = ? group by s.study, s.number",
            (series.study, series.uid),
        ).fetchone()
        study, number, modality, said, listed, here, apart = found
        return Row(study=study, series=number, modality=modality, expected=max(listed, said), here=here, apart=apart)

    def contents(self) -> bytes:
        """Return a table, CSV in UTF-8, of which folder holds which series. It names persons by UID."""
        told = StringIO()
        writer = csv.writer(told, lineterminator="\n")
        writer.writerow(("folder", "StudyInstanceUID", "SeriesInstanceUID", "Modality", "instances"))
        for study, number, *rest in self._database.execute(
            "select s.study, s.number, t.uid, s.uid, s.modality, (select count(*) from instance i where "
            "i.study = s.study and i.series = s.number and i.state = 'here') from series s join study t on "
            "t.number = s.study order by s.study, s.number"
        ):
            writer.writerow((folder_name(study, number), *rest))
        return told.getvalue().encode()

    def _list(self, study: int, series: int, instances: Iterable[Instance]) -> None:
        known = {one.uid: one for one in self._places("study = ? and series = ?", (study, series))}
        listed = {one.uid: one for one in instances}
        self._add(study, series, [one for uid, one in listed.items() if uid not in known])
        for uid, place in known.items():
            if place.state == "asked" and uid not in listed:
                self.settle(place, "gone")
            elif place.state == "gone" and uid in listed:
                self.settle(place, "asked")

    def _add(self, study: int, series: int, instances: Iterable[Instance]) -> None:
        first = self._next("instance", "study = ? and series = ?", (study, series))
        self._database.executemany(
            "insert into instance (study, series, number, uid, class, state) values (?, ?, ?, ?, ?, 'asked')",
            [(study, series, number, one.uid, one.sop_class) for number, one in enumerate(instances, start=first)],
        )

    def _number(self, table: str, where: str, values: tuple[object, ...], *, within: tuple[int, ...] = ()) -> int:
        """Return the number that a study or series has, or the next one."""
        row = self._database.execute(f"select number from {table} where {where}", values).fetchone()  # noqa: S608
        return int(row[0]) if row else self._next(table, "study = ?" if within else "1", within)

    def _next(self, table: str, where: str, values: tuple[int, ...]) -> int:
        last = self._database.execute(f"select max(number) from {table} where {where}", values).fetchone()  # noqa: S608
        return int(last[0] or 0) + 1

    def _places(self, where: str, values: tuple[object, ...]) -> list[Place]:
        rows = self._database.execute(
            f"select study, series, number, uid, state, digest, size from instance where {where} "  # noqa: S608
            "order by study, series, number",
            values,
        )
        return [
            Place(study=study, series=series, number=number, uid=uid, state=state, digest=digest, size=size)
            for study, series, number, uid, state, digest, size in rows
        ]


def folder_name(study: int, series: int) -> str:
    """Return the folder of a series, below the folder of what was fetched."""
    return f"images/{study:05d}/{series:03d}"


@contextmanager
def _written() -> Iterator[None]:
    """Say of the database what is said of a file that cannot be written."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise OSError(errno.EIO, f"{NAME} cannot be written ({error})") from error


@contextmanager
def _at_once(database: sqlite3.Connection) -> Iterator[None]:
    """Write everything of a block, or nothing."""
    database.execute("begin")
    try:
        yield
    except BaseException:
        database.execute("rollback")
        raise
    database.execute("commit")
