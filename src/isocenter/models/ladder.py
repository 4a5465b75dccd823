"""The levels of a network on a grid whose voxels need not be cubes: kernels, strides, and what divides a patch."""

from collections.abc import Sequence
from dataclasses import dataclass

Triple = tuple[int, int, int]

SMALLEST_EDGE = 4  # voxels: below it a 3-voxel kernel sees mostly padding


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One level: the kernel of its convolutions, and the stride by which it is entered from the level above."""

    kernel: Triple
    stride: Triple


def ladder(*, spacing_mm: Sequence[float], patch: Sequence[int], depth: int) -> tuple[Level, ...]:
    """Return depth + 1 levels, the full resolution first.

    An axis is halved while its voxels are less than twice as long as the shortest ones and 4 voxels are left; a
    kernel reaches along an axis where its voxels are at most twice as long as the shortest ones, so that thick
    slices mix with their neighbours only once the in-plane voxels have grown to them. Levels stop early where no
    axis can be halved.

    Source: the rule is nnU-Net's (Isensee et al. 2021, Nature Methods 18:203, Methods, "network topology").
    """
    spacing = [float(step) for step in spacing_mm]
    edge = [int(count) for count in patch]
    levels = [Level(kernel=_kernel(spacing, edge, stride=(1, 1, 1)), stride=(1, 1, 1))]
    for _ in range(depth):
        stride = _stride(spacing, edge)
        if max(stride) == 1:
            break
        spacing = [step * factor for step, factor in zip(spacing, stride, strict=True)]
        edge = [-(-count // factor) for count, factor in zip(edge, stride, strict=True)]
        levels.append(Level(kernel=_kernel(spacing, edge, stride=stride), stride=stride))
    return tuple(levels)


def divisor(levels: Sequence[Level]) -> Triple:
    """Return what the edges of a patch must be divisible by, along (slice, row, column)."""
    product = [1, 1, 1]
    for level in levels:
        product = [whole * factor for whole, factor in zip(product, level.stride, strict=True)]
    return product[0], product[1], product[2]


def _stride(spacing: Sequence[float], edge: Sequence[int]) -> Triple:
    halvable = [axis for axis in range(3) if edge[axis] // 2 >= SMALLEST_EDGE]
    finest = min((spacing[axis] for axis in halvable), default=0.0)
    factors = [2 if axis in halvable and spacing[axis] < 2 * finest else 1 for axis in range(3)]
    return factors[0], factors[1], factors[2]


def _kernel(spacing: Sequence[float], edge: Sequence[int], *, stride: Triple) -> Triple:
    """Return 3 along axes that are short of steps or being halved (a stride of 2 must not skip voxels), else 1."""
    finest = min((step for step, count in zip(spacing, edge, strict=True) if count > 1), default=0.0)
    near = [count > 1 and step <= 2 * finest for step, count in zip(spacing, edge, strict=True)]
    reach = [3 if close or factor == 2 else 1 for close, factor in zip(near, stride, strict=True)]
    return reach[0], reach[1], reach[2]
