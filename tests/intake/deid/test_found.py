"""What names persons goes to the vault while a run goes on, and a person can be taken out of it."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from isocenter.intake.deid.found import sources_in, with_found_kept, without_patient, write_found
from isocenter.intake.deid.ledger import Ledger
from isocenter.intake.deid.pixels.look import Seen
from isocenter.intake.deid.treated import Treated
from isocenter.processing.text.line import Line

SOURCES = [Path(f"in/Canary {number}.dcm") for number in range(1, 8)]


def file(number: int, patient: str = "P1") -> Treated:
    line = Line(top=1, left=2, bottom=3, right=4, text="Canary", score=0.9)
    seen = Seen(blank=(line,), kept=(), before=np.full((6, 9), number, np.uint8))
    return Treated(
        number=number, kind="dicom", decision="release", patient=patient, person="Canary", seen=(seen,),
        boxes=((1, 2, 3, 4),), elements={"X": 2},
    )  # fmt: skip


def archives(*files: Treated) -> list[bytes]:
    kept: dict[str, bytes] = {}
    assert list(with_found_kept(files, SOURCES, kept.__setitem__)) == list(files)
    return list(kept.values())


def test_names_texts_and_pictures_are_kept(tmp_path: Path) -> None:
    (one,) = archives(file(3))
    assert sources_in(one) == {3: "in/Canary 3.dcm"}
    write_found(one, tmp_path)
    assert json.loads((tmp_path / "P1" / "3.json").read_text())["lines"] == [
        {"text": "Canary", "score": 0.9, "box": [1, 2, 3, 4]}
    ]
    with Image.open(tmp_path / "P1" / "3-1.png") as picture:
        assert (np.asarray(picture) == 3).all()


def test_who_is_erased_is_taken_out(tmp_path: Path) -> None:
    (one,) = archives(file(1, "P1"), file(2, "P12"), file(3, ""))
    left = without_patient(one, "P1")
    assert sources_in(left) == {2: "in/Canary 2.dcm", 3: "in/Canary 3.dcm"}
    assert without_patient(left, "P1") == left
    write_found(left, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["-", "P12"]


def test_a_name_of_any_bytes_can_be_shown() -> None:
    kept: dict[str, bytes] = {}
    list(with_found_kept([file(1)], [Path("\udcd5\udcc5.dcm")], kept.__setitem__))
    sources_in(kept["files-1.zip"])[1].encode()


def test_archives_are_kept_while_a_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isocenter.intake.deid.found._TOGETHER", 2)
    kept: dict[str, bytes] = {}
    coming = with_found_kept(map(file, range(1, 6)), SOURCES, kept.__setitem__)
    assert [len(kept) for _ in coming] == [0, 0, 1, 1, 2]
    assert [sorted(sources_in(one)) for one in kept.values()] == [[1, 2], [3, 4], [5]]


def test_the_ledger_names_nobody_and_gives_back_the_rest(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "evidence" / "files.jsonl")
    ledger.write(map(file, (1, 2)))
    assert "Canary" not in ledger.path.read_text()
    first, second = ledger
    assert (first.number, first.boxes, first.elements, first.person, first.seen) == (
        1,
        ((1, 2, 3, 4),),
        {"X": 2},
        "",
        (),
    )
    ledger.amend({2: Treated(number=2, kind="dicom", decision="review", reason="doubtful")})
    assert [one.decision for one in ledger] == ["release", "review"]
    assert second.decision == "release"
    assert [path.name for path in ledger.path.parent.iterdir()] == ["files.jsonl"]
