"""Votes voxel by voxel and case by case: SimpleITK as oracle, ties by each rule, and input that is none."""

import math
import tracemalloc

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from isocenter.errors import GridError, InputError, LabelError
from isocenter.image import Affine, Label, LabelTable, Mask
from isocenter.intake.labelling import Staple, Vote, consensus_of_classes, consensus_of_masks

X = math.nan
AFFINE = Affine.from_parts(origin=(0, 0, 0), directions=np.eye(3), spacing=(3, 1, 1))
TABLE = LabelTable(labels=(Label(value=1, name="liver"), Label(value=5, name="tumour")), ignore=9)


def mask(labels: object, *, table: LabelTable = TABLE, affine: Affine = AFFINE) -> Mask:
    found = np.asarray(labels, dtype=np.uint8)
    return Mask(labels=found.reshape((1,) * (3 - found.ndim) + found.shape), affine=affine, table=table)


def named(*labels: object) -> dict[str, Mask]:
    return {"abcdefgh"[place]: mask(one) for place, one in enumerate(labels)}


def drawn(seed: int, readers: int, *, values: tuple[int, ...] = (0, 1, 5)) -> dict[str, Mask]:
    rng = np.random.default_rng(seed)
    return named(*(rng.choice(values, (4, 5, 6)) for _ in range(readers)))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000), st.integers(2, 6))
def test_the_majority_equals_the_oracle(seed: int, readers: int) -> None:
    masks = drawn(seed, readers)
    oracle = sitk.LabelVoting([sitk.GetImageFromArray(one.labels) for one in masks.values()], 9)
    found = consensus_of_masks(masks, Vote(ties="open"))
    assert np.array_equal(found.mask.labels, sitk.GetArrayFromImage(oracle))
    assert found.account.tied == np.count_nonzero(found.mask.labels == 9)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000))
def test_equal_weights_are_no_weights_and_twofold_ones_are_two_readers(seed: int) -> None:
    masks = drawn(seed, 3, values=(0, 1, 5, 9))
    plain = consensus_of_masks(masks, Vote()).mask.labels
    assert np.array_equal(consensus_of_masks(masks, Vote(weights=dict.fromkeys("abc", 0.1))).mask.labels, plain)
    doubled = consensus_of_masks(masks | {"d": masks["a"]}, Vote()).mask.labels
    weighed = consensus_of_masks(masks, Vote(weights={"a": 2, "b": 1, "c": 1})).mask.labels
    assert np.array_equal(weighed, doubled)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000), st.sampled_from(["box", "whole", "disputed"]))
def test_what_all_say_stands_under_every_rule(seed: int, region: str) -> None:
    masks = drawn(seed, 3, values=(0, 0, 0, 1, 5, 9))
    said = np.stack([one.labels for one in masks.values()])
    alike = (said == said[0]).all(0)
    for rule in (Vote(), Vote(ties="open"), Staple(region=region, most_rounds=20)):
        assert np.array_equal(consensus_of_masks(masks, rule).mask.labels[alike], said[0][alike])


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000))
def test_a_vote_on_voxels_is_a_vote_on_cases(seed: int) -> None:
    masks = drawn(seed, 4, values=(0, 1, 5, 9))
    ratings = np.stack([one.labels.ravel() for one in masks.values()], axis=1).astype(float)
    ratings[ratings == 9] = X
    for rule in (Vote(ties="first"), Staple(region="whole", most_rounds=20)):
        voxels, cases = consensus_of_masks(masks, rule), consensus_of_classes(ratings, rule, readers=list("abcd"))
        assert np.array_equal(np.nan_to_num(cases.classes, nan=9), voxels.mask.labels.ravel())
        assert cases.account.disputed == voxels.account.disputed
        assert cases.account.judged == voxels.account.judged


@pytest.mark.parametrize(("ties", "wanted"), [("lowest", [0, 1, 1]), ("first", [5, 1, 1]), ("open", [9, 9, 1])])
def test_a_tie_is_told_and_goes_by_its_rule(ties: str, wanted: list[int]) -> None:
    found = consensus_of_masks(named([[5, 9, 1]], [[0, 1, 1]], [[9, 5, 0]]), Vote(ties=ties))
    assert found.mask.labels.ravel().tolist() == wanted
    assert (found.account.judged, found.account.disputed, found.account.tied) == (3, 3, 2)


def test_first_is_the_first_of_those_who_gave_one_of_the_tied_answers() -> None:
    found = consensus_of_classes([[3, 2, 1, 1, 2]], Vote(ties="first"), readers=list("abcde"))
    assert found.classes.tolist() == [2]
    assert found.support.tolist() == [0.4]


