"""What the store keeps, in tables of any database that SQLAlchemy knows; SQLite in the store's folder by default.

The catalogue finds things; it proves nothing. Whatever counts is sealed by a receipt and checked against it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    create_engine,
    event,
    inspect,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from isocenter.errors import StoreError

_TABLES = MetaData()
_BUSY_S = 30


def _table(name: str, *columns: Column[Any] | UniqueConstraint) -> Table:
    return Table(name, _TABLES, Column("number", Integer, primary_key=True, autoincrement=True), *columns)


def _hash(name: str) -> Column[str]:
    return Column(name, String(64), nullable=False, index=True)


def _text(name: str) -> Column[str]:
    return Column(name, String(255), nullable=False, default="")


DATASETS = _table(
    "datasets", _text("name"), _hash("id"), _text("at"), Column("cases", Integer), UniqueConstraint("name", "id")
)
MODELS = _table("models", _hash("id"), _hash("dataset"), _text("run"), _text("at"), UniqueConstraint("id"))
RUNS = _table("runs", _hash("id"), _hash("dataset"), _text("recipe"), _text("at"), UniqueConstraint("id"))
EVALUATIONS = _table("evaluations", _hash("model"), _hash("dataset"), _hash("digest"), _text("at"))
RECEIPTS = _table("receipts", _hash("digest"), _text("step"), _text("at"), UniqueConstraint("digest"))
# which receipt speaks of a thing, and how: "made", or "removed"
MENTIONS = _table("mentions", _hash("digest"), _hash("receipt"), _text("how"))
HOLDS = Table(
    "holds", _TABLES,
    Column("name", String(255), primary_key=True), _text("token"), _text("holder"), Column("beat", Float),
)  # fmt: skip


class Catalogue:
    """The tables, and one way to them that turns a database's complaints into words."""

    def __init__(self, url: str, *, place: str) -> None:
        self._place = place
        self._engine = _engine(url)

    def create(self) -> None:
        """Make the tables that are not there.

        Raises:
            StoreError: The database refuses.
        """
        with self.begin() as connection:
            _TABLES.create_all(connection)

    def require_tables(self) -> None:
        """Do nothing where the tables are there.

        Raises:
            StoreError: They are not, or the database cannot be opened.
        """
        with self.begin() as connection:
            missing = set(_TABLES.tables) - set(inspect(connection).get_table_names())
        if missing:
            raise StoreError(
                f"The catalogue of the store at {self._place} lacks {', '.join(sorted(missing))}; it was damaged or "
                "emptied. Bring it back from a backup."
            )

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Give a connection in a transaction that ends with the block.

        Raises:
            StoreError: The database is busy, full, read-only, damaged or away.
        """
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise StoreError(_words(error, place=self._place)) from error

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()


def sqlite_url(path: Path) -> str:
    """Return the URL of a SQLite file."""
    return f"sqlite:///{path}"


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() != "sqlite":
            return create_engine(parsed, pool_pre_ping=True)
        # no pool: a connection that a forked process inherits would be shared with its parent
        engine = create_engine(parsed, poolclass=NullPool, connect_args={"timeout": _BUSY_S})
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise StoreError(f"The catalogue's URL names no database that is known here: {error}.") from error
    event.listen(engine, "connect", _in_wal_mode)
    return engine


def _in_wal_mode(connection: Any, _record: object) -> None:
    """Let readers go on while one writes, and lose nothing that was committed."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


def _words(error: SQLAlchemyError, *, place: str) -> str:
    said = str(error.orig if isinstance(error, DBAPIError) else error)
    start = f"The catalogue of the store at {place}"
    if "is full" in said or "disk I/O" in said:
        return f"{start} cannot be written: its disk is full ({said}). Make room, then do it again."
    if "locked" in said:
        return f"{start} is locked by another process for more than {_BUSY_S} s. Wait for it, then do it again."
    if "readonly" in said or "unable to open" in said or "permission" in said.lower():
        return f"{start} may not be opened for writing by this account ({said}). Ask its owner for permission."
    if "malformed" in said or "not a database" in said:
        return f"{start} is damaged ({said}). Bring it back from a backup."
    return f"{start} cannot be used: {said}."
