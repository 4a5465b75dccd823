"""STAPLE: SimpleITK as oracle, readers of known rates, and readers from whom nothing can be told."""

import math

import numpy as np
import pytest
import SimpleITK as sitk

from isocenter.errors import InputError, LabelError
from isocenter.image import Affine, LabelTable, Mask
from isocenter.intake.labelling import Staple, Vote, consensus_of_classes, consensus_of_masks
from isocenter.metrics import dice

AFFINE = Affine.from_parts(origin=(0, 0, 0), directions=np.eye(3), spacing=(1, 1, 1))
TABLE = LabelTable.of("liver", "tumour")
AS_WARFIELD = Staple(prior="constant", region="whole")
SENSITIVITIES, SPECIFICITIES = (0.95, 0.9, 0.7, 0.65, 0.6), (0.95, 0.97, 0.85, 0.8, 0.9)


def liver() -> np.ndarray:
    truth = np.zeros((20, 40, 40), dtype=np.uint8)
    truth[5:14, 6:32, 8:35] = 1
    return truth


def two_labels() -> np.ndarray:
    truth = liver()
    truth[10:16, 6:22, 8:25] = 2
    return truth


def binary_readers(seed: int) -> dict[str, Mask]:
    rng = np.random.default_rng(seed)
    truth = liver() == 1
    drawn = [
        np.where(truth, rng.random(truth.shape) < sees, rng.random(truth.shape) > spares)
        for sees, spares in zip(SENSITIVITIES, SPECIFICITIES, strict=True)
    ]
    return named(drawn)


def confused_readers(seed: int) -> dict[str, Mask]:
    """Return four readers who err in 5, 15, 25 and 35 of 100 voxels, towards each other label alike."""
    rng = np.random.default_rng(seed)
    truth = two_labels()
    wrong = (truth + rng.integers(1, 3, (4, *truth.shape))) % 3
    errs = rng.random((4, *truth.shape)) < np.reshape([0.05, 0.15, 0.25, 0.35], (4, 1, 1, 1))
    return named(list(np.where(errs, wrong, truth)))


def named(labels: list[np.ndarray]) -> dict[str, Mask]:
    return {
        f"r{place}": Mask(labels=one.astype(np.uint8), affine=AFFINE, table=TABLE) for place, one in enumerate(labels)
    }


def images(masks: dict[str, Mask]) -> list[sitk.Image]:
    return [sitk.GetImageFromArray(one.labels) for one in masks.values()]


@pytest.mark.parametrize("seed", range(3))
def test_two_classes_equal_the_oracle(seed: int) -> None:
    masks = binary_readers(seed)
    oracle = sitk.STAPLEImageFilter()
    oracle.SetForegroundValue(1)
    probability = sitk.GetArrayFromImage(oracle.Execute(images(masks)))
    found = consensus_of_masks(masks, AS_WARFIELD)
    assert np.array_equal(found.mask.labels, probability > 0.5)
    performances = found.account.estimate.performances
    # 1e-4: the oracle stops at a change of 1e-5 or so
    assert [one.sensitivity("liver") for one in performances] == pytest.approx(oracle.GetSensitivity(), abs=1e-4)
    assert [one.specificity("liver") for one in performances] == pytest.approx(oracle.GetSpecificity(), abs=1e-4)


@pytest.mark.parametrize("seed", range(2))
def test_several_classes_equal_the_oracle(seed: int) -> None:
    masks = confused_readers(seed)
    oracle = sitk.MultiLabelSTAPLEImageFilter()
    oracle.SetMaximumNumberOfIterations(500)
    oracle.SetTerminationUpdateThreshold(1e-8)
    labels = sitk.GetArrayFromImage(oracle.Execute(images(masks)))
    found = consensus_of_masks(masks, AS_WARFIELD)
    # the oracle calls undecided what it holds for equal; such voxels are none here
    assert np.array_equal(found.mask.labels, labels)
    for place, one in enumerate(found.account.estimate.performances):
        # rows are what was said there, and the last is for undecided voxels
        matrix = np.reshape(oracle.GetConfusionMatrix(place), (4, 3))[:3]
        assert one.confusion == pytest.approx(matrix.T, abs=1e-5)


