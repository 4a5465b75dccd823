"""What each file was called, and what was blanked in it; it names persons, and goes to the vault while a run goes on.

An archive holds so many files, each beneath its patient's pseudonym, so that a person can be taken out of it.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import BytesIO
from pathlib import Path, PurePosixPath
from zipfile import ZIP_DEFLATED, ZipFile

from isocenter.image.raster import array_png
from isocenter.intake.deid.treated import Treated

Keep = Callable[[str, bytes], None]
"""Takes a name, and an archive that names persons."""

_TOGETHER = 1000  # files
_NOBODY = "-"  # the folder of pictures, which name no patient


def with_found_kept(files: Iterable[Treated], sources: Sequence[Path], keep: Keep) -> Iterator[Treated]:
    """Yield files as they come; what names persons of them is kept, of so many at a time.

    Args:
        files: Treated, in the order of their numbers.
        sources: Every file as it came.
        keep: Takes archives: files-1.zip and on.
    """
    held: list[Treated] = []
    number = 1
    for file in files:
        held.append(file)
        yield file
        if len(held) == _TOGETHER:
            keep(f"files-{number}.zip", _packed(held, sources))
            held, number = [], number + 1
    if held:
        keep(f"files-{number}.zip", _packed(held, sources))


def sources_in(archive: bytes) -> dict[int, str]:
    """Return what each file was called, by its number."""
    with ZipFile(BytesIO(archive)) as packed:
        told = (name for name in packed.namelist() if name.endswith(".json"))
        return {int(PurePosixPath(name).stem): _shown(json.loads(packed.read(name))["source"]) for name in told}


def write_found(archive: bytes, folder: Path) -> None:
    """Write what was blanked, as PATIENT/NUMBER.json and pictures of it, NUMBER-1.png and on.

    Raises:
        OSError: The folder cannot be written.
    """
    with ZipFile(BytesIO(archive)) as packed:
        packed.extractall(folder)


def without_patient(archive: bytes, patient: str) -> bytes:
    """Return an archive without what it holds of a patient; the same bytes where it holds nothing."""
    with ZipFile(BytesIO(archive)) as packed:
        kept = [name for name in packed.namelist() if PurePosixPath(name).parts[0] != patient]
        if len(kept) == len(packed.namelist()):
            return archive
        return _zipped((name, packed.read(name)) for name in kept)


def _shown(name: str) -> str:
    """Return a file's name as it can be printed, whatever its bytes were."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _packed(files: Sequence[Treated], sources: Sequence[Path]) -> bytes:
    return _zipped(member for file in files for member in _members(file, sources[file.number - 1]))


def _members(file: Treated, source: Path) -> Iterator[tuple[str, bytes]]:
    place = f"{file.patient or _NOBODY}/{file.number}"
    lines = [
        {"text": line.text, "score": round(line.score, 3), "box": [line.top, line.left, line.bottom, line.right]}
        for one in file.seen
        for line in one.blank
    ]
    yield f"{place}.json", json.dumps({"source": str(source), "lines": lines}).encode()
    before = (one.before for one in file.seen if one.before is not None)
    yield from ((f"{place}-{number}.png", array_png(picture)) for number, picture in enumerate(before, 1))


def _zipped(members: Iterable[tuple[str, bytes]]) -> bytes:
    whole = BytesIO()
    with ZipFile(whole, "w", ZIP_DEFLATED) as packed:
        for name, content in members:
            packed.writestr(name, content)
    return whole.getvalue()
