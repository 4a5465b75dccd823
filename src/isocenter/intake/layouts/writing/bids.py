"""A data set in BIDS: subjects and sessions, facts in participants.tsv, each reader a derivative.

Source: BIDS specification 1.10, "Modality agnostic files", "Magnetic resonance imaging", "Derivatives: imaging".
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from isocenter import __version__
from isocenter.case import Annotation, Case, Dataset, Entry, Fact
from isocenter.errors import InputError
from isocenter.image import LabelTable, Volume, write_nifti
from isocenter.intake.layouts.bids.names import Name
from isocenter.intake.layouts.writing.manifest import MANIFEST, NOT_STATED, TERMS, write_json, write_text
from isocenter.intake.layouts.writing.order import Order, Written, lost_in_nifti, nifti_notes
from isocenter.intake.layouts.writing.sheets import Cell, units_of, write_table

VERSION = "1.10.0"
_SUFFIXES = {
    "t1": "T1w", "t1w": "T1w", "t2": "T2w", "t2w": "T2w", "flair": "FLAIR", "pd": "PDw", "pdw": "PDw",
    "t2star": "T2starw", "t2starw": "T2starw", "angio": "angio", "inplanet1": "inplaneT1", "inplanet2": "inplaneT2",
    "pdt2": "PDT2", "unit1": "UNIT1", "pet": "pet",
}  # fmt: skip
_CONTRASTED = ("t1ce", "t1c", "t1gd", "t1cgd")
_OWN = ("participant_id", "session_id", "acq_time", "split", "fold")
_KINDS = {"PT": "pet", "CT": "ct"}
_FIRST_DAY = datetime(1900, 1, 1)
_ENDING = ".nii.gz"
_ENTITIES = ("acq", "ce", "trc", "rec", "run", "mod", "echo", "flip", "inv", "mt", "part")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where the files of a case go: labels of its subject and its session."""

    subject: str
    session: str = ""

    @property
    def entities(self) -> dict[str, str]:
        return {"sub": self.subject, **({"ses": self.session} if self.session else {})}

    @property
    def folder(self) -> str:
        return "/".join(f"{key}-{label}" for key, label in self.entities.items())


@dataclass(slots=True, kw_only=True)
class _Readers:
    """Folders of derivatives by reader, and the suffixes that BIDS does not know."""

    folders: dict[str, str] = field(default_factory=dict)
    how: dict[str, str] = field(default_factory=dict)
    strange: set[str] = field(default_factory=set)

    def folder_of(self, one: Annotation) -> str:
        if one.reader not in self.folders:
            word = re.sub(r"[^A-Za-z0-9-]+", "-", one.reader).strip("-") or "reader"
            taken = set(self.folders.values())
            names = (word, *(f"{word}-{number}" for number in range(2, len(taken) + 3)))
            self.folders[one.reader] = next(name for name in names if name not in taken)
        self.how.setdefault(one.reader, one.how)
        return self.folders[one.reader]


def write(order: Order, folder: Path) -> Written:
    """Write images by subject and session, participants.tsv, and the outlines of each reader as a derivative.

    Raises:
        InputError: Pictures, or colour, for which BIDS has no place.
        FileError: The folder cannot be written.
    """
    dataset = order.dataset
    places = _places(dataset.entries)
    readers = _Readers()
    cases: dict[str, tuple[str, ...]] = {}
    lost: Counter[str] = Counter()
    for entry, case in order.cases():
        cases[entry.id] = tuple(_write_case(case, folder, place=places[entry.id], readers=readers))
        lost.update(lost_in_nifti(case))
    _write_description(folder, dataset)
    _write_people(order, folder, places)
    if dataset.table is not None:
        _write_derivatives(folder, dataset, dataset.table, readers)
    strange = sorted(readers.strange)
    ignored = ["/receipts", "/evidence", MANIFEST, TERMS, *strange]
    write_text(folder / ".bidsignore", "\n".join(ignored) + "\n")
    return Written(cases=cases, notes=(*_notes(dataset, strange), *nifti_notes(lost)))


def _places(entries: Sequence[Entry]) -> dict[str, _Place]:
    """Return each case's subject and session; a patient's only case needs no session, unless its day is known."""
    subjects: dict[str, str] = {}
    places: dict[str, _Place] = {}
    for patient in sorted({entry.patient for entry in entries}):
        word = re.sub(r"[^A-Za-z0-9]", "", patient) or "x"
        taken = set(subjects.values())
        label = next(name for name in (word, *(f"{word}x{k}" for k in range(2, len(taken) + 3))) if name not in taken)
        subjects[patient] = label
        own = sorted((entry for entry in entries if entry.patient == patient), key=lambda one: (one.day or 0, one.id))
        is_plain = len(own) == 1 and own[0].day is None
        for number, entry in enumerate(own, 1):
            places[entry.id] = _Place(subject=label, session="" if is_plain else f"{number:02d}")
    return places


