"""Where a store's bytes lie: a folder of this machine, or any filesystem that fsspec knows by its URL.

A file appears whole under its name or not at all: it is written aside, then renamed.
"""

import errno
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import fsspec

from isocenter.errors import NotFoundError, StoreError

Part = bytes | memoryview

ASIDE = "aside"
# nothing writes to one file for an hour without adding a byte: such a file was left by a killed process
_DEAD_AFTER_S = 3600.0
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


class Files(Protocol):
    """Bytes by name; names are relative, with "/" between folders."""

    place: str

    def has(self, name: str) -> bool:
        """Return whether there is a file of that name."""

    def read(self, name: str) -> bytes:
        """Return a file's bytes; NotFoundError where there is none."""

    def write(self, name: str, parts: Iterable[Part], *, is_secret: bool = False) -> None:
        """Write a file, whole or not at all; a secret one is for its owner alone."""

    def names(self, folder: str) -> tuple[str, ...]:
        """Return the names in a folder, sorted; none where there is no such folder."""

    def remove(self, name: str) -> None:
        """Remove a file, or a folder and all in it; nothing happens where there is none."""


class LocalFiles:
    """A folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place = str(folder)

    def has(self, name: str) -> bool:
        """Return whether there is a file of that name.

        Raises:
            StoreError: The folder may not be read.
        """
        with told(self.place, "read"):
            try:
                (self.folder / name).stat()
            except (FileNotFoundError, NotADirectoryError):
                return False
            return True

    def read(self, name: str) -> bytes:
        """Return a file's bytes.

        Raises:
            NotFoundError: There is none of that name.
            StoreError: It may not be read.
        """
        with told(self.place, "read"):
            try:
                return (self.folder / name).read_bytes()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
                raise NotFoundError(f"The store has no {name}.") from error

    def write(self, name: str, parts: Iterable[Part], *, is_secret: bool = False) -> None:
        """Write a file, whole or not at all, and on the disk when this returns.

        Raises:
            StoreError: The disk is full, or the folder may not be written.
        """
        target = self.folder / name
        with told(self.place, "written"), self.aside() as aside:
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700 if is_secret else 0o777)
            mode = 0o600 if is_secret else 0o666
            with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                file.writelines(parts)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(target)
            _settle(target.parent)

    def names(self, folder: str) -> tuple[str, ...]:
        """Return the names in a folder, sorted; none where there is no such folder.

        Raises:
            StoreError: It may not be read.
        """
        with told(self.place, "read"):
            try:
                return tuple(sorted(path.name for path in (self.folder / folder).iterdir()))
            except (FileNotFoundError, NotADirectoryError):
                return ()

    def remove(self, name: str) -> None:
        """Remove a file, or a folder and all in it; it is gone whole or not at all.

        Raises:
            StoreError: It may not be removed.
        """
        with told(self.place, "written"), self.aside() as aside, suppress(FileNotFoundError):
            (self.folder / name).rename(aside)

    @contextmanager
    def aside(self) -> Iterator[Path]:
        """Give a path to write to before a rename; what is left there afterwards is removed."""
        folder = self.folder / ASIDE
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{os.getpid()}-{secrets.token_hex(8)}"
        try:
            yield path
        finally:
            _clear(path)

    def tidy(self) -> None:
        """Take away the empty folder for what is written aside, where somebody else will own this folder."""
        with suppress(OSError):
            (self.folder / ASIDE).rmdir()

    def sweep(self) -> None:
        """Remove what killed processes left aside."""
        with suppress(OSError):
            for path in (self.folder / ASIDE).iterdir():
                if time.time() - path.stat().st_mtime > _DEAD_AFTER_S:
                    _clear(path)


class RemoteFiles:
    """A folder of any filesystem of fsspec, such as s3://bucket/folder."""

    def __init__(self, url: str) -> None:
        self.place = url
        try:
            self._system, self._root = fsspec.core.url_to_fs(url)
        except (ValueError, ImportError) as error:
            raise StoreError(f"{url} names a filesystem that is not known here: {error}.") from error

    def has(self, name: str) -> bool:
        """Return whether there is a file of that name."""
        with told(self.place, "read"):
            return bool(self._system.exists(self._path(name)))

    def read(self, name: str) -> bytes:
        """Return a file's bytes.

        Raises:
            NotFoundError: There is none of that name.
            StoreError: It cannot be read.
        """
        with told(self.place, "read"):
            try:
                return bytes(self._system.cat_file(self._path(name)))
            except FileNotFoundError as error:
                raise NotFoundError(f"The store has no {name}.") from error

    def write(self, name: str, parts: Iterable[Part], *, is_secret: bool = False) -> None:
        """Write a file, whole or not at all. A secret is as safe as the folder that the URL names."""
        del is_secret  # object stores know no modes: whoever may read the folder may read the key
        aside = self._path(f"{ASIDE}/{secrets.token_hex(8)}")
        target = self._path(name)
        with told(self.place, "written"):
            for path in (aside, target):
                self._system.makedirs(path.rpartition("/")[0], exist_ok=True)
            self._system.pipe_file(aside, b"".join(parts))
            self._system.mv(aside, target)

    def names(self, folder: str) -> tuple[str, ...]:
        """Return the names in a folder, sorted; none where there is no such folder."""
        with told(self.place, "read"):
            self._system.invalidate_cache()  # another process may have written meanwhile
            try:
                found: list[Any] = self._system.ls(self._path(folder), detail=False)
            except FileNotFoundError:
                return ()
            return tuple(sorted(str(path).rstrip("/").rpartition("/")[2] for path in found))

    def remove(self, name: str) -> None:
        """Remove a file, or a folder and all in it."""
        with told(self.place, "written"), suppress(FileNotFoundError):
            self._system.rm(self._path(name), recursive=True)

    def _path(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}"


def files_at(place: str | Path) -> LocalFiles | RemoteFiles:
    """Return the files at a path or a URL.

    Raises:
        StoreError: A URL of a filesystem that is not known here.
    """
    told_ = str(place)
    if told_.startswith("file://"):
        return LocalFiles(Path(told_.removeprefix("file://")))
    return RemoteFiles(told_) if "://" in told_ else LocalFiles(Path(place).absolute())


@contextmanager
def told(place: str, deed: str) -> Iterator[None]:
    """Turn what the system refuses inside into words.

    Args:
        place: Of the store.
        deed: What was being done to it: "read" or "written".

    Raises:
        StoreError: The disk is full, there is no permission, or the disk failed.
    """
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise StoreError(
                f"The disk of the store at {place} is full{_free(place)}. Nothing half-written was left behind. "
                "Make room, or remove data sets and runs that nobody needs, then do it again."
            ) from error
        if error.errno in _FORBIDDEN or isinstance(error, PermissionError):
            raise StoreError(
                f"The store at {place} may not be {deed} by this account ({error.strerror or error}). "
                "Ask its owner for permission to read and write there, or name another store."
            ) from error
        raise StoreError(f"The store at {place} cannot be {deed}: {error.strerror or error}.") from error


def _settle(folder: Path) -> None:
    """Have a folder's names on the disk, so that a file is there after a power cut too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _free(place: str) -> str:
    try:
        return f" ({shutil.disk_usage(place).free / 2**20:.0f} MB free)"
    except OSError:
        return ""


def _clear(path: Path) -> None:
    with suppress(OSError):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
