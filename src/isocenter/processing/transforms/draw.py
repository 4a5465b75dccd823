"""What happens to each member of a batch, drawn before anything is changed."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from isocenter.recipe import Variation

CONTROL_POINTS = 5  # per axis: bends of about a quarter of the patch
FIELD_POINTS = 3  # per axis: a coil's shading is smoother than any anatomy
AXES = ("slice", "row", "column")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One draw for a batch of b members. "No change" is the identity, 0 for additions, 1 for factors.

    Args:
        matrix: (b, 3, 3), where in the body, in mm from the patch's centre, a voxel of the result is looked up.
        shift: (b, 3), shares of the patch's edges, added to that place.
        bend_mm: (b, 3, p, p, p) displacements of control points, or None.
        mirror: (b, 3) bool.
        brightness, contrast, gamma, noise, blur, resolution: (b,).
        bias: (b, 1, q, q, q) logarithm of a smooth factor, or None.
    """

    matrix: Tensor
    shift: Tensor
    bend_mm: Tensor | None
    mirror: Tensor
    brightness: Tensor
    contrast: Tensor
    gamma: Tensor
    noise: Tensor
    blur: Tensor
    resolution: Tensor
    bias: Tensor | None


def draw(variation: Variation, *, count: int, rng: torch.Generator) -> Drawn:
    """Return what is to happen to `count` members, on the CPU."""

    def around(extent: float, *shape: int) -> Tensor:
        return (torch.rand(count, *shape, generator=rng) * 2 - 1) * extent

    def happens() -> Tensor:
        return (torch.rand(count, generator=rng) < variation.chance).float()

    angles = around(1.0, 3) * torch.tensor(variation.rotation_degrees) * (math.pi / 180)
    size = torch.exp(around(math.log1p(variation.scale), 1, 1))
    chosen = torch.tensor([axis in variation.flips for axis in AXES])
    points = (CONTROL_POINTS,) * 3
    field = (FIELD_POINTS,) * 3
    return Drawn(
        matrix=_rotations(angles) / size,
        shift=around(variation.shift, 3),
        bend_mm=around(variation.elastic_mm, 3, *points) if variation.elastic_mm > 0 else None,
        mirror=(torch.rand(count, 3, generator=rng) < 0.5) & chosen,
        brightness=around(variation.brightness) * happens(),
        contrast=torch.exp(around(math.log1p(variation.contrast)) * happens()),
        gamma=torch.exp(around(math.log1p(variation.gamma)) * happens()),
        noise=around(variation.noise).abs() * happens(),
        blur=around(variation.blur).abs() * happens(),
        resolution=1 - around(1 - variation.resolution).abs() * happens(),
        bias=around(variation.bias, 1, *field) * happens().view(-1, 1, 1, 1, 1) if variation.bias > 0 else None,
    )


def _rotations(angles: Tensor) -> Tensor:
    """Return (b, 3, 3) turns about the (slice, row, column) axes, one after the other, of (b, 3) radians."""
    turned = torch.eye(3).expand(len(angles), 3, 3)
    for axis in range(3):
        first, second = [other for other in range(3) if other != axis]
        cosine, sine = angles[:, axis].cos(), angles[:, axis].sin()
        one = torch.eye(3).repeat(len(angles), 1, 1)
        one[:, first, first], one[:, first, second] = cosine, -sine
        one[:, second, first], one[:, second, second] = sine, cosine
        turned = turned @ one
    return turned
