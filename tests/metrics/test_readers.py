"""Readers held against each other, pair by pair: scikit-learn as oracle, and the measures themselves."""

import math

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from isocenter import metrics
from isocenter.errors import GridError, InputError
from isocenter.image import Affine, Label, LabelTable, Mask
from isocenter.metrics import Compared

LIVER = LabelTable.of("liver", "tumour")
AFFINE = Affine.from_parts(origin=(0, 0, 0), directions=np.eye(3), spacing=(3, 1, 1))
FULL = np.ones((6, 8, 8), dtype=np.uint8)
PATIENTS = [f"p{place}" for place in range(60)]
MEASURES = {
    metrics.cohen_kappa: None,
    metrics.linear_kappa: "linear",
    metrics.quadratic_kappa: "quadratic",
}


def mask(labels: np.ndarray, *, table: LabelTable = LIVER, affine: Affine = AFFINE) -> Mask:
    return Mask(labels=labels, affine=affine, table=table)


def slab(rows: int) -> np.ndarray:
    labels = np.zeros((6, 8, 8), dtype=np.uint8)
    labels[1:5, :rows, 2:6] = 1
    return labels


def drawn(readers: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, (60, 1))
    return np.where(rng.random((60, readers)) < 0.6, truth, rng.integers(0, 4, (60, readers))).astype(float)


@pytest.mark.parametrize(("measure", "weights"), MEASURES.items(), ids=["plain", "linear", "quadratic"])
def test_kappa_of_each_pair_equals_the_oracle(measure: object, weights: str | None) -> None:
    ratings = drawn(3)
    ratings[:10, 0] = math.nan
    found = metrics.kappa_by_pair(ratings, readers=["a", "b", "c"], patients=PATIENTS, measure=measure)
    assert list(found) == [("a", "b"), ("a", "c"), ("b", "c")]
    for (first, second), one in found.items():
        columns = ratings[10 if first == "a" else 0 :, ["abc".index(first), "abc".index(second)]]
        assert one.value == pytest.approx(cohen_kappa_score(*columns.T.astype(int), weights=weights))
        assert one.n == len(columns)
        assert one.low < one.value < one.high


def test_readers_who_read_nothing_in_common_have_no_kappa() -> None:
    ratings = drawn(2)
    ratings[:30, 0] = ratings[30:, 1] = math.nan
    found = metrics.kappa_by_pair(ratings, readers=["a", "b"], patients=PATIENTS)["a", "b"]
    assert math.isnan(found.value)
    assert found.n == 0
    assert str(found.score(name="kappa", label="grade")) == "not measured (n = 0)"


def test_one_case_has_no_interval_and_constant_ratings_have_no_kappa() -> None:
    one = metrics.kappa_by_pair([[1, 2]], readers=["a", "b"], patients=["p"])["a", "b"]
    assert one.value == 0.0
    assert math.isnan(one.low)
    assert one.n == 1
    same = metrics.kappa_by_pair(np.ones((5, 2)), readers=["a", "b"], patients=PATIENTS[:5])["a", "b"]
    assert math.isnan(same.value)


@pytest.mark.parametrize("readers", [["a"], ["a", "a"]])
def test_one_reader_and_one_named_twice_are_refused(readers: list[str]) -> None:
    with pytest.raises(InputError, match="two readers or more"):
        metrics.kappa_by_pair(np.ones((3, len(readers))), readers=readers, patients=PATIENTS[:3])
    with pytest.raises(InputError, match="do not fit"):
        metrics.kappa_by_pair(np.ones((3, 2)), readers=readers * 2, patients=PATIENTS[:2])


def test_outlines_are_compared_by_the_measures_of_outlines() -> None:
    a, b = slab(4), slab(5)
    found = metrics.compare_outlines({"b": mask(b), "a": mask(a)}, patient="p", tolerance_mm=0.5)
    figures = {(one.name, one.label): one.value for one in found}
    sides = (a == 1, b == 1)
    steps = {"spacing_mm": (3, 1, 1)}
    assert figures["dice", "liver"] == metrics.dice(*sides)
    assert figures["nsd", "liver"] == metrics.nsd(*sides, **steps, tolerance_mm=0.5)
    assert figures["hd95", "liver"] == metrics.hd95(*sides, **steps)
    assert all(math.isnan(figures[name, "tumour"]) for name in ("dice", "nsd", "hd95"))
    assert {one.readers for one in found} == {("a", "b")}


