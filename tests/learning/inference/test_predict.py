"""Reading a case: the same body gives the same answer however it is stored, on its own grid."""

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest

from isocenter.errors import InputError, PlanError
from isocenter.image import Mask, Volume, resample_mask
from isocenter.learning.inference.predict import Reader, fitting, volume_scores
from isocenter.learning.inference.runtime import has_bf16
from isocenter.metrics import dice
from isocenter.models.model import Model, write_model

ORIENTATIONS = ["".join(letters) for pair in permutations(("RL", "AP", "IS")) for letters in product(*pair)]
Body = Callable[..., tuple[Volume, Mask]]


@pytest.fixture(scope="module")
def reader(trained: Model) -> Reader:
    return Reader(trained)


@pytest.fixture(scope="module")
def straight(reader: Reader, body: Body) -> Mask:
    """What the model says of the body stored as SPL, 1 mm."""
    return reader.read({"ct": body(seed=99)[0]}).mask


def test_the_model_finds_what_it_has_learnt(reader: Reader, body: Body) -> None:
    volume, truth = body(seed=99)
    found = reader.read({"ct": volume}).mask
    found.require_grid_of(volume)
    for name in truth.table.structures:
        # 0.9: a network of 100 steps; a swap of sides would give 0
        assert dice(found.binary(name), truth.binary(name)) > 0.9, name


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_the_order_of_axes_changes_no_voxel_of_the_answer(
    reader: Reader, body: Body, straight: Mask, orientation: str
) -> None:
    stored = body(seed=99)[0].oriented(orientation)
    found = reader.read({"ct": stored}).mask
    found.require_grid_of(stored)
    assert np.array_equal(found.oriented("SPL").labels, straight.labels)


@pytest.mark.parametrize(
    "how", [{"spacing": (2.5, 0.8, 0.8)}, {"degrees": 12.0}, {"spacing": (0.5, 2.0, 1.0), "degrees": -8.0}], ids=str
)
def test_another_grid_gives_the_same_answer_within_interpolation(
    reader: Reader, body: Body, straight: Mask, how: dict[str, float]
) -> None:
    volume, truth = body(seed=99)
    other, other_truth = body(seed=99, **how)
    found = reader.read({"ct": other}).mask
    found.require_grid_of(other)
    back = resample_mask(found, affine=volume.affine, shape=volume.shape)
    for name in truth.table.structures:
        # what two samplings of the truth itself agree on, less 0.08 for a network whose outline moves with the noise
        ceiling = dice(
            resample_mask(other_truth, affine=volume.affine, shape=volume.shape).binary(name), truth.binary(name)
        )
        assert dice(back.binary(name), straight.binary(name)) > ceiling - 0.08, name


def test_seconds_are_told_by_stage(reader: Reader, body: Body) -> None:
    seconds = reader.read({"ct": body()[0]}).seconds
    assert set(seconds) == {"prepare", "choose", "network", "blend", "label", "restore"}
    assert min(seconds.values()) > 0


def test_a_reading_says_how_it_was_read(trained: Model, body: Body) -> None:
    volume, _ = body()
    quick = Reader(trained).read({"ct": volume}).choice
    assert quick is not None
    # over within a second: in the reference, and with the plan's windows
    windows = {"overlap": trained.plan.overlap, "batch": 1}
    assert quick.brief() == {"name": "torch", "agreement": 1.0, "least": 1.0, **windows}
    if has_bf16():
        asked = Reader(trained, runtime="torch-bf16").read({"ct": volume})
        assert asked.choice is not None
        assert asked.choice.brief()["name"] == "torch-bf16"
        assert asked.choice.brief()["agreement"] is None  # nothing was compared


def test_one_volume_is_taken_whatever_its_role_is_called(reader: Reader, body: Body) -> None:
    volume, _ = body()
    named, other = reader.read({"ct": volume}).mask, reader.read({"image": volume}).mask
    assert np.array_equal(named.labels, other.labels)


def test_a_missing_role_is_named(trained: Model, body: Body) -> None:
    volume, _ = body()
    with pytest.raises(InputError, match="ct is missing among t1, t2"):
        fitting({"t1": volume, "t2": volume}, trained)


