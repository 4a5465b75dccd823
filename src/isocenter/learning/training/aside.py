"""Files that appear whole or not at all, and a full disk in plain words."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from isocenter.errors import TrainingError

_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def written_aside(path: Path, *, size: int) -> Iterator[Path]:
    """Give a path to write to, which becomes the file's own when the block ends well.

    Args:
        path: Of the file wanted; what was there stays until then.
        size: Bytes to come, for the message.

    Raises:
        TrainingError: The disk is full, or the file cannot be written.
    """
    aside = path.with_name(f".{path.name}.part")
    try:
        yield aside
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        if error.errno in _FULL:
            raise TrainingError(
                f"The disk is full: {path.name} needs {max(size, 10**6) / 1e6:.0f} MB. Free some space and give the "
                "same command again; the run goes on from its last checkpoint."
            ) from error
        raise TrainingError(f"{path.name} cannot be written: {error.strerror or error}.") from error
