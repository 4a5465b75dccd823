"""Stacks read slice by slice: by a network for pictures, and by the recurrent reader."""

import pytest
import torch
from torch import Tensor, nn

from isocenter.models import build_network
from isocenter.models.slices import StackOfSlices, in_chunks, pool, slices_shown
from tests.models.plans import small_plan


class Echo(nn.Module):
    """Answers what it is shown, and keeps how many slices it was shown at once."""

    def __init__(self) -> None:
        super().__init__()
        self.at_once: list[int] = []

    def forward(self, images: Tensor) -> Tensor:
        self.at_once.append(len(images))
        return images


def numbered(slices: int, *, members: int = 1) -> Tensor:
    """Return stacks whose slice s of member b holds 10 b + s, but for one voxel that shows that it is no padding."""
    stack = (
        torch.arange(slices).float()[None, None, :, None, None] + 10 * torch.arange(members)[:, None, None, None, None]
    )
    images = stack.expand(members, 1, slices, 4, 4).clone()
    images[..., 0, 0] = -1
    return images


def test_a_slice_is_shown_with_its_neighbours_and_the_last_one_is_repeated() -> None:
    shown = torch.ones(2, 3, dtype=torch.bool)
    found = in_chunks(Echo(), numbered(3, members=2), shown=shown, neighbours=1)
    assert found[:, :, 0, 1, 1].tolist() == [
        [0, 0, 1], [0, 1, 2], [1, 2, 2],
        [10, 10, 11], [10, 11, 12], [11, 12, 12],
    ]  # fmt: skip


def test_padding_is_nobodys_neighbour() -> None:
    images = torch.zeros(1, 1, 5, 4, 4)
    images[:, :, 1:4] = numbered(3)
    found = in_chunks(Echo(), images, shown=slices_shown(images), neighbours=1)
    assert found[:, :, 0, 1, 1].tolist() == [[0, 0, 1], [0, 1, 2], [1, 2, 2]]


def test_padding_of_several_channels_is_one_value_in_each() -> None:
    images = torch.randn(1, 2, 5, 4, 4)
    images[0, 0, :2], images[0, 1, :2] = -1.5, -2.5  # each channel is filled with its own darkest value
    assert slices_shown(images).tolist() == [[False, False, True, True, True]]


def test_a_stack_that_shows_nothing_is_read_by_its_first_slice() -> None:
    assert slices_shown(torch.zeros(1, 2, 4, 3, 3)).tolist() == [[True, False, False, False]]


def test_long_stacks_are_read_in_pieces_while_nothing_is_learnt() -> None:
    reader = Echo()
    with torch.no_grad():
        whole = StackOfSlices(reader, neighbours=0, pooling=None)(numbered(70))
    assert max(reader.at_once) <= 16
    assert torch.equal(whole, numbered(70))


def test_voxels_are_answered_as_slice_by_slice() -> None:
    plan = small_plan("unet", "2.5-D", patch=(6, 32, 32), kind="segmentation")
    network = build_network(plan, classes=3).eval()
    images = torch.randn(2, 1, 6, 32, 32)
    with torch.no_grad():
        alone = torch.cat([network.reader(images[:, :, [place]]) for place in range(6)], dim=2)
        torch.testing.assert_close(network(images), alone, rtol=1e-4, atol=1e-5)  # float32, in other batches


def test_log_mean_exp_lies_between_mean_and_maximum_and_keeps_a_single_lesion() -> None:
    scores = torch.full((40, 1), -4.0)
    scores[17] = 6.0
    told = float(pool(scores, "peaks"))
    assert float(scores.mean()) < told < 6.0
    assert told == pytest.approx(6.0 - 3.689, abs=0.01)  # log 40
    assert float(pool(torch.full((7, 1), 1.5), "peaks")) == pytest.approx(1.5)


def test_a_number_is_the_mean_of_its_slices() -> None:
    plan = small_plan("vgg", "2.5-D", patch=(4, 32, 32), kind="regression")
    network = build_network(plan, classes=1).eval()
    images = torch.randn(1, 1, 4, 32, 32)
    with torch.no_grad():
        alone = torch.stack([network.reader(images[:, :, [place]]) for place in range(4)]).mean(dim=0)
        torch.testing.assert_close(network(images), alone)


@pytest.mark.parametrize(("name", "dimensions"), [("gru", "3-D"), ("vgg", "2.5-D")])
def test_a_padded_stack_is_answered_as_without_its_padding(name: str, dimensions: str) -> None:
    torch.manual_seed(0)
    neighbours = 1 if dimensions == "2.5-D" else 0
    plan = small_plan(name, dimensions, patch=(9, 32, 32), neighbours=neighbours)
    network = build_network(plan, classes=3).eval()
    short, long = torch.randn(1, 1, 5, 32, 32), torch.randn(1, 1, 9, 32, 32)
    padded = torch.zeros(1, 1, 9, 32, 32)
    padded[:, :, 2:7] = short
    with torch.no_grad():
        alone = torch.cat([network(short), network(long)])
        # float32, in other batches
        torch.testing.assert_close(network(torch.cat([padded, long])), alone, rtol=1e-4, atol=1e-6)
        features = network.features(torch.cat([padded, long]))
        torch.testing.assert_close(features[:1], network.features(short), rtol=1e-4, atol=1e-6)


def test_the_recurrent_reader_reads_in_order() -> None:
    torch.manual_seed(0)
    network = build_network(small_plan("gru", "3-D", patch=(8, 32, 32)), classes=3).eval()
    images = torch.randn(1, 1, 8, 32, 32)
    with torch.no_grad():
        assert not torch.allclose(network(images), network(images.flip(2)), rtol=1e-3)
        assert network(torch.randn(1, 1, 1, 32, 32)).shape == (1, 3)


def test_the_recurrent_reader_looks_at_some_slices_at_a_time() -> None:
    network = build_network(small_plan("gru", "3-D", patch=(40, 32, 32)), classes=3).eval()
    at_once: list[int] = []
    network.eye.body.register_forward_hook(lambda _layer, inputs, _output: at_once.append(len(inputs[0])))
    with torch.no_grad():
        network(torch.randn(1, 1, 40, 32, 32))
    assert at_once == [16, 16, 8]
