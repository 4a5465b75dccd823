"""A data set as nnU-Net wants it: one file a case and channel, one label each, our folds in splits_final.json.

Source: https://github.com/MIC-DKFZ/nnUNet, documentation/dataset_format.md, region_based_training.md,
ignore_label.md and manual_data_splits.md (version 2).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.case import Case, Dataset, Entry, standing
from isocenter.errors import GridError, InputError, LabelError
from isocenter.image import LabelTable, Mask, Volume, write_nifti
from isocenter.intake.layouts.writing.manifest import write_json
from isocenter.intake.layouts.writing.order import Order, Written, lost_in_nifti, nifti_notes
from isocenter.intake.layouts.writing.sheets import Cell, fact_cells, units_of, write_table

_ENDING = ".nii.gz"
_WORDS = {"CT": "CT", "MR": "MRI", "PT": "PET", "US": "ultrasound"}  # what our own reading understands again


def write(order: Order, folder: Path) -> Written:
    """Write imagesTr, labelsTr, imagesTs, labelsTs, dataset.json, splits_final.json and patients.csv.

    Raises:
        InputError: Nothing is outlined, pictures in colour, channels that differ from case to case or lie on
            different grids.
        FileError: The folder cannot be written.
    """
    dataset = order.dataset
    table = dataset.table
    if table is None:
        raise InputError(
            f"Data set {dataset.name!r} has no outlines, and nnU-Net learns outlines. Export it as bids or pictures."
        )
    roles = _roles(dataset)
    numbers = _numbers(table)
    modalities: dict[str, str] = {}
    cases: dict[str, tuple[str, ...]] = {}
    lost: Counter[str] = Counter()
    for entry, case in order.cases():
        part = "Ts" if order.side(entry) == "test" else "Tr"
        if part == "Ts" or case.annotations:
            cases[entry.id] = _write_case(case, folder, part=part, roles=roles, numbers=numbers)
            lost.update(lost_in_nifti(case))
            modalities |= {role: case.volumes[role].modality for role in roles}
    learning = [entry for entry in dataset.entries if entry.id in cases and order.side(entry) != "test"]
    if not learning:
        raise InputError(f"No learning case of data set {dataset.name!r} is outlined, and nnU-Net learns outlines.")
    channels = {role: _channel(role, modalities[role], is_only=len(roles) == 1) for role in roles}
    write_json(folder / "dataset.json", _sheet(dataset, tuple(channels.values()), table, numbers, len(learning)))
    if dataset.split is not None:
        write_json(folder / "splits_final.json", _folds(dataset, learning))
    _write_patients(folder, [entry for entry in dataset.entries if entry.id in cases])
    return Written(cases=cases, notes=(*_notes(dataset, roles, numbers, cases), *nifti_notes(lost)))


def _roles(dataset: Dataset) -> tuple[str, ...]:
    """Return the roles that every case has: nnU-Net wants all channels of all cases."""
    shared = [role for role in dataset.entries[0].volumes if all(role in entry.volumes for entry in dataset.entries)]
    if not shared:
        raise InputError(
            f"No volume of data set {dataset.name!r} is there in every case, and nnU-Net wants the same channels of "
            "each. Export it as bids, or take in a part of it."
        )
    return tuple(shared)


def _numbers(table: LabelTable) -> dict[int, int]:
    """Return our numbers to theirs: without gaps from 1, voxels to ignore last."""
    if any(label.name.lower() in ("background", "ignore") for label in table):
        raise LabelError("A structure is called 'background' or 'ignore', which mean something else to nnU-Net.")
    numbers = {label.value: place for place, label in enumerate(sorted(table, key=lambda one: one.value), 1)}
    return numbers if table.ignore is None else {**numbers, table.ignore: len(numbers) + 1}


def _write_case(
    case: Case, folder: Path, *, part: str, roles: Sequence[str], numbers: Mapping[int, int]
) -> tuple[str, ...]:
    first = case.volumes[roles[0]]
    for role in roles:
        volume = case.volumes[role]
        if volume.channels > 1:
            raise InputError(f"Case {case.id}: {role} is in colour, which NIfTI does not keep. Export as pictures.")
        _require_one_grid(case.id, role, volume, first)
    files = {f"images{part}/{case.id}_{place:04d}{_ENDING}": case.volumes[role] for place, role in enumerate(roles)}
    written: dict[str, Volume | Mask] = dict(files)
    reading = standing(case.annotations)
    if reading is not None:
        reading.mask.require_grid_of(first)
        written[f"labels{part}/{case.id}{_ENDING}"] = _renumbered(reading.mask, numbers)
    for name, image in written.items():
        (folder / name).parent.mkdir(exist_ok=True)
        write_nifti(image, folder / name)
    return tuple(written)


def _require_one_grid(case: str, role: str, volume: Volume, first: Volume) -> None:
    if volume.shape != first.shape or not volume.affine.is_close(first.affine, shape=first.shape, tolerance_mm=0.1):
        raise GridError(
            f"Case {case}: {role} lies on another grid than its first volume, and nnU-Net wants all channels of a case "
            "on one. Export as bids, which keeps each on its own."
        )


def _renumbered(mask: Mask, numbers: Mapping[int, int]) -> Mask:
    theirs = np.zeros(max(numbers) + 1, dtype=np.uint16)
    for ours, number in numbers.items():
        theirs[ours] = number
    labels = tuple(replace(label, value=numbers[label.value]) for label in mask.table)
    ignore = None if mask.table.ignore is None else numbers[mask.table.ignore]
    return Mask(labels=theirs[mask.labels], affine=mask.affine, table=LabelTable(labels=labels, ignore=ignore))


def _channel(role: str, modality: str, *, is_only: bool) -> str:
    """Return what a channel is called: CT by that very word, which decides how nnU-Net normalises it."""
    word = _WORDS.get(modality)
    if word is None:
        return role
    if is_only and (role == "image" or modality == "CT"):
        return word
    return role if modality == "MR" and role.startswith(("t1", "t2", "flair", "pd")) else f"{word}_{role}"


def _sheet(
    dataset: Dataset, channels: Sequence[str], table: LabelTable, numbers: Mapping[int, int], count: int
) -> dict[str, Any]:
    singles: dict[str, int | list[int]] = {label.name: numbers[label.value] for label in table}
    regions = [one for one in table.regions if len(one.values) > 1]
    # the largest first: where regions overlap, nnU-Net lets the later one have the voxel
    large = sorted(regions, key=lambda one: -len(one.values))
    unions: dict[str, int | list[int]] = {one.name: [numbers[value] for value in one.values] for one in large}
    ignore = {} if table.ignore is None else {"ignore": numbers[table.ignore]}
    order = [numbers[one.values[0]] for one in large] + [int(str(one)) for one in singles.values()]
    return {
        "channel_names": {str(place): name for place, name in enumerate(channels)},
        "labels": {"background": 0, **unions, **singles, **ignore},
        **({"regions_class_order": order} if regions else {}),
        "numTraining": count,
        "file_ending": _ENDING,
        "name": dataset.source.name or dataset.name,
        "licence": dataset.source.licence,
        "reference": dataset.source.origin,
    }


def _folds(dataset: Dataset, learning: Sequence[Entry]) -> list[dict[str, list[str]]]:
    if dataset.split is None:
        return []
    folds = dataset.split.folds
    return [
        {
            "train": [entry.id for entry in learning if folds[entry.patient] != fold],
            "val": [entry.id for entry in learning if folds[entry.patient] == fold],
        }
        for fold in sorted(set(folds.values()))
    ]


def _write_patients(folder: Path, entries: Sequence[Entry]) -> None:
    units = units_of(entries, columns=("case", "patient", "day"))
    rows: list[dict[str, Cell]] = [
        {"case": entry.id, "patient": entry.patient, "day": entry.day, **fact_cells(entry.facts, units)}
        for entry in entries
    ]
    write_table(folder / "patients.csv", rows)


def _notes(
    dataset: Dataset, roles: Sequence[str], numbers: Mapping[int, int], cases: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    notes = []
    others = sorted({role for entry in dataset.entries for role in entry.volumes} - set(roles))
    if others:
        notes.append(f"Volumes that not every case has were left out: {', '.join(others)}.")
    if any(ours != theirs for ours, theirs in numbers.items()):
        told = ", ".join(f"{ours} is {theirs}" for ours, theirs in numbers.items())
        notes.append(f"Labels are numbered anew, without gaps: {told}.")
    several = sum(len(entry.outlines) > 1 for entry in dataset.entries if entry.id in cases)
    if several:
        notes.append(
            f"{several} case(s) have several readers; nnU-Net takes one: the consensus where there is one, else the "
            "first reader. The bids form keeps all."
        )
    without = len(dataset.entries) - len(cases)
    if without:
        notes.append(f"{without} learning case(s) without outlines were left out.")
    return tuple(notes)
