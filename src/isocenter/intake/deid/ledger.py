"""What was done with each file of a run, kept on disk line by line: a run may have any number of them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isocenter.intake.deid.treated import Treated

EVIDENCE = "evidence"  # the folder of a release that shows what was done


@dataclass(frozen=True, slots=True)
class Ledger:
    """A file with a line for each file of a run, which names nobody; reading it gives what was done, in order.

    Args:
        path: Of the file.
    """

    path: Path

    def write(self, files: Iterable[Treated]) -> None:
        """Write what was done with each file, as it comes.

        Raises:
            OSError: The disk is full, or may not be written.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(_line(one), ensure_ascii=False) + "\n" for one in files)

    def amend(self, changed: Mapping[int, Treated]) -> None:
        """Put others in the place of files, by their number.

        Raises:
            OSError: The disk is full, or may not be written.
        """
        amended = Ledger(self.path.with_suffix(".amended"))
        amended.write(changed.get(file.number, file) for file in self)
        amended.path.replace(self.path)

    def __iter__(self) -> Iterator[Treated]:
        with self.path.open(encoding="utf-8") as file:
            yield from (_read(json.loads(line)) for line in file)


def _line(file: Treated) -> dict[str, Any]:
    return {
        "number": file.number, "kind": file.kind, "decision": file.decision, "reason": file.reason, "name": file.name,
        "patient": file.patient, "elements": dict(sorted(file.elements.items())), "removed": list(file.removed),
        "frames": file.frames, "boxes": [list(box) for box in file.boxes], "faces_cut": file.faces,
        "proved": file.is_proved,
    }  # fmt: skip


def _read(line: dict[str, Any]) -> Treated:
    return Treated(
        number=line["number"], kind=line["kind"], decision=line["decision"], reason=line["reason"], name=line["name"],
        patient=line["patient"], elements=line["elements"], removed=tuple(line["removed"]), frames=line["frames"],
        boxes=tuple((top, left, bottom, right) for top, left, bottom, right in line["boxes"]),
        faces=line["faces_cut"], is_proved=line["proved"],
    )  # fmt: skip
