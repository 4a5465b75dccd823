"""Whether an image fits into the memory that is free: said with the number, before it does not."""

import os
from pathlib import Path

from isocenter.errors import InputError

_LIMITS = (  # what a container may take, and what it has taken
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


def require_room(bytes_: int, *, shape: tuple[int, ...]) -> None:
    """Do nothing where so many bytes are free.

    Args:
        bytes_: That an image is going to take.
        shape: (slices, rows, columns) of it, for the message.

    Raises:
        InputError: They are not.
    """
    free = memory_free()
    if bytes_ > free:
        size = " × ".join(map(str, shape))
        raise InputError(
            f"An image of {size} voxels on the network's grid takes {bytes_ / 1e9:.1f} GB, and {free / 1e9:.1f} GB of "
            "memory are free. Give a part of the stack, or read it on a machine with more memory."
        )


def memory_free() -> int:
    """Return the bytes that this process can still take, within the limit of its container."""
    free = _available()
    for limit, taken in _LIMITS:
        try:
            left = int(Path(limit).read_text(encoding="ascii")) - int(Path(taken).read_text(encoding="ascii"))
        except (OSError, ValueError):  # no such container, or "max"
            continue
        # files that were read are counted as taken, though they give way
        free = min(free, max(left, 0) + _given_way())
    return free


def _available() -> int:
    for line in _lines("/proc/meminfo"):
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _given_way() -> int:
    for line in _lines("/sys/fs/cgroup/memory.stat"):
        if line.startswith("inactive_file "):
            return int(line.split()[1])
    return 0


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="ascii").splitlines()
    except OSError:
        return []
