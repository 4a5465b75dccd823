"""The U-Net and its levels."""

import torch

from isocenter.models.ladder import divisor, ladder
from isocenter.models.unet import UNet


def test_cubic_voxels_are_halved_alike() -> None:
    levels = ladder(spacing_mm=(1, 1, 1), patch=(32, 32, 32), depth=3)
    assert divisor(levels) == (8, 8, 8)
    assert all(level.kernel == (3, 3, 3) for level in levels)


def test_thick_slices_are_left_alone_until_the_other_axes_have_caught_up() -> None:
    levels = ladder(spacing_mm=(5, 0.8, 0.8), patch=(16, 128, 128), depth=4)
    assert [level.stride for level in levels] == [(1, 1, 1), (1, 2, 2), (1, 2, 2), (2, 2, 2), (2, 2, 2)]
    assert [level.kernel[0] for level in levels] == [1, 1, 3, 3, 3]


def test_a_picture_stays_one_slice() -> None:
    levels = ladder(spacing_mm=(1, 1, 1), patch=(1, 64, 64), depth=3)
    assert divisor(levels) == (1, 8, 8)
    assert all(level.kernel == (1, 3, 3) for level in levels)


def test_levels_end_where_nothing_can_be_halved() -> None:
    assert len(ladder(spacing_mm=(1, 1, 1), patch=(16, 16, 16), depth=8)) == 3


def test_no_voxel_is_skipped_by_a_stride() -> None:
    for patch in ((8, 256, 256), (32, 8, 8), (7, 64, 5)):
        for level in ladder(spacing_mm=(5, 0.8, 0.8), patch=patch, depth=6):
            assert all(kernel >= stride for kernel, stride in zip(level.kernel, level.stride, strict=True))


def test_answers_lie_on_the_grid_of_the_images() -> None:
    levels = ladder(spacing_mm=(5, 0.8, 0.8), patch=(8, 32, 32), depth=2)
    network = UNet(channels=2, classes=4, width=8, levels=levels)
    assert network(torch.randn(2, 2, 8, 32, 32)).shape == (2, 4, 8, 32, 32)


def test_every_weight_is_learnt() -> None:
    torch.manual_seed(0)
    network = UNet(channels=1, classes=2, width=8, levels=ladder(spacing_mm=(1, 1, 1), patch=(8, 8, 8), depth=1))
    network(torch.randn(1, 1, 8, 8, 8)).square().mean().backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in network.parameters())


def test_an_answer_does_not_depend_on_who_else_is_in_the_batch() -> None:
    torch.manual_seed(0)
    network = UNet(channels=1, classes=3, width=8, levels=ladder(spacing_mm=(1, 1, 1), patch=(8, 8, 8), depth=1))
    images = torch.randn(3, 1, 8, 8, 8)
    alone = torch.cat([network(image[None]) for image in images])
    torch.testing.assert_close(network(images), alone, rtol=1e-4, atol=1e-5)  # float32, summed in another order


def test_a_scale_and_a_shift_of_the_input_change_little() -> None:
    """Scanners differ in gain; the first convolution is normalised channel by channel."""
    torch.manual_seed(0)
    network = UNet(channels=1, classes=2, width=8, levels=ladder(spacing_mm=(1, 1, 1), patch=(16, 16, 16), depth=1))
    image = torch.randn(1, 1, 16, 16, 16)
    torch.testing.assert_close(network(image * 10), network(image), rtol=1e-2, atol=1e-2)  # the epsilon of the norm
