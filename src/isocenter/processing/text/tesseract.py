"""Lines read by Tesseract: a program of its own, whose networks learnt from other pictures than those of RapidOCR."""

import csv
import io
import shutil
import subprocess
from collections import defaultdict

import numpy as np

from isocenter.errors import MissingExtraError
from isocenter.processing.text.line import Line, Picture

_LANGUAGES = ("eng", "chi_sim")
_SPARSE = "11"  # find as much text as possible, in no order
_PATIENCE_S = 300
_WORD_LEVEL = "5"


class TesseractReader:
    """Tesseract, looking for text anywhere in a picture."""

    def __init__(self) -> None:
        found = shutil.which("tesseract")
        if found is None:
            raise MissingExtraError("The program tesseract is not there. On Debian: apt install tesseract-ocr.")
        self._program = found
        told = subprocess.run(  # noqa: S603 - a program of the system, with our own words
            [found, "--list-langs"], capture_output=True, text=True, check=False
        ).stdout.split()
        self._languages = "+".join(one for one in _LANGUAGES if one in told) or "eng"

    def read(self, picture: Picture) -> tuple[Line, ...]:
        """Return the lines in a picture, in no order."""
        command = [self._program, "stdin", "stdout", "-l", self._languages, "--psm", _SPARSE, "tsv"]
        told = subprocess.run(  # noqa: S603 - as above
            command, input=_pnm(picture), capture_output=True, timeout=_PATIENCE_S, check=False
        )
        if told.returncode:
            return ()
        rows = csv.DictReader(
            io.StringIO(told.stdout.decode("utf-8", "replace")), delimiter="\t", quoting=csv.QUOTE_NONE
        )
        words: dict[tuple[str, ...], list[Line]] = defaultdict(list)
        for row in rows:
            if row["level"] == _WORD_LEVEL and row["text"].strip():
                words[row["block_num"], row["par_num"], row["line_num"]].append(_word(row))
        return tuple(_joined(line) for line in words.values())


def _word(row: dict[str, str]) -> Line:
    left, top = int(row["left"]), int(row["top"])
    return Line(
        top=top, left=left, bottom=top + int(row["height"]), right=left + int(row["width"]), text=row["text"],
        score=max(0.0, float(row["conf"]) / 100),
    )  # fmt: skip


def _joined(words: list[Line]) -> Line:
    return Line(
        top=min(word.top for word in words), left=min(word.left for word in words),
        bottom=max(word.bottom for word in words), right=max(word.right for word in words),
        text=" ".join(word.text for word in words), score=float(np.mean([word.score for word in words])),
    )  # fmt: skip


def _pnm(picture: Picture) -> bytes:
    """Return a picture as PGM or PPM, which need no packing."""
    kind = b"P6" if picture.ndim == 3 else b"P5"
    rows, columns = picture.shape[:2]
    return kind + f"\n{columns} {rows}\n255\n".encode() + np.ascontiguousarray(picture).tobytes()
