from dataclasses import replace

import numpy as np
import pytest

from isocenter.case import Annotation, Case
from isocenter.errors import FileError, GridError, InputError, LabelError, SeriesError
from isocenter.image import Affine, LabelTable, Mask, Volume
from isocenter.intake.quality import Issue, check_case, issue_of

GRID = Affine(matrix=np.eye(4))
TABLE = LabelTable(labels=LabelTable.of("a", "b").labels, ignore=9)


def volume(voxels: np.ndarray, *, modality: str = "MR") -> Volume:
    return Volume(voxels=voxels, affine=GRID, modality=modality)


def ramp(shape: tuple[int, int, int] = (5, 6, 7)) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.int16).reshape(shape) * 10


def case(picture: Volume, labels: np.ndarray | None = None) -> Case:
    masks = () if labels is None else (Mask(labels=labels, affine=GRID, table=TABLE),)
    annotations = tuple(Annotation(reader="r", mask=mask) for mask in masks)
    return Case(id="one", patient="p", volumes={"image": picture}, annotations=annotations)


def found(one: Case) -> list[tuple[str, str]]:
    issues = check_case(one, table=TABLE)
    assert all(issue.where.startswith("one") and issue.mend and issue.limit for issue in issues)
    return [(issue.check, issue.severity) for issue in issues]


def outline(value: int = 1, count: int = 3) -> np.ndarray:
    labels = np.zeros((5, 6, 7), np.uint8)
    labels[2, 2, :count] = value
    return labels


def test_a_sound_case_has_no_issue() -> None:
    assert found(case(volume(ramp()), outline())) == []


def test_a_mask_without_foreground_stops() -> None:
    assert found(case(volume(ramp()), np.zeros((5, 6, 7), np.uint8))) == [("empty mask", "stop")]


def test_a_mask_that_only_says_ignore_outlines_nothing() -> None:
    assert found(case(volume(ramp()), outline(value=9))) == [("empty mask", "stop")]


def test_a_case_without_outline_is_told_where_others_have_one() -> None:
    assert found(case(volume(ramp()))) == [("pairing", "warn")]
    assert check_case(case(volume(ramp())), table=None) == ()


def test_an_image_of_one_value_stops() -> None:
    assert found(case(volume(np.full((5, 6, 7), 3, np.int16)), outline())) == [("constant image", "stop")]


def test_an_image_that_is_nearly_blank_is_told() -> None:
    blank = np.zeros((20, 20, 20), np.int16)
    blank[0, 0, 1] = 5
    assert [issue.check for issue in check_case(case(volume(blank)), table=None)] == ["constant image"]


def test_a_mask_over_nearly_all_of_the_image_is_told() -> None:
    assert found(case(volume(ramp()), np.ones((5, 6, 7), np.uint8))) == [("mask size", "warn")]


def test_a_ct_that_was_never_rescaled_is_told() -> None:
    assert found(case(volume(ramp(), modality="CT"), outline())) == [("Hounsfield units", "warn")]
    in_hu = replace(volume(ramp(), modality="CT"), voxels=ramp() - 1000)
    assert found(case(in_hu, outline())) == []


def test_two_slices_are_told() -> None:
    assert [issue.check for issue in check_case(case(volume(ramp((2, 6, 7)))), table=None)] == ["image size"]


@pytest.mark.parametrize(
    ("error", "check"),
    [
        (FileError("a"), "file"),
        (GridError("a"), "grid"),
        (LabelError("a"), "label values"),
        (SeriesError("a"), "series"),
        (InputError("a"), "voxels"),
    ],
)
def test_an_error_at_reading_keeps_its_words_as_an_issue(error: InputError, check: str) -> None:
    issue = issue_of(error, where="x.nii.gz")
    assert (issue.check, issue.figure, issue.severity) == (check, "a", "stop")


def test_an_issue_says_what_where_and_what_mends_it() -> None:
    issue = Issue(check="grid", where="a.nii", figure="3 mm apart", limit="one grid", mend="Resample it.")
    assert str(issue) == "a.nii: 3 mm apart (grid; expected: one grid). Resample it."