def test_means_count_patients_and_one_who_stands_apart_is_seen() -> None:
    compared: list[Compared] = []
    for patient in range(5):
        outlines = {"a": mask(slab(4)), "b": mask(slab(4 + patient % 2)), "far": mask(slab(1))}
        for _ in range(1 + patient):  # a patient with more cases counts no more
            compared += metrics.compare_outlines(outlines, patient=f"p{patient}", tolerance_mm=1.0)
    scores = {(one.name, one.label): one for one in metrics.mean_over_pairs(compared)}
    same, more = (1 + 2 * 0.4) / 3, (8 / 9 + 0.4 + 2 / 6) / 3
    assert scores["dice", "liver"].value == pytest.approx((3 * same + 2 * more) / 5)
    assert scores["dice", "liver"].n == 5
    assert scores["hd95", "liver"].unit == "mm"
    assert scores["dice", "tumour"].n == 0
    by_pair = metrics.mean_by_pair(compared)
    near, far = (next(one for one in by_pair[pair] if one.name == "dice") for pair in (("a", "b"), ("a", "far")))
    assert far.high < near.low


def test_masks_that_fill_the_image_agree_and_their_interval_says_how_few_say_so() -> None:
    compared: list[Compared] = []
    for patient in ("p", "q"):
        outlines = {"a": mask(FULL), "b": mask(FULL)}
        compared += metrics.compare_outlines(outlines, patient=patient, tolerance_mm=1.0)
    score = metrics.mean_over_pairs(compared)[0]
    assert (score.name, score.value, score.n) == ("dice", 1.0, 2)
    assert score.low == pytest.approx(1 - (1 - 0.025**0.5))


def test_structures_meet_by_name_and_ignored_voxels_count_for_neither() -> None:
    other = LabelTable(labels=(Label(value=7, name="liver"),), ignore=9)
    b = slab(5) * 7
    b[:, 4] = 9  # the row that only b outlines
    found = metrics.compare_outlines(
        {"a": mask(slab(4)), "b": mask(b, table=other)}, patient="p", tolerance_mm=0.0
    )  # fmt: skip
    assert {one.label for one in found} == {"liver"}
    assert found[0].value == 1.0


def test_masks_on_two_grids_are_refused_with_their_readers() -> None:
    moved = Affine.from_parts(origin=(5, 0, 0), directions=np.eye(3), spacing=(3, 1, 1))
    with pytest.raises(GridError, match="a and b outlined on different grids"):
        metrics.compare_outlines(
            {"a": mask(FULL), "b": mask(FULL, affine=moved)}, patient="p", tolerance_mm=1.0
        )  # fmt: skip
    with pytest.raises(InputError, match="tolerance"):
        metrics.compare_outlines({"a": mask(FULL), "b": mask(FULL)}, patient="p", tolerance_mm=-1)
    with pytest.raises(InputError, match="there are: a"):
        metrics.compare_outlines({"a": mask(FULL)}, patient="p", tolerance_mm=1.0)


def test_boxes_of_readers_are_compared() -> None:
    box = np.array([[(0, 0), (10, 10)]])
    boxes = {"a": box, "b": np.concatenate([box, box + 50]), "c": []}
    compared = metrics.compare_boxes(boxes, patient="p", label="nodule")
    figures = {(*one.readers, one.name): one.value for one in compared}
    assert figures["a", "b", "box_f1"] == pytest.approx(2 / 3)
    assert figures["a", "c", "box_f1"] == 0.0
    assert figures["a", "b", "box_iou"] == 1.0
    scores = metrics.mean_over_pairs(compared)
    assert scores[0].value == pytest.approx(2 / 9)
    assert scores[0].n == 1


def test_one_measure_in_two_units_is_refused() -> None:
    one = {"patient": "p", "readers": ("a", "b"), "name": "hd95", "label": "liver", "value": 1.0}
    with pytest.raises(InputError, match="in mm and in px"):
        metrics.mean_over_pairs([Compared(**one, unit="mm"), Compared(**one, unit="px")])
