"""Splits by patient, and versions of data sets."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocenter.case import UNSIGNED, Annotation, Case, Dataset, Entry, Fact, Outline, Split, draw_split
from isocenter.errors import GridError, InputError, NotFoundError, SplitError
from isocenter.image import Affine, LabelTable, Mask, Volume

GRID = Affine(matrix=np.eye(4))
VOLUME = Volume(voxels=np.zeros((2, 2, 2)), affine=GRID)


def strata(count: int) -> dict[str, str]:
    return {f"p{number:03d}": ("north", "south", "west")[number % 3] for number in range(count)}


@given(st.integers(3, 120), st.integers(0, 10_000))
def test_every_patient_stands_on_one_side_and_no_side_is_empty(count: int, seed: int) -> None:
    split = draw_split(strata(count), seed=seed)
    sides = [split.patients(side) for side in ("train", "validation", "test")]
    assert all(sides)
    assert sorted(patient for side in sides for patient in side) == sorted(strata(count))


def test_sides_keep_their_shares_in_every_stratum() -> None:
    split = draw_split(strata(300))
    for stratum in ("north", "south", "west"):
        count = Counter(split.sides[patient] for patient, there in strata(300).items() if there == stratum)
        # of 100 patients: 70/15/15, and dealing may be off by a few where strata meet
        assert abs(count["train"] - 70) <= 4
        assert abs(count["validation"] - 15) <= 4
        assert abs(count["test"] - 15) <= 4


def test_the_order_of_patients_does_not_change_the_split() -> None:
    forwards = strata(50)
    backwards = dict(reversed(list(forwards.items())))
    assert draw_split(forwards, seed=3).sides == draw_split(backwards, seed=3).sides
    assert draw_split(forwards, seed=3).sides != draw_split(forwards, seed=4).sides


def test_folds_share_out_everyone_who_is_not_tested_on() -> None:
    split = draw_split(strata(60))
    seen: list[str] = []
    for fold in range(5):
        validation = split.patients("validation", fold=fold)
        assert not validation & split.patients("train", fold=fold)
        assert not validation & split.patients("test")
        seen += validation
    assert sorted(seen) == sorted(set(strata(60)) - split.patients("test"))
    with pytest.raises(SplitError, match="no fold 5"):
        split.patients("validation", fold=5)


def test_named_test_patients_are_test_and_nobody_else() -> None:
    named = frozenset({"p001", "p002"})
    split = draw_split(strata(20), fixed=dict.fromkeys(named, "test"))
    assert split.patients("test") == named
    assert len(split.patients("validation")) == 3


def test_named_validation_patients_are_validation_and_nobody_else() -> None:
    split = draw_split(strata(20), fixed={"p001": "validation", "p002": "test", "p003": "train"})
    assert split.patients("validation") == {"p001"}
    assert split.patients("test") == {"p002"}
    assert "p001" in split.folds
    alone = draw_split(strata(20), fixed={"p001": "validation"})
    assert alone.patients("validation") == {"p001"}
    assert len(alone.patients("test")) == 3


def test_sides_without_anybody_to_learn_from_are_refused() -> None:
    with pytest.raises(SplitError, match="leave nobody to learn from"):
        draw_split(strata(4), fixed=dict.fromkeys(strata(4), "test"))


def test_shares_without_anybody_to_learn_from_are_refused() -> None:
    with pytest.raises(SplitError, match="nobody to learn from"):
        draw_split(strata(20), shares=(0.0, 0.5, 0.5))


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_patients_are_refused_in_words(count: int) -> None:
    with pytest.raises(SplitError, match="each side needs one"):
        draw_split(strata(count))


def test_folds_of_other_patients_are_refused() -> None:
    with pytest.raises(SplitError):
        Split(sides={"a": "train", "b": "test"}, folds={"a": 0, "b": 1})


def dataset() -> Dataset:
    entries = tuple(
        Entry(
            id=f"c{number}",
            patient=f"p{number}",
            volumes={"image": f"{number:064d}"},
            outlines=(Outline(reader="r", digest="0" * 64, present=(1,)),),
            facts={"sex": Fact(value="F"), "age": Fact(value=61.0, unit="a")},
        )
        for number in range(4)
    )
    split = draw_split({entry.patient: "" for entry in entries})
    return Dataset(name="liver", entries=entries, table=LabelTable.of("liver"), split=split)


def test_a_data_set_comes_back_from_its_document_with_the_same_id() -> None:
    there = dataset()
    back = Dataset.from_document(there.to_document())
    assert back.id == there.id
    assert back.entries == there.entries


def test_the_name_is_not_part_of_the_id_and_a_voxel_is() -> None:
    there = dataset()
    assert replace(there, name="other").id == there.id
    changed = replace(there.entries[0], volumes={"image": "f" * 64})
    assert replace(there, entries=(changed, *there.entries[1:])).id != there.id


def test_two_cases_of_one_id_are_refused() -> None:
    there = dataset()
    with pytest.raises(InputError, match="called 'c0'"):
        replace(there, entries=(*there.entries, there.entries[0]))


def test_a_split_of_other_patients_is_refused() -> None:
    there = dataset()
    with pytest.raises(SplitError):
        replace(there, entries=there.entries[:3])


def test_a_case_that_is_not_there_is_named() -> None:
    with pytest.raises(NotFoundError, match="c9"):
        dataset().entry("c9")


def test_an_outline_on_another_grid_does_not_make_a_case() -> None:
    table = LabelTable.of("liver")
    mask = Mask(labels=np.zeros((2, 2, 2), dtype=np.uint8), affine=GRID.shifted((1, 0, 0)), table=table)
    with pytest.raises(GridError):
        Case(id="c", patient="p", volumes={"image": VOLUME}, annotations=(Annotation(reader="r", mask=mask),))


def test_a_case_without_a_volume_or_with_one_reader_twice_is_refused() -> None:
    with pytest.raises(InputError, match="no volume"):
        Case(id="c", patient="p", volumes={})
    mask = Mask(labels=np.zeros((2, 2, 2), dtype=np.uint8), affine=GRID, table=LabelTable.of("liver"))
    twice = (Annotation(reader="r", mask=mask), Annotation(reader="r", mask=mask))
    with pytest.raises(InputError, match="twice"):
        Case(id="c", patient="p", volumes={"image": VOLUME}, annotations=twice)


@pytest.mark.parametrize("every", [2, 4, 5, 7, 20])
def test_a_class_of_every_nth_patient_has_its_share_of_each_side_and_fold(every: int) -> None:
    classes = {f"p{number:03d}": "sick" if number % every == 0 else "well" for number in range(345)}
    split = draw_split(classes, seed=1)
    sick = [patient for patient, kind in classes.items() if kind == "sick"]
    for side, share in (("train", 0.70), ("validation", 0.15), ("test", 0.15)):
        assert abs(sum(split.sides[patient] == side for patient in sick) - share * len(sick)) <= 1
    folds = Counter(split.folds[patient] for patient in sick if patient in split.folds)
    assert max(folds.values()) - min(folds.values()) <= 1


def test_readers_leave_under_other_names_too() -> None:
    outlines = (Outline(reader="Dr Canary", digest="a"), Outline(reader=UNSIGNED, digest="b"))
    entry = Entry(id="case", patient="patient", volumes={"image": "c"}, outlines=outlines).renamed(str.upper)
    assert (entry.id, entry.patient) == ("CASE", "PATIENT")
    assert [outline.reader for outline in entry.outlines] == ["DR CANARY", UNSIGNED]
