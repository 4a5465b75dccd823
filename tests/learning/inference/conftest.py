"""A body that is not its own mirror image, and a small network that has learnt it."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from isocenter.image import Affine, LabelTable, Mask, Volume
from isocenter.learning.inference.prepare import prepare, prepare_mask
from isocenter.learning.tasks.losses import cross_entropy_and_dice
from isocenter.models import build_network
from isocenter.models.card import write_card
from isocenter.models.model import Description, Model, write_model
from isocenter.recipe import Channel, Plan, Scaling

TABLE = LabelTable.of("left lung", "right lung", "liver")
_AXIAL = np.array(
    [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
)  # slices up, rows to the back, columns to the left
# centre and half axes in mm along x (left), y (back), z (head)
_ORGANS = (((11, -1, 5), (6, 7, 8)), ((-11, 2, 5), (6, 7, 8)), ((-6, 0, -11), (9, 7, 5)))
_VALUES = (20.0, -90.0, 90.0, 180.0)  # of background and organs; noise has a deviation of 5


def sampled(affine: Affine, shape: tuple[int, int, int], *, seed: int = 0) -> tuple[Volume, Mask]:
    """Return the body on a grid: its CT with noise, and its organs."""
    index = np.stack(np.indices(shape), axis=-1)
    place = affine.to_world(index)
    labels = np.zeros(shape, dtype=np.uint8)
    for value, (centre, axes) in enumerate(_ORGANS, 1):
        labels[(((place - centre) / axes) ** 2).sum(axis=-1) < 1] = value
    noise = np.random.default_rng(seed).normal(0, 5, shape)
    voxels = np.asarray(_VALUES)[labels] + noise
    return (
        Volume(voxels=voxels.astype(np.float32), affine=affine, unit="HU", modality="CT"),
        Mask(labels=labels, affine=affine, table=TABLE),
    )


def grid(
    *, spacing: tuple[float, float, float] = (1.0, 1.0, 1.0), degrees: float = 0.0
) -> tuple[Affine, tuple[int, int, int]]:
    """Return an axial grid of 40 mm edge around the body's middle, turned about the head-foot axis."""
    turn = np.deg2rad(degrees)
    about_z = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1.0]])
    shape = tuple(round(40 / step) for step in spacing)
    directions = about_z @ _AXIAL
    corner = -directions @ ((np.asarray(shape) - 1) / 2 * np.asarray(spacing))
    return Affine.from_parts(origin=corner.tolist(), directions=directions, spacing=spacing), (
        shape[0],
        shape[1],
        shape[2],
    )


@pytest.fixture(scope="session")
def body() -> Callable[..., tuple[Volume, Mask]]:
    """Return a sampler of the body: keywords spacing (slice, row, column) in mm, degrees, seed."""

    def sample(*, seed: int = 0, **how: float) -> tuple[Volume, Mask]:
        affine, shape = grid(**how)  # type: ignore[arg-type]
        return sampled(affine, shape, seed=seed)

    return sample


@pytest.fixture(scope="session")
def model_plan(make_plan: Callable[..., Plan]) -> Plan:
    """Return the plan of the small model."""
    scaling = Scaling(kind="window", low=-100.0, high=200.0, shift=50.0, scale=80.0)
    channel = Channel(role="ct", scaling=scaling, modality="CT", unit="HU")
    plan: Plan = make_plan(channels=(channel,), patch=(20, 20, 20), overlap=0.0, width=8, depth=2)
    return plan


@pytest.fixture(scope="session")
def trained(model_plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Return a model that has seen the body for two seconds."""
    torch.manual_seed(0)
    network = build_network(model_plan, classes=len(TABLE) + 1)
    _teach(network, model_plan)
    folder = tmp_path_factory.mktemp("model")
    weights = folder / "learnt.safetensors"
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, weights)
    description = Description(
        plan=model_plan,
        table=TABLE,
        dataset="d" * 64,
        volume_errors={"liver": (0.9, 1.0, 1.1, 1.0), "left lung": (1.0,)},
    )
    return write_model(folder / "model", weights=weights, description=description, card=write_card(description))


def _teach(network: nn.Module, plan: Plan) -> None:
    """Show 100 batches of patches, four each, around background and organs in turn."""
    learner = torch.optim.AdamW(network.parameters(), lr=0.01)
    rng = np.random.default_rng(0)
    volume, mask = sampled(*grid(), seed=1)
    prepared = prepare({"ct": volume}, plan=plan)
    labels = prepare_mask(mask, prepared).long()
    places = [(labels == value).nonzero().numpy() for value in range(len(TABLE) + 1)]
    for step in range(100):
        images, targets = [], []
        for turn in range(4):
            around = rng.choice(places[(4 * step + turn) % len(places)]) - rng.integers(2, 18, 3)
            cut = tuple(slice(start, start + 20) for start in np.clip(around, 0, 40 - 20))
            images.append(prepared.image[(slice(None), *cut)])
            targets.append(labels[cut])
        loss = cross_entropy_and_dice(network(torch.stack(images)), torch.stack(targets))
        learner.zero_grad()
        loss.backward()
        learner.step()
