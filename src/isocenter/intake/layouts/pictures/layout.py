"""The layout of pictures: a table beside them, or a folder for each class. Decision 0008 says what is forgiven."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from isocenter.case import Annotation, Case
from isocenter.errors import FileError, InputError, LayoutError
from isocenter.image import Mask, Volume
from isocenter.image.raster import picture_affine
from isocenter.intake.issue import Issue
from isocenter.intake.layouts.document import load_document
from isocenter.intake.layouts.folder import name_in
from isocenter.intake.layouts.found import Draft, Found, Layout, Pseudonym, Read
from isocenter.intake.layouts.nifti.sheet import NAME as SHEET
from isocenter.intake.layouts.nifti.sheet import source_in
from isocenter.intake.layouts.pictures.classes import rows_without_table
from isocenter.intake.layouts.pictures.columns import parse_columns
from isocenter.intake.layouts.pictures.labels import Meaning, Pixels, find_meaning, mask_values, read_meaning
from isocenter.intake.layouts.pictures.places import Place, Places
from isocenter.intake.layouts.pictures.rows import Row, read_rows
from isocenter.intake.layouts.pictures.table import find_table, unused_tables
from isocenter.intake.opening import open_input

_NAME = "pictures"
MOST_BAD = 0.05
"""Share of the cases that may be unusable before the whole folder is refused: of thousands a few always are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Maker:
    """What every case of a folder has in common when it is opened."""

    folder: Path
    meaning: Meaning | None
    accept: frozenset[str]

    def open(self, row: Row, patient: str) -> Read:
        """Return a case.

        Raises:
            InputError: A file that cannot be read or changed meanwhile, a picture or mask that cannot be.
            GridError: Picture and mask are of different sizes.
        """
        sources: dict[str, str] = {}
        if not row.volumes:
            raise FileError(f"{row.where}: no file is named. Write its path, or take the line out.")
        volumes = {role: self._volume(row, place, sources) for role, place in row.volumes.items()}
        first = next(iter(volumes.values()))
        masks = tuple(
            Annotation(reader=reader, mask=self._mask(row, found, first, sources))
            for reader, found in row.masks.items()
        )
        case = Case(id=row.id, patient=patient, volumes=volumes, facts=row.facts, annotations=masks, day=row.day)
        return Read(case=case, sources=sources)

    def _volume(self, row: Row, place: Place, sources: dict[str, str]) -> Volume:
        opened = open_input(_there(place, row), accept=self.accept)
        sources |= {name_in(path, self.folder): digest for path, digest in opened.files.items()}
        volume = next(iter(opened.volumes.values()))
        if row.spacing_mm is None or not volume.is_planar:
            return volume
        affine = picture_affine(row_mm=row.spacing_mm[0], column_mm=row.spacing_mm[1])
        return replace(volume, affine=affine, has_size=True)

    def _mask(self, row: Row, found: Iterable[Place], first: Volume, sources: dict[str, str]) -> Mask:
        labels: Pixels | None = None
        for place in found:
            path = _there(place, row)
            drawn = mask_values(path)
            drawn.require_place_of(first)
            sources[name_in(path, self.folder)] = drawn.digest
            more = drawn.values if self.meaning is None else self.meaning.read(drawn.values)
            if labels is not None and labels.shape != more.shape:
                raise InputError(f"{row.where}: its label images are of different sizes. Save them again alike.")
            labels = more if labels is None else np.maximum(labels, more)
        if self.meaning is None or labels is None:
            raise FileError(f"{row.where}: its label image is empty, like every other one. Outline something.")
        return Mask(labels=labels, affine=first.affine, table=self.meaning.table)


