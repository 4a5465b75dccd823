"""What the machine has, and how much memory a plan will take on it."""

import os
import resource
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

from isocenter.learning.inference.runtime import has_bf16
from isocenter.models.ladder import Triple

# Measured on the U-Net, patches of 64³ and 96³ voxels, 3 and 20 classes: what one voxel of a patch keeps for the way
# back, in bytes for each channel at full resolution, and for each class in the loss
_KEPT_PER_VOXEL = {"bf16": 40, "fp32": 70}
_KEPT_PER_CLASS = 20
_READ_PER_VOXEL = 28  # without a way back, in float32
INTERPRETER_BYTES = 700_000_000  # Python, torch and its kernels, before the first case
SHARE = 0.6  # of the memory that a plan may count on: the rest is the system's, and other people's


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """Patch (slice, row, column), depth, width and batch that are decided together."""

    patch: Triple
    depth: int
    width: int
    batch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Cores that this process may use, memory in bytes, and whether bfloat16 is computed in hardware."""

    cores: int
    memory: int
    bf16: bool

    @classmethod
    def here(cls, device: str = "cpu") -> "Machine":
        """Return this machine, within the limits that a container sets, with the arithmetic of a device."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return cls(cores=cores, memory=min(memory, _container_limit(memory)), bf16=has_bf16(device))


def training_bytes(shape: Geometry, *, precision: str, classes: int, largest: int) -> int:
    """Return what training takes at its highest: the steps' activations and one case being prepared.

    Args:
        shape: Patch, batch and width.
        precision: "bf16" or "fp32".
        classes: Of the answer.
        largest: Bytes of the largest case while it is prepared (see case_bytes).
    """
    a_voxel = shape.width * _KEPT_PER_VOXEL[precision] + classes * _KEPT_PER_CLASS
    return INTERPRETER_BYTES + prod(shape.patch) * shape.batch * a_voxel + largest


def reading_bytes(shape: Geometry, *, case: Sequence[int], channels: int, classes: int) -> int:
    """Return what showing a case of (slice, row, column) voxels to the network takes at its highest.

    That is its image, its labels, the sums of a slab of windows, and one window in the network.
    """
    slab = min(shape.patch[0], case[0]) * case[1] * case[2]
    window = prod(shape.patch) * shape.width * _READ_PER_VOXEL
    return INTERPRETER_BYTES + prod(case) * (4 * channels + 4) + slab * 4 * (classes + 1) + window


def case_bytes(stored: Sequence[int], shown: Sequence[int], *, channels: int) -> int:
    """Return what one case takes while it is prepared.

    Args:
        stored: Its shape in the file: kept as it is, with its labels, and twice as float32 while it is resampled.
        shown: Its shape on the network's grid: float32 by channel, and once more while it is scaled.
        channels: Of the network's input.
    """
    return prod(stored) * (4 * channels + 8) + prod(shown) * (4 * channels + 6)


def memory_now() -> int:
    """Return the bytes of memory that this process holds; its highest so far where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return memory_peak()
    return pages * os.sysconf("SC_PAGE_SIZE")


def memory_peak() -> int:
    """Return the most bytes of memory that this process has held.

    The system's own count (getrusage) begins with what the parent held when it started this process, so it is asked
    only where there is no other.
    """
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration, ValueError, IndexError):
        pass
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _container_limit(otherwise: int) -> int:
    for limit in (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")):
        try:
            return int(limit.read_text(encoding="ascii"))
        except (OSError, ValueError):
            continue
    return otherwise
