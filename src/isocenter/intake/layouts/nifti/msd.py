"""The layout of the Medical Segmentation Decathlon: one file a case, several channels along a fourth axis.

Source: Antonelli et al. 2022, The Medical Segmentation Decathlon, Nat Commun 13:4128.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

from isocenter.intake.issue import Issue
from isocenter.intake.layouts.document import load_document
from isocenter.intake.layouts.folder import name_in, nifti_files
from isocenter.intake.layouts.found import Found, Layout, Pseudonym
from isocenter.intake.layouts.nifti.pairs import Sides, find_pairs
from isocenter.intake.layouts.nifti.sheet import NAME, Sheet, read_sheet


def recognise(folder: Path) -> str:
    """Return why a folder is of this layout, "" where it is not.

    Raises:
        LayoutError: Its dataset.json cannot be read.
    """
    document = load_document(folder / NAME)
    if document is None or not (folder / "imagesTr").is_dir() or not {"labels", "modality"} <= set(document):
        return ""
    return "dataset.json says 'modality' and 'labels', and there is imagesTr with one file a case"


def read(folder: Path, *, why: str, pseudonym: Pseudonym, accept: Collection[str]) -> Found:
    """Return the cases of imagesTr and labelsTr, and those of imagesTs that have labels in labelsTs.

    What dataset.json lists and what lies in the folders are compared; neither is believed alone.

    Raises:
        LayoutError: dataset.json or patients.csv cannot be used.
        LabelError: Labels that cannot be.
    """
    del accept  # words for DICOM series
    sheet = read_sheet(folder, layout="msd")
    sides = [
        Sides(
            images={case: (path,) for case, path in nifti_files(folder / f"images{part}").items()},
            labels=nifti_files(folder / f"labels{part}"),
            is_test=part == "Ts",
        )
        for part in ("Tr", "Ts")
    ]
    return find_pairs(folder, sheet, sides=sides, why=why, pseudonym=pseudonym, issues=tuple(_listing(folder, sheet)))


def _listing(folder: Path, sheet: Sheet) -> Iterator[Issue]:
    """Yield where the list in dataset.json and the folder disagree."""
    images = [image for image, _ in sheet.training]
    for image, count in Counter(images).items():
        if count > 1:
            yield _issue(image, f"listed {count} times", "Keep one of its lines in dataset.json.")
    for name in sorted({name for pair in sheet.training for name in pair}):
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            yield _issue(name, "listed with a path that leads out of the folder", "Name files inside the folder.")
        elif not (folder / name).is_file():
            yield _issue(name, "listed in dataset.json and not there", "Copy it again, or take its line out.")
    there = [name_in(path, folder) for path in nifti_files(folder / "imagesTr").values()]
    for name in sorted(set(there) - set(images)) if images else ():
        yield _issue(name, "not listed in dataset.json", "Add its line, or take the file out.", is_grave=False)
    if sheet.training_count not in (None, len(images) or len(there)):
        yield _issue(
            "dataset.json", f"numTraining is {sheet.training_count}, {len(images) or len(there)} are there",
            "Look whether files were lost on the way, then correct the number.", is_grave=False,
        )  # fmt: skip


def _issue(where: str, figure: str, mend: str, *, is_grave: bool = True) -> Issue:
    limit = "dataset.json and the folder say the same"
    return Issue(
        check="listing", where=where, figure=figure, limit=limit, mend=mend, severity="stop" if is_grave else "warn"
    )


LAYOUT = Layout(recognise=recognise, read=read)
