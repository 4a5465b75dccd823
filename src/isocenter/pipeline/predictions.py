"""The folder of a prediction: written aside and renamed, read again with every file checked."""

import json
import math
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from isocenter.case import table_from
from isocenter.errors import FileError, SealError
from isocenter.intake.opening import digest_of
from isocenter.pipeline.outcome import prediction_document
from isocenter.result import Prediction, Score, Verdict

PREDICTION, MASK, SEG = "prediction.json", "mask.nii.gz", "mask.seg.dcm"


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Give a folder aside to write to; it gets its name when the block ends well, else it is gone.

    An earlier prediction at that name is replaced; anything else there is left alone.

    Raises:
        FileError: Something else is there, or the folder cannot be written.
    """
    if out.exists() and not (out / PREDICTION).is_file() and (not out.is_dir() or any(out.iterdir())):
        raise FileError(f"{out} holds something else than a prediction. Name a new folder with --out.")
    aside = out.with_name(f".{out.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        aside.mkdir(parents=True)
        yield aside
        shutil.rmtree(out, ignore_errors=True)
        aside.rename(out)
    except OSError as error:
        raise FileError(f"{out} cannot be written: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


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
        if not (folder / name).is_file():
            raise SealError(f"{name} is gone from {folder}.")
        if digest_of(folder / name) != digest:
            raise SealError(f"{name} in {folder} was changed after it was written.")
    return prediction


def _from(document: Mapping[str, Any]) -> Prediction:
    verdict = document["verdict"]
    return Prediction(
        case=document["case"],
        model=document["model"],
        dataset=document["dataset"],
        table=table_from(document["labels"]),
        volumes=tuple(Score.from_json(volume) for volume in document["volumes"]),
        verdict=Verdict(decision=verdict["decision"], reasons=tuple(verdict["reasons"])),
        plan=document["plan"],
        seconds=document["seconds"],
        input=document["input"],
        files=document["files"],
        receipts=tuple(document["receipts"]),
    )


def plain_numbers(values: tuple[float, ...]) -> list[float | None]:
    """Return numbers as JSON has them: None for what is not known."""
    return [None if math.isnan(value) else value for value in values]