def test_the_only_volume_of_another_sequence_is_refused(trained: Model, body: Body) -> None:
    channel = replace(trained.plan.channels[0], role="flair")
    told = replace(trained.description, plan=replace(trained.plan, channels=(channel,)))
    with pytest.raises(InputError, match=r"reads 'flair', and this case has 't1w'"):
        fitting({"t1w": body()[0]}, replace(trained, description=told))


def test_another_modality_is_refused(trained: Model, body: Body) -> None:
    volume = replace(body()[0], modality="MR", unit="1")
    with pytest.raises(InputError, match="is MR; the model has learnt from CT"):
        fitting({"ct": volume}, trained)


def test_another_unit_is_refused(trained: Model, body: Body) -> None:
    with pytest.raises(InputError, match="SUV"):
        fitting({"ct": replace(body()[0], unit="SUV")}, trained)


def test_a_modality_that_is_not_known_is_taken(trained: Model, body: Body) -> None:
    volume = replace(body()[0], modality="OT", unit="1")
    assert fitting({"ct": volume}, trained) == {"ct": volume}


def test_colour_is_refused(trained: Model, body: Body) -> None:
    volume, _ = body()
    with pytest.raises(InputError, match="colour"):
        fitting({"ct": replace(volume, voxels=np.stack([volume.voxels] * 3))}, trained)


def test_weights_of_another_network_are_refused(trained: Model, tmp_path: Path) -> None:
    wider = replace(trained.description, plan=replace(trained.plan, width=16))
    other = write_model(tmp_path / "other", weights=trained.weights, description=wider, card="")
    with pytest.raises(PlanError, match="weights of model"):
        Reader(other)


@pytest.mark.parametrize("device", ["cuda", "abacus"])
def test_a_device_that_is_not_there_is_named(trained: Model, device: str) -> None:
    import torch

    if device == "cuda" and torch.cuda.is_available():
        pytest.skip("this machine has the device that the test wants to be missing")
    with pytest.raises(PlanError, match=device):
        Reader(trained, device=device)


def test_a_volume_bears_the_interval_of_the_models_errors(trained: Model, body: Body) -> None:
    _, truth = body()
    scores = {score.label: score for score in volume_scores(truth, trained)}
    liver = scores["liver"]
    assert liver.value == pytest.approx(truth.volume_ml("liver"))
    logs = np.log([0.9, 1.0, 1.1, 1.0])
    reach = 3.182446 * logs.std(ddof=1) * math.sqrt(1.25)  # t of 0.975 at 3 degrees of freedom, from its table
    assert liver.low == pytest.approx(liver.value * math.exp(logs.mean() - reach), rel=1e-6)
    assert liver.high == pytest.approx(liver.value * math.exp(logs.mean() + reach), rel=1e-6)
    assert (liver.n, liver.unit, liver.name) == (4, "ml", "volume")
    assert (scores["left lung"].n, math.isnan(scores["left lung"].low)) == (1, True)
    assert (scores["right lung"].n, math.isnan(scores["right lung"].low)) == (0, True)


def test_nothing_found_bears_no_interval(trained: Model, body: Body) -> None:
    _, truth = body()
    empty = Mask(labels=np.zeros(truth.shape, dtype=np.uint8), affine=truth.affine, table=truth.table)
    liver = next(score for score in volume_scores(empty, trained) if score.label == "liver")
    assert (liver.value, liver.n) == (0.0, 0)


def test_the_interval_of_a_volume_holds_the_truth_about_95_times_in_100(trained: Model, body: Body) -> None:
    _, truth = body()
    found_ml = truth.volume_ml("liver")
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        *past, now = np.exp(rng.normal(0.02, 0.1, size=13))
        description = replace(trained.description, volume_errors={"liver": tuple(past)})
        scores = volume_scores(truth, replace(trained, description=description))
        liver = next(score for score in scores if score.label == "liver")
        held += liver.low <= found_ml * now <= liver.high
    assert 0.92 <= held / 400 <= 0.98  # 400 draws scatter by 1.1 %
