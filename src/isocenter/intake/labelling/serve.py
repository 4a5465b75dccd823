"""Cases served to one reader, blindly: in an order of their own, as files for any viewer, and taken back."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.case import Case, Entry, Schema
from isocenter.errors import FileError, InputError
from isocenter.image import Label, LabelTable, Mask, Volume, write_nifti
from isocenter.image.raster import write_raster
from isocenter.intake.labelling.table import columns_of, write_rows

SESSION, ANSWERS, LABELS = "session.json", "answers.csv", "labels.json"
_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One case as it was served.

    Args:
        number: Its place in the reader's order, such as "001": all that its files are called.
        token: Keyed pseudonym of reader and case, by which the case is found again.
        image: Digest of its first volume.
        files: Name to sha256 of the image files.
        mask: Name of the empty mask; empty where there is nothing to outline.
        untouched: sha256 of that mask as it was served.
    """

    number: str
    token: str
    image: str
    files: Mapping[str, str]
    mask: str = ""
    untouched: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a reader was given.

    Args:
        dataset: Id of the version.
        reader: Who.
        seed: Of the order.
        cases: In that order.
    """

    dataset: str
    reader: str
    seed: int
    cases: tuple[Served, ...]


def order_of(entries: Sequence[Entry], *, reader: str, seed: int) -> list[Entry]:
    """Return the cases in an order that is drawn for this reader: nobody tires on the same cases as another.

    Args:
        entries: Of a version.
        reader: Who.
        seed: The same reader and seed give the same order.
    """
    drawn = hashlib.sha256(f"{seed}:{reader}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(drawn[:8], "big"))
    ordered = sorted(entries, key=lambda entry: entry.id)
    return [ordered[place] for place in rng.permutation(len(ordered))]


def has_read(entry: Entry, reader: str, schema: Schema | None) -> bool:
    """Return whether a reader has answered all that is asked, or, where nothing is, has outlined a case."""
    if schema is None:
        return any(one.reader == reader for one in entry.outlines)
    asked = {name for one in entry.readings if one.reader == reader for name in one.asked}
    return {one.name for one in schema.findings} <= asked


def structures_of(table: LabelTable | None, schema: Schema | None) -> LabelTable | None:
    """Return what may be outlined: what the version outlines, else the findings that are asked for."""
    names = [one.name for one in (() if schema is None else schema.findings) if not one.is_whole]
    return table or (LabelTable.of(*names) if names else None)


def write_images(case: Case, folder: Path) -> list[Path]:
    """Write a case's volumes for any viewer, pictures as PNG and all others as NIfTI, and return their paths.

    Raises:
        InputError: A colour volume of several slices, or a picture of values that PNG cannot hold.
        FileError: The folder cannot be written.
    """
    written = []
    for place, volume in enumerate(case.volumes.values(), 1):
        name = "image" if len(case.volumes) == 1 else f"image-{place}"
        path = folder / (f"{name}.png" if _is_picture(volume) else f"{name}.nii.gz")
        (write_raster if _is_picture(volume) else write_nifti)(volume, path)
        written.append(path)
    return written


def write_case(
    case: Case, number: str, folder: Path, *, token: str, image: str, table: LabelTable | None
) -> Served:  # fmt: skip
    """Write a case's images and an empty mask into a folder of its own, and return what was served.

    Args:
        case: Without anybody's answers.
        number: Its place in the order.
        folder: Of the session.
        token, image: See Served.
        table: What may be outlined.

    Raises:
        InputError, FileError: As of `write_images`.
    """
    place = folder / number
    place.mkdir()
    files = {f"{number}/{path.name}": _sha256(path) for path in write_images(case, place)}
    if table is None:
        return Served(number=number, token=token, image=image, files=files)
    first = next(iter(case.volumes.values()))
    empty = Mask(labels=np.zeros(first.shape, dtype=np.uint8), affine=first.affine, table=table)
    name = "mask.png" if _is_picture(first) else "mask.nii.gz"
    if _is_picture(first):
        write_raster(empty, place / name)
    else:
        write_nifti(empty, place / name, has_size=first.has_size)
    return Served(
        number=number, token=token, image=image, files=files, mask=f"{number}/{name}", untouched=_sha256(place / name)
    )


def write_session(session: Session, folder: Path, *, schema: Schema | None, table: LabelTable | None) -> None:
    """Write what was served, the table to fill in, and what the numbers of a mask mean.

    Raises:
        FileError: The folder cannot be written.
    """
    columns = columns_of(schema, key=("number",))
    rows = [{"number": one.number} for one in session.cases]
    write_rows(folder / ANSWERS, [name for name in columns if name not in ("image", "blinded")], rows)
    if table is not None:
        stated = {label.name: label.value for label in table}
        (folder / LABELS).write_text(json.dumps(stated, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    document = {"format": _FORMAT, **asdict(session)}
    (folder / SESSION).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def read_session(folder: Path) -> Session:
    """Return what was served in a folder.

    Raises:
        FileError: It was not written by `label read`, or its list was changed.
    """
    try:
        document: dict[str, Any] = json.loads((folder / SESSION).read_bytes())
        cases = tuple(Served(**one) for one in document["cases"])
        return Session(dataset=document["dataset"], reader=document["reader"], seed=document["seed"], cases=cases)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileError(f"{folder.name!r} holds no {SESSION} of `label read` ({error}).") from error


def require_images(served: Served, folder: Path) -> None:
    """Do nothing where a case's images are those that were served.

    Raises:
        InputError: One was changed or is gone: what was read is not what is in the store.
    """
    for name, digest in served.files.items():
        path = folder / served.number / Path(name).name
        if not path.is_file() or _sha256(path) != digest:
            raise InputError(
                f"{served.number}: {path.name} is not the image that was served. Have this case read again."
            )


def stated_table(folder: Path) -> LabelTable | None:
    """Return what the numbers of the masks mean, as it was written; None where nothing was to be outlined.

    Raises:
        FileError: The list was changed so that it is none.
    """
    path = folder / LABELS
    if not path.is_file():
        return None
    try:
        stated = json.loads(path.read_text(encoding="utf-8"))
        return LabelTable(labels=tuple(Label(value=int(value), name=name) for name, value in stated.items()))
    except (ValueError, AttributeError, TypeError) as error:
        raise FileError(f"{LABELS} was changed: it is no list of structures any more ({error}).") from error


def _is_picture(volume: Volume) -> bool:
    return volume.is_planar and volume.voxels.dtype in (np.uint8, np.uint16)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
