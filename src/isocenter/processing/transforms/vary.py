"""The whole augmentation of a batch."""

from collections.abc import Sequence

import torch
from torch import Tensor

from isocenter.processing.transforms.draw import draw
from isocenter.processing.transforms.intensity import altered
from isocenter.processing.transforms.spatial import flipped, moved
from isocenter.recipe import Variation


@torch.no_grad()
def vary(
    images: Tensor,
    labels: Tensor | None,
    *,
    variation: Variation,
    spacing_mm: Sequence[float],
    rng: torch.Generator,
) -> tuple[Tensor, Tensor | None]:
    """Return a batch as it might have looked: turned, bent, brighter, noisier; each member in its own way.

    Args:
        images: (b, channel, s, r, c) float32, scaled as the network expects. Left as they are.
        labels: (b, s, r, c) whole numbers, moved with the images and never altered in value; None for none.
        variation: The ranges; where all are zero the batch comes back unchanged.
        spacing_mm: Of (slice, row, column), so that a turn is a turn in the body and not on the grid.
        rng: On the CPU, whatever the tensors' device.
    """
    drawn = draw(variation, count=len(images), rng=rng)
    images, labels = moved(images, labels, drawn=drawn, spacing_mm=spacing_mm)
    images, labels = flipped(images, labels, drawn=drawn)
    return altered(images, drawn=drawn, rng=rng), labels
