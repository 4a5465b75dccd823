"""Forms that readers' answers come in: which one a file is, and who reads it."""

from pathlib import Path
from typing import cast

from isocenter.errors import LayoutError, NotFoundError
from isocenter.intake.labelling.said import Importer
from isocenter.plugins import did_you_mean, find

FORMS = {
    "csv": "isocenter.intake.labelling.imports.csv_table:read_csv",
    "nifti": "isocenter.intake.labelling.imports.masks:read_masks",
    "png": "isocenter.intake.labelling.imports.masks:read_masks",
    "seg": "isocenter.intake.labelling.imports.objects:read_objects",
    "rtstruct": "isocenter.intake.labelling.imports.objects:read_objects",
    "sr": "isocenter.intake.labelling.imports.objects:read_objects",
    "coco": "isocenter.intake.labelling.imports.coco:read_coco",
    "voc": "isocenter.intake.labelling.imports.voc:read_voc",
    "lidc": "isocenter.intake.labelling.imports.lidc:read_lidc",
}
_BY_ENDING = {
    ".csv": "csv", ".tsv": "csv", ".nii": "nifti", ".gz": "nifti", ".png": "png", ".tif": "png", ".tiff": "png",
    ".bmp": "png", ".dcm": "seg", ".ima": "seg", ".json": "coco", ".xml": "voc",
}  # fmt: skip


def importer_of(form: str) -> Importer:
    """Return how a form is read.

    Raises:
        LayoutError: There is no such form.
    """
    try:
        return cast("Importer", find(form, table=FORMS, group="isocenter.labels"))
    except NotFoundError as error:
        raise LayoutError(f"There is no form of labels {form!r}. {did_you_mean(form, sorted(FORMS))}") from error


def recognise(path: Path) -> str:
    """Return the form of a file, or of most files of a folder.

    Raises:
        LayoutError: Nothing there, or nothing of a form that is known.
    """
    if not path.exists():
        raise LayoutError(f"There is no such file or folder: {path.name!r}. Check how the path is written.")
    files = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
    forms = [_form(one) for one in files if not one.name.startswith(".") and not _is_beside(one)]
    known = [form for form in forms if form]
    if not known:
        raise LayoutError(f"{path.name!r} holds no labels of a known form. Say which with --as: {', '.join(FORMS)}.")
    return max(sorted(set(known)), key=known.count)


def _is_beside(path: Path) -> bool:
    """Return whether a file lies beside labels and is none: what they mean, or what an export says of itself."""
    return path.name in ("labels.json", "manifest.json") or path.parent.name == "receipts"


def _form(path: Path) -> str:
    if path.suffix.lower() == ".xml":
        with path.open("rb") as file:
            return "lidc" if b"LidcReadMessage" in file.read(2000) else "voc"
    if not path.suffix:
        with path.open("rb") as file:
            return "seg" if file.read(132)[128:] == b"DICM" else ""
    return _BY_ENDING.get(path.suffix.lower(), "")
