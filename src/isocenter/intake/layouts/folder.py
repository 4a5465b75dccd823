"""Names in a folder, with plain words where it cannot be read."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from isocenter.errors import LayoutError

NIFTI_ENDINGS = (".nii.gz", ".nii")
_PARTS = ("imagesTr", "labelsTr", "imagesTs", "labelsTs")


def files_under(folder: Path) -> Iterator[Path]:
    """Yield every file under a folder in the order of names, hidden ones left out.

    Raises:
        LayoutError: A folder that may not be read.
    """
    refuse = partial(_refuse, folder)  # without it, walking passes over such folders in silence
    for at, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(at, name) for name in sorted(names) if not name.startswith("."))


def require_folder(folder: Path) -> None:
    """Do nothing where a folder can be listed and holds something.

    Raises:
        LayoutError: Nothing there, no folder, no permission, or empty.
    """
    try:
        is_there = folder.exists()
    except PermissionError as error:  # one of the folders above it is shut
        _refuse(folder, error)
        return
    if not is_there:
        raise LayoutError(f"There is no such folder: {folder.name!r}. Check how the path is written.")
    if not folder.is_dir():
        raise LayoutError(f"{folder.name} is a file; a data set is a folder. Name the folder that it lies in.")
    if next(files_under(folder), None) is None:
        raise LayoutError(f"The folder {folder.name!r} is empty. Name the folder that the images lie in.")


def nifti_files(folder: Path) -> dict[str, Path]:
    """Return the NIfTI files directly in a folder by their names without ending; none where there is no such folder.

    Raises:
        LayoutError: The folder may not be read, or holds one case as .nii and as .nii.gz.
    """
    if not folder.is_dir():
        return {}
    found: dict[str, Path] = {}
    for path in files_under(folder):
        if path.parent != folder or not path.name.endswith(NIFTI_ENDINGS):
            continue
        stem = stem_of(path)
        if stem in found:
            raise LayoutError(f"{folder.name} holds both {found[stem].name} and {path.name}. Keep one of them.")
        found[stem] = path
    return found


def stem_of(path: Path) -> str:
    """Return a file's name without .nii or .nii.gz."""
    return path.name.removesuffix(".gz").removesuffix(".nii")


def name_in(path: Path, folder: Path) -> str:
    """Return a path relative to the folder, with forward slashes."""
    return path.relative_to(folder).as_posix()


def _told(path: Path, folder: Path) -> str:
    """Return what a message calls a folder; those inside an archive are often named after people."""
    if path == folder or path.name in _PARTS:
        return f"The folder {path.name!r}"
    return f"A folder inside {folder.name!r}"


def _refuse(folder: Path, error: OSError) -> None:
    """Turn a folder that cannot be listed into words.

    Raises:
        LayoutError: Always.
    """
    raise LayoutError(
        f"{_told(Path(str(error.filename)), folder)} may not be read ({error.strerror}). Give yourself read "
        "permission on it and on the folders inside."
    ) from error
