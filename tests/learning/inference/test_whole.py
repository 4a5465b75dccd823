"""Whole images are answered for as the network says, mirrored as the plan says, and refused where they do not fit."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from isocenter.errors import InputError, PlanError
from isocenter.image import Affine, Volume
from isocenter.learning.inference.fitting import fitting
from isocenter.learning.inference.images import bring
from isocenter.learning.inference.predict import Reader
from isocenter.learning.inference.reader import open_reader
from isocenter.learning.inference.room import memory_free, require_room
from isocenter.learning.inference.whole import WholeReader, with_interval
from isocenter.models import build_network
from isocenter.models.model import Description, Model, write_model
from isocenter.recipe import Channel, Goal, Number, Plan, Scaling
from isocenter.result import Answer

SCALING = Scaling(kind="unit", low=0, high=255, shift=0, scale=255)
PNEUMONIA = Goal(kind="classification", target=("label",), answers=("normal", "pneumonia"), counts=(5, 5))
AGE = Goal(kind="regression", target=("age",), answers=("age",), number=Number(unit="year", shift=50.0, scale=10.0))

MakePlan = Callable[..., Plan]


@pytest.fixture
def picture_plan(make_plan: MakePlan) -> Plan:
    return make_plan(
        goal=PNEUMONIA, dimensions="2-D", network="resnet", width=8, depth=5, patch=(1, 32, 32),
        channels=(Channel(role="xray", scaling=SCALING, modality="DX"),),
    )  # fmt: skip


def model_of(plan: Plan, folder: Path, **told: object) -> Model:
    torch.manual_seed(0)
    outputs = 1 if plan.goal.number else len(plan.goal.answers)
    network = build_network(plan, classes=outputs)
    weights = folder / "learnt.safetensors"
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, weights)
    description = Description(plan=plan, table=None, dataset="d" * 64, **told)  # type: ignore[arg-type]
    return write_model(folder / "model", weights=weights, description=description, card="")


def picture(shape: tuple[int, ...] = (1, 40, 30), *, modality: str = "DX", has_size: bool = True) -> Volume:
    voxels = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    return Volume(voxels=voxels, affine=Affine(matrix=np.eye(4)), modality=modality, is_planar=True, has_size=has_size)


def stack(slices: int = 6, *, seed: int = 0) -> Volume:
    voxels = np.random.default_rng(seed).integers(0, 255, (slices, 32, 32)).astype(np.uint8)
    affine = Affine.from_parts(origin=(0, 0, 0), directions=np.eye(3)[:, ::-1], spacing=(1.0, 1.0, 1.0))
    return Volume(voxels=voxels, affine=affine)


def test_a_model_answers_with_what_its_network_says_of_the_picture(picture_plan: Plan, tmp_path: Path) -> None:
    model = model_of(picture_plan, tmp_path)
    reading = open_reader(model).read({"whatever": picture()})
    assert reading.mask is None
    (answer,) = reading.answers
    network = build_network(picture_plan, classes=2).eval()
    network.load_state_dict(load_file(model.weights))
    with torch.inference_mode():
        scores = network(bring({"xray": picture()}, plan=picture_plan)[None])[0]
    assert list(answer.probabilities) == ["normal", "pneumonia"]
    assert list(answer.probabilities.values()) == pytest.approx(scores.softmax(0).tolist(), abs=1e-5)
    assert answer.value == max(answer.probabilities, key=answer.probabilities.__getitem__)
    assert set(reading.seconds) == {"prepare", "network"}


def test_the_operating_point_decides_between_two_classes(picture_plan: Plan, tmp_path: Path) -> None:
    first = open_reader(model_of(picture_plan, tmp_path)).read({"xray": picture()}).answers[0]
    share = first.probabilities["pneumonia"]
    for place, (point, value) in enumerate([(share - 0.01, "pneumonia"), (share + 0.01, "normal")]):
        folder = tmp_path / str(place)
        folder.mkdir()
        answer = open_reader(model_of(picture_plan, folder, points={"label": point})).read({"xray": picture()}).answers
        assert (answer[0].value, answer[0].point) == (value, point)


def test_mirrored_readings_are_averaged(picture_plan: Plan, tmp_path: Path) -> None:
    plan = replace(picture_plan, flips=("column",))
    reader = open_reader(model_of(plan, tmp_path))
    mirrored = replace(picture(), voxels=picture().voxels[..., ::-1])
    one, other = (reader.read({"xray": volume}).answers[0].probabilities["normal"] for volume in (picture(), mirrored))
    assert one == pytest.approx(other, abs=1e-5)


def test_mirrored_readings_are_averaged_as_probabilities_and_not_as_scores(picture_plan: Plan, tmp_path: Path) -> None:
    mirrored = replace(picture(), voxels=picture().voxels[..., ::-1])
    (tmp_path / "one").mkdir()
    (tmp_path / "both").mkdir()
    single = open_reader(model_of(picture_plan, tmp_path / "one"))
    each = [single.read({"xray": volume}).answers[0].probabilities["normal"] for volume in (picture(), mirrored)]
    both = open_reader(model_of(replace(picture_plan, flips=("column",)), tmp_path / "both"))
    answer = both.read({"xray": picture()}).answers[0]
    # float32 of one network on one machine
    assert answer.probabilities["normal"] == pytest.approx(sum(each) / 2, abs=1e-6)


def test_a_number_bears_the_interval_of_the_models_errors(picture_plan: Plan, tmp_path: Path) -> None:
    residuals = (-2.0, 1.0, 4.0, 1.0)
    model = model_of(replace(picture_plan, goal=AGE), tmp_path, residuals=residuals)
    (answer,) = open_reader(model).read({"xray": picture()}).answers
    assert isinstance(answer.value, float)
    reach = 3.182446 * np.std(residuals, ddof=1) * math.sqrt(1.25)  # t of 0.975 at 3 degrees of freedom, from its table
    assert answer.low == pytest.approx(answer.value + 1.0 - reach, abs=1e-4)
    assert answer.high == pytest.approx(answer.value + 1.0 + reach, abs=1e-4)
    assert answer.unit == "year"


def test_one_validation_patient_gives_no_interval_and_a_class_has_none() -> None:
    number = Answer(kind="regression", target="age", value=50.0, unit="year")
    assert math.isnan(with_interval(number, residuals=(1.0,)).low)
    named = Answer(kind="classification", target="label", value="a", probabilities={"a": 1.0})
    assert with_interval(named, residuals=(1.0, 2.0)) is named


def test_the_interval_of_a_number_holds_the_truth_about_95_times_in_100() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        *known, new = rng.normal(3.0, 2.0, 9)
        answer = with_interval(Answer(kind="regression", target="age", value=0.0), residuals=known)
        held += answer.low <= new <= answer.high
    assert 0.92 < held / 400 <= 0.98  # widened to hold the answer: a little above 0.95; three deviations of 400 draws


def test_a_recurrent_reader_sees_the_ends_of_a_stack_longer_than_it_learnt_from(
    make_plan: MakePlan, tmp_path: Path
) -> None:
    plan = make_plan(
        goal=PNEUMONIA, network="gru", width=8, depth=5, patch=(4, 32, 32),
        channels=(Channel(role="ct", scaling=SCALING),),
    )  # fmt: skip
    reader = open_reader(model_of(plan, tmp_path))
    long = stack(24)
    other = long.voxels.copy()
    other[0] = 255 - other[0]
    one, changed = (
        reader.read({"ct": volume}).answers[0].probabilities["normal"] for volume in (long, replace(long, voxels=other))
    )
    assert one != changed


def test_a_stack_beyond_memory_is_refused_with_the_number() -> None:
    with pytest.raises(InputError, match=r"1000000 × 512 × 512 voxels .* takes 3145\.7 GB, and .* GB"):
        require_room(12 * 1_000_000 * 512 * 512, shape=(1_000_000, 512, 512))
    require_room(1000, shape=(1, 10, 10))
    assert memory_free() > 0


def test_a_model_of_whole_images_does_not_outline(picture_plan: Plan, tmp_path: Path, trained: Model) -> None:
    with pytest.raises(PlanError, match="open_reader"):
        Reader(model_of(picture_plan, tmp_path))
    with pytest.raises(PlanError, match="outlines"):
        WholeReader(trained)


@pytest.mark.parametrize(
    ("volume", "words"),
    [
        (picture((3, 1, 40, 30)), "in colour; the model has learnt from one grey value"),
        (picture(modality="US"), "is US; the model has learnt from DX"),
        (replace(stack(), modality="DX"), "a stack of 6 slices; the model reads single pictures"),
        (replace(picture(), unit="HU"), "is in HU; the model has learnt from OD"),
    ],
)
def test_a_picture_unlike_those_learnt_from_is_refused_with_what_is_wanted(
    volume: Volume, words: str, picture_plan: Plan, tmp_path: Path
) -> None:
    channel = replace(picture_plan.channels[0], unit="OD")
    model = model_of(replace(picture_plan, channels=(channel,)), tmp_path)
    with pytest.raises(InputError, match=words):
        open_reader(model).read({"xray": volume})


def test_a_missing_role_is_named(picture_plan: Plan, tmp_path: Path) -> None:
    two = (*picture_plan.channels, Channel(role="lateral", scaling=SCALING))
    with pytest.raises(InputError, match="xray, lateral; lateral is missing among xray"):
        open_reader(model_of(replace(picture_plan, channels=two), tmp_path)).read({"xray": picture()})


def test_a_grey_picture_and_one_of_unknown_size_are_read_by_a_model_of_colour_pictures(
    picture_plan: Plan, tmp_path: Path
) -> None:
    channel = replace(picture_plan.channels[0], colours=3)
    reader = open_reader(model_of(replace(picture_plan, channels=(channel,)), tmp_path))
    assert len(reader.read({"xray": picture(has_size=False)}).answers) == 1


def test_a_model_of_stacks_refuses_a_picture(trained: Model) -> None:
    flat = replace(picture(), modality="CT", unit="HU")
    with pytest.raises(InputError, match="reads stacks of slices"):
        fitting({"ct": flat}, trained)


def test_an_outlining_model_that_measures_in_mm_refuses_a_picture_of_unknown_size(trained: Model) -> None:
    plan = replace(trained.plan, dimensions="2-D", patch=(1, 32, 32))
    model = replace(trained, description=replace(trained.description, plan=plan))
    with pytest.raises(InputError, match="how large a pixel of 'ct' is"):
        fitting({"ct": picture(modality="CT", has_size=False)}, model)
    by_pixels = replace(plan, channels=(replace(plan.channels[0], has_size=False),))
    unsized = replace(trained, description=replace(trained.description, plan=by_pixels))
    assert fitting({"ct": picture(modality="CT", has_size=False)}, unsized)
