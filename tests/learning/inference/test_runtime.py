"""Runtimes: each says what the reference says, as nearly as its arithmetic allows, and none tells anybody."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from isocenter.errors import NotFoundError, PlanError
from isocenter.learning.inference.runtime import RUNTIMES, available, device_here, devices, has_bf16, make_runtime
from isocenter.learning.inference.window import Tiling, label_volume
from isocenter.models.ladder import ladder
from isocenter.models.unet import UNet

SHAPE = (1, 1, 16, 32, 24)
HAS_OPENVINO = importlib.util.find_spec("openvino") is not None
needs_bf16 = pytest.mark.skipif(not has_bf16(), reason="this processor has no bfloat16 arithmetic of its own")
needs_openvino = pytest.mark.skipif(not HAS_OPENVINO, reason="the extra [speed] is not installed")


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    levels = ladder(spacing_mm=(1, 1, 1), patch=SHAPE[2:], depth=2)
    return UNet(channels=1, classes=4, width=8, levels=levels).eval()


@pytest.fixture
def window() -> torch.Tensor:
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    "name", ["torch", pytest.param("torch-bf16", marks=needs_bf16), pytest.param("openvino", marks=needs_openvino)]
)
def test_a_runtime_says_what_the_network_says(name: str, network: nn.Module, window: torch.Tensor) -> None:
    with torch.no_grad():
        wanted = network(window)
    found = make_runtime(name, network, shape=SHAPE).scores(window).float()
    # eight bits of mantissa through a dozen layers; float32 in another order of sums
    near = 1e-4 if name == "torch" else 0.03
    assert float((found - wanted).abs().max()) < near * float(wanted.abs().max())


@pytest.mark.parametrize(
    "name", ["torch", pytest.param("torch-bf16", marks=needs_bf16), pytest.param("openvino", marks=needs_openvino)]
)
def test_several_windows_at_once_get_their_own_answers(name: str, network: nn.Module) -> None:
    windows = torch.randn((3, *SHAPE[1:]), generator=torch.Generator().manual_seed(2))
    runtime = make_runtime(name, network, shape=SHAPE)
    together = runtime.scores(windows).float().clone()
    singly = torch.cat([runtime.scores(one).float().clone() for one in windows.split(1)])
    assert together.shape == (3, 4, *SHAPE[2:])
    assert float((together - singly).abs().max()) < 0.03 * float(singly.abs().max())


@needs_bf16
def test_making_a_runtime_leaves_the_network_as_it_was(network: nn.Module, window: torch.Tensor) -> None:
    with torch.no_grad():
        before = network(window)
    for name in available("cpu"):
        make_runtime(name, network, shape=SHAPE)
    with torch.no_grad():
        after = network(window)
    assert next(network.parameters()).dtype == torch.float32
    assert torch.allclose(before, after, atol=1e-5)


@needs_openvino
def test_openvino_reads_a_whole_image_like_the_reference(network: nn.Module) -> None:
    image = torch.randn((1, 24, 40, 40), generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        network.head.weight.mul_(8)  # opinions strong enough that few voxels are a matter of rounding
    tiling = Tiling(patch=(16, 32, 24))
    plain = label_volume(make_runtime("torch", network, shape=SHAPE), image, tiling=tiling, classes=4)
    fused = label_volume(make_runtime("openvino", network, shape=SHAPE), image, tiling=tiling, classes=4)
    assert (plain == fused).mean() > 0.97  # an untrained network on noise: many voxels are nearly undecided


_QUIET = """
import sys
calls = []
sys.addaudithook(lambda event, args: calls.append(event) if event in (
    "socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "subprocess.Popen", "os.fork",
) else None)
import torch
from torch import nn
from isocenter.learning.inference.runtime import make_runtime
runtime = make_runtime("openvino", nn.Conv3d(1, 2, 3, padding=1).eval(), shape=(1, 1, 8, 8, 8))
runtime.scores(torch.zeros(1, 1, 8, 8, 8))
assert "openvino" in sys.modules
print(sorted(name for name in sys.modules if name.startswith("openvino_telemetry")), calls)
"""


@needs_openvino
def test_openvino_tells_nobody_that_it_is_used(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
    ended = subprocess.run([sys.executable, "-c", _QUIET], capture_output=True, text=True, check=False, env=home)
    assert ended.stdout.strip() == "[] []", ended.stdout + ended.stderr
    assert list(tmp_path.rglob("*telemetry*")) == []
    assert not (tmp_path / "intel").exists()


@needs_openvino
def test_openvino_is_refused_where_it_was_loaded_with_its_reports(network: nn.Module) -> None:
    script = (
        "import openvino, torch\nfrom torch import nn\n"
        "from isocenter.errors import PlanError\nfrom isocenter.learning.inference.runtime import make_runtime\n"
        "try:\n    make_runtime('openvino', nn.Conv3d(1, 2, 1), shape=(1, 1, 8, 8, 8))\n"
        "except PlanError as error:\n    print('refused', error)"
    )
    if importlib.util.find_spec("openvino_telemetry") is None:
        pytest.skip("this openvino came without openvino-telemetry")
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout.startswith("refused")


def test_a_runtime_that_nobody_offers_is_refused_with_near_names(network: nn.Module) -> None:
    with pytest.raises(NotFoundError, match="torch-bf16"):
        make_runtime("torch-bf61", network, shape=SHAPE)


class Splitting(nn.Module):
    """A network that converters cannot follow: what it does depends on what it sees."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images * 2 if float(images.sum()) > 0 else images.expand(-1, 1, -1, -1, -1)


@needs_openvino
def test_a_network_that_openvino_cannot_convert_is_refused_in_words() -> None:
    with pytest.raises(PlanError, match="cannot convert"):
        make_runtime("openvino", Splitting(), shape=SHAPE)


def test_the_reference_comes_first_and_what_is_there_is_known() -> None:
    names = available("cpu")
    assert names[0] == "torch"
    assert set(names) <= set(RUNTIMES)
    assert ("torch-bf16" in names) == has_bf16()


@pytest.mark.parametrize("name", ["cuda:99", "gpu", ""])
def test_a_device_that_is_not_there_is_refused_with_those_that_are(name: str) -> None:
    with pytest.raises(PlanError, match=r"sees cpu"):
        device_here(name)


def test_the_cpu_is_always_there() -> None:
    assert device_here("cpu").type == "cpu"
    assert devices()[0] == "cpu"
