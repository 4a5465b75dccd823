"""Windows: the same answer as the whole volume at once, in memory that one slab needs."""

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.inferers import sliding_window_inference
from torch import Tensor, nn

from isocenter.errors import PlanError
from isocenter.learning.inference.blend import Sums
from isocenter.learning.inference.clock import Clock
from isocenter.learning.inference.runtime import as_it_stands, has_bf16
from isocenter.learning.inference.window import (
    Tiling,
    cut,
    label_shares,
    label_volume,
    nearness,
    places,
    seen,
    starts,
)


def network(channels: int = 1, classes: int = 3, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    layers = nn.Sequential(
        nn.Conv3d(channels, 6, 3, padding=1),
        nn.ReLU(),
        nn.Conv3d(6, 6, 3, padding=1),
        nn.ReLU(),
        nn.Conv3d(6, classes, 1),
    )
    with torch.no_grad():
        layers[-1].weight.mul_(8)  # opinions strong enough that classes alternate
    return layers.eval()


def image(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def whole_at_once(net: nn.Module, picture: Tensor, tiling: Tiling, classes: int) -> Tensor:
    """Return weighed mean scores the plain way: sums and weights for the whole volume, in float64."""
    size = picture.shape[1:]
    sums, weights = torch.zeros(classes, *size, dtype=torch.float64), torch.zeros(*size, dtype=torch.float64)
    weight = nearness(tiling.patch).double()
    cuts = [starts(n, edge, overlap=tiling.overlap) for n, edge in zip(size, tiling.patch, strict=True)]
    with torch.no_grad():
        for s in cuts[0]:
            for r in cuts[1]:
                for c in cuts[2]:
                    here = tuple(slice(a, a + n) for a, n in zip((s, r, c), tiling.patch, strict=True))
                    sums[(slice(None), *here)] += weight * net(picture[(slice(None), *here)][None])[0]
                    weights[here] += weight
    return sums / weights


@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5, 0.7])
@pytest.mark.parametrize("shape", [(30, 21, 17), (8, 12, 12), (9, 40, 13)])
def test_slab_by_slab_equals_the_whole_volume_at_once(overlap: float, shape: tuple[int, int, int]) -> None:
    net, picture = network(), image(1, *shape)
    tiling = Tiling(patch=(8, 12, 12), overlap=overlap)
    wanted = torch.softmax(whole_at_once(net, picture, tiling, 3), 0)
    found = torch.empty(3, *shape)
    for number, shares in label_shares(net, picture, tiling=tiling, classes=3):
        found[:, number] = shares
    # 1e-5: float32 sums against float64
    assert float((found - wanted).abs().max()) < 1e-5
    labels = label_volume(net, picture, tiling=tiling, classes=3)
    clear = wanted.topk(2, dim=0).values.diff(dim=0).abs()[0] > 1e-4
    assert np.array_equal(labels[clear], wanted.argmax(dim=0)[clear])
    assert clear.float().mean() > 0.99
    assert len(np.unique(labels)) == 3


def test_labels_equal_the_oracle() -> None:
    net, picture = network(channels=2), image(2, 24, 32, 48)
    with torch.no_grad():
        oracle = sliding_window_inference(
            picture[None],
            (8, 16, 16),
            1,
            net,
            overlap=0.5,
            roi_weight_map=nearness((8, 16, 16)),
        )[0]
    ours = label_volume(net, picture, tiling=Tiling(patch=(8, 16, 16)), classes=3)
    # both start windows every half patch where that divides the image; ties fall out as float32 sums do
    assert (ours == oracle.argmax(0).numpy()).mean() > 0.999


@pytest.mark.parametrize("batch", [2, 5, 64])
def test_how_many_windows_at_once_does_not_matter(batch: int) -> None:
    net, picture = network(), image(1, 20, 26, 24)
    one = label_volume(net, picture, tiling=Tiling(patch=(8, 16, 16)), classes=3)
    many = label_volume(net, picture, tiling=Tiling(patch=(8, 16, 16), batch=batch), classes=3)
    assert (one == many).mean() > 0.999  # other order of float32 sums inside the convolutions


def test_an_image_smaller_than_a_window_is_padded() -> None:
    net, picture = network(), image(1, 5, 20, 7)
    lowest = float(picture.min())
    picture[0, 0, ::5, 0] = lowest  # in every window, whose own lowest value is what it is filled with
    labels = label_volume(net, picture, tiling=Tiling(patch=(8, 12, 12)), classes=3)
    wider = F.pad(picture, (0, 5, 0, 0, 0, 3), value=lowest)
    inside = label_volume(net, wider, tiling=Tiling(patch=(8, 12, 12)), classes=3)[:5, :, :7]
    assert labels.shape == (5, 20, 7)
    assert np.array_equal(labels, inside)


def test_mirrored_readings_are_turned_back_before_they_are_averaged() -> None:
    net, picture = network(), image(1, 8, 12, 12)
    tiling = Tiling(patch=(8, 12, 12), flips=("row", "column"))
    with torch.no_grad():
        turns: list[tuple[int, ...]] = [(), (3,), (4,), (3, 4)]
        mean = sum(net(picture[None].flip(turn)).flip(turn) for turn in turns)
    assert isinstance(mean, Tensor)
    found = torch.stack([shares for _, shares in label_shares(net, picture, tiling=tiling, classes=3)], dim=1)
    assert float((found - torch.softmax(mean[0] / 4, 0)).abs().max()) < 1e-5


