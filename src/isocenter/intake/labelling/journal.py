"""Answers of a session that has not ended yet."""

import json
from dataclasses import asdict
from pathlib import Path

from isocenter.case import Reading
from isocenter.errors import FileError

_NAME = "answers.jsonl"


class Journal:
    """What was said in a session that has not ended: a line a case, so that a power cut costs one case."""

    def __init__(self, folder: Path, *, reader: str) -> None:
        self._path, self._reader = folder / _NAME, reader
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(f"{folder} cannot be written: {error.strerror}.") from error

    def read(self) -> dict[str, Reading]:
        """Return what a session that was cut off has left.

        Raises:
            FileError: It is another reader's.
        """
        if not self._path.is_file():
            return {}
        found = {}
        for line in self._path.read_text(encoding="utf-8").splitlines():
            try:
                told = json.loads(line)
            except ValueError:  # the line that was being written
                continue
            found[str(told["case"])] = Reading.from_document(told["reading"])
        if any(one.reader != self._reader for one in found.values()):
            raise FileError(f"{self._path} keeps another reader's answers. Name another folder.")
        return found

    def add(self, case: str, reading: Reading) -> None:
        """Keep one case's answers."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"case": case, "reading": asdict(reading)}, ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Remove it: the store has it all."""
        self._path.unlink(missing_ok=True)
