"""Which volumes of many are another again: saved again, noisier, lighter, mirrored along an axis."""

from collections.abc import Iterator
from itertools import product

import numpy as np
import numpy.typing as npt

from isocenter.intake.quality.copies.near import Pair
from isocenter.intake.quality.copies.sketch import DEPTH, Floats, blur, unit

_COARSEST = 1.5  # voxels of 16; of 200 crops of hippocampi no two reach 0.73, noise and another scale leave 0.98
_AXES = ("slices", "rows", "columns")
_ROWS = 512


def stack_pairs_of(sketches: npt.NDArray[np.uint8], *, limit: float) -> Iterator[Pair]:
    """Yield the volumes that show the same as another. Cut ones are not looked for.

    Args:
        sketches: (n, 16, 16, 16), of each volume.
        limit: Correlation of their fine detail from which on two are taken for the same.
    """
    plain = _described(sketches)
    for flips in product((False, True), repeat=3):
        axes = [axis for axis, is_flipped in enumerate(flips) if is_flipped]
        turned = _described(np.flip(sketches, tuple(axis + 1 for axis in axes)))
        how = f"{' and '.join(_AXES[axis] for axis in axes)} in reverse" if axes else ""
        for top in range(0, len(plain), _ROWS):
            block = turned[top : top + _ROWS] @ plain[: top + _ROWS].T
            for row, column in np.argwhere(block >= limit):
                if column < row + top:
                    yield Pair(first=int(row + top), second=int(column), likeness=float(block[row, column]), how=how)


def _described(sketches: npt.NDArray[np.uint8]) -> Floats:
    """Return (n, 4096) fine detail, of length 1."""
    blurred = stacks = sketches.astype(np.float32)
    for axis in (1, 2, 3):
        blurred = np.moveaxis(np.tensordot(blurred, blur(_COARSEST, DEPTH), axes=(axis, 1)), -1, axis)
    return unit((stacks - blurred).reshape(len(stacks), -1))
