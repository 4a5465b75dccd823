"""One case read by one model."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from safetensors.torch import load_file
from scipy.special import stdtrit

from isocenter.errors import InputError, PlanError
from isocenter.image import Mask, Volume
from isocenter.learning.inference.prepare import prepare, restore
from isocenter.learning.inference.window import Progress, Tiling, label_volume
from isocenter.learning.tasks import find_task
from isocenter.models import build_network
from isocenter.models.model import Model
from isocenter.recipe import Channel
from isocenter.result import Score


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a model said of a case.

    Args:
        mask: On the own grid of the case's first volume.
        seconds: By stage: "prepare", "network", "restore".
    """

    mask: Mask
    seconds: Mapping[str, float]


class Reader:
    """A model ready to read: its weights are loaded once."""

    def __init__(self, model: Model, *, device: str = "cpu", batch: int = 1) -> None:
        """Load a model.

        Args:
            model: As read_model checked it.
            device: As torch names it.
            batch: Windows shown to the network at once; one is quickest on a CPU.

        Raises:
            PlanError: The weights do not fit the network of the plan, or there is no such device.
            NotFoundError: The network or the task comes from a plug-in that is not installed here.
        """
        self.model = model
        self.tiling = Tiling.of(model.plan, batch=batch)
        self.task = find_task(model.plan.task, table=model.table)
        network = build_network(model.plan, classes=self.task.outputs)
        try:
            network.load_state_dict(load_file(model.weights))
            network = network.to(device, memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
        except (RuntimeError, AssertionError) as error:  # torch built without a device asserts
            raise PlanError(
                f"The weights of model {model.id[:12]} cannot be put to use on {device!r}: {str(error)[:200]}"
            ) from error
        self._network = network.eval().requires_grad_(requires_grad=False)

    def read(self, volumes: Mapping[str, Volume], *, progress: Progress | None = None) -> Reading:
        """Return what the model says of a case.

        Memory: the case on the network's grid as float32, the sums of one slab of windows (see window), and the
        labels on both grids.

        Args:
            volumes: By role. A model of one channel takes a single volume whatever its role is called.
            progress: Told (windows done, windows in all).

        Raises:
            InputError: A role is missing, a volume is in colour, or it is of another modality or unit.
        """
        wanted = fitting(volumes, self.model)
        marks = [time.perf_counter()]
        prepared = prepare(wanted, plan=self.model.plan)
        marks.append(time.perf_counter())
        classes = label_volume(
            self._network, prepared.image, tiling=self.tiling, classes=self.task.outputs, progress=progress
        )
        marks.append(time.perf_counter())
        first = next(iter(volumes.values()))
        mask = restore(self.task.decode(classes), prepared, onto=first, table=self.model.table)
        marks.append(time.perf_counter())
        stages = zip(("prepare", "network", "restore"), marks, marks[1:], strict=False)
        return Reading(mask=mask, seconds={stage: end - start for stage, start, end in stages})


def fitting(volumes: Mapping[str, Volume], model: Model) -> dict[str, Volume]:
    """Return the volumes that a model wants, by the roles of its plan.

    A modality that is not known ("OT", as from NIfTI) is taken as it comes.

    Raises:
        InputError: A role is missing, a volume is in colour, or it is of another modality or unit.
    """
    roles = model.plan.roles
    if len(roles) == len(volumes) == 1:
        volumes = {roles[0]: next(iter(volumes.values()))}
    missing = [role for role in roles if role not in volumes]
    if missing:
        raise InputError(
            f"The model reads {len(roles)} volume(s) at once, {', '.join(roles)}; {', '.join(missing)} is missing "
            f"among {', '.join(volumes) or 'nothing'}. Give one volume for each role."
        )
    for channel in model.plan.channels:
        _check(volumes[channel.role], channel)
    return {role: volumes[role] for role in roles}


def volume_scores(mask: Mask, model: Model) -> tuple[Score, ...]:
    """Return the volume in ml of each structure and region, with the interval in which the true one is expected.

    The interval is for this one patient, not for a mean: a new patient's ratio of true to found volume is drawn
    like those of the model's n validation patients, whose logarithms are taken as normal. It is widened to hold the
    volume found. No interval where fewer than two such patients had the structure, or nothing of it was found.

    Args:
        mask: As the model found it.
        model: Whose errors are known.

    Source: prediction interval for one further draw, Hahn and Meeker 1991, Statistical Intervals, 4.7.
    """
    # one look at the voxels for all structures, slice by slice since counting widens what it counts to eight bytes
    counts = sum(np.bincount(plane.reshape(-1), minlength=65536) for plane in mask.labels)
    return tuple(
        _volume_score(
            name,
            float(np.sum(np.take(counts, values))) * mask.affine.voxel_ml,
            ratios=model.volume_errors.get(name, ()),
        )
        for name, values in model.table.structures.items()
    )


def _volume_score(name: str, found_ml: float, *, ratios: tuple[float, ...]) -> Score:
    logs = np.log([ratio for ratio in ratios if ratio > 0 and math.isfinite(ratio)])
    n = len(logs) if found_ml > 0 else 0
    low = high = math.nan
    if n >= 2:
        reach = float(stdtrit(n - 1, 0.975)) * float(logs.std(ddof=1)) * math.sqrt(1 + 1 / n)
        low = min(found_ml, found_ml * math.exp(float(logs.mean()) - reach))
        high = max(found_ml, found_ml * math.exp(float(logs.mean()) + reach))
        if min(ratios) <= 0:  # in some patient it was found and not there: this may be such a finding
            low = 0.0
    return Score(name="volume", label=name, value=found_ml, low=low, high=high, n=n, unit="ml")


def _check(volume: Volume, channel: Channel) -> None:
    if volume.channels != 1:
        raise InputError(f"The volume {channel.role!r} is in colour; the model reads one grey value a voxel.")
    if "OT" not in {volume.modality, channel.modality} and volume.modality != channel.modality:
        raise InputError(
            f"The volume {channel.role!r} is {volume.modality}; the model has learnt from {channel.modality} only "
            "and would answer without meaning."
        )
    if "1" not in {volume.unit, channel.unit} and volume.unit != channel.unit:
        raise InputError(
            f"The volume {channel.role!r} is in {volume.unit}; the model has learnt from {channel.unit}. "
            "Convert the values first."
        )