def _write_case(case: Case, folder: Path, *, place: _Place, readers: _Readers) -> Iterable[str]:
    """Write a case's volumes and masks and yield their names."""
    taken: set[str] = set()
    first = ""
    for role, volume in case.volumes.items():
        _require_volume(case.id, role, volume)
        kind = _KINDS.get(volume.modality, "anat")
        name = _name(role, volume, place, taken)
        if kind == "ct":  # computed tomography has no place in the specification yet
            readers.strange.add("**/ct")
        elif name.suffix not in _SUFFIXES.values():
            readers.strange.add(f"**/*_{name.suffix}.*")
        there = f"{place.folder}/{kind}/{name.file('')}"
        taken.add(there)
        (folder / there).parent.mkdir(parents=True, exist_ok=True)
        write_nifti(volume, folder / f"{there}{_ENDING}")
        write_json(folder / f"{there}.json", _said(volume))
        yield from (f"{there}{_ENDING}", f"{there}.json")
        first = first or there
    for one in case.annotations:
        yield from _write_outlines(one, folder, image=first, reader=readers.folder_of(one))


def _write_outlines(one: Annotation, folder: Path, *, image: str, reader: str) -> Iterable[str]:
    there = f"derivatives/{reader}/{image.rpartition('_')[0]}_dseg"
    (folder / there).parent.mkdir(parents=True, exist_ok=True)
    write_nifti(one.mask, folder / f"{there}{_ENDING}")
    uri = f"bids:raw:{image}{_ENDING}"
    write_json(folder / f"{there}.json", {"SpatialReference": uri, "Sources": [uri], "Manual": one.how == "manual"})
    yield from (f"{there}{_ENDING}", f"{there}.json")


def _require_volume(case: str, role: str, volume: Volume) -> None:
    if volume.channels > 1 or volume.is_planar:
        what = "a picture in colour" if volume.channels > 1 else "a picture"
        raise InputError(f"Case {case}: {role} is {what}, and BIDS has no place for those. Export as pictures.")


def _name(role: str, volume: Volume, place: _Place, taken: Iterable[str]) -> Name:
    """Return the name of a role's file: t1w_ce_gd becomes ce-gd_T1w, a role of another kind acq-… or its own suffix."""
    first, *words = role.lower().split("_")
    entities: dict[str, str] = {}
    rest: list[str] = []
    while words:
        word = words.pop(0)
        if word in _ENTITIES and words:
            entities[word] = re.sub(r"[^a-z0-9]", "", words.pop(0)) or "x"
        elif word.isdigit() and not words:
            entities["run"] = word
        else:
            rest.append(word)
    if rest:
        entities["acq"] = re.sub(r"[^a-z0-9]", "", entities.get("acq", "") + "".join(rest))
    if first in _CONTRASTED:
        first, entities["ce"] = "t1", "gadolinium"
    if volume.modality in _KINDS and first not in (_KINDS[volume.modality], "image"):
        entities["acq"] = re.sub(r"[^a-z0-9]", "", first) + entities.get("acq", "")  # such as arterial, venous
    suffix = _KINDS.get(volume.modality) or _SUFFIXES.get(first) or re.sub(r"[^A-Za-z0-9]", "", first) or "image"
    name = Name(entities={**place.entities, **entities}, suffix=suffix)
    stems = {one.rpartition("/")[2] for one in taken}
    number = 2
    while name.file("") in stems:
        name = Name(entities={**name.entities, "run": str(number)}, suffix=suffix)
        number += 1
    return name


def _said(volume: Volume) -> dict[str, Any]:
    said = {"Modality": volume.modality}
    return said | ({"Units": volume.unit} if volume.unit != "1" else {})


