"""Pictures taken into a store: what is forgiven, what is counted, what is told of the whole."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from isocenter.case.split import SIDES
from isocenter.errors import LayoutError, SeriesError
from isocenter.intake.opening import open_input
from isocenter.pipeline import intake
from isocenter.pipeline.exporting import export_dataset
from isocenter.pipeline.intake import check
from isocenter.pipeline.outcome import Ingested
from isocenter.pipeline.sourcing import add_source

Array = npt.NDArray[np.generic]
PATIENTS = 40


def ingest(folder: Path, *, dataset: str, store: Path, **asked: Any) -> Ingested:
    """Take a folder in as every one should be: with its source, of which no issue is told."""
    add_source("made-up", basis="made up here", store=store)
    return intake.ingest(folder, dataset=dataset, source="made-up", store=store, **asked)


def save(path: Path, array: Array) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


def random(seed: int, *, colours: bool = False) -> Array:
    return np.random.default_rng(seed).integers(0, 255, (8, 9, 3) if colours else (8, 9), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return forty pictures of forty patients, a quarter of them sick, with a table."""
    lines = ["path,label,patient"]
    for number in range(PATIENTS):
        save(tmp_path / "set" / f"{number}.png", random(number))
        lines.append(f"{number}.png,{'well' if number % 4 else 'sick'},P{number}")
    (tmp_path / "set" / "labels.csv").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path / "set"


def test_labels_of_whole_images_are_counted_and_stand_on_every_side(folder: Path, tmp_path: Path) -> None:
    taken = ingest(folder, dataset="d", store=tmp_path / "store")
    told = taken.to_json()
    assert (told["cases"], told["labelled"], told["left_out"], told["issues"]) == (PATIENTS, PATIENTS, [], [])
    assert told["sides"] == {"train": 28, "validation": 6, "test": 6}
    for side in ("train", "validation", "test"):
        labels = {entry.facts["label"].value for entry in taken.dataset.on_side(side)}
        assert labels == {"well", "sick"}


def test_the_test_side_of_the_table_is_kept(folder: Path, tmp_path: Path) -> None:
    table = (folder / "labels.csv").read_text().splitlines()
    sides = [f"{line},{'test' if place < 10 else 'train'}" for place, line in enumerate(table[1:])]
    (folder / "labels.csv").write_text("\n".join([f"{table[0]},split", *sides]))
    taken = ingest(folder, dataset="d", store=tmp_path / "store")
    assert {entry.id for entry in taken.dataset.on_side("test")} == {str(number) for number in range(10)}


def test_the_validation_side_of_the_table_is_kept_and_comes_back_from_an_export(folder: Path, tmp_path: Path) -> None:
    table = (folder / "labels.csv").read_text().splitlines()
    words = ("test", "val", *["train"] * 3)
    sides = [f"{line},{words[place % 5]}" for place, line in enumerate(table[1:])]
    (folder / "labels.csv").write_text("\n".join([f"{table[0]},split", *sides]))
    store = tmp_path / "store"
    taken = ingest(folder, dataset="d", store=store).dataset
    on = {side: {entry.id for entry in taken.on_side(side)} for side in SIDES}
    assert on["validation"] == {str(number) for number in range(1, PATIENTS, 5)}
    assert on["test"] == {str(number) for number in range(0, PATIENTS, 5)}
    export_dataset("d", tmp_path / "out", as_="pictures", store=store)
    again = ingest(tmp_path / "out", dataset="again", store=store).dataset
    assert {side: {entry.id for entry in again.on_side(side)} for side in SIDES} == on


def test_a_stated_validation_side_of_next_to_nobody_is_told(folder: Path, tmp_path: Path) -> None:
    table = (folder / "labels.csv").read_text().splitlines()
    sides = [f"{line},{'val' if place < 2 else 'train'}" for place, line in enumerate(table[1:])]
    (folder / "labels.csv").write_text("\n".join([f"{table[0]},split", *sides]))
    [issue] = [one for one in ingest(folder, dataset="d", store=tmp_path / "store").issues if one.check == "sides"]
    assert issue.figure.startswith("2 patients on the stated validation side")


def test_sides_that_leave_nobody_to_learn_from_are_told_and_drawn_anew(folder: Path, tmp_path: Path) -> None:
    table = (folder / "labels.csv").read_text().splitlines()
    (folder / "labels.csv").write_text("\n".join([f"{table[0]},split", *(f"{line},test" for line in table[1:])]))
    taken = ingest(folder, dataset="d", store=tmp_path / "store")
    assert [issue.check for issue in taken.issues] == ["sides"]
    assert taken.to_json()["sides"] == {"train": 28, "validation": 6, "test": 6}


def test_a_damaged_picture_among_many_is_named_and_the_rest_is_taken(folder: Path, tmp_path: Path) -> None:
    (folder / "7.png").write_bytes((folder / "7.png").read_bytes()[:50])
    taken = ingest(folder, dataset="d", store=tmp_path / "store")
    assert len(taken.dataset.entries) == PATIENTS - 1
    assert [(issue.where, issue.severity) for issue in taken.issues] == [("7.png", "warn")]
    assert len(taken.dataset.left_out) == 1
    assert "7.png" in taken.dataset.left_out[0]
    assert check(str(folder), store=tmp_path / "store").held


