"""One process at a time on one thing: a run, a data set's name.

On a local store the system's own file lock is held, which it frees when the holder dies, however it dies (flock(2)).
Elsewhere a row in the catalogue is held and kept fresh; a row that its holder has let grow old may be taken. The
clocks of the machines must agree to a quarter of a minute for that, and a process that slept longer has lost its row.
"""

import fcntl
import getpass
import json
import os
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from isocenter.errors import StoreError
from isocenter.store.catalogue import HOLDS, Catalogue
from isocenter.store.files import told

Hold = Callable[[str], AbstractContextManager[None]]

_BEAT_S = 10.0
# six beats missed: the holder is dead, or its machine's clock is a minute off
_STALE_S = 60.0


class FileLocks:
    """Locks as files of a local store."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def hold(self, name: str) -> Iterator[None]:
        """Hold a name until the block ends; things are not removed from the store meanwhile.

        Raises:
            StoreError: Another process holds it; the message says who, and what mends it.
        """
        with self._lock("removal", fcntl.LOCK_SH, of=name), self._lock(name, fcntl.LOCK_EX, of=name):
            yield

    @contextmanager
    def alone(self, *, patience_s: float = 0.0) -> Iterator[None]:
        """Hold the whole store: nobody holds any name meanwhile.

        Args:
            patience_s: How long to wait for the others.

        Raises:
            StoreError: Somebody does.
        """
        with self._lock("removal", fcntl.LOCK_EX, of="the store", patience_s=patience_s):
            yield

    @contextmanager
    def _lock(self, name: str, kind: int, *, of: str, patience_s: float = 0.0) -> Iterator[None]:
        path = self._folder / f"{_safe(name)}.lock"
        with told(str(self._folder.parent), "written"):
            self._folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            if not _locked(descriptor, kind, patience_s=patience_s):
                raise StoreError(_held(of, os.pread(descriptor, 1000, 0).decode(errors="replace")))
            if kind == fcntl.LOCK_EX:
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, _holder().encode(), 0)
            yield
        finally:
            os.close(descriptor)  # frees the lock; the file stays, since removing it would let two in


class RowLocks:
    """Locks as rows of the catalogue."""

    def __init__(self, catalogue: Catalogue, *, stale_s: float = _STALE_S, beat_s: float = _BEAT_S) -> None:
        self._catalogue = catalogue
        self._stale_s = stale_s
        self._beat_s = beat_s

    @contextmanager
    def hold(self, name: str) -> Iterator[None]:
        """Hold a name until the block ends.

        Raises:
            StoreError: Another process holds it; the message says who, and what mends it.
        """
        with self._row(name):
            self._refuse("removal")  # after taking the row: of two that come at once, one sees the other
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the whole store: nobody holds any name meanwhile.

        Raises:
            StoreError: Somebody does.
        """
        with self._row("removal"):
            with self._catalogue.begin() as connection:
                fresh = HOLDS.c.beat > time.time() - self._stale_s
                others = connection.execute(select(HOLDS).where(fresh, HOLDS.c.name != "removal")).first()
            if others is not None:
                raise StoreError(_held(others.name, others.holder))
            yield

    @contextmanager
    def _row(self, name: str) -> Iterator[None]:
        token = secrets.token_hex(16)
        self._take(name, token)
        ended = threading.Event()
        beating = threading.Thread(target=self._beat, args=(token, ended), daemon=True)
        beating.start()
        try:
            yield
        finally:
            ended.set()
            beating.join()
            with self._catalogue.begin() as connection:
                connection.execute(delete(HOLDS).where(HOLDS.c.token == token))

    def _take(self, name: str, token: str) -> None:
        row = {"token": token, "holder": _holder(), "beat": time.time()}
        with self._catalogue.begin() as connection:
            with suppress(IntegrityError), connection.begin_nested():
                connection.execute(insert(HOLDS).values(name=name, **row))
                return
            old = (HOLDS.c.name == name) & (HOLDS.c.beat < time.time() - self._stale_s)
            if connection.execute(update(HOLDS).where(old).values(**row)).rowcount == 1:
                return
        self._refuse(name)
        raise StoreError(_held(name, ""))

    def _refuse(self, name: str) -> None:
        with self._catalogue.begin() as connection:
            fresh = (HOLDS.c.name == name) & (HOLDS.c.beat > time.time() - self._stale_s)
            there = connection.execute(select(HOLDS).where(fresh)).first()
        if there is not None:
            raise StoreError(_held(name, there.holder))

    def _beat(self, token: str, ended: threading.Event) -> None:
        while not ended.wait(self._beat_s):
            # a beat that the database misses is made up for by the next one
            with suppress(StoreError), self._catalogue.begin() as connection:
                connection.execute(update(HOLDS).where(HOLDS.c.token == token).values(beat=time.time()))


def _locked(descriptor: int, kind: int, *, patience_s: float) -> bool:
    """Return whether a lock could be had in time."""
    end = time.monotonic() + patience_s
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            return True
        if time.monotonic() >= end:
            return False
        time.sleep(0.05)


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", lambda found: f"%{ord(found[0]):02x}", name)


def _holder() -> str:
    return json.dumps(
        {
            "process": os.getpid(),
            "host": socket.gethostname(),
            "account": account(),
            "since": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
        }
    )


def account() -> str:
    """Return the name of the account at work, its number where the system has no name for it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _held(name: str, holder: str) -> str:
    try:
        who = json.loads(holder)
        told_ = f"process {who['process']} of {who['account']} on {who['host']} since {who['since']}"
    except (ValueError, KeyError, TypeError):
        told_ = "another process"
    return f"{name} is in use by {told_}. Wait for it to end, or stop it, then do it again; nothing was changed."