def _there(place: Place, row: Row) -> Path:
    if place.path is None:
        raise FileError(f"{row.where}: {place.why}. Put the file there, or take the line out.")
    return place.path


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pictures:
    """Recognising and reading, with foreign names of columns mapped to ours."""

    mapped: Mapping[str, str]

    def recognise(self, folder: Path) -> str:
        """Return why a folder is of this layout, "" where it is not.

        Raises:
            LayoutError: A folder inside may not be read, two tables name pictures, or a mapped column is nowhere.
        """
        places = Places(folder)
        table = find_table(folder, mapped=self.mapped, places=places, strict=bool(self.mapped))
        if table is not None:
            return f"{table.name} names files of the folder, line by line"
        rows = rows_without_table(places)
        if not rows:
            return ""
        classes = {fact.value for row in rows for fact in row.facts.values()}
        return f"it holds pictures in {len(classes)} class folders" if classes else "it holds pictures and label images"

    def read(self, folder: Path, *, why: str, pseudonym: Pseudonym, accept: Collection[str]) -> Found:
        """Return a case for each line of the table, or for each picture in a class folder.

        Raises:
            LayoutError: No table and no class folders, or a table or labels.json that cannot be used.
            LabelError: Labels that cannot be.
        """
        places = Places(folder)
        rows, issues = self._rows(folder, places)
        meaning = _meaning(folder, rows)
        maker = _Maker(folder=folder, meaning=meaning, accept=frozenset(accept))
        issues += _patients(rows)
        drafts = []
        for row in sorted(rows, key=lambda row: row.id):
            patient = pseudonym(row.patient) if row.patient else row.id
            opened = partial(maker.open, row, patient)
            drafts.append(Draft(id=row.id, patient=patient, where=row.where, open=opened))
        return Found(
            layout=_NAME, why=why, table=None if meaning is None else meaning.table,
            source=source_in(load_document(folder / SHEET) or {}, layout=_NAME),
            drafts=tuple(drafts), issues=tuple(issues), most_bad=MOST_BAD,
            sides={row.id: row.side for row in rows if row.side is not None},
        )  # fmt: skip

    def _rows(self, folder: Path, places: Places) -> tuple[list[Row], list[Issue]]:
        table = find_table(folder, mapped=self.mapped, places=places, strict=bool(self.mapped))
        if table is not None:
            return read_rows(table, places)
        rows = rows_without_table(places)
        if rows:
            return rows, list(_unused(unused_tables(folder, mapped=self.mapped, places=places)))
        find_table(folder, mapped=self.mapped, places=places, strict=True)  # says why no table will do
        raise LayoutError(
            f"{folder.name!r} holds no table of pictures and no class folders. Put a labels.csv into it, such as\n"
            "path,label,patient\nimages/1.png,normal,A"
        )


def _unused(why: Mapping[str, str]) -> Iterator[Issue]:
    """Yield the tables that could not be used, where classes are taken from the folders instead."""
    for name, reason in why.items():
        yield Issue(
            check="layout", where=name, figure=f"the table was not used: {reason.rstrip('.')}",
            limit="a table of the folder's pictures", severity="warn",
            mend="Mend it, or take it out where the folders say all that is known.",
        )  # fmt: skip


def _meaning(folder: Path, rows: Iterable[Row]) -> Meaning | None:
    paths = [place.path for row in rows for found in row.masks.values() for place in found if place.path is not None]
    if not paths:
        return None
    return read_meaning(folder) or find_meaning(paths)


def _patients(rows: Collection[Row]) -> Iterator[Issue]:
    """Yield what is not known of patients, and those whose pictures are said to be on two sides."""
    alone = sum(not row.patient for row in rows)
    if alone:
        yield Issue(
            check="patients", where="the folder",
            figure=f"of {alone} of {len(rows)} cases nobody says whose they are; each counts as a patient of its own",
            limit="a patient for each case",
            mend="Add a column 'patient', or say which it is with --columns patient=THEIRS; otherwise pictures of one "
            "person may be learnt from and tested on.", severity="warn",
        )  # fmt: skip
    sides = Counter(patient for patient, _ in {(row.patient, row.side) for row in rows if row.patient and row.side})
    both = sum(count > 1 for count in sides.values())
    if both:
        yield Issue(
            check="one patient", where="the column split", figure=f"{both} patient(s) stand on several sides",
            limit="one side for each patient", severity="warn",
            mend="All their cases are test cases now where one was, else validation; mend the table if that is wrong.",
        )  # fmt: skip


def with_columns(columns: Collection[str]) -> Layout:
    """Return the layout for tables whose columns have other names.

    Args:
        columns: Words such as "patient=subject_id".

    Raises:
        LayoutError: A word that is no such pair.
    """
    pictures = _Pictures(mapped=parse_columns(columns))
    return Layout(recognise=pictures.recognise, read=pictures.read, with_columns=with_columns)


LAYOUT = with_columns(())