def test_missing_ratings_are_no_votes_and_a_case_that_nobody_read_stays_open() -> None:
    found = consensus_of_classes([[1, X, X], [X, X, X], [1, 2, 2]], Vote(), readers=["a", "b", "c"])
    assert found.classes == pytest.approx(np.array([1, X, 2]), nan_ok=True)
    assert found.support == pytest.approx(np.array([1, X, 2 / 3]), nan_ok=True)
    assert (found.account.judged, found.account.disputed) == (2, 1)


def test_voxels_that_nobody_judged_stay_to_be_ignored() -> None:
    found = consensus_of_masks(named([[9, 9, 1, 0]], [[9, 0, 9, 0]]), Vote())
    assert found.mask.labels.ravel().tolist() == [9, 0, 1, 0]


def test_a_consensus_of_two_is_doubtful_where_they_differ() -> None:
    told = consensus_of_masks(named([[1, 0]], [[1, 1]]), Vote(), where="case-7").account.issues
    assert [str(one) for one in told] == [
        "case-7: two readers (readers; expected: three or more). "
        "Have a third reader, or adjudicate. Of two, every dispute is a tie."
    ]
    assert consensus_of_masks(named([[1, 0]], [[1, 0]]), Vote()).account.issues == ()


@pytest.mark.parametrize("rule", [Vote(), Staple(), Staple(region="whole"), Staple(region="disputed")])
def test_masks_that_say_nothing_or_fill_the_image_make_such_a_mask(rule: Vote | Staple) -> None:
    for value in (0, 1):
        found = consensus_of_masks(named(*[np.full((2, 3, 4), value)] * 3), rule)
        assert (found.mask.labels == value).all()
        assert found.account.disputed == 0
        assert found.account.issues == ()


def test_memory_holds_the_result_and_some_slices_only() -> None:
    rng = np.random.default_rng(0)
    masks = named(*((rng.random((60, 128, 128)) < 0.01) for _ in range(5)))
    tracemalloc.start()
    consensus_of_masks(masks, Staple())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    voxels = 60 * 128 * 128
    # one byte a voxel: the result; 4 slices of 8 bytes for each of five readers
    assert peak < voxels + 4 * 5 * 8 * 128 * 128


def test_masks_on_two_grids_and_of_two_tables_are_refused() -> None:
    moved = Affine.from_parts(origin=(5, 0, 0), directions=np.eye(3), spacing=(3, 1, 1))
    with pytest.raises(GridError, match="b and a outlined on different grids"):
        consensus_of_masks({"a": mask([[1]]), "b": mask([[1]], affine=moved)}, Vote())
    with pytest.raises(LabelError, match="b and a use different label tables"):
        consensus_of_masks({"a": mask([[1]]), "b": mask([[1]], table=LabelTable.of("lung"))}, Vote())
    plain = mask([[1]], table=LabelTable.of("liver"))
    with pytest.raises(LabelError, match="names no value"):
        consensus_of_masks({"a": plain, "b": plain}, Vote(ties="open"))


def test_readers_who_do_not_make_a_consensus_are_refused() -> None:
    with pytest.raises(InputError, match="two readers or more, each once; there are: a"):
        consensus_of_masks(named([[1]]), Vote())
    with pytest.raises(InputError, match="each once; there are: a, a"):
        consensus_of_classes([[1, 1]], Vote(), readers=["a", "a"])
    with pytest.raises(InputError, match="only one of both names b, z"):
        consensus_of_masks(named([[1]], [[1]]), Vote(weights={"a": 1, "z": 1}))
    many = {f"r{place}": mask([[1, 5]]) for place in range(40)}
    with pytest.raises(InputError, match="too many combinations"):
        consensus_of_masks(many, Vote())


@pytest.mark.parametrize(
    ("ratings", "words"),
    [
        ([[1, 2, 3]], "do not fit 2 readers"),
        ([[1.5, 1]], "no whole number"),
        ([[math.inf, 1]], "no whole number"),
        ([[X, X]], "No reader read any"),
    ],
)
def test_ratings_that_are_none_are_refused(ratings: list[list[float]], words: str) -> None:
    with pytest.raises(InputError, match=words):
        consensus_of_classes(ratings, Vote(), readers=["a", "b"])


@pytest.mark.parametrize("weight", [0, -1, math.inf, X])
def test_a_vote_without_weight_is_refused(weight: float) -> None:
    with pytest.raises(InputError, match="leave the reader out"):
        Vote(weights={"a": weight})
