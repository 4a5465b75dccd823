"""What the machine has, and how much memory a plan will take on it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

from isocenter.learning.inference.runtime import has_bf16

# Measured on the U-Net: what one voxel of a patch keeps for the way back, in bytes for each channel at full
# resolution; two blocks of two convolutions there, half as much again for all coarser levels.
_KEPT_PER_VOXEL = {"bf16": 48, "fp32": 80}
_INTERPRETER_BYTES = 700_000_000  # Python, torch and its kernels, before the first case
SHARE = 0.6  # of the memory that a plan may count on: the rest is the system's, and other people's


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Cores that this process may use, memory in bytes, and whether bfloat16 is computed in hardware."""

    cores: int
    memory: int
    bf16: bool

    @classmethod
    def here(cls) -> "Machine":
        """Return this machine, within the limits that a container sets."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return cls(cores=cores, memory=min(memory, _container_limit(memory)), bf16=has_bf16())


def training_bytes(*, patch: Sequence[int], batch: int, width: int, precision: str, largest: int) -> int:
    """Return what training takes at its highest: the steps' activations and one case being prepared.

    Args:
        patch, batch, width, precision: As in a plan.
        largest: Bytes of the largest case while it is prepared (see case_bytes).
    """
    return _INTERPRETER_BYTES + prod(patch) * batch * width * _KEPT_PER_VOXEL[precision] + largest


def reading_bytes(*, shape: Sequence[int], patch: Sequence[int], channels: int, classes: int, width: int) -> int:
    """Return what reading one case takes at its highest: its image, its labels, and the sums of a slab."""
    voxels = prod(shape)
    slab = min(patch[0], shape[0]) * shape[1] * shape[2]
    window = prod(patch) * width * 24  # two levels' activations, in float32, without a way back
    return _INTERPRETER_BYTES + voxels * (4 * channels + 4) + slab * 4 * (classes + 1) + window


def case_bytes(*, shape: Sequence[int], channels: int) -> int:
    """Return what one case takes while it is prepared: as stored, as float32, and twice again in resampling."""
    return prod(shape) * (4 * channels + 14)


def _container_limit(otherwise: int) -> int:
    for limit in (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")):
        try:
            return int(limit.read_text(encoding="ascii"))
        except (OSError, ValueError):
            continue
    return otherwise
