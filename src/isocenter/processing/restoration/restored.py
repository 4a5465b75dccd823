"""What a step gives back: the volume, and what was done to it in figures."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from isocenter.errors import InputError
from isocenter.image import Volume


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Restored:
    """A volume after one step.

    Args:
        volume: The new one; what was given is left as it was.
        said: What the step found and changed, by name: finite numbers, or words. A number is in the unit of the volume
            that came in, or in the one that ends its name (`_mm`, `_share`).

    Raises:
        InputError: A figure that is not finite; JSON could not hold it.
    """

    volume: Volume
    said: Mapping[str, float | str]

    def __post_init__(self) -> None:
        told = {name: said if isinstance(said, str) else float(said) for name, said in self.said.items()}
        strange = [name for name, said in told.items() if not isinstance(said, str) and not np.isfinite(said)]
        if strange:
            raise InputError(f"A step says {strange[0]} = {told[strange[0]]}: no figure that can be kept.")
        object.__setattr__(self, "said", told)


def by_channel(volume: Volume, step: Callable[[Volume], Restored]) -> Restored:
    """Return what a step for grey values makes of a volume; in colour channel by channel, each with its own figures."""
    if volume.channels == 1:
        return step(volume)
    each = {
        colour: step(replace(volume, voxels=plane))
        for colour, plane in zip(("red", "green", "blue"), volume.voxels, strict=True)
    }
    first = each["red"].volume
    voxels = np.stack([one.volume.voxels for one in each.values()])
    said = {f"{colour}_{name}": said for colour, one in each.items() for name, said in one.said.items()}
    return Restored(volume=replace(first, voxels=voxels), said=said)


def require_grey(volume: Volume, *, step: str) -> None:
    """Do nothing where a volume has one channel.

    Raises:
        InputError: It is in colour, and the step would tear its colours apart.
    """
    if volume.channels != 1:
        raise InputError(f"The step {step!r} is for grey values; this volume is in colour. Leave the step out.")


def span_of(volume: Volume, *, step: str) -> tuple[float, float]:
    """Return the lowest and the highest value.

    Raises:
        InputError: They are one: there is nothing in the volume to go by.
    """
    low, high = float(volume.voxels.min()), float(volume.voxels.max())
    if low == high:
        raise InputError(f"Every voxel is {low:g}: the step {step!r} has nothing to go by in a constant image.")
    return low, high
