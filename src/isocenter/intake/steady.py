"""A file that must not change while it is read: hashed once, and looked at again once it has been read."""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path
from typing import BinaryIO

from isocenter.errors import FileError

_UNSURE_NS = 3_000_000_000  # times of change are told in steps of up to 2 s (FAT); within them a second write hides

Stamp = tuple[int, int, int, int]


@contextmanager
def steady(path: Path, *, name: str) -> Iterator[str]:
    """Yield the sha256 of a file, and see at the end that it still is the same one.

    Its bytes are read once for the hash. At the end its size, inode and times of change are compared; only where it
    was changed so lately that a second change might bear the same time are its bytes hashed again.

    Args:
        path: The file.
        name: What a message calls it.

    Raises:
        FileError: It cannot be read, is empty, or is another one at the end than at the beginning.
    """
    try:
        with path.open("rb") as file:
            before, at = _stamp(file), time.time_ns()
            digest = file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _shut(name, error) from error
    _require_bytes(before, name)
    yield digest
    try:
        with path.open("rb") as file:
            is_same = _stamp(file) == before and (
                _is_settled(before, at) or file_digest(file, "sha256").hexdigest() == digest
            )
    except OSError as error:
        raise _shut(name, error) from error
    if not is_same:
        raise _changed(name)


def read_steady(path: Path, *, name: str) -> tuple[bytes, str]:
    """Return a file's bytes and their sha256, read in one go: what was hashed is what will be decoded.

    Args:
        path: The file; it is held in memory whole.
        name: What a message calls it.

    Raises:
        FileError: It cannot be read, is empty, or changed meanwhile.
    """
    try:
        with path.open("rb") as file:
            before = _stamp(file)
            content = file.read()
            after = _stamp(file)
    except OSError as error:
        raise _shut(name, error) from error
    _require_bytes(before, name)
    if before != after or len(content) != before[0]:
        raise _changed(name)
    return content, hashlib.sha256(content).hexdigest()


def _stamp(file: BinaryIO) -> Stamp:
    stat = os.fstat(file.fileno())
    return stat.st_size, stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns


def _is_settled(stamp: Stamp, at: int) -> bool:
    """Return whether the last change lies so far back that a further one must show in the times."""
    return at - max(stamp[2:]) > _UNSURE_NS


def _require_bytes(stamp: Stamp, name: str) -> None:
    if stamp[0] == 0:
        raise FileError(f"{name}: the file has 0 bytes. Copy it again from its source.")


def _shut(name: str, error: OSError) -> FileError:
    return FileError(f"{name}: cannot be read ({error.strerror}). Check that it is there and readable.")


def _changed(name: str) -> FileError:
    return FileError(
        f"{name}: the file changed while it was read. Wait until whatever writes it is done, then start again."
    )