class Counting(nn.Module):
    """A network that counts how often it is asked."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner
        self.asked = 0

    def forward(self, windows: Tensor) -> Tensor:
        self.asked += len(windows)
        answers: Tensor = self.inner(windows)
        return answers


def in_air(*shape: int) -> Tensor:
    """Return noise in the middle of an image whose outer parts hold one value."""
    picture = torch.full(shape, -2.5)
    inside = tuple(slice(n // 3, n // 3 + n // 4) for n in shape[1:])
    picture[(slice(None), *inside)] = image(*shape)[(slice(None), *inside)]
    return picture


@pytest.mark.parametrize("flips", [(), ("row",)])
def test_windows_of_one_value_are_read_once_and_change_no_bit(flips: tuple[str, ...]) -> None:
    net, picture = Counting(network(channels=2)), in_air(2, 24, 64, 48)
    tiling = Tiling(patch=(8, 16, 16), flips=flips)
    found = label_volume(net, picture, tiling=tiling, classes=3)
    asked = net.asked
    every = places(picture.shape[1:], tiling)
    sums = Sums(tiling.patch, picture.shape[1:], classes=3, axis=1, device=torch.device("cpu"))
    runtime = as_it_stands(net, precision="fp32")
    wanted = np.empty_like(found)
    rows = sorted({place[1] for place in every})
    for row, following in zip(rows, [*rows[1:], picture.shape[2]], strict=True):
        sums.reach(row)
        for place in (place for place in every if place[1] == row):
            sums.add(place, seen(runtime, cut(picture, place, patch=tiling.patch)[None], flips=flips)[0])
        for plane, scores in sums.planes(following):
            wanted[:, plane] = scores.argmax(dim=-1).numpy()
    assert asked < len(every) * 2 ** len(flips) / 2
    assert np.array_equal(found, wanted)


def test_a_window_that_varies_in_one_channel_is_not_taken_for_plain() -> None:
    net, picture = Counting(network(channels=2)), torch.zeros(2, 8, 16, 32)
    picture[1, 3, 5, 20] = 4.0
    label_volume(net, picture, tiling=Tiling(patch=(8, 16, 16), overlap=0.0), classes=3)
    assert net.asked == 2


def test_the_clock_is_told_where_the_time_goes() -> None:
    clock = Clock()
    label_volume(network(), image(1, 16, 24, 24), tiling=Tiling(patch=(8, 12, 12)), classes=3, clock=clock)
    assert set(clock.seconds) == {"network", "blend", "label"}
    assert min(clock.seconds.values()) > 0


def test_progress_counts_every_window_once() -> None:
    told: list[tuple[int, int]] = []
    tiling = Tiling(patch=(8, 16, 16), batch=3)
    label_volume(
        network(), image(1, 20, 26, 24), tiling=tiling, classes=3, progress=lambda done, of: told.append((done, of))
    )
    assert told[-1][0] == told[-1][1] == 4 * 3 * 2
    assert [done for done, _ in told] == sorted({done for done, _ in told})


def test_a_network_of_other_classes_is_refused() -> None:
    with pytest.raises(PlanError, match="another network"):
        label_volume(network(classes=3), image(1, 8, 12, 12), tiling=Tiling(patch=(8, 12, 12)), classes=4)


@pytest.mark.parametrize("change", [{"overlap": 1.0}, {"patch": (0, 8, 8)}, {"batch": 0}])
def test_a_tiling_that_cannot_be_is_refused(change: dict[str, object]) -> None:
    values: dict[str, object] = {"patch": (8, 8, 8), **change}
    make: Callable[..., Tiling] = Tiling
    with pytest.raises(PlanError, match="cannot be"):
        make(**values)


@settings(max_examples=200, deadline=None)
@given(size=st.integers(1, 300), edge=st.integers(1, 64), overlap=st.floats(0, 0.9))
def test_windows_cover_an_axis_and_overlap_as_asked(size: int, edge: int, overlap: float) -> None:
    found = starts(size, edge, overlap=overlap)
    assert found[0] == 0
    assert found[-1] == max(0, size - edge)
    steps = np.diff(found)
    # rounding moves a window by half a voxel at each side
    assert (steps <= max(1.0, edge * (1 - overlap)) + 1).all()
    assert (steps >= 1).all()


@pytest.mark.skipif(not has_bf16(), reason="this CPU has no bfloat16 arithmetic; the reader falls back to float32")
def test_half_precision_changes_few_voxels() -> None:
    net, picture = network(), image(1, 16, 24, 24)
    full = label_volume(net, picture, tiling=Tiling(patch=(8, 12, 12)), classes=3)
    half = label_volume(net, picture, tiling=Tiling(patch=(8, 12, 12), precision="bf16"), classes=3)
    # 8 bits of mantissa: only voxels whose two best classes are within about 1 % may change; noise has many
    assert (full == half).mean() > 0.97


_MEASURE = """
import resource, sys
import torch
from torch import nn
from isocenter.learning.inference.window import Tiling, label_volume
torch.set_num_threads(1)
classes = 16
net = nn.Conv3d(1, classes, 1).eval()
shape = [int(n) for n in sys.argv[1:]]
image = torch.zeros(1, *shape)
label_volume(net, image[:, :16], tiling=Tiling(patch=(32, 128, 128), overlap=0.0), classes=classes)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
label_volume(net, image, tiling=Tiling(patch=(32, 128, 128), overlap=0.0), classes=classes)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count the peak of memory in other units")
def test_memory_does_not_grow_with_classes_times_volume() -> None:
    slices, rows, columns = 256, 256, 256
    asked = [sys.executable, "-c", _MEASURE, *(str(n) for n in (slices, rows, columns))]
    grown = int(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)
    labels, slab, whole = (n * rows * columns for n in (slices, 16 * 32 * 4, 16 * slices * 4))
    # beyond what a first, small reading took: the labels, the slab, and the finding of the largest sum in it
    assert grown < labels + 1.5 * slab
    assert grown < whole / 5
