"""What readers said leaves as tables, masks or objects that others read, and that come in again."""

import re
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from isocenter.case import Case, Entry, Schema
from isocenter.dicom import Series, scan
from isocenter.dicom.seg import write_seg
from isocenter.errors import GridError, InputError, LayoutError, SeriesError
from isocenter.image import Mask, write_nifti
from isocenter.intake.labelling.coco import CocoDocument
from isocenter.intake.labelling.table import TABLE, columns_of, rows_of, write_rows
from isocenter.intake.layouts.writing.manifest import write_json
from isocenter.intake.layouts.writing.order import Order, Writer, Written
from isocenter.pipeline.exporting import Exported, require_new, write_out
from isocenter.pipeline.ground import Place, Watch, dataset_item, opened, told
from isocenter.pipeline.labelled import table_of
from isocenter.pipeline.predictions import whole_folder
from isocenter.pipeline.sourcing import require_use
from isocenter.plugins import did_you_mean
from isocenter.store import Store

STEP = "label_export"
FORMS = ("csv", "nifti", "coco", "seg")


def export_labels(
    name: str,
    out: Path,
    *,
    as_: str = "csv",
    readers: tuple[str, ...] = (),
    series: Path | None = None,
    store: Place = None,
    progress: Watch | None = None,
) -> Exported:
    """Write what readers said into a folder, with the terms of the data set and the receipts behind it.

    Args:
        name: Name or id of a data set.
        out: A folder that is not there yet; it appears whole or not at all.
        as_: "csv" for answers, "nifti" or "seg" for outlines, "coco" for boxes and outlines in pictures.
        readers: Whose; everybody's where none is named, consensus and adjudication with them.
        series: For "seg", the folder of DICOM that the data set was taken from; its patient is named in each object.
        store: Where the data set is kept.
        progress: Told how far it is.

    Raises:
        NotFoundError: There is no such data set.
        InputError: There is nothing to write in this form.
        LayoutError: There is no such form.
        TermsError: A source of the cases does not grant sharing, or no longer.
        FileError: The folder is there already, or cannot be written.
        SealError: A mask in the store was changed.
    """
    begun, out = time.monotonic(), require_new(out)
    with opened(store) as house:
        write = _writer(as_, house, series)
        dataset = house.datasets.get(name)
        grants = require_use(house, dataset, "sharing")
        entries = tuple(_of(entry, readers) for entry in dataset.entries)
        said = [one for entry in entries for one in (*entry.outlines, *entry.readings)]
        if not said or (as_ in ("nifti", "seg") and not any(entry.outlines for entry in entries)):
            raise InputError(f"There is nothing of these readers in data set {dataset.name!r} to write as {as_}.")
        shown = replace(dataset, entries=entries)
        order = Order(
            dataset=shown, version=dataset.id, case=partial(house.case, shown), grants=grants,
            progress=told(progress, "export"),
        )  # fmt: skip
        with whole_folder(out) as aside:
            written = write_out(
                house, order, aside, write=write, form=as_, step=STEP,
                inputs=[dataset_item(house, dataset)],
            )  # fmt: skip
    return replace(written, out=out, seconds=time.monotonic() - begun)


def _writer(form: str, house: Store, series: Path | None) -> Writer:
    """Return how a form is written.

    Raises:
        LayoutError: There is no such form.
        InputError: A folder of DICOM without need, or none where one is needed.
    """
    if form not in FORMS:
        raise LayoutError(f"There is no form of labels {form!r} to export to. {did_you_mean(form, list(FORMS))}")
    if (form == "seg") != (series is not None):
        raise InputError("--from names the folder of DICOM that the data set was taken from; --as seg wants it.")
    if series is not None:
        return partial(_write_seg, house=house, folder_in=series)
    return {"csv": _write_csv, "nifti": _write_nifti, "coco": _write_coco}[form]


def _of(entry: Entry, readers: Sequence[str]) -> Entry:
    if not readers:
        return entry
    return replace(
        entry, outlines=tuple(one for one in entry.outlines if one.reader in readers),
        readings=tuple(one for one in entry.readings if one.reader in readers),
    )  # fmt: skip


