"""What lies in an exported folder, and on what terms: manifest.json and TERMS.md."""

import json
from collections.abc import Sequence
from hashlib import file_digest
from pathlib import Path
from typing import Any

from isocenter import __version__
from isocenter.case import USES, Entry, Grant, Source
from isocenter.errors import FileError
from isocenter.intake.layouts.writing.order import Order, Written

MANIFEST, TERMS = "manifest.json", "TERMS.md"
NOT_STATED = "not stated"
FORMAT = 1


def write_text(path: Path, text: str) -> None:
    """Write a text as UTF-8.

    Raises:
        FileError: The folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FileError(f"{path.name} cannot be written: {error.strerror}.") from error


def write_json(path: Path, document: object) -> None:
    """Write a document as JSON that people can read too.

    Raises:
        FileError: The folder cannot be written.
    """
    write_text(path, json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def write_terms(folder: Path, order: Order) -> None:
    """Write TERMS.md: whose data these are and what may be done with them, or that nobody has said so.

    Raises:
        FileError: The folder cannot be written.
    """
    dataset, source = order.dataset, order.dataset.source
    parts = [f"# Terms of use of {source.name or dataset.name}", _terms(source, order.grants)]
    parts += [f"Origin: {source.origin}"] if source.origin else ["Origin: not stated."]
    parts += [_granted(grant, cases=dataset.sources[grant.id]) for grant in order.grants]
    parts.append(
        f"Exported by isocenter {__version__} from version {order.id} of the data set {dataset.name!r}. Patients and "
        "cases bear pseudonyms. Whoever passes this folder on passes these terms on with it."
    )
    write_text(folder / TERMS, "\n\n".join(parts) + "\n")


def _terms(source: Source, grants: Sequence[Grant]) -> str:
    if source.licence:
        return f"Licence: {source.licence}"
    if grants:
        return "They are those of the sources below."
    return (
        "**THE TERMS OF USE ARE NOT STATED.** Nobody said, when these data were taken in, what may be done with them. "
        "That is no permission: ask whoever made them before you use, publish or pass them on."
    )


def _granted(grant: Grant, *, cases: int) -> str:
    """Return a section on one source: on what ground its cases are used, for what, until when."""
    told = {
        "Name": grant.name, "Origin": grant.origin, "Licence": grant.licence, "Legal basis or consent": grant.basis,
        "Uses granted": ", ".join(grant.scope or USES), "Last day of use": grant.expires or "none stated",
        "Terms": grant.terms,
    }  # fmt: skip
    lines = "\n".join(f"- {head}: {text}" for head, text in told.items() if text)
    return f"## Source {grant.id} ({cases} cases)\n\n{lines}"


def terms_of(order: Order) -> str:
    """Return the terms in a line: the licence, or what each source grants; "not stated" where nobody said."""
    return order.dataset.source.licence or "; ".join(grant.ground for grant in order.grants) or NOT_STATED


def write_manifest(folder: Path, order: Order, written: Written, *, form: str, receipt: str) -> None:
    """Write manifest.json: every file of the folder with its size and sha256, every case with its side and files.

    Args:
        folder: Everything else is written in it already.
        order, written: What was asked for, and what came of it.
        form: Name of the form.
        receipt: Digest of the receipt that speaks of the making of the data set.

    Raises:
        FileError: The folder cannot be read or written.
    """
    dataset = order.dataset
    document = {
        "isocenter": __version__,
        "format": FORMAT,
        "form": form,
        "dataset": {"id": order.id, "name": dataset.name, "receipt": receipt},
        "terms": {
            "name": dataset.source.name,
            "licence": dataset.source.licence or NOT_STATED,
            "origin": dataset.source.origin,
            "sources": [{**grant.to_document(), "cases": dataset.sources[grant.id]} for grant in order.grants],
        },
        "seed": None if dataset.split is None else dataset.split.seed,
        "cases": {entry.id: _case(order, entry, written.cases.get(entry.id, ())) for entry in dataset.entries},
        "left_out": [entry.id for entry in dataset.entries if entry.id not in written.cases],
        "notes": list(written.notes),
        "files": {name: _file(folder / name) for name in names_in(folder)},
    }
    write_json(folder / MANIFEST, document)


def names_in(folder: Path) -> tuple[str, ...]:
    """Return the name of every file below a folder."""
    return tuple(sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()))


def _case(order: Order, entry: Entry, files: Sequence[str]) -> dict[str, Any]:
    readers = [outline.reader for outline in entry.outlines]
    return {
        "patient": entry.patient, "day": entry.day, "side": order.side(entry), "fold": order.fold(entry),
        "readers": readers, "files": list(files),
    }  # fmt: skip


def _file(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return {"size": path.stat().st_size, "sha256": file_digest(file, "sha256").hexdigest()}
    except OSError as error:
        raise FileError(f"{path.name} cannot be read: {error.strerror}.") from error
