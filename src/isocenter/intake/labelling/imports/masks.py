"""Folders of label images, NIfTI or PNG, named after their cases; of several readers, in a folder for each."""

import json
from pathlib import Path

import numpy as np

from isocenter.case import Entry, Reading
from isocenter.errors import InputError, LabelError, LayoutError
from isocenter.image import Label, LabelTable, Mask, Volume, read_nifti_mask
from isocenter.image.raster import decode_labels, is_raster
from isocenter.intake.issue import Issue, issue_of
from isocenter.intake.labelling.said import Heard, Said, Wanted, homeless
from isocenter.intake.steady import read_steady, steady

LABELS = "labels.json"
_WHITE = 255


def read_masks(path: Path, wanted: Wanted) -> Heard:
    """Return the outlines in a label image or a folder of them.

    Values mean what labels.json beside them says ({"liver": 1}), else what the version's table says; black and white
    are the one structure that there is.

    Raises:
        InputError: labels.json cannot be used.
    """
    root = path if path.is_dir() else path.parent
    files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
    files = [one for one in files if is_raster(one) or one.name.endswith((".nii", ".nii.gz"))]
    table = _stated(root) or wanted.table or LabelTable.of("label 1")
    return Heard(form="nifti", schema=None, said=(_said(one, root, table, wanted) for one in files))


def _said(path: Path, root: Path, table: LabelTable, wanted: Wanted) -> Said | Issue:
    inner = path.relative_to(root)
    where = inner.as_posix()
    entry = wanted.case_of(path.name, where, path.parent.name)
    if entry is None:
        return homeless(where)
    # READER/CASE.nii.gz, READER/CASE/mask.nii.gz, CASE/mask.nii.gz, CASE.nii.gz
    folders = [part for part in inner.parts[:-1] if part != entry.id]
    try:
        reader = wanted.named(folders[0] if folders else "")
        mask, digest = open_mask(path, table, wanted.image(entry))
    except InputError as error:
        return issue_of(error, where=where)
    reading = Reading(reader=reader, image=_image(entry))
    return Said(case=entry.id, reading=reading, mask=mask, files={where: digest})


def _image(entry: Entry) -> str:
    return next(iter(entry.volumes.values()))


def open_mask(path: Path, table: LabelTable, volume: Volume) -> tuple[Mask, str]:
    """Return a label image on a volume's grid, and the sha256 of its file.

    Raises:
        InputError: It cannot be read, or holds values outside the table.
        GridError: It lies on another grid than the volume: on another image, or another version of it.
    """
    if is_raster(path):
        content, digest = read_steady(path, name=path.name)
        values = decode_labels(content, name=path.name)
        if len(table) == 1 and set(np.unique(values)) <= {0, _WHITE}:
            values = np.where(values > 0, next(iter(table)).value, 0)
        mask = Mask(labels=values, affine=volume.affine, table=table)
    else:
        with steady(path, name=path.name) as digest:
            mask = read_nifti_mask(path, table=table)
    mask.require_grid_of(volume)
    return mask, digest


def _stated(root: Path) -> LabelTable | None:
    path = root / LABELS
    if not path.is_file():
        return None
    try:
        stated = json.loads(path.read_text(encoding="utf-8-sig"))
        return LabelTable(labels=tuple(Label(value=int(value), name=name) for name, value in stated.items()))
    except (OSError, ValueError, AttributeError, TypeError) as error:
        if isinstance(error, LabelError):
            raise
        raise LayoutError(f'{LABELS} is none ({error}). It is written {{"liver": 1, "tumour": 2}}.') from error
