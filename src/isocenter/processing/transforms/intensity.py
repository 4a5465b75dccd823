"""Brightness, contrast, gamma, shading, blur, low resolution and noise."""

import torch
from torch import Tensor
from torch.nn import functional as F

from isocenter.processing.transforms.draw import Drawn


def altered(images: Tensor, *, drawn: Drawn, rng: torch.Generator) -> Tensor:
    """Return images (b, channel, s, r, c) with the drawn changes of intensity.

    In the order in which a scanner would bring them about: contrast, the coil's shading, the optics, noise last.
    """
    images = _curved(images, drawn)
    if drawn.bias is not None and drawn.bias.any():
        images = _shaded(images, drawn.bias)
    if drawn.blur.any():
        images = _blurred(images, drawn.blur)
    if (drawn.resolution < 1).any():
        images = _coarsened(images, drawn.resolution)
    if drawn.noise.any():
        noise = torch.randn(images.shape, generator=_beside(images, rng), device=images.device)
        images = noise.mul_(_per_member(drawn.noise, images)).add_(images)
    return images


def _curved(images: Tensor, drawn: Drawn) -> Tensor:
    """Return contrast about each member's mean, brightness added, and gamma on its own range."""
    if (drawn.gamma != 1).any():
        low = images.amin(dim=(2, 3, 4), keepdim=True)
        span = (images.amax(dim=(2, 3, 4), keepdim=True) - low).clamp_min(1e-6)
        images = ((images - low) / span).pow_(_per_member(drawn.gamma, images)).mul_(span).add_(low)
    if (drawn.contrast != 1).any() or drawn.brightness.any():
        mean = images.mean(dim=(2, 3, 4), keepdim=True)
        contrast, brightness = _per_member(drawn.contrast, images), _per_member(drawn.brightness, images)
        images = (images * contrast).add_(mean * (1 - contrast) + brightness)
    return images


def _shaded(images: Tensor, bias: Tensor) -> Tensor:
    """Return images times a smooth field, counted from their darkest voxel, since scaled images pass through 0."""
    shape = tuple(images.shape[-3:])
    field = F.interpolate(bias.to(images), size=shape, mode="trilinear", align_corners=True).exp()
    low = images.amin(dim=(2, 3, 4), keepdim=True)
    return (images - low).mul_(field).add_(low)


def _blurred(images: Tensor, sigma: Tensor) -> Tensor:
    """Return each member under a Gaussian of its own sigma in voxels; 0 leaves it as it is.

    Axis by axis as a matrix product: on a CPU quicker than a convolution whose kernel differs from member to member.
    """
    count, channels, slices, rows, columns = images.shape
    if slices > 1:
        flat = images.reshape(count, channels, slices, rows * columns)
        images = (_smoothing(sigma, slices).to(images)[:, None] @ flat).reshape(images.shape)
    flat = images.reshape(count, channels * slices, rows, columns)
    flat = _smoothing(sigma, rows).to(images)[:, None] @ flat
    flat = flat.reshape(count, channels * slices * rows, columns) @ _smoothing(sigma, columns).to(images).mT
    return flat.reshape(images.shape)


def _smoothing(sigma: Tensor, count: int) -> Tensor:
    """Return (b, count, count): the weight of each voxel of a line in each voxel of the result; the ends go on."""
    radius = max(1, round(3 * float(sigma.max())))
    width = sigma.cpu().clamp_min(1e-3)[:, None]
    kernel = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / width) ** 2)
    kernel = kernel / kernel.sum(dim=1, keepdim=True)
    seen = torch.arange(count)[:, None] + torch.arange(-radius, radius + 1)
    weights = torch.zeros(len(sigma), count, count)
    place = seen.clamp(0, count - 1).expand(len(sigma), -1, -1)
    return weights.scatter_add_(2, place, kernel[:, None].expand_as(place))


def _coarsened(images: Tensor, share: Tensor) -> Tensor:
    """Return each member sampled at a share of its resolution and back; 1 leaves it as it is."""
    images = images.clone()
    shape = tuple(images.shape[-3:])
    for member in (share < 1).nonzero()[:, 0].tolist():
        fewer = [max(1, round(count * float(share[member]))) for count in shape]
        coarse = F.interpolate(images[member : member + 1], size=fewer, mode="area")
        images[member : member + 1] = F.interpolate(coarse, size=shape, mode="trilinear", align_corners=False)
    return images


def _beside(images: Tensor, rng: torch.Generator) -> torch.Generator:
    """Return a generator on the images' device: millions of numbers are not sent to an accelerator."""
    if images.device == rng.device:
        return rng
    return torch.Generator(images.device).manual_seed(int(torch.randint(2**62, (), generator=rng)))


def _per_member(values: Tensor, images: Tensor) -> Tensor:
    return values.to(images).view(-1, 1, 1, 1, 1)
