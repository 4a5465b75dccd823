"""The folder of a prediction: written aside and renamed, read again with every file checked."""

import glob
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from isocenter.case import table_from
from isocenter.errors import FileError, IsocenterError, SealError
from isocenter.pipeline.outcome import prediction_document
from isocenter.result import Answer, Prediction, Score, Verdict
from isocenter.store.evidence import sha256_of

PREDICTION, MASK, SEG, RECEIPTS = "prediction.json", "mask.nii.gz", "mask.seg.dcm", "receipts"
_REPORT = re.compile(r"\.?report\.[a-z]{2}\.(html|pdf)(\.part)?")


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Give a folder aside to write to; it gets its name when the block ends well, else it is gone.

    An earlier prediction at that name, and nothing else beside it, is replaced once the new one is whole.

    Raises:
        FileError: Something else is there, or the folder cannot be written.
    """
    out = out.absolute()
    try:
        _require_free(out)
        out.parent.mkdir(parents=True, exist_ok=True)
        _sweep(out)
        # of its own name, so that two predictions at once do not write into each other
        aside = Path(tempfile.mkdtemp(prefix=f".{out.name}.{os.getpid()}.", suffix=".part", dir=out.parent))
        aside.chmod(0o755)
    except OSError as error:
        _refuse(out, error)
    try:
        yield aside
        _swap(aside, out)
    except IsocenterError:  # a full store is an OSError too, and speaks for itself
        raise
    except OSError as error:
        _refuse(out, error)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _sweep(out: Path) -> None:
    """Remove what processes that were killed have left beside a name."""
    for left in out.parent.glob(f".{glob.escape(out.name)}.*.part"):
        number = left.name.removeprefix(f".{out.name}.").split(".")[0]
        if number.isdigit() and not Path(f"/proc/{number}").exists() and Path("/proc/self").exists():
            shutil.rmtree(left, ignore_errors=True)


def _require_free(out: Path) -> None:
    """Do nothing where a name is free, or bears a prediction and nothing else.

    Raises:
        FileError: Something else is there.
    """
    if not out.exists():
        return
    names = {path.name for path in out.iterdir()} if out.is_dir() else {out.name}
    own = {PREDICTION, MASK, SEG, RECEIPTS} | {name for name in names if _REPORT.fullmatch(name)}
    if names - own or (names and PREDICTION not in names):
        raise FileError(f"{out} holds something else than a prediction. Name a new folder with --out.")


def _swap(aside: Path, out: Path) -> None:
    """Give the new folder its name; the old one goes last, so that at any moment one of them is whole."""
    if not out.exists():
        aside.rename(out)
        return
    old = out.with_name(f"{aside.name}.old")
    out.rename(old)
    aside.rename(out)
    shutil.rmtree(old, ignore_errors=True)


def _refuse(out: Path, error: OSError) -> NoReturn:
    raise FileError(f"{out} cannot be written: {error.strerror or error}.") from error


def write_prediction(prediction: Prediction, folder: Path) -> None:
    """Write prediction.json; figures that are not known are null."""
    text = json.dumps(prediction_document(prediction), ensure_ascii=False, indent=2, allow_nan=False)
    (folder / PREDICTION).write_text(text + "\n", encoding="utf-8")


def read_prediction(folder: Path) -> Prediction:
    """Return the prediction in a folder, each file beside it checked against it.

    Raises:
        FileError: The folder holds none.
        SealError: A file was changed or is gone.
    """
    try:
        document = json.loads((folder / PREDICTION).read_bytes())
        prediction = _from(document)
    except OSError as error:
        raise FileError(f"{folder} holds no {PREDICTION}. Name the folder that `isocenter predict` wrote.") from error
    except (KeyError, TypeError, ValueError) as error:
        raise SealError(f"{PREDICTION} in {folder} was changed: it is no prediction any more.") from error
    for name, digest in prediction.files.items():
        if Path(name).name != name:
            raise SealError(f"{PREDICTION} in {folder} names a file outside its folder; it was changed.")
        if not (folder / name).is_file():
            raise SealError(f"{name} is gone from {folder}.")
        if sha256_of(folder / name) != digest:
            raise SealError(f"{name} in {folder} was changed after it was written.")
    return prediction


def _from(document: Mapping[str, Any]) -> Prediction:
    verdict = document["verdict"]
    return Prediction(
        case=document["case"],
        model=document["model"],
        dataset=document["dataset"],
        table=None if document["labels"] is None else table_from(document["labels"]),
        answers=tuple(map(Answer.from_json, document["answers"])),
        volumes=tuple(Score.from_json(volume) for volume in document["volumes"]),
        verdict=Verdict(decision=verdict["decision"], reasons=tuple(verdict["reasons"])),
        plan=dict(document["plan"]),
        seconds=dict(document["timings"]),
        runtime=dict(document.get("runtime") or {}),
        input=dict(document["input"]),
        files=dict(document["files"]),
        receipts=tuple(document["receipts"]),
    )
