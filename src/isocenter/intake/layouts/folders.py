"""A folder becomes its cases: its layout is recognised, or named, and read."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import cast

from isocenter.errors import LayoutError, NotFoundError
from isocenter.intake.layouts import LAYOUTS
from isocenter.intake.layouts.folder import files_under, require_folder
from isocenter.intake.layouts.found import Found, Layout, Recognised
from isocenter.plugins import did_you_mean, find


def recognise(folder: Path, *, columns: Collection[str] = ()) -> Recognised:
    """Return what a folder is laid out as, and why.

    Args:
        folder: Of any layout in LAYOUTS.
        columns: Names of a table's columns; only layouts with a table are tried then.

    Raises:
        LayoutError: Nothing there, no permission, empty, or of no known layout.
    """
    require_folder(folder)
    for name in LAYOUTS:
        layout = layout_of(name)
        if columns:
            if layout.with_columns is None:
                continue
            layout = layout.with_columns(columns)
        why = layout.recognise(folder)
        if why:
            return Recognised(name=name, why=why)
    endings = sorted({path.suffix.lower() for path in files_under(folder)} - {""}) or ["no ending"]
    raise LayoutError(
        f"The folder {folder.name!r} is of no layout that is known here; it holds files with {', '.join(endings[:8])}. "
        "Expected: a dataset.json beside imagesTr and labelsTr (msd, nnunet), "
        "sub-01/anat/sub-01_T1w.nii.gz (bids), a table with a column of paths or a folder for each class of pictures "
        "(pictures), or DICOM files (dicom)."
    )


def read_folder(
    folder: Path,
    *,
    as_: str | None = None,
    pseudonym: Callable[[str], str],
    accept: Collection[str] = (),
    columns: Collection[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Found:
    """Return the cases of a folder, none of them opened yet.

    Args:
        folder: Of any layout in LAYOUTS.
        as_: Layout by name, whatever the folder looks like; None recognises it.
        pseudonym: A keyed one-way function: patient id or UID to a word that is safe in a file name.
        accept: Words that take DICOM series in spite of their verdict (see dicom.load).
        columns: Words such as "patient=subject_id": ours and theirs, for a table of pictures.
        progress: Called with (cases told of, cases in all) as `Found.read` goes on.

    Raises:
        LayoutError: Nothing there, no permission, empty, of no known layout, or not of the one named.
    """
    require_folder(folder)
    taken = recognise(folder, columns=columns) if as_ is None else Recognised(name=as_, why="you said so (--as)")
    layout = layout_of(taken.name)
    if columns:
        if layout.with_columns is None:
            raise LayoutError(f"The layout {taken.name!r} reads no table of other columns; leave --columns out.")
        layout = layout.with_columns(columns)
    found = layout.read(folder, why=taken.why, pseudonym=pseudonym, accept=accept)
    return found if progress is None else found.told(progress)


def layout_of(name: str) -> Layout:
    """Return the layout of a name.

    Raises:
        LayoutError: There is none of that name; the message offers close ones.
    """
    try:
        return cast("Layout", find(name, table=LAYOUTS, group="isocenter.layouts"))
    except NotFoundError as error:
        raise LayoutError(f"There is no layout {name!r}. {did_you_mean(name, sorted(LAYOUTS))}") from error
