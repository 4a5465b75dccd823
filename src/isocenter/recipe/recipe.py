"""Every choice of a run, as asked. None means: decide for me, and say why (see plan)."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from isocenter.errors import RecipeError
from isocenter.recipe.goal import Dimensions
from isocenter.result.receipt import canonical

Intensities = Literal["zscore", "window", "percentiles", "unit", "symmetric"]
Precision = Literal["bf16", "fp32"]
ClassWeights = Literal["none", "balanced"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks:
    """What is to be learnt.

    Args:
        kind: A name of the table of tasks, such as "segmentation".
        volumes: Roles of the input channels, in order, such as ("t1", "flair"); None takes all that every case has.
        target: Names of the facts to be learnt, where it is not outlines: one, or several findings of one image;
            None takes the fact "label".
        grades: Values of the target from least to most, for grading.
        loss: A name of the task's losses; None takes the task's usual one.
        class_weights: "balanced" weighs rare classes up in the loss; None lets the counts decide.
        label_smoothing: Share of certainty taken from the true class and spread over all.
    """

    kind: str = "segmentation"
    volumes: tuple[str, ...] | None = None
    target: tuple[str, ...] | None = None
    grades: tuple[str, ...] | None = None
    loss: str | None = None
    class_weights: ClassWeights | None = None
    label_smoothing: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoration:
    """What is done to every image before anything else looks at it, in training and in reading.

    Args:
        steps: One table a step: "step" names it, further keys are its parameters as plain values, and "volumes" the
            roles that it is for; without that it is for all.

    Raises:
        RecipeError: A table without its step.
    """

    steps: tuple[Mapping[str, Any], ...] = ()

    def __post_init__(self) -> None:
        for place, line in enumerate(self.steps, 1):
            if not isinstance(line.get("step"), str):
                raise RecipeError(f'Line {place} of restoration.steps names no step: {{step = "n4"}}, or "n4" alone.')
            roles = line.get("volumes", [])
            if not isinstance(roles, list | tuple) or not all(isinstance(role, str) for role in roles):
                raise RecipeError(f'Line {place} of restoration.steps: volumes is a list of roles, such as ["t1"].')


@dataclass(frozen=True, slots=True, kw_only=True)
class Transforms:
    """How training images are varied.

    Args:
        strength: 0 for none, 1 for the ranges of the plan, more for wider ones.
        flips: Axes that may be mirrored, of "slice", "row", "column"; none by default, since left is not right.
        mix: How far images of a batch are blended in pairs, and their losses with them; 0 for not at all.
    """

    strength: float = 1.0
    flips: tuple[str, ...] = ()
    mix: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """The network.

    Args:
        network: A name of the table of networks; None takes one that fits task and images.
        width: Channels at full resolution.
        depth: How often the grid is halved.
        dimensions: Whether a stack is read as a volume ("3-D") or slice by slice ("2.5-D"); pictures are "2-D".
        neighbours: Slices on either side that a slice is shown with, in 2.5-D.
        dropout: Share of features left out at random while learning.
    """

    network: str | None = None
    width: int | None = None
    depth: int | None = None
    dimensions: Dimensions | None = None
    neighbours: int | None = None
    dropout: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """How it learns.

    Args:
        minutes, epochs, steps: The budget; the one set last replaces the others.
        patch: (slice, row, column) voxels of what the network sees at once; for tasks that answer for a whole image,
            the size that it is brought to.
        rate: Learning rate at its highest.
        weight_decay, l1: How strongly weights are kept small: by their squares (L2), by their sizes (L1).
        average: Decay of the moving average of weights (EMA).
        deterministic: Compute so that the same steps give the same bits on the same machine, also after a stop;
            a budget in minutes is turned into steps before the first one.
        fold: Validate on this fold of the split's K folds; None uses the split's validation side.
        patients: Learn from so many patients only, drawn by the seed, fewer of them within more: for learning curves.
    """

    minutes: float | None = None
    epochs: int | None = None
    steps: int | None = None
    patch: tuple[int, int, int] | None = None
    batch: int | None = None
    rate: float | None = None
    weight_decay: float | None = None
    l1: float | None = None
    average: float | None = None
    precision: Precision | None = None
    deterministic: bool = False
    fold: int | None = None
    patients: int | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Inference:
    """How a case becomes tensors and comes back.

    Args:
        spacing_mm: (slice, row, column) of the grid that the network sees.
        intensity: How values are scaled.
        window_hu: Low and high of a "window".
        overlap: Share by which neighbouring windows overlap, 0 to below 1.
        flips: Axes mirrored at reading, answers averaged; each doubles the time.
        runtime: "torch", "torch-bf16" or "openvino" with just these windows; "auto" takes the quickest, and as few
            windows, as agree with the reference (torch in float32, these windows) on a trial.
    """

    spacing_mm: tuple[float, float, float] | None = None
    intensity: Intensities | None = None
    window_hu: tuple[float, float] | None = None
    overlap: float | None = None
    flips: tuple[str, ...] = ()
    runtime: str = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """From which figure on `check` tells something, and what stops.

    Args:
        near_duplicate: Likeness from which on two images are taken for the same, 0 to 1; above 1 none is looked for.
        tolerance: How many times as far from the others as usual something may lie before it is told.
        stop: Names of checks that stop, where they would only warn, such as ("near duplicates",).
        leave: Names of checks of which nothing is told.
    """

    near_duplicate: float | None = None
    tolerance: float | None = None
    stop: tuple[str, ...] | None = None
    leave: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Every choice of a run, as asked; a section bears the name of the room that reads it.

    Raises:
        RecipeError: A value that cannot be; the message names the key.
    """

    quality: Quality = field(default_factory=Quality)
    tasks: Tasks = field(default_factory=Tasks)
    restoration: Restoration = field(default_factory=Restoration)
    transforms: Transforms = field(default_factory=Transforms)
    models: Models = field(default_factory=Models)
    training: Training = field(default_factory=Training)
    inference: Inference = field(default_factory=Inference)

    def __post_init__(self) -> None:
        for key, value, low, high in self._bounds():
            if value is not None and not low <= value <= high:
                raise RecipeError(f"{key} = {value} cannot be: it lies between {low} and {high}.")
        for key, axes in (
            ("transforms.flips", self.transforms.flips),
            ("inference.flips", self.inference.flips),
        ):
            strange = set(axes) - {"slice", "row", "column"}
            if strange:
                raise RecipeError(f"{key} names {sorted(strange)}; axes are slice, row and column.")
        window = self.inference.window_hu
        if window is not None and window[0] >= window[1]:
            raise RecipeError(f"inference.window_hu = {list(window)}: the low end lies above the high end.")
        if self.inference.intensity == "window" and window is None:
            raise RecipeError('inference.intensity = "window" needs inference.window_hu = [low, high].')
        budgets = [name for name in ("minutes", "epochs", "steps") if getattr(self.training, name) is not None]
        if len(budgets) > 1:
            raise RecipeError(f"training sets {' and '.join(budgets)}; a run has one budget.")

    def _bounds(self) -> tuple[tuple[str, float | None, float, float], ...]:
        training, models, inference = self.training, self.models, self.inference
        return (
            ("quality.near_duplicate", self.quality.near_duplicate, 0.5, 2.0),
            ("quality.tolerance", self.quality.tolerance, 0.1, 100.0),
            ("transforms.strength", self.transforms.strength, 0.0, 5.0),
            ("transforms.mix", self.transforms.mix, 0.0, 5.0),
            ("models.width", models.width, 2, 1024),
            ("models.depth", models.depth, 1, 8),
            ("models.neighbours", models.neighbours, 0, 16),
            ("models.dropout", models.dropout, 0.0, 0.9),
            ("tasks.label_smoothing", self.tasks.label_smoothing, 0.0, 0.5),
            ("training.l1", training.l1, 0.0, 1.0),
            ("training.minutes", training.minutes, 0.01, 100_000),
            ("training.epochs", training.epochs, 1, 1_000_000),
            ("training.steps", training.steps, 1, 100_000_000),
            ("training.batch", training.batch, 1, 4096),
            ("training.rate", training.rate, 1e-8, 10.0),
            ("training.weight_decay", training.weight_decay, 0.0, 1.0),
            ("training.average", training.average, 0.0, 0.999999),
            ("training.fold", training.fold, 0, 99),
            ("training.patients", training.patients, 1, 100_000_000),
            ("training.seed", training.seed, 0, 2**32 - 1),
            *(("training.patch", edge, 1, 100_000) for edge in training.patch or ()),
            ("inference.overlap", inference.overlap, 0.0, 0.9),
            *(("inference.spacing_mm", step, 1e-3, 100.0) for step in inference.spacing_mm or ()),
            *(("inference.window_hu", end, -1e6, 1e6) for end in inference.window_hu or ()),
        )

    @property
    def id(self) -> str:
        """The recipe's name: first 16 hex digits of the sha256 of its content."""
        return hashlib.sha256(canonical(self.to_document())).hexdigest()[:16]

    def to_document(self) -> dict[str, dict[str, Any]]:
        """Return the recipe as nested plain values, as TOML and JSON hold it.

        What is left to decide is left out, and so are sections of which nothing was asked and steps that there are not.
        """
        document = {
            section: {
                key: list(value) if isinstance(value, tuple) else value
                for key, value in fields.items()
                if value is not None
            }
            for section, fields in asdict(self).items()
            if section != "restoration" or self.restoration.steps
        }
        return {section: values for section, values in document.items() if values or section != "quality"}

    def with_budget(self, **budget: float) -> "Recipe":
        """Return the recipe with one budget (minutes, epochs or steps) in place of any other.

        Raises:
            RecipeError: The budget cannot be.
        """
        cleared: dict[str, Any] = {"minutes": None, "epochs": None, "steps": None}
        return replace(self, training=replace(self.training, **(cleared | budget)))
