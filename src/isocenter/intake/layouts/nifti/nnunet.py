"""The layout of nnU-Net: one file a case and channel, such as case_0000.nii.gz.

Source: https://github.com/MIC-DKFZ/nnUNet, documentation/dataset_format.md (version 2; version 1 says 'modality').
"""

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from isocenter.intake.issue import Issue
from isocenter.intake.layouts.document import load_document
from isocenter.intake.layouts.folder import name_in, nifti_files
from isocenter.intake.layouts.found import Found, Layout, Pseudonym
from isocenter.intake.layouts.nifti.pairs import Sides, find_pairs
from isocenter.intake.layouts.nifti.sheet import NAME, Sheet, read_sheet

_CHANNEL = re.compile(r"(?P<case>.+)_(?P<number>[0-9]{4})")


def recognise(folder: Path) -> str:
    """Return why a folder is of this layout, "" where it is not.

    Raises:
        LayoutError: Its dataset.json cannot be read.
    """
    document = load_document(folder / NAME)
    if document is None or not (folder / "imagesTr").is_dir():
        return ""
    if "channel_names" in document:
        return "dataset.json says 'channel_names', and there is imagesTr with one file a case and channel"
    names = nifti_files(folder / "imagesTr")
    if names and "labels" in document and all(_CHANNEL.fullmatch(name) for name in names):
        return "there is a dataset.json, and every image in imagesTr ends in its channel's number, such as _0000"
    return ""


def read(folder: Path, *, why: str, pseudonym: Pseudonym, accept: Collection[str]) -> Found:
    """Return the cases of imagesTr and labelsTr, and those of imagesTs that have labels in labelsTs.

    Raises:
        LayoutError: dataset.json or patients.csv cannot be used.
        LabelError: Labels that cannot be.
    """
    del accept  # words for DICOM series
    sheet = read_sheet(folder, layout="nnunet")
    issues: list[Issue] = []
    sides = []
    for part in ("Tr", "Ts"):
        labels = nifti_files(folder / f"labels{part}")
        grouped = dict(_by_case(folder / f"images{part}", issues, folder))
        whole = {case: files for case, files in grouped.items() if _is_whole(case, files, sheet, issues, folder)}
        labels = {case: path for case, path in labels.items() if case in whole or case not in grouped}
        images = {case: tuple(files[number] for number in sorted(files)) for case, files in whole.items()}
        sides.append(Sides(images=images, labels=labels, is_test=part == "Ts"))
    issues += _count(sheet, len(sides[0].images))
    return find_pairs(folder, sheet, sides=sides, why=why, pseudonym=pseudonym, issues=issues)


def _by_case(images: Path, issues: list[Issue], folder: Path) -> Iterator[tuple[str, dict[int, Path]]]:
    grouped: dict[str, dict[int, Path]] = {}
    for stem, path in nifti_files(images).items():
        parts = _CHANNEL.fullmatch(stem)
        if parts is None:
            issues.append(_issue(name_in(path, folder), "no channel's number at the end", "Call it CASE_0000.nii.gz."))
            continue
        grouped.setdefault(parts["case"], {})[int(parts["number"])] = path
    yield from grouped.items()


def _is_whole(case: str, files: Mapping[int, Path], sheet: Sheet, issues: list[Issue], folder: Path) -> bool:
    expected = set(range(len(sheet.channels)))
    if set(files) == expected:
        return True
    there = ", ".join(f"{number:04d}" for number in sorted(files))
    where = name_in(files[min(files)], folder)
    issues.append(
        _issue(where, f"case {case} has the channels {there}", "Add or take out files, or mend dataset.json.")
    )
    return False


def _count(sheet: Sheet, count: int) -> Iterator[Issue]:
    if sheet.training_count not in (None, count):
        yield Issue(
            check="listing", where="dataset.json", figure=f"numTraining is {sheet.training_count}, {count} are there",
            limit="dataset.json and the folder say the same",
            mend="Look whether files were lost on the way, then correct the number.", severity="warn",
        )  # fmt: skip


def _issue(where: str, figure: str, mend: str) -> Issue:
    return Issue(check="channels", where=where, figure=figure, limit="every channel that dataset.json names", mend=mend)


LAYOUT = Layout(recognise=recognise, read=read)
