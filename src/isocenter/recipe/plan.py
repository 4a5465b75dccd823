"""Every choice of a run, as decided, each with its reason: what training and reading obey."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from isocenter.recipe.goal import Dimensions, Goal, Number
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
    """One input channel: the role of its volume, and how its values are scaled.

    Args:
        colours: 3 where its pictures are in colour: then it is three planes of the network's input; a grey picture
            among them is shown three times. 1 else.
        has_size: False where some of its pictures came without the size of a pixel: then all are read pixel by pixel.
        modality, unit: As its volumes come, before anything is done to them.
        restoration: What is done to them first, step by step, everything learnt written out (see
            processing.restoration.Chain); scaling speaks of what has come out of that.
    """

    role: str
    scaling: Scaling
    modality: str = "OT"
    unit: str = "1"
    colours: int = 1
    has_size: bool = True
    restoration: tuple[Mapping[str, Any], ...] = ()


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
class Estimate:
    """What a run is expected to take on the machine that planned it: peak memory of its process, and time."""

    memory_bytes: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Every choice as decided. `reasons` says for each key, such as "training.patch", why.

    Args:
        goal: What is learnt.
        dimensions: "2-D" for pictures; a stack is read as a volume ("3-D"), or slice by slice ("2.5-D").
        neighbours: Slices on either side that a slice is shown with as further channels, in 2.5-D.
        orientation: Three letters that every case's axes are laid towards before the network sees it, "SPL" by
            default, so that the way a series was stored does not change what is found.
        spacing_mm: (slice, row, column) of the network's grid.
        batch: Patches a step.
        steps: Optimiser steps of the whole run; with a budget in minutes this is the estimate, and the rate
            follows the clock.
        patch: (slice, row, column) voxels that the network is shown at once; where it answers for the whole image,
            the size that every image is brought to.
        minutes: The budget where one was given in minutes, else 0.
        foreground: Share of patches that are centred on a structure.
        mix: Of images of a batch, blended in pairs: both parameters of the Beta distribution of the shares; 0 is none.
        dropout: Share of features left out at random while learning.
        l1: Weight of the sum of the weights' sizes in the loss.
        deterministic: Every step is computed so that the same steps give the same bits.
        patients: How many are learnt from, drawn by the seed; None is all of them.
        runtime: In which the network is run at reading: a name of the table of runtimes, or "auto" for the quickest
            one that agrees with the reference.
        estimate: What it will take; None where nobody has estimated. Not part of the id.
    """

    goal: Goal = field(default_factory=Goal)
    dimensions: Dimensions = "3-D"
    neighbours: int = 0
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
    mix: float = 0.0
    dropout: float = 0.0
    l1: float = 0.0
    deterministic: bool = False
    patients: int | None = None
    runtime: str = "auto"
    estimate: Estimate | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """First 16 hex digits of the sha256 of the decisions, reasons and estimate left out: what names it."""
        document = self.to_document()
        del document["reasons"], document["estimate"]
        return hashlib.sha256(canonical(document)).hexdigest()[:16]

    @property
    def task(self) -> str:
        """Name of the task."""
        return self.goal.kind

    @property
    def inputs(self) -> int:
        """Planes of the network's input: one for a grey channel, three for one in colour."""
        return sum(channel.colours for channel in self.channels)

    @property
    def roles(self) -> tuple[str, ...]:
        """Roles of the input channels, in order."""
        return tuple(channel.role for channel in self.channels)

    def to_document(self) -> dict[str, Any]:
        """Return the plan as nested plain JSON values; what was not asked for (steps, patients) is left out."""
        document: dict[str, Any] = _plain(asdict(self))
        if self.patients is None:
            del document["patients"]
        for channel in document["channels"]:
            if not channel["restoration"]:
                del channel["restoration"]
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Plan":
        """Return the plan that `to_document` made.

        Raises:
            KeyError, TypeError: Not such a document.
        """
        values = {key: _tupled(value) for key, value in document.items()}
        channels = tuple(map(_channel, document["channels"]))
        variation = Variation(**{key: _tupled(value) for key, value in document["variation"].items()})
        goal, estimate = dict(document["goal"]), document["estimate"]
        number = goal["number"] and Number(**goal["number"])
        return cls(
            **(
                values
                | {
                    "goal": Goal(**({key: _tupled(value) for key, value in goal.items()} | {"number": number})),
                    "channels": channels,
                    "variation": variation,
                    "estimate": estimate and Estimate(**estimate),
                    "reasons": dict(document["reasons"]),
                }
            )
        )


def _channel(document: Mapping[str, Any]) -> Channel:
    inner = {"scaling": Scaling(**document["scaling"]), "restoration": tuple(document.get("restoration", ()))}
    return Channel(**(dict(document) | inner))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    return value


def _tupled(value: Any) -> Any:
    return tuple(_tupled(inner) for inner in value) if isinstance(value, list) else value
