"""A data set as the DICOM files that a release left: bit for bit, under pseudonyms."""

import shutil
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from isocenter.case import Entry
from isocenter.errors import FileError, InputError
from isocenter.intake.layouts.found import Draft
from isocenter.intake.layouts.writing.order import Order, Written
from isocenter.store.evidence import sha256_of


def write_released(order: Order, folder: Path, *, drafts: Sequence[Draft], proved: Collection[str]) -> Written:
    """Copy the files of each case to dicom/PATIENT/CASE/NUMBER.dcm.

    Args:
        order: What is asked for.
        folder: That is there.
        drafts: What the release holds, with the files of each case.
        proved: sha256 in hex of every file that was proved.

    Raises:
        InputError: The release lacks a case, or holds other files than were taken in.
        FileError: A file cannot be read or written.
    """
    known = {draft.id: draft.files for draft in drafts}
    entries, cases = order.dataset.entries, dict[str, tuple[str, ...]]()
    for place, entry in enumerate(entries, 1):
        cases[entry.id] = tuple(_copied(entry, known.get(entry.id, ()), folder, proved))
        if order.progress is not None:
            order.progress(place, len(entries))
    return Written(cases=cases)


def _copied(entry: Entry, files: Sequence[Path], folder: Path, proved: Collection[str]) -> Iterator[str]:
    if not files:
        raise InputError(f"The release lacks case {entry.id}. Name the folder that this data set was taken from.")
    for number, path in enumerate(files, 1):
        name = f"dicom/{entry.patient}/{entry.id}/{number:06d}.dcm"
        target = folder / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        except OSError as error:
            raise FileError(f"{name} cannot be written: {error.strerror}.") from error
        if sha256_of(target) not in proved:  # what was copied, not what may have been put in its place since
            raise InputError(
                f"File {number} of case {entry.id} is not one that the data set was taken from. Name the release as "
                "`deid` left it."
            )
        yield name
