"""Every choice of a run, as decided, each with its reason: what training and reading obey."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from isocenter.recipe.recipe import Intensities, Precision
from isocenter.result.receipt import canonical


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """How one channel's values become the network's: clip to low..high, subtract shift, divide by scale.

    Args:
        kind: "zscore" measures shift and scale on each case itself (low, high are its percentiles then, in 0..100);
            the others use the figures given here.
    """

    kind: Intensities
    low: float
    high: float
    shift: float = 0.0
    scale: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One input channel: the role of its volume, and how its values are scaled."""

    role: str
    scaling: Scaling
    modality: str = "OT"
    unit: str = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """Ranges from which augmentation draws, each symmetric around "no change" unless it says otherwise.

    Args:
        rotation_degrees: About (slice, row, column) axes.
        scale: Share by which size varies; 0.2 is 0.8 to 1.2.
        shift: Share of the patch's edge.
        elastic_mm: Largest displacement of the deformation's control points.
        brightness, contrast, gamma: Shares.
        noise: Standard deviation at most, in units of the scaled image.
        blur: Sigma at most, in voxels.
        bias: Strength at most of a smooth field of the logarithm.
        resolution: Smallest share of the resolution kept.
        chance: With which each of the intensity changes happens to a patch.
        flips: Axes mirrored with a chance of one half.
    """

    rotation_degrees: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: float = 0.0
    shift: float = 0.0
    elastic_mm: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    gamma: float = 0.0
    noise: float = 0.0
    blur: float = 0.0
    bias: float = 0.0
    resolution: float = 1.0
    chance: float = 0.0
    flips: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Every choice as decided. `reasons` says for each key, such as "training.patch", why.

    Args:
        orientation: Three letters that every case's axes are laid towards before the network sees it, "SPL" by
            default, so that the way a series was stored does not change what is found.
        spacing_mm: (slice, row, column) of the network's grid.
        batch: Patches a step.
        steps: Optimiser steps of the whole run; with a budget in minutes this is the estimate, and the rate
            follows the clock.
        minutes: The budget where one was given in minutes, else 0.
        foreground: Share of patches that are centred on a structure.
    """

    task: str
    channels: tuple[Channel, ...]
    orientation: str
    spacing_mm: tuple[float, float, float]
    network: str
    width: int
    depth: int
    patch: tuple[int, int, int]
    batch: int
    steps: int
    minutes: float
    rate: float
    weight_decay: float
    average: float
    precision: Precision
    foreground: float
    variation: Variation
    overlap: float
    flips: tuple[str, ...]
    fold: int | None
    seed: int
    recipe: str
    dataset: str
    reasons: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """First 16 hex digits of the sha256 of the decisions, reasons left out: what names a run."""
        document = self.to_document()
        del document["reasons"]
        return hashlib.sha256(canonical(document)).hexdigest()[:16]

    @property
    def roles(self) -> tuple[str, ...]:
        """Roles of the input channels, in order."""
        return tuple(channel.role for channel in self.channels)

    def to_document(self) -> dict[str, Any]:
        """Return the plan as nested plain JSON values."""
        document: dict[str, Any] = _plain(asdict(self))
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Plan":
        """Return the plan that `to_document` made.

        Raises:
            KeyError, TypeError: Not such a document.
        """
        values = {key: _tupled(value) for key, value in document.items()}
        channels = tuple(
            Channel(**(dict(channel) | {"scaling": Scaling(**channel["scaling"])})) for channel in document["channels"]
        )
        variation = Variation(**{key: _tupled(value) for key, value in document["variation"].items()})
        return cls(**(values | {"channels": channels, "variation": variation, "reasons": dict(document["reasons"])}))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    return value


def _tupled(value: Any) -> Any:
    return tuple(_tupled(inner) for inner in value) if isinstance(value, list) else value
