"""A file that must not change while it is read."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path

from isocenter.errors import FileError


@contextmanager
def steady(path: Path, *, name: str) -> Iterator[str]:
    """Yield the sha256 of a file, and look again at the end: size, time of change, and bytes.

    Args:
        path: The file.
        name: What a message calls it.

    Raises:
        FileError: It cannot be read, or is another one at the end than at the beginning.
    """
    before, digest = _look(path, name)
    if before[0] == 0:
        raise FileError(f"{name}: the file has 0 bytes. Copy it again from its source.")
    yield digest
    if _look(path, name) != (before, digest):
        raise FileError(
            f"{name}: the file changed while it was read. Wait until whatever writes it is done, then start again."
        )


def _look(path: Path, name: str) -> tuple[tuple[int, int], str]:
    try:
        with path.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
        stat = path.stat()
    except OSError as error:
        raise FileError(f"{name}: cannot be read ({error.strerror}). Check that it is there and readable.") from error
    return (stat.st_size, stat.st_mtime_ns), digest
