"""The check of networks on those of an installed package: it passes what is sound, and nothing else."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from isocenter.errors import NotFoundError, ProofError
from isocenter.models import build_network, fitting
from isocenter.testing import check_network
from tests.models.plans import small_plan

PACKAGE = '''
"""Networks of a stranger."""

import numpy
import torch
from torch import nn

from isocenter.models import Network


class Sound(nn.Module):
    def __init__(self, inputs, classes):
        super().__init__()
        self.look = nn.Conv3d(inputs, 4, 3, padding=1)
        self.norm = nn.BatchNorm3d(4)
        self.head = nn.Linear(4, classes)

    def forward(self, images):
        return self.head(self.norm(self.look(images)).relu().mean(dim=(2, 3, 4)))


class Sharing(Sound):
    def __init__(self, inputs, classes):
        super().__init__(inputs, classes)
        self.again = self.head


class Idle(Sound):
    def __init__(self, inputs, classes):
        super().__init__(inputs, classes)
        self.spare = nn.Linear(4, 4)


class Gossip(Sound):
    def forward(self, images):
        scores = super().forward(images)
        return scores - scores.mean(dim=0)


class Moody(Sound):
    def forward(self, images):
        scores = super().forward(images)
        return scores + torch.randn_like(scores)


class Divides(Sound):
    def forward(self, images):
        return super().forward(images) / images.abs().amax(dim=(1, 2, 3, 4))[:, None]


class Forgetful(Sound):
    def __init__(self, inputs, classes):
        super().__init__(inputs, classes)
        self.gain = float(torch.rand(1)) + 1

    def forward(self, images):
        return super().forward(images) * self.gain


class Voxels(Sound):
    def forward(self, images):
        return super().forward(images)[:, :, None, None, None] + 0 * images[:, :1]


class Elsewhere(Sound):
    def __init__(self, inputs, classes):
        super().__init__(inputs, classes)
        nn.init.constant_(self.head.bias, float(numpy.random.default_rng().normal()))


class GreyOnly(Sound):
    def __init__(self, inputs, classes):
        super().__init__(1, classes)

    def forward(self, images):
        return super().forward(images[:, :1]) if images.shape[1] == 1 else super().forward(images)[:, :1]


class Keeps(Sound):
    def get_extra_state(self):
        return {"kept": lambda: 0}

    def set_extra_state(self, state):
        pass


def row(kind):
    return Network(
        build=lambda plan, *, classes: kind(plan.inputs, classes), answers="image", dimensions=("2-D", "3-D")
    )


for kind in (Sound, Sharing, Idle, Gossip, Moody, Divides, Forgetful, Voxels, Elsewhere, GreyOnly, Keeps):
    globals()[kind.__name__.upper()] = row(kind)
NOT_A_ROW = Sound
'''
NAMES = (
    "sound",
    "sharing",
    "idle",
    "gossip",
    "moody",
    "divides",
    "forgetful",
    "voxels",
    "elsewhere",
    "greyonly",
    "keeps",
    "not_a_row",
)


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package of a stranger, installed as pip leaves one: a module, and metadata that name its entry points."""
    (tmp_path / "stranger_networks.py").write_text(PACKAGE, encoding="utf-8")
    metadata = tmp_path / "stranger_networks-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: stranger-networks\nVersion: 1.0\n", encoding="utf-8"
    )
    points = "\n".join(f"stranger-{name} = stranger_networks:{name.upper()}" for name in NAMES)
    (metadata / "entry_points.txt").write_text(f"[isocenter.networks]\n{points}\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("stranger_networks", None)


def test_a_sound_network_of_a_stranger_passes_and_can_be_asked_for() -> None:
    check_network("stranger-sound")
    plan = small_plan("stranger-sound", width=8)
    assert build_network(plan, classes=5)(torch.randn(2, 1, 1, 64, 64)).shape == (2, 5)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sharing", "head.weight and again.weight share memory"),
        ("idle", r"learning does not reach spare\.weight"),
        ("gossip", "depends on the others of its batch"),
        ("moody", "asked twice, it answers differently"),
        ("divides", "image of zeros"),
        ("forgetful", "read back from safetensors it answers differently"),
        ("voxels", r"in the shape \(2, 3, 1, 64, 64\), not \(2, 3\)"),
        ("elsewhere", "the same seed gave other weights"),
        ("keeps", "which is no tensor"),
        ("not_a_row", "not a Network"),
    ],
)
def test_a_broken_promise_is_named(name: str, said: str) -> None:
    with pytest.raises(ProofError, match=said):
        check_network(f"stranger-{name}")


def test_a_network_that_cannot_do_with_colour_does_not_pass() -> None:
    with pytest.raises((ProofError, RuntimeError)):
        check_network("stranger-greyonly")


def test_strangers_that_fit_are_listed_beside_ours() -> None:
    with pytest.raises(NotFoundError, match="stranger-sound"):
        check_network("stranger-sond")
    names = fitting("image", "2-D")
    assert {"resnet", "stranger-sound"} <= set(names)
    assert "stranger-not_a_row" not in names
