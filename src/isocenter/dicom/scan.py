"""A folder to series: every file's header read, pictures grouped into volumes, each with its verdict."""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path

from isocenter.dicom.files import tags
from isocenter.dicom.files.header import Header
from isocenter.dicom.files.reader import read_header
from isocenter.dicom.files.zipped import unzip
from isocenter.dicom.frames.frame import Frame
from isocenter.dicom.pictures import frames_of
from isocenter.dicom.series import Scan, Series
from isocenter.dicom.verdict.judge import judge, judge_blank
from isocenter.dicom.verdict.split import split
from isocenter.errors import FileError

Progress = Callable[[int, int], None]


def scan(folder: Path, *, progress: Progress | None = None, workers: int | None = None) -> Scan:
    """Return every series under a folder, in one DICOM file, or in a zip, each with its verdict.

    Args:
        folder: Folder, file or zip; a zip is unpacked into a temporary folder that lives as long as its series.
        progress: Called with (files read, files in all), now and then.
        workers: Files read at a time; more than one helps where opening a file waits for a network. None reads
            one after the other.

    Raises:
        FileError: There is no such path, nothing may be read there, or the zip is unsafe.
    """
    holder, root = unzip(Path(folder))
    closed: list[OSError] = []
    paths = list(_files(root, closed=closed))
    headers: list[Header] = []
    refused = [(Path(str(one.filename)), f"A folder may not be read ({one.strerror}).") for one in closed]
    for count, (path, found) in enumerate(_read(paths, workers=workers), start=1):
        if isinstance(found, Header):
            headers.append(found)
        else:
            refused.append((path, found))
        if progress is not None and (count % 64 == 0 or count == len(paths)):
            progress(count, len(paths))
    series: list[Series] = []
    for group in _by_series(headers):
        series += _series_of(group, holder=holder, refused=refused)
    series.sort(key=lambda one: (one.study_uid, one.number, one.series_uid, _natural(one.part)))
    return Scan(series=tuple(series), files=len(paths), refused=tuple(refused))


def _natural(part: str) -> list[tuple[float, str]]:
    """Return a key by which "time 2" comes before "time 10"."""
    pieces = re.split(r"([0-9]+(?:\.[0-9]+)?)", part)
    return [(float(piece), "") if piece[:1].isdigit() else (-1.0, piece) for piece in pieces]


def _files(root: Path, *, closed: list[OSError]) -> Iterator[Path]:
    if root.is_file():
        yield root
        return
    if not root.exists():
        raise FileError("There is no such file or folder. Check how the path is written.")
    try:
        os.scandir(root).close()
    except PermissionError as error:
        raise FileError("The folder may not be read. Give yourself read permission on it.") from error
    seen: set[str] = set()
    for at, folders, names in os.walk(root, onerror=closed.append, followlinks=True):
        real = os.path.realpath(at)
        if real in seen:  # a link leads back, or a second time to the same folder
            folders.clear()
            continue
        seen.add(real)
        folders.sort()
        yield from (Path(at, name) for name in sorted(names) if name != "DICOMDIR" and not name.startswith("."))


def _read(paths: list[Path], *, workers: int | None) -> Iterator[tuple[Path, Header | str]]:
    if workers is None or workers <= 1:
        yield from map(_try_header, paths)
        return
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(_try_header, paths, chunksize=32)


def _try_header(path: Path) -> tuple[Path, Header | str]:
    try:
        return path, read_header(path)
    except FileError as error:
        return path, str(error)


def _by_series(headers: Iterable[Header]) -> Iterator[list[Header]]:
    def key(header: Header) -> tuple[str, str]:
        return header.text(tags.STUDY), header.text(tags.SERIES)

    for _, group in groupby(sorted(headers, key=key), key=key):
        yield list(group)


def _series_of(headers: list[Header], *, holder: object, refused: list[tuple[Path, str]]) -> list[Series]:
    frames: list[Frame] = []
    blank: list[Header] = []
    for header in headers:
        try:
            found = frames_of(header)
        except FileError as error:
            refused.append((header.path, str(error)))
            continue
        frames += found
        if not found:
            blank.append(header)
    parts = split(frames)
    return [judge(part, name=name, holder=holder) for name, part in parts] + [
        judge_blank(header, holder=holder) for header in blank
    ]
