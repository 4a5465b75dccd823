"""Files that appear whole or not at all."""

from pathlib import Path

from isocenter.errors import FileError


def write_whole(content: bytes, path: Path) -> None:
    """Write a file; what was there stays until the new one is whole.

    Raises:
        FileError: The folder cannot be written, or the disk is full.
    """
    aside = path.with_name(f".{path.name}.part")
    try:
        aside.write_bytes(content)
        aside.replace(path)
    except OSError as error:
        raise FileError(f"{path.name} cannot be written: {error.strerror}.") from error
    finally:
        aside.unlink(missing_ok=True)