def test_readers_of_known_rates_are_recovered_and_the_consensus_beats_the_best_reader_and_the_vote() -> None:
    truth, masks = liver() == 1, binary_readers(0)
    found = consensus_of_masks(masks, Staple(region="whole"))
    for one, sees, spares in zip(found.account.estimate.performances, SENSITIVITIES, SPECIFICITIES, strict=True):
        # 0.02: four standard errors of a rate over the 6,318 voxels of the liver
        assert one.sensitivity("liver") == pytest.approx(sees, abs=0.02)
        assert one.specificity("liver") == pytest.approx(spares, abs=0.02)
        assert one.rests_on[1] == pytest.approx(truth.sum(), rel=0.02)
    shared = dice(found.mask.labels == 1, truth)
    assert shared > dice(consensus_of_masks(masks, Vote()).mask.labels == 1, truth) + 0.005
    assert shared > max(dice(one.labels == 1, truth) for one in masks.values()) + 0.05
    assert found.account.estimate.is_converged
    assert found.account.issues == ()


def test_several_labels_of_known_rates_are_recovered() -> None:
    truth, masks = two_labels(), confused_readers(0)
    found = consensus_of_masks(masks, Staple(region="whole"))
    for one, errs in zip(found.account.estimate.performances, (0.05, 0.15, 0.25, 0.35), strict=True):
        # 0.04: four standard errors of a rate over the 1,632 voxels of the tumour's part that is smallest
        assert np.diag(one.confusion) == pytest.approx(np.full(3, 1 - errs), abs=0.04)
        assert one.confusion.sum(1) == pytest.approx(np.ones(3))
    wrong = np.count_nonzero(found.mask.labels != truth)
    assert wrong < np.count_nonzero(consensus_of_masks(masks, Vote()).mask.labels != truth)
    assert wrong < np.count_nonzero(masks["r0"].labels != truth)


def test_one_careful_reader_of_three_is_believed_on_classes_too() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(1, 4, (600, 1))
    ratings = np.where(rng.random((600, 3)) < (0.97, 0.6, 0.6), truth, rng.integers(1, 4, (600, 3))).astype(float)
    ratings[rng.random((600, 3)) < 0.1] = math.nan
    found = consensus_of_classes(ratings, Staple(), readers=["careful", "b", "c"])
    votes = consensus_of_classes(ratings, Vote(), readers=["careful", "b", "c"])
    read = ~np.isnan(votes.classes)
    right = (found.classes == truth[:, 0])[read].mean()
    assert right > (votes.classes == truth[:, 0])[read].mean() + 0.03
    careful, other, _ = found.account.estimate.performances
    assert all(careful.sensitivity(name) > other.sensitivity(name) for name in ("1", "2", "3"))
    assert careful.rests_on.sum() == pytest.approx(np.count_nonzero(~np.isnan(ratings[:, 0])))
    # probabilities mean what they say: of cases answered with a support of p the share p is right
    assert found.support[read].mean() == pytest.approx(right, abs=0.03)


def test_a_structure_in_much_empty_space_does_not_grow_with_the_box() -> None:
    """Where empty space counts, whoever sees anything is believed, and the consensus is too large."""
    rows, columns = np.indices((200, 200)) - 100
    away = np.hypot(rows, columns)
    masks = named([(away < radius)[None] for radius in (18, 19, 20, 21, 24)])
    box, whole = (consensus_of_masks(masks, Staple(region=region)).mask.labels.sum() for region in ("box", "whole"))
    assert box == masks["r2"].labels.sum()
    assert whole >= masks["r3"].labels.sum()


