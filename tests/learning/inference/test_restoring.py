"""A model's images go through its steps before anything else, and what is found comes back onto their own grid."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from isocenter.case import Annotation, Case
from isocenter.errors import InputError, NotFoundError, SealError
from isocenter.image import Affine, Mask, Volume
from isocenter.learning.inference.reader import open_reader
from isocenter.learning.inference.restoring import chains_of, restore_case, restore_volumes
from isocenter.models import build_network
from isocenter.models.card import write_card
from isocenter.models.model import Description, Model, write_model
from isocenter.processing.restoration import Chain
from isocenter.recipe import Channel, Goal, Plan, Scaling

Body = Callable[..., tuple[Volume, Mask]]
LINES = (
    {"step": "crop_centre", "size_mm": [31.0, 30.0, 33.0]},
    {"step": "window", "low": -80.0, "high": 150.0, "to": [0.0, 1.0]},
    {"step": "clahe", "limit": 2.0, "tiles": 4},
)
ORIENTATIONS = ("SPL", "IAR", "LSP", "PRI")


def remade(model: Model, folder: Path, lines: tuple[dict[str, object], ...]) -> Model:
    """Return a model of the same weights whose images go through steps first."""
    (channel,) = model.plan.channels
    plan = replace(model.plan, channels=(replace(channel, restoration=lines),))
    description = replace(model.description, plan=plan)
    return write_model(folder / "model", weights=model.weights, description=description, card=write_card(description))


def test_a_model_reads_what_its_steps_have_made_and_answers_on_the_image_s_own_grid(
    trained: Model, body: Body, tmp_path: Path
) -> None:
    volume, _ = body(seed=99)
    model = remade(trained, tmp_path, LINES)
    reading = open_reader(model).read({"ct": volume})
    reading.mask.require_grid_of(volume)
    # by hand: the chain, the same weights without one, and the mask laid back where the crop was
    way = Chain.from_document(LINES).restore(volume)
    bare = replace(trained.plan.channels[0], unit="1")
    without = replace(trained, description=replace(trained.description, plan=replace(trained.plan, channels=(bare,))))
    inner = open_reader(without).read({"ct": way.volume}).mask
    assert np.array_equal(reading.mask.labels, way.bring_back(inner).labels)
    assert reading.mask.labels.any()
    assert reading.said == {"ct": way.said}
    assert reading.seconds["restoration"] > 0


def test_what_has_been_done_is_not_done_again(trained: Model, body: Body, tmp_path: Path) -> None:
    volume, _ = body(seed=99)
    model = remade(trained, tmp_path, LINES)
    whole = open_reader(model).read({"ct": volume}).mask
    first = Chain.from_document(LINES[:2]).restore(volume)
    rest = open_reader(model, done={"ct": LINES[:2]}).read({"ct": first.volume})
    assert [name for name, _ in rest.said["ct"]] == ["clahe"]
    assert np.array_equal(first.bring_back(rest.mask).labels, whole.labels)
    nothing = open_reader(model, done={"image": LINES}).read(
        {"image": Chain.from_document(LINES).restore(volume).volume}
    )
    assert nothing.said == {}


def test_images_that_went_through_other_steps_are_refused(trained: Model, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"prepared by clahe.*after crop_centre, window, clahe"):
        open_reader(remade(trained, tmp_path, LINES), done={"ct": LINES[2:]})
    with pytest.raises(InputError, match="after no step"):
        open_reader(trained, done={"ct": LINES})


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_the_order_of_axes_changes_no_bit_of_what_the_steps_make(body: Body, orientation: str) -> None:
    volume, mask = body(seed=4)
    chains = {"ct": Chain.from_document([*LINES, {"step": "zscore", "within": "all"}])}
    case = Case(id="c", patient="p", volumes={"ct": volume}, annotations=(Annotation(reader="r", mask=mask),))
    straight = restore_case(case, restore_volumes(case.volumes, chains, orientation="SPL"))
    turned = Case(
        id="c", patient="p", volumes={"ct": volume.oriented(orientation)},
        annotations=(Annotation(reader="r", mask=mask.oriented(orientation)),),
    )  # fmt: skip
    found = restore_case(turned, restore_volumes(turned.volumes, chains, orientation="SPL"))
    assert found.volumes["ct"].affine.orientation == orientation
    assert np.array_equal(found.volumes["ct"].oriented("SPL").voxels, straight.volumes["ct"].voxels)
    assert np.array_equal(found.annotations[0].mask.oriented("SPL").labels, straight.annotations[0].mask.labels)
    assert straight.annotations[0].mask.shape == (31, 30, 33)


def test_a_resampled_image_is_answered_on_its_own_grid(trained: Model, body: Body, tmp_path: Path) -> None:
    volume, truth = body(seed=99, spacing=(0.8, 1.2, 1.0))
    model = remade(trained, tmp_path, ({"step": "resample", "spacing_mm": [1.0, 1.0, 1.0]},))
    found = open_reader(model).read({"ct": volume}).mask
    found.require_grid_of(volume)
    plain = open_reader(trained).read({"ct": volume}).mask
    # what is resampled before, or by the plan itself, is seen on the same grid: outlines agree but for rounding
    same = (found.labels == plain.labels).mean()
    assert same > 0.99
    assert truth.shape == found.shape


def test_pictures_lying_pixel_on_pixel_are_not_parted() -> None:
    def picture() -> Volume:
        voxels = np.zeros((1, 40, 40), dtype=np.float32)
        voxels[:, 10:30, 10:30] = np.random.default_rng(0).normal(100, 5, (1, 20, 20))
        return Volume(voxels=voxels, affine=Affine(matrix=np.eye(4)), is_planar=True, has_size=False)

    chains = {"cc": Chain.from_document([{"step": "crop_body", "margin_mm": 0.0}])}
    restore_volumes({"cc": picture()}, chains, orientation="SPL")
    with pytest.raises(InputError, match="pixel on pixel"):
        restore_volumes({"cc": picture(), "mlo": picture()}, chains, orientation="SPL")


def test_a_model_whose_step_nobody_offers_here_cannot_be_opened(trained: Model, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="unsharp"):
        open_reader(remade(trained, tmp_path, ({"step": "unsharp"},)))


def test_a_model_robbed_of_its_steps_is_no_model_any_more(trained: Model, tmp_path: Path) -> None:
    from isocenter.models.model import DESCRIPTION, read_model

    model = remade(trained, tmp_path, LINES)
    path = model.folder / DESCRIPTION
    bare = path.read_text().replace(path.read_text().split('"restoration":')[1].split("],")[0], "[")
    assert bare != path.read_text()
    path.write_text(bare)
    with pytest.raises(SealError, match="not the file that was sealed"):
        read_model(model.folder)


def test_a_plan_without_steps_is_the_plan_that_it_was(model_plan: Plan) -> None:
    assert "restoration" not in model_plan.to_document()["channels"][0]
    lines = replace(model_plan, channels=(replace(model_plan.channels[0], restoration=LINES),))
    assert lines.id != model_plan.id
    assert Plan.from_document(lines.to_document()) == lines
    assert chains_of(lines)["ct"].to_document() == list(LINES)


def test_whole_images_go_through_the_steps_too(make_plan: Callable[..., Plan], tmp_path: Path) -> None:
    goal = Goal(kind="classification", target=("label",), answers=("no", "yes"), counts=(5, 5))
    scaling = Scaling(kind="unit", low=0, high=1, shift=0, scale=1)
    channel = Channel(role="xray", scaling=scaling, restoration=({"step": "unit"},))
    plan = make_plan(goal=goal, dimensions="2-D", network="resnet", width=8, depth=5, patch=(1, 32, 32),
                     channels=(channel,))  # fmt: skip
    torch.manual_seed(0)
    weights = tmp_path / "learnt.safetensors"
    save_file({name: one.contiguous() for name, one in build_network(plan, classes=2).state_dict().items()}, weights)
    description = Description(plan=plan, table=None, dataset="d" * 64)
    model = write_model(tmp_path / "model", weights=weights, description=description, card="")
    voxels = np.random.default_rng(0).integers(0, 255, (1, 40, 30)).astype(np.float32)
    picture = Volume(voxels=voxels, affine=Affine(matrix=np.eye(4)), is_planar=True, has_size=False)
    one = open_reader(model).read({"xray": picture})
    other = open_reader(model).read({"xray": replace(picture, voxels=voxels * 7 + 3)})
    assert one.answers[0].probabilities == pytest.approx(other.answers[0].probabilities, abs=1e-5)
    assert one.said["xray"][0][1]["high"] != other.said["xray"][0][1]["high"]
    done = open_reader(model, done={"xray": ({"step": "unit"},)}).read({"xray": picture})
    assert done.answers[0].probabilities != pytest.approx(one.answers[0].probabilities, abs=1e-3)
