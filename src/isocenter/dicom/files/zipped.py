"""A zip of DICOM files, unpacked where nothing can climb out of its folder."""

import shutil
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from isocenter.errors import FileError

MOST_BYTES = 200 << 30
"""A zip that claims more than this is taken for a bomb."""
MOST_RATIO = 1000
"""Above this ratio of unpacked to packed bytes, too: CT and MR reach 2 to 10, empty pictures a few hundred."""


def unzip(path: Path) -> tuple[TemporaryDirectory[str] | None, Path]:
    """Return a temporary folder and the path to scan; no folder and the path itself where it is no zip.

    Raises:
        FileError: A member's path leaves the folder, the zip is damaged, or it is far larger than it looks.
    """
    if not path.is_file() or not _is_zip(path):
        return None, path
    holder = TemporaryDirectory(prefix="isocenter-")
    try:
        with zipfile.ZipFile(path) as packed:
            members = [member for member in packed.infolist() if not member.is_dir()]
            _check(members)
            for count, member in enumerate(members):
                target = Path(holder.name) / f"{count:06d}"
                with packed.open(member) as source, target.open("wb") as sink:
                    shutil.copyfileobj(source, sink)
    except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, NotImplementedError, EOFError) as error:
        raise FileError(
            f"The zip cannot be unpacked ({type(error).__name__}). Pack it again, without a password."
        ) from error
    return holder, Path(holder.name)


def _is_zip(path: Path) -> bool:
    """Return whether a file is a zip; a DICOM file may carry one at its end and stays a DICOM file."""
    try:
        with path.open("rb") as file:
            return file.read(132)[128:] != b"DICM" and zipfile.is_zipfile(path)
    except OSError:
        return False


def _check(members: list[zipfile.ZipInfo]) -> None:
    for member in members:
        inside = PurePosixPath(member.filename.replace("\\", "/"))
        if inside.is_absolute() or ".." in inside.parts or (inside.parts and ":" in inside.parts[0]):
            raise FileError("The zip holds a path that leads out of its folder (../). Do not trust it; pack it anew.")
    whole, packed = sum(m.file_size for m in members), sum(m.compress_size for m in members)
    if whole > MOST_BYTES or whole > MOST_RATIO * max(packed, 1 << 20):
        raise FileError(f"The zip would unpack to {whole} bytes from {packed}. Unpack it by hand if that is right.")
