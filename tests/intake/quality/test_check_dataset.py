from collections.abc import Sequence

import numpy as np

from isocenter.case import Case, Dataset, Entry, Outline, Split, draw_split
from isocenter.errors import GridError
from isocenter.image import Affine, LabelTable, Volume
from isocenter.intake.quality import check_dataset
from isocenter.intake.quality.cohort import check_cohort

TABLE = LabelTable.of("a", "b")


def entry(number: int, *, patient: str = "", image: str = "", present: tuple[int, ...] = (1, 2)) -> Entry:
    return Entry(
        id=f"case_{number:02d}",
        patient=patient or f"patient_{number}",
        volumes={"image": image or f"digest {number}"},
        outlines=(Outline(reader="r", digest=f"mask {number}", present=present),),
    )


def dataset(entries: Sequence[Entry], *, split: Split | None = None) -> Dataset:
    return Dataset(name="set", entries=tuple(entries), table=TABLE, split=split)


def split_of(entries: Sequence[Entry]) -> Split:
    return draw_split({one.patient: "" for one in entries})


def told(entries: Sequence[Entry], split: Split | None = None) -> list[tuple[str, str]]:
    return [(issue.check, issue.severity) for issue in check_cohort(dataset(entries, split=split))]


def test_a_sound_data_set_has_no_issue() -> None:
    entries = [entry(number) for number in range(10)]
    assert told(entries, split_of(entries)) == []


def test_one_case_only_is_told() -> None:
    [issue] = check_cohort(dataset([entry(0)]))
    assert (issue.figure, issue.severity) == ("one case only", "stop")


def test_all_cases_of_one_patient_are_told() -> None:
    [issue] = check_cohort(dataset([entry(number, patient="p") for number in range(9)]))
    assert issue.figure == "all 9 cases are of one patient"
    assert issue.severity == "stop"


def test_one_image_on_two_sides_of_a_split_stops() -> None:
    entries = [entry(number) for number in range(10)]
    split = split_of(entries)
    test = next(one for one in entries if split.sides[one.patient] == "test")
    train = next(one for one in entries if split.sides[one.patient] == "train")
    twice = [entry(int(train.id[-2:]), image=test.volumes["image"]) if one is train else one for one in entries]
    [issue] = check_cohort(dataset(twice, split=split))
    assert (issue.check, issue.severity) == ("one image twice", "stop")
    assert issue.where == ", ".join(sorted((test.id, train.id)))
    assert "test, train" in issue.figure


def test_one_image_twice_within_a_patient_is_a_warning() -> None:
    entries = [entry(number) for number in range(8)]
    entries += [entry(8, patient="patient_0", image="digest 0")]
    assert told(entries, split_of(entries)) == [("one image twice", "warn")]


def test_a_structure_that_nobody_outlined_stops() -> None:
    entries = [entry(number, present=(1,)) for number in range(10)]
    assert told(entries, split_of(entries)) == [("structures", "stop")]


def test_a_structure_that_a_side_lacks_is_a_warning_with_the_side() -> None:
    entries = [entry(number) for number in range(10)]
    split = split_of(entries)
    thinned = [
        entry(number, present=(1,)) if split.sides[one.patient] == "validation" else one
        for number, one in enumerate(entries)
    ]
    [issue] = check_cohort(dataset(thinned, split=split))
    assert issue.severity == "warn"
    assert "b (2)" in issue.figure
    assert "validation" in issue.figure


def test_cases_are_opened_one_by_one_and_one_that_cannot_be_is_told() -> None:
    entries = [entry(number) for number in range(10)]
    grid = Affine(matrix=np.eye(4))
    seen: list[tuple[int, int]] = []

    def load(one: Entry) -> Case:
        if one.id == "case_04":
            raise GridError("The mask lies elsewhere.")
        blank = one.id == "case_06"
        voxels = np.zeros((5, 5, 5), np.int16) if blank else np.arange(125, dtype=np.int16).reshape(5, 5, 5)
        return Case(id=one.id, patient=one.patient, volumes={"image": Volume(voxels=voxels, affine=grid)})

    version = dataset(entries, split=split_of(entries))
    issues = check_dataset(version, load, progress=lambda done, of: seen.append((done, of)))
    stops = [(issue.where, issue.check) for issue in issues if issue.severity == "stop"]
    assert stops == [("case_04", "grid"), ("case_06", "constant image")]
    assert seen[-1] == (10, 10)