def test_a_reader_who_filled_the_image_is_named_and_not_followed() -> None:
    masks = binary_readers(0)
    masks["filled"] = Mask(labels=np.ones_like(liver()), affine=AFFINE, table=TABLE)
    found = consensus_of_masks(masks, Staple(), where="case-7")
    assert [one.figure for one in found.account.issues] == [
        "filled reads liver no better than chance: sensitivity + specificity 1.000"
    ]
    without = consensus_of_masks(binary_readers(0), Staple(region="whole"))
    assert np.mean(found.mask.labels != without.mask.labels) < 0.001


def test_two_readers_and_too_few_rounds_are_told() -> None:
    masks = binary_readers(0)
    two = consensus_of_masks({name: masks[name] for name in ("r0", "r1")}, Staple(most_rounds=3))
    assert [one.check for one in two.account.issues] == ["readers", "convergence"]
    assert not two.account.estimate.is_converged
    assert two.account.estimate.rounds == 3
    assert "cannot be told" in two.account.issues[0].mend


def test_a_reader_with_one_case_is_told() -> None:
    ratings = np.tile([[1.0], [2.0]], (10, 4))
    ratings[1:, 3] = math.nan
    ratings[0, 3] = 2
    found = consensus_of_classes(ratings, Staple(), readers=list("abcd"))
    assert found.classes.tolist() == [1, 2] * 10
    assert [one.figure for one in found.account.issues] == ["d judged 1 only"]


def test_a_class_that_is_not_there_has_no_rate() -> None:
    masks = named([np.ones((2, 3, 4)), np.ones((2, 3, 4))])
    one = consensus_of_masks(masks, Staple()).account.estimate.performances[0]
    assert one.sensitivity("liver") == 1.0
    assert math.isnan(one.specificity("liver"))
    assert math.isnan(one.sensitivity("background"))
    with pytest.raises(LabelError, match="there are background, liver"):
        one.sensitivity("tumour")


@pytest.mark.parametrize("wrong", [{"most_rounds": 0}, {"tolerance": 0.0}, {"tolerance": math.nan}])
def test_a_rule_that_cannot_end_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match="both lie above 0"):
        Staple(**wrong)


def case_by_case(ratings: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities and rates as Dawid and Skene write them, one case after the other."""
    cases, readers = ratings.shape
    said = [[np.eye(classes)[int(one)] if one == one else None for one in row] for row in ratings]
    believed = np.array([np.mean([one for one in row if one is not None], axis=0) for row in said])
    for _ in range(300):
        rates = np.zeros((readers, classes, classes))
        for case in range(cases):
            for reader in range(readers):
                if said[case][reader] is not None:
                    rates[reader] += np.outer(believed[case], said[case][reader])
        rates /= rates.sum(2, keepdims=True)
        likely = np.tile(believed.mean(0), (cases, 1))
        for case in range(cases):
            for reader in range(readers):
                if said[case][reader] is not None:
                    likely[case] *= rates[reader] @ said[case][reader]
        believed = likely / likely.sum(1, keepdims=True)
    return believed, rates


def test_classes_with_missing_ratings_equal_the_estimator_written_case_by_case() -> None:
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 3, (60, 1))
    ratings = np.where(rng.random((60, 4)) < (0.9, 0.7, 0.6, 0.8), truth, rng.integers(0, 3, (60, 4))).astype(float)
    ratings[:, 1:][rng.random((60, 3)) < 0.2] = math.nan
    believed, rates = case_by_case(ratings, 3)
    found = consensus_of_classes(ratings, Staple(), readers=list("abcd"))
    assert np.array_equal(found.classes, believed.argmax(1))
    assert found.support == pytest.approx(believed.max(1), abs=1e-4)
    for one, wanted in zip(found.account.estimate.performances, rates, strict=True):
        assert one.confusion == pytest.approx(wanted, abs=1e-4)  # 300 rounds of the one, convergence of the other
