"""Segmentations and structure sets in a DICOM folder: which series they speak of, and what they name."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from isocenter.case import Annotation
from isocenter.dicom import Series
from isocenter.dicom.seg import read_seg
from isocenter.dicom.seg.frames import read_segmentation
from isocenter.dicom.structures.rtstruct import read_rtstruct, read_structures
from isocenter.errors import InputError, LabelError
from isocenter.image import Label, LabelTable, Mask, Volume
from isocenter.intake.issue import Issue, issue_of

MODALITIES = ("SEG", "RTSTRUCT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlined:
    """A file of outlines.

    Args:
        uid: SOP instance UID.
        reader: What an annotation calls it, such as "seg-1": DICOM says who only by name.
        labels: Its structures, in its own numbers.
        target: Series UID that it refers to.
    """

    path: Path = field(repr=False)
    uid: str = field(repr=False)
    modality: str
    reader: str
    labels: tuple[Label, ...]
    target: str = field(repr=False)

    @property
    def names(self) -> frozenset[str]:
        """Names of its structures."""
        return frozenset(label.name for label in self.labels)

    def read(self, volume: Volume, *, table: LabelTable) -> Mask:
        """Return the outlines on the grid of their image, in the numbers of the data set's table.

        Raises:
            InputError: Damaged, off the image's grid, or structures that overlap.
        """
        reader = read_seg if self.modality == "SEG" else read_rtstruct
        try:
            return reader(self.path, volume=volume).in_table(table)
        except InputError as error:  # a file's name may be a patient's
            raise type(error)(str(error).replace(self.path.name, self.reader)) from error


def read_outlines(outlined: Iterable[Outlined], volume: Volume, *, table: LabelTable) -> tuple[Annotation, ...]:
    """Return the annotations of an image: files that name different structures are one reader's work.

    Raises:
        InputError: A file is damaged, off the image's grid, or its structures overlap.
        LabelError: Structures of two files overlap that are to be one mask.
    """
    groups: list[list[Outlined]] = []
    for one in outlined:
        mine = next((group for group in groups if not any(one.names & other.names for other in group)), None)
        if mine is None:
            groups.append([one])
        else:
            mine.append(one)
    return tuple(
        Annotation(reader=group[0].reader, mask=_together(group, volume, table), how="unknown") for group in groups
    )


def _together(group: Sequence[Outlined], volume: Volume, table: LabelTable) -> Mask:
    mask = group[0].read(volume, table=table)
    for one in group[1:]:
        more = one.read(volume, table=table)
        both = int(np.count_nonzero((mask.labels > 0) & (more.labels > 0)))
        if both:
            raise LabelError(
                f"The structures of {one.reader} and of files before it overlap in {both} voxels; a mask holds one "
                "label each. Keep one of the files, or mend the outlines."
            )
        mask = replace(mask, labels=np.maximum(mask.labels, more.labels))
    return mask


def find_outlines(series: Iterable[Series], *, where: str) -> tuple[list[Outlined], list[Issue]]:
    """Return the files of outlines of a study, and what is wrong with others.

    Args:
        series: Of one study; pictures are passed over.
        where: What an issue calls the study.
    """
    found: list[Outlined] = []
    issues: list[Issue] = []
    counts = dict.fromkeys(MODALITIES, 0)
    for one in series:
        for path in one.paths if one.modality in MODALITIES else ():
            counts[one.modality] += 1
            reader = f"{one.modality.lower()}-{counts[one.modality]}"
            try:
                found += [_outlined(path, one, reader=reader) for _ in one.references[:1]]
            except InputError as error:
                told = type(error)(str(error).replace(path.name, reader))
                issues.append(issue_of(told, where=f"{where} ({reader})"))
            if not one.references:
                issues.append(_homeless(f"{where} ({reader})", "refers to no series"))
    return found, issues


def _outlined(path: Path, series: Series, *, reader: str) -> Outlined:
    is_seg = series.modality == "SEG"
    return Outlined(
        path=path,
        uid=next(instance.sop_uid for instance in series.instances if instance.path == path),
        modality=series.modality,
        reader=reader,
        labels=read_segmentation(path).labels if is_seg else read_structures(path),
        target=series.references[0],
    )


def table_of(outlined: Iterable[Outlined]) -> LabelTable | None:
    """Return one table for all files: each name once, numbered in the order of the names, so files may come anyhow."""
    first: dict[str, Label] = {}
    for one in outlined:
        for label in one.labels:
            first.setdefault(label.name, label)
    if not first:
        return None
    named = (first[name] for name in sorted(first))
    return LabelTable(labels=tuple(replace(label, value=value) for value, label in enumerate(named, 1)))


def without_target(outlined: Iterable[Outlined], taken: Mapping[str, Series], *, where: str) -> list[Issue]:
    """Return an issue for each file whose image is not among those taken."""
    return [
        _homeless(f"{where} ({one.reader})", "refers to a series that is not here, or makes no volume")
        for one in outlined
        if one.target not in taken
    ]


def _homeless(where: str, figure: str) -> Issue:
    return Issue(
        check="pairing", where=where, figure=figure, limit="outlines and the image that they were drawn on",
        mend="Export the series that they were drawn on as well, or take the outlines out.",
    )  # fmt: skip