def _write_description(folder: Path, dataset: Dataset) -> None:
    source = dataset.source
    write_json(
        folder / "dataset_description.json",
        {
            "Name": source.name or dataset.name, "BIDSVersion": VERSION, "DatasetType": "raw",
            "License": source.licence or NOT_STATED,
            **({"HowToAcknowledge": source.origin} if source.origin else {}),
            "GeneratedBy": [{"Name": "isocenter", "Version": __version__}],
        },
    )  # fmt: skip
    write_text(
        folder / "README",
        f"{source.name or dataset.name}\n\nVersion {dataset.id} of the data set {dataset.name!r}, "
        f"{len(dataset.entries)} examinations, exported by isocenter {__version__}. Subjects bear pseudonyms, dates "
        f"are days counted from 1900-01-01. The terms of use stand in {TERMS}, every file with its sha256 in "
        f"{MANIFEST}. The column `split` of participants.tsv says who is learnt from, chosen on and tested on.\n",
    )


def _write_people(order: Order, folder: Path, places: Mapping[str, _Place]) -> None:
    """Write what is known: facts that all cases of a patient share by subject, all others by session."""
    entries = order.dataset.entries
    units = units_of(entries, columns=_OWN)
    own = {name for name in units if any(len(_values(group, name)) > 1 for group in _by_patient(entries).values())}
    people: list[dict[str, Cell]] = []
    for group in _by_patient(entries).values():
        first = group[0]
        place = places[first.id]
        shared = {name: _value(first.facts.get(name)) for name in units if name not in own}
        sides: dict[str, Cell] = {"split": order.side(first), "fold": order.fold(first)} if order.dataset.split else {}
        people.append({"participant_id": f"sub-{place.subject}", **shared, **sides})
        if place.session:
            rows = [_session(entry, places[entry.id], own) for entry in group]
            at = folder / f"sub-{place.subject}" / f"sub-{place.subject}_sessions"
            write_table(at.with_suffix(".tsv"), rows, missing="n/a")
            write_json(at.with_suffix(".json"), _columns({name: units[name] for name in sorted(own)}))
    write_table(folder / "participants.tsv", people, missing="n/a")
    told = _columns({name: unit for name, unit in units.items() if name not in own})
    write_json(folder / "participants.json", told | _SIDES if order.dataset.split else told)


_SIDES = {
    "split": {"Description": "Side of the split", "Levels": {
        "train": "learnt from", "validation": "chosen on", "test": "tested on, never learnt from"}},
    "fold": {"Description": "Fold of those that are not on the test side, from 0"},
}  # fmt: skip


def _columns(units: Mapping[str, str]) -> dict[str, Any]:
    return {name: {"Description": name, **({"Units": unit} if unit else {})} for name, unit in units.items()}


def _by_patient(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.patient, []).append(entry)
    return groups


def _values(group: Sequence[Entry], name: str) -> set[float | str | None]:
    return {_value(entry.facts.get(name)) for entry in group}


def _value(fact: Fact | None) -> float | str | None:
    return None if fact is None else fact.value


def _session(entry: Entry, place: _Place, own: Iterable[str]) -> dict[str, Cell]:
    at = None if entry.day is None else (_FIRST_DAY + timedelta(days=entry.day)).isoformat()
    facts = {name: _value(entry.facts.get(name)) for name in sorted(own)}
    return {"session_id": f"ses-{place.session}", "acq_time": at, **facts}


def _write_derivatives(folder: Path, dataset: Dataset, table: LabelTable, readers: _Readers) -> None:
    rows: list[dict[str, Cell]] = [
        {"index": label.value, "name": label.name, "color": "#" + bytes(label.colour).hex()} for label in table
    ]
    if table.ignore is not None:
        rows.append({"index": table.ignore, "name": "ignore", "color": "#000000"})
    for reader, name in readers.folders.items():
        at = folder / "derivatives" / name
        write_table(at / "dseg.tsv", rows, missing="n/a")
        how = readers.how[reader]
        write_text(at / "README", f"Outlines by {reader} ({how}). What the numbers mean stands in dseg.tsv.\n")
        maker = {"manual": "Manual", "algorithm": reader}.get(how, how)
        write_json(
            at / "dataset_description.json",
            {
                "Name": f"Outlines of {dataset.source.name or dataset.name} by {reader}", "BIDSVersion": VERSION,
                "DatasetType": "derivative", "License": dataset.source.licence or NOT_STATED,
                "GeneratedBy": [{"Name": maker}], "DatasetLinks": {"raw": "../.."},
                "SourceDatasets": [{"URL": "../.."}],
            },
        )  # fmt: skip


def _notes(dataset: Dataset, strange: Sequence[str]) -> Iterable[str]:
    if strange:
        yield f"BIDS has no place for some images yet; .bidsignore lists them: {', '.join(strange)}."
    if dataset.table is not None and dataset.table.regions:
        names = ", ".join(region.name for region in dataset.table.regions)
        yield f"BIDS keeps no unions of labels; these were left out: {names}."
