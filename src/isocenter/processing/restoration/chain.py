"""Steps one after the other, as plain values that a recipe asks for and a model carries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from isocenter.errors import NotFoundError, RecipeError
from isocenter.image import Affine, Mask, Volume, resample_mask
from isocenter.processing.restoration.restored import Restored
from isocenter.processing.restoration.steps import complete, find_fit, find_step, lacking

_WHOLE = 1e-3  # of a voxel: grids that lie no further apart share their voxels


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step with its parameters.

    Args:
        name: In the table of steps.
        parameters: Plain values, as JSON and TOML hold them; defaults are filled in.

    Raises:
        NotFoundError: Nobody offers a step of that name; the message lists close ones.
        RecipeError: A parameter that it does not take, a value of another kind, or one missing that no fit finds.
        MissingExtraError: The step needs a package that is not installed.
        ProofError: What an outsider offers under that name is no function.
    """

    name: str
    parameters: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", complete(self.name, self.parameters))
        if self.lacks and not self._learns():
            raise RecipeError(f"The step {self.name!r} needs {' and '.join(self.lacks)}.")

    @property
    def lacks(self) -> list[str]:
        """Parameters that are still to be learnt from a cohort."""
        return lacking(self.name, self.parameters)

    def apply(self, volume: Volume) -> Restored:
        """Return what the step makes of a volume.

        Raises:
            RecipeError: It has not been fitted, or a parameter's value cannot be.
            InputError: The volume cannot be treated so; the message says why.
        """
        if self.lacks:
            raise RecipeError(f"The step {self.name!r} has not learnt its {' and '.join(self.lacks)}: fit the chain.")
        return find_step(self.name)(volume, **self.parameters)

    def _learns(self) -> bool:
        try:
            find_fit(self.name)
        except NotFoundError:
            return False
        return True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Restoration:
    """A volume after a chain, and the way there and back.

    Args:
        volume: The new one.
        said: Of each step in order: its name, and what it said.
        affine, shape: The grid that the volume came on.
    """

    volume: Volume
    said: tuple[tuple[str, Mapping[str, float | str]], ...]
    affine: Affine
    shape: tuple[int, int, int]

    def take_along(self, mask: Mask) -> Mask:
        """Return a mask of the grid that the volume came on, on the grid that the chain has made.

        Raises:
            GridError: The mask lies on another grid.
        """
        mask.require_grid_of(Volume(voxels=np.broadcast_to(np.uint8(0), self.shape), affine=self.affine))
        return _laid(mask, affine=self.volume.affine, shape=self.volume.shape)

    def bring_back(self, mask: Mask) -> Mask:
        """Return a mask of the grid that the chain has made, on the grid that the volume came on; background outside.

        Where the chain has only cropped, no voxel is altered; a resampled mask is interpolated.

        Raises:
            GridError: The mask lies on another grid.
        """
        mask.require_grid_of(self.volume)
        return _laid(mask, affine=self.affine, shape=self.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Steps in the order in which they are taken. The same chain gives the same bits of the same volume."""

    steps: tuple[Step, ...] = ()

    @classmethod
    def from_document(cls, document: Sequence[Mapping[str, object]]) -> "Chain":
        """Return the chain that plain values describe: a list of tables, each with "step" and its parameters.

        Raises:
            RecipeError: No list of tables with a "step", or a parameter that cannot be.
            NotFoundError, MissingExtraError, ProofError: See Step.
        """
        for place, table in enumerate(document, 1):
            if not isinstance(table, Mapping) or not isinstance(table.get("step"), str):
                raise RecipeError(f'Line {place} of the chain is {table!r}; each names its step: {{step = "n4"}}.')
        return cls(
            steps=tuple(
                Step(name=str(table["step"]), parameters={key: one for key, one in table.items() if key != "step"})
                for table in document
            )
        )

    def to_document(self) -> list[dict[str, object]]:
        """Return the chain as plain values, every parameter written out; None, which TOML has not, is left out."""
        return [
            {"step": step.name, **{key: one for key, one in step.parameters.items() if one is not None}}
            for step in self.steps
        ]

    def restore(self, volume: Volume) -> Restoration:
        """Return a volume after all steps, with what each said. What is given is left as it was.

        Raises:
            RecipeError: A step has not been fitted.
            InputError: A step cannot treat the volume; the message says why.
        """
        said = []
        restored = volume
        for step in self.steps:
            done = step.apply(restored)
            restored = done.volume
            said.append((step.name, done.said))
        return Restoration(volume=restored, said=tuple(said), affine=volume.affine, shape=volume.shape)

    def fit(self, volumes: Sequence[Volume]) -> "Chain":
        """Return the chain with what its steps learn from a cohort; steps that have learnt before keep it.

        Args:
            volumes: Of the training side only. A sequence that reads its members as they are asked for keeps one in
                memory at a time; each is asked for once for every step that learns.

        Raises:
            InputError: A step cannot learn from these volumes.
        """
        steps: tuple[Step, ...] = ()
        for step in self.steps:
            known = step
            if step.lacks:
                before = Chain(steps=steps)
                treated = (before.restore(volume).volume for volume in volumes)
                learnt = find_fit(step.name)(treated, **step.parameters)
                known = Step(name=step.name, parameters={**step.parameters, **learnt})
            steps += (known,)
        return Chain(steps=steps)


def _laid(mask: Mask, *, affine: Affine, shape: tuple[int, int, int]) -> Mask:
    """Return a mask on another grid; voxel by voxel where the two share their voxels."""
    first = affine.to_index(mask.affine.origin)
    offset = np.rint(first).astype(int)
    if not mask.affine.is_close(
        affine.shifted(offset.tolist()), shape=mask.shape, tolerance_mm=_WHOLE * min(affine.spacing)
    ):
        return resample_mask(mask, affine=affine, shape=shape)
    labels = np.zeros(shape, dtype=mask.labels.dtype)
    here = tuple(slice(max(0, -o), min(n, m - o)) for o, n, m in zip(offset, mask.shape, shape, strict=True))
    there = tuple(slice(max(0, o), min(m, n + o)) for o, n, m in zip(offset, mask.shape, shape, strict=True))
    labels[there] = mask.labels[here]
    return Mask(labels=labels, affine=affine, table=mask.table)
