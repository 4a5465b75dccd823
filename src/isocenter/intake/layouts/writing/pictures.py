"""A data set as pictures with a table: PNG files, labels and facts in pictures.csv, label images beside them."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from isocenter.case import UNSIGNED, Case, Dataset, Entry
from isocenter.errors import InputError
from isocenter.image import LabelTable, Mask, Volume
from isocenter.image.raster import write_raster
from isocenter.intake.layouts.writing.manifest import write_json
from isocenter.intake.layouts.writing.order import Order, Written
from isocenter.intake.layouts.writing.sheets import Cell, fact_cells, units_of, write_table

TABLE, LABELS = "pictures.csv", "labels.json"
_OWN = ("path", "case", "patient", "day", "split", "mask", "pixel_mm")


def write(order: Order, folder: Path) -> Written:
    """Write images/, masks/, pictures.csv, labels.json and dataset.json.

    Raises:
        InputError: Volumes of several slices, values that PNG does not keep, or a fact called as a column of ours.
        FileError: The folder cannot be written.
    """
    dataset = order.dataset
    units = units_of(dataset.entries, columns=_OWN)
    roles = list(dict.fromkeys(role for entry in dataset.entries for role in entry.volumes))
    headers = {role: "path" if role == "image" or len(roles) == 1 else f"path_{role}" for role in roles}
    readers = list(dict.fromkeys(outline.reader for entry in dataset.entries for outline in entry.outlines))
    rows: list[dict[str, Cell]] = []
    cases: dict[str, tuple[str, ...]] = {}
    mixed = 0
    for entry, case in order.cases():
        images, masks = _names(case, roles)
        _write_all(case, folder, images=images, masks=masks)
        cases[entry.id] = (*images.values(), *masks.values())
        mixed += len(_sizes(case)) > 1
        cells: dict[str, Cell] = {headers[role]: images.get(role) for role in roles}
        cells |= _said(order, entry, case)
        cells |= {_mask_header(reader): masks.get(reader) for reader in readers}
        rows.append(cells | fact_cells(entry.facts, units))
    write_table(folder / TABLE, rows)
    if dataset.table is not None:
        write_json(folder / LABELS, _labels(dataset.table))
    source = dataset.source
    write_json(
        folder / "dataset.json",
        {"name": source.name or dataset.name, "licence": source.licence, "reference": source.origin},
    )
    return Written(cases=cases, notes=_notes(dataset, roles, mixed=mixed))


def _names(case: Case, roles: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return role to file of a case's images, and reader to file of its masks."""
    is_only = len(roles) == 1
    images = {role: f"images/{case.id}.png" if is_only else f"images/{_word(role)}/{case.id}.png" for role in roles}
    masks = {one.reader: f"masks/{_word(one.reader)}/{case.id}.png" for one in case.annotations}
    return {role: name for role, name in images.items() if role in case.volumes}, masks


def _word(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "x"


def _write_all(case: Case, folder: Path, *, images: Mapping[str, str], masks: Mapping[str, str]) -> None:
    written: list[tuple[str, Volume | Mask]] = [(images[role], volume) for role, volume in case.volumes.items()]
    written += [(masks[one.reader], one.mask) for one in case.annotations]
    for name, image in written:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        try:
            write_raster(image, folder / name)
        except InputError as error:
            is_picture = isinstance(image, Volume) and image.is_planar
            others = "nnunet form keeps such values, where pictures are outlined" if is_picture else (
                "nnunet and bids forms keep such volumes"
            )  # fmt: skip
            raise type(error)(f"Case {case.id}: {error} The {others}.") from error


def _said(order: Order, entry: Entry, case: Case) -> dict[str, Cell]:
    """Return a case's cells besides files and facts."""
    sizes = _sizes(case)
    return {
        "case": entry.id, "patient": entry.patient, "day": entry.day, "split": order.side(entry),
        "pixel_mm": next(iter(sizes)) if len(sizes) == 1 else None,
    }  # fmt: skip


def _sizes(case: Case) -> set[str | None]:
    """Return the sizes that the pixels of a case have, between rows and between columns; None for an unknown one."""
    steps = [one.affine.spacing[1:] if one.has_size else None for one in case.volumes.values()]
    return {None if mm is None else f"{mm[0]!r}x{mm[1]!r}" for mm in steps}


def _mask_header(reader: str) -> str:
    return "mask" if reader == UNSIGNED else f"mask_{reader}"


def _labels(table: LabelTable) -> dict[str, int | list[int]]:
    named: dict[str, int | list[int]] = {label.name: label.value for label in table}
    named |= {region.name: list(region.values) for region in table.regions if len(region.values) > 1}
    return named if table.ignore is None else {**named, "ignore": table.ignore}


def _notes(dataset: Dataset, roles: Sequence[str], *, mixed: int) -> tuple[str, ...]:
    notes = []
    if len(roles) > 1:
        notes.append(f"Roles of {dataset.name!r} have a column each: {', '.join(roles)}.")
    elif roles != ["image"]:
        notes.append(f"The role {roles[0]!r} is called image.")
    if mixed:
        notes.append(
            f"The pixels of {mixed} case(s) are of several sizes; a line of the table has one, so none is written."
        )
    return tuple(notes)
