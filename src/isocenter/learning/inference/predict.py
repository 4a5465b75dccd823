"""One case outlined by one model."""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from isocenter.errors import PlanError
from isocenter.image import Mask, Volume
from isocenter.learning.inference.clock import Clock
from isocenter.learning.inference.fitting import Reading, fitting
from isocenter.learning.inference.pace import Pace
from isocenter.learning.inference.prepare import Prepared, prepare, restore
from isocenter.learning.inference.restoring import Lines, Restored, bring_back, chains_of, restored_by
from isocenter.learning.inference.weights import load_network
from isocenter.learning.inference.window import Progress, Tiling, label_volume
from isocenter.learning.tasks import find_task
from isocenter.models.model import Model
from isocenter.result import Score


class Reader:
    """A model ready to outline: its weights are loaded once."""

    def __init__(
        self,
        model: Model,
        *,
        device: str = "cpu",
        runtime: str | None = None,
        memory: Path | None = None,
        done: Mapping[str, Lines] | None = None,
    ) -> None:
        """Load a model.

        Args:
            model: As read_model checked it.
            device: As torch names it.
            runtime: A name of RUNTIMES, or "auto" for the quickest that agrees (see Pace); None takes the plan's.
            memory: Folder in which it is remembered which one that was on this machine; None remembers nothing.
            done: What the volumes to be read have gone through already, by role; None is nothing.

        Raises:
            PlanError: The weights do not fit the network of the plan, or there is no such device.
            NotFoundError: The network, the task or a step of restoration comes from a plug-in that is not installed.
            MissingExtraError: A step of restoration needs a package that is not installed.
            InputError: The volumes have gone through other steps than those that the model has learnt from.
        """
        self.model = model
        task = find_task(model.plan.goal, table=model.description.table)
        if task.answers != "voxels":
            raise PlanError(f"Model {model.id[:12]} answers for whole images; open_reader opens it.")
        self.task = task
        self._chains = chains_of(model.plan, done=done)
        self._pace = Pace(
            load_network(model, outputs=self.task.outputs, device=device),
            tiling=Tiling.of(model.plan), classes=self.task.outputs, ask=runtime or model.plan.runtime,
            memory=memory and memory / f"{model.id}.json",
        )  # fmt: skip

    def read(self, volumes: Mapping[str, Volume], *, progress: Progress | None = None) -> Reading:
        """Return what the model says of a case.

        Memory: the case on the network's grid as float32, the sums of one slab of windows (see window), and the
        labels on both grids.

        Args:
            volumes: By role. A model of one channel takes a single volume whatever its role is called.
            progress: Told (windows done, windows in all).

        Raises:
            InputError: A role is missing, or a volume is unlike what the model has learnt from.
            NotFoundError, MissingExtraError: There is no such runtime, or its package is not installed.
            PlanError: The network cannot be run that way.
        """
        wanted = fitting(volumes, self.model)
        clock = Clock()
        restored = restored_by(self._chains, wanted, orientation=self.model.plan.orientation, clock=clock)
        with clock.stage("prepare"):
            prepared = prepare(restored.volumes, plan=self.model.plan)
        with clock.stage("choose"):
            choice, runtime, tiling = self._pace.of(prepared.image)
        classes = label_volume(
            runtime, prepared.image, tiling=tiling, classes=self.task.outputs, progress=progress, clock=clock
        )
        with clock.stage("restore"):
            labels = self.task.decode(classes)
            mask = self._own(labels, prepared, onto=next(iter(volumes.values())), restored=restored, wanted=wanted)
        return Reading(mask=mask, seconds=clock.seconds, choice=choice, said=restored.said)

    def _own(
        self,
        labels: npt.NDArray[np.integer],
        prepared: Prepared,
        *,
        onto: Volume,
        restored: Restored,
        wanted: Mapping[str, Volume],
    ) -> Mask:
        """Return labels of the network's grid on a volume's own, back through what was done to that volume."""
        way = next((way for role, way in restored.ways.items() if wanted[role] is onto), None)
        if way is None:
            return restore(labels, prepared, onto=onto, table=self.model.table)
        return bring_back(restore(labels, prepared, onto=way.volume, table=self.model.table), way)


def volume_scores(mask: Mask, model: Model, *, voxel_size: tuple[float, str] | None = None) -> tuple[Score, ...]:
    """Return the size of each structure and region, with the interval in which the true one is expected.

    The interval is for this one patient, not for a mean: a new patient's ratio of true to found volume is drawn
    like those of the model's n validation patients, whose logarithms are taken as normal. It is widened to hold the
    volume found. No interval where fewer than two such patients had the structure, or nothing of it was found.

    Args:
        mask: As the model found it.
        model: Whose errors are known.
        voxel_size: How much one voxel is, and in which unit (see Volume.voxel_size); None takes the mask's ml.

    Source: prediction interval for one further draw, Hahn and Meeker 1991, Statistical Intervals, 4.7.
    """
    # one look at the voxels for all structures, slice by slice since counting widens what it counts to eight bytes
    each, unit = (mask.affine.voxel_ml, "ml") if voxel_size is None else voxel_size
    counts = sum(np.bincount(plane.reshape(-1), minlength=65536) for plane in mask.labels)
    return tuple(
        _volume_score(
            name,
            float(np.sum(np.take(counts, values))) * each,
            ratios=model.volume_errors.get(name, ()),
            unit=unit,
        )
        for name, values in model.table.structures.items()
    )


def _volume_score(name: str, found: float, *, ratios: tuple[float, ...], unit: str) -> Score:
    logs = np.log([ratio for ratio in ratios if ratio > 0 and math.isfinite(ratio)])
    n = len(logs) if found > 0 else 0
    low = high = math.nan
    if n >= 2:
        reach = float(stdtrit(n - 1, 0.975)) * float(logs.std(ddof=1)) * math.sqrt(1 + 1 / n)
        low = min(found, found * math.exp(float(logs.mean()) - reach))
        high = max(found, found * math.exp(float(logs.mean()) + reach))
        if min(ratios) <= 0:  # in some patient it was found and not there: this may be such a finding
            low = 0.0
    return Score(name="volume", label=name, value=found, low=low, high=high, n=n, unit=unit)