def test_more_than_one_in_twenty_bad_pictures_stop_the_folder(folder: Path, tmp_path: Path) -> None:
    for number in range(3):
        (folder / f"{number}.png").write_bytes(b"no picture")
    with pytest.raises(LayoutError, match=r"(?s)3 problem.*37 cases are sound.*0\.png.*1\.png.*2\.png"):
        ingest(folder, dataset="d", store=tmp_path / "store")
    assert len(ingest(folder, dataset="d", leave_out=True, store=tmp_path / "store").dataset.entries) == PATIENTS - 3


def test_a_class_of_one_case_and_a_class_of_test_cases_only_are_told(folder: Path, tmp_path: Path) -> None:
    table = (folder / "labels.csv").read_text().splitlines()
    table[1] = table[1].replace("sick", "odd")
    sides = ["split", *("test" if "sick" in line else "train" for line in table[1:])]
    (folder / "labels.csv").write_text("\n".join(f"{line},{side}" for line, side in zip(table, sides, strict=True)))
    told = [str(issue) for issue in ingest(folder, dataset="d", store=tmp_path / "store").issues]
    assert any("odd occurs in one case only" in one for one in told)
    assert any("sick occurs on the test side only" in one for one in told)


def test_grey_and_colour_together_are_told_once(folder: Path, tmp_path: Path) -> None:
    save(folder / "0.png", random(0, colours=True))
    issues = ingest(folder, dataset="d", store=tmp_path / "store").issues
    assert [(issue.check, issue.figure, issue.severity) for issue in issues] == [
        ("pictures alike", "1 in colour, 39 in grey", "warn")
    ]


def test_empty_masks_are_taken_by_word_only(folder: Path, tmp_path: Path) -> None:
    lines = (folder / "labels.csv").read_text().splitlines()
    for number in range(PATIENTS):
        outline = np.zeros((8, 9), np.uint8)
        outline[2:5, 2:5] = 0 if number % 4 else 255
        save(folder / "masks" / f"{number}.png", outline)
    named = [f"{line},masks/{place}.png" for place, line in enumerate(lines[1:])]
    (folder / "labels.csv").write_text("\n".join([f"{lines[0]},mask", *named]))
    with pytest.raises(LayoutError, match="--accept empty-masks"):
        ingest(folder, dataset="d", store=tmp_path / "store")
    taken = ingest(folder, dataset="d", accept=("empty-masks",), store=tmp_path / "store").dataset
    assert sum(not entry.outlines[0].present for entry in taken.entries) == 30
    assert check("d", accept=("empty-masks",), store=tmp_path / "store").held
    assert not check("d", store=tmp_path / "store").held


def test_foreign_columns_are_mapped_in_checking_too(folder: Path, tmp_path: Path) -> None:
    table = (folder / "labels.csv").read_text().replace("patient", "group")
    (folder / "labels.csv").write_text(table)
    found = check(str(folder), columns=("patient=group",), store=tmp_path / "store")
    assert found.held
    assert not found.issues


def test_nothing_that_a_file_says_beside_its_pixels_comes_into_the_store(folder: Path, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x013B] = "Canary^Yellow"
    for number in range(PATIENTS):
        Image.fromarray(random(number)).save(folder / f"{number}.png", exif=exif)
    table = (folder / "labels.csv").read_text().replace(",P", ",Canary")
    (folder / "labels.csv").write_text(table)
    ingest(folder, dataset="d", store=tmp_path / "store")
    kept = [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
    assert len(kept) > PATIENTS
    assert not [path for path in kept if b"Canary" in path.read_bytes()]


def test_a_word_that_accepts_nothing_is_refused_whatever_the_folder_holds(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SeriesError, match=r"'empty-mask'.*duplicates, empty-masks, gaps, localiser, tilt"):
        intake.ingest(folder, dataset="d", accept=("empty-mask",), store=tmp_path / "store")
    with pytest.raises(SeriesError, match="'gap'"):
        check(str(folder), accept=("gap",), store=tmp_path / "store")
    assert not (tmp_path / "store").exists()
    with pytest.raises(SeriesError, match="'empty-masks'"):
        open_input(folder / "1.png", accept=("empty-masks",))


def test_one_picture_under_two_patients_is_told_when_it_comes_in(folder: Path, tmp_path: Path) -> None:
    (folder / "2.png").write_bytes((folder / "1.png").read_bytes())
    [issue] = ingest(folder, dataset="d", store=tmp_path / "store").issues
    assert (issue.check, issue.severity) == ("one image twice", "warn")
    assert "1 image(s) stand under several patients" in issue.figure
    [named] = [one for one in check("d", store=tmp_path / "store").issues if one.check == "one image twice"]
    assert (named.where, named.severity) == ("1, 2", "stop")
    assert "the column 'patient' of the table" in named.mend