def _write_csv(order: Order, folder: Path) -> Written:
    dataset = order.dataset
    rows = [
        row for entry in dataset.entries for reading in entry.readings
        for row in rows_of(entry, reading, dataset.schema)
    ]  # fmt: skip
    write_rows(folder / TABLE, columns_of(dataset.schema), rows)
    if dataset.schema is not None:
        (folder / "schema.toml").write_text(_toml(dataset.schema), encoding="utf-8")
    outlined = sum(bool(entry.outlines) for entry in dataset.entries)
    notes = (f"{outlined} cases have outlines, which a table does not hold: take --as nifti.",) if outlined else ()
    return Written(cases={entry.id: (TABLE,) for entry in dataset.entries if entry.readings}, notes=notes)


def _write_nifti(order: Order, folder: Path) -> Written:
    table = table_of(order.dataset)
    write_json(folder / "labels.json", {label.name: label.value for label in table})
    cases: dict[str, list[str]] = defaultdict(list)
    for _, case in order.cases():
        first = next(iter(case.volumes.values()))
        for one in case.annotations:
            name = f"{_word(one.reader)}/{case.id}.nii.gz"
            (folder / name).parent.mkdir(exist_ok=True)
            write_nifti(one.mask, folder / name, has_size=first.has_size)
            cases[case.id].append(name)
    return Written(cases=cases)


def _write_coco(order: Order, folder: Path) -> Written:
    dataset = order.dataset
    names = [label.name for label in dataset.table or ()]
    findings = () if dataset.schema is None else dataset.schema.findings
    names += [one.name for one in findings if not one.is_whole and one.name not in names]
    documents: dict[str, CocoDocument] = {}
    cases: dict[str, list[str]] = defaultdict(list)
    for entry, case in order.cases():
        readings = {one.reader: one for one in entry.readings}
        masks = {one.reader: one.mask for one in case.annotations}
        for reader in sorted({*readings, *masks}):
            document = documents.setdefault(reader, CocoDocument(names))
            shape = next(iter(case.volumes.values())).shape
            document.add(entry.id, shape=shape, reading=readings.get(reader), mask=masks.get(reader))
            cases[entry.id].append(f"coco/{_word(reader)}.json")
    for reader, document in documents.items():
        write_json(folder / "coco" / f"{_word(reader)}.json", document.to_document())
    return Written(cases=cases)


def _write_seg(order: Order, folder: Path, *, house: Store, folder_in: Path) -> Written:
    by_case: dict[str, list[Series]] = defaultdict(list)
    for found in scan(folder_in).series:
        for uid in (found.series_uid, found.study_uid):
            by_case[house.keys.pseudonym(uid)].append(found)
    cases: dict[str, list[str]] = defaultdict(list)
    for _, case in order.cases():
        for one in case.annotations:
            name = f"{_word(one.reader)}/{case.id}.dcm"
            (folder / name).parent.mkdir(exist_ok=True)
            _one_seg(case, one.mask, by_case[case.id], folder / name)
            cases[case.id].append(name)
    return Written(cases=cases, notes=("Each object bears the patient and study of its series, as DICOM demands.",))


def _one_seg(case: Case, mask: Mask, series: Sequence[Series], path: Path) -> None:
    """Write one object on the series that its mask lies on.

    Raises:
        InputError: None of the folder's series is the one.
    """
    for one in series:
        try:
            write_seg(mask, sources=one.paths, path=path, algorithm="", version="")
        except (GridError, SeriesError):
            continue
        return
    raise InputError(
        f"Case {case.id}: the folder does not hold the series that it was taken from, or its slices were resampled. "
        "Name the folder that was taken in, or take --as nifti."
    )


def _toml(schema: Schema) -> str:
    """Return a schema as `label read --schema` reads it."""
    lines = [f"name = {_quoted(schema.name)}"]
    for asked in schema.findings:
        head = "case" if asked.is_whole else f"findings.{_quoted(asked.name)}"
        if not asked.is_whole:
            lines += ["", f"[{head}]", f"several = {str(asked.several).lower()}"]
        for level in asked.levels:
            lines += ["", f"[{head}.{_quoted(level.name)}]"]
            if level.form == "number":
                stated: Mapping[str, float | None] = {"least": level.least, "most": level.most}
                lines += [f"unit = {_quoted(level.unit)}"]
                lines += [f"{key} = {value}" for key, value in stated.items() if value is not None]
            else:
                lines += [f"{level.form} = [{', '.join(map(_quoted, level.words))}]"]
    return "\n".join(lines) + "\n"


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _word(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "x"
