"""Every network keeps the house's promises, and is the one that was published."""

from importlib.util import find_spec

import pytest
import torch
from torch import nn

from isocenter.errors import MissingExtraError, NotFoundError, PlanError
from isocenter.models import NETWORKS, build_network, fitting, network_of
from isocenter.models.inception import Mixed
from isocenter.recipe import Channel, Scaling
from isocenter.testing import check_network
from tests.models.plans import NARROW, small_plan

HAS_EINOPS = find_spec("einops") is not None
WITHOUT_EINOPS = {"unetr", "swinunetr"} if not HAS_EINOPS else set()
LOADABLE = [name for name in NETWORKS if name not in WITHOUT_EINOPS]
OF_IMAGES = ["resnet", "resnet50", "efficientnet", "densenet", "vgg", "inception", "vit", "gru"]


def needs_einops(name: str) -> None:
    if name in WITHOUT_EINOPS:
        pytest.skip("einops, which MONAI's transformers need, is not installed")


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_keeps_its_promises(name: str) -> None:
    needs_einops(name)
    # windows of 7 × 7 × 7 tokens, as published, would take a minute: its volumes are seen once, below
    check_network(name, width=NARROW[name], dimensions=["2-D"] if name == "swinunetr" else None)


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "gru"])  # which looks at what a stack shows
def test_a_network_computes_where_its_weights_lie_and_nowhere_else(name: str) -> None:
    needs_einops(name)
    # tensors without values: whatever mixes devices, as it would on an accelerator, is refused all the same
    network = build_network(small_plan(name), classes=3).to("meta")
    assert network(torch.empty(2, 1, 1, 64, 64, device="meta")).device.type == "meta"


def test_windows_of_tokens_read_volumes_of_any_size() -> None:
    needs_einops("swinunetr")
    network = build_network(small_plan("swinunetr", "3-D", patch=(5, 40, 64)), classes=3).eval()
    with torch.no_grad():
        assert network(torch.randn(1, 1, 5, 40, 64)).shape == (1, 3, 5, 40, 64)


@pytest.mark.skipif(HAS_EINOPS, reason="einops is installed, and nothing is missing")
def test_a_network_whose_package_is_missing_names_it() -> None:
    with pytest.raises(MissingExtraError, match="einops"):
        network_of("unetr")


def test_those_that_fit_are_listed() -> None:
    assert set(fitting("image", "2-D")) == set(OF_IMAGES) - {"gru"}
    assert set(fitting("image", "2.5-D")) == set(OF_IMAGES) - {"gru"}
    assert set(fitting("image", "3-D")) == set(OF_IMAGES)
    assert {"unet", "dynunet", "segresnet"} <= set(fitting("voxels", "3-D"))


def test_a_network_for_stacks_refuses_pictures_and_says_which_fit() -> None:
    with pytest.raises(PlanError, match=r'"gru" does not read 2-D images; these do: .*efficientnet'):
        build_network(small_plan("gru"), classes=2)


def test_a_name_that_nobody_offers_is_said_to_be_none() -> None:
    with pytest.raises(NotFoundError, match="resnet"):
        network_of("resnett")


def test_a_network_for_pictures_does_not_drop_slices_unseen() -> None:
    network = build_network(small_plan("vgg"), classes=2)
    with pytest.raises(PlanError, match=r"4 slices.*2\.5-D"):
        network(torch.zeros(1, 1, 4, 64, 64))


@pytest.mark.parametrize("name", OF_IMAGES)
def test_features_and_head_are_the_answer(name: str) -> None:
    dimensions = "2-D" if "2-D" in network_of(name).dimensions else "3-D"
    patch = (1 if dimensions == "2-D" else 5, 64, 64)
    network = build_network(small_plan(name, dimensions, patch=patch, dropout=0.5), classes=3).eval()
    images = torch.randn(2, 1, *patch)
    features = network.features(images)
    assert features.ndim == 2
    assert torch.equal(network.head(features), network(images))


@pytest.mark.parametrize("name", LOADABLE)
def test_dropout_is_felt_while_learning_and_not_while_reading(name: str) -> None:
    row = network_of(name)
    flat = "2-D" in row.dimensions
    patch = (1 if flat else 4, 64, 64)
    images = torch.randn(2, 1, *patch)
    plan = small_plan(name, "2-D" if flat else "3-D", patch=patch, dropout=0.5)
    network = build_network(plan, classes=2).train()
    assert not torch.equal(network(images), network(images))
    network.eval()
    assert torch.equal(network(images), network(images))


@pytest.mark.parametrize("name", [name for name in OF_IMAGES if name != "gru"])
def test_small_and_large_pictures_are_answered(name: str) -> None:
    network = build_network(small_plan(name), classes=2).eval()
    with torch.no_grad():
        for rows, columns in ((64, 64), (75, 131), (512, 512)):
            assert network(torch.randn(1, 1, 1, rows, columns)).isfinite().all()


@pytest.mark.parametrize("name", OF_IMAGES)
def test_thin_stacks_are_answered(name: str) -> None:
    network = build_network(small_plan(name, "3-D", patch=(3, 48, 48)), classes=2).eval()
    with torch.no_grad():
        assert network(torch.randn(1, 1, 3, 48, 48)).isfinite().all()


def test_first_answers_are_small() -> None:
    """The loss begins at the one of not knowing, whatever the network."""
    for name in OF_IMAGES:
        dimensions = "3-D" if name == "gru" else "2-D"
        torch.manual_seed(0)
        network = build_network(small_plan(name, dimensions), classes=4).train()
        assert network(torch.randn(8, 1, 1, 64, 64)).abs().max() < 1, name


def test_weights_lie_channels_last_and_stay_so_when_moved() -> None:
    flat = build_network(small_plan("resnet"), classes=2).to("cpu").double()
    deep = build_network(small_plan("unet", "3-D", patch=(16, 16, 16)), classes=2)
    kernels = [weight for weight in flat.parameters() if weight.ndim == 4]
    assert kernels
    assert all(weight.is_contiguous(memory_format=torch.channels_last) for weight in kernels)
    kernels = [weight for weight in deep.parameters() if weight.ndim == 5]
    assert all(weight.is_contiguous(memory_format=torch.channels_last_3d) for weight in kernels)


@pytest.mark.parametrize("name", ["resnet", "densenet", "vgg", "inception", "efficientnet"])
def test_fewer_halvings_make_a_shallower_network(name: str) -> None:
    sizes = [weights(build_network(small_plan(name, depth=depth), classes=2)) for depth in (3, 4, 5)]
    assert sizes == sorted(set(sizes))


def weights(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def published(name: str, *, classes: int = 1000, colours: int = 3) -> nn.Module:
    row = network_of(name)
    colour = Channel(role="image", scaling=Scaling(kind="unit", low=0.0, high=1.0), colours=colours)
    return build_network(small_plan(name, width=row.width, channels=(colour,)), classes=classes)


# As printed beside the published ImageNet weights of each layout (torchvision's and timm's tables of models).
@pytest.mark.parametrize(
    ("name", "count"),
    [("resnet", 11_689_512), ("resnet50", 25_557_032), ("densenet", 7_978_856), ("efficientnet", 4_652_008)],
)
def test_a_network_has_as_many_weights_as_was_published(name: str, count: int) -> None:
    assert weights(published(name)) == count


def test_the_transformer_has_the_weights_of_the_published_one_but_its_learnt_places() -> None:
    """ViT-Ti/16 has 5 717 416: 197 learnt places and a class token of 192 are sines and a mean here."""
    assert weights(published("vit")) == 5_717_416 - 197 * 192 - 192


def test_vgg_has_the_published_convolutions() -> None:
    """VGG-11 has 9 220 480 weights before its dense layers, 2 752 of them biases, where we have norms of two each."""
    assert weights(published("vgg")) == 9_220_480 + 2_752 + 512 * 1000 + 1000


def test_inception_has_the_published_blocks() -> None:
    """Table 1 of Szegedy et al. 2015, column "output size"; 1x1, 3x3, 5x5 and pool are printed in columns of their own.

    Its column "params" does not follow from those columns in every row, so it is no oracle.
    """
    blocks = [layer for layer in published("inception").modules() if isinstance(layer, Mixed)]
    assert [block.outside for block in blocks] == [256, 480, 512, 512, 512, 528, 832, 832, 1024]
