"""How a model is read on this machine: tried once, remembered, and obeyed from then on."""

import json
import os
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from isocenter.learning.inference.runtime import Runtime, device_of
from isocenter.learning.inference.trial import REFERENCE, Choice, at_once, choose
from isocenter.learning.inference.window import Tiling

AUTO = "auto"


class Pace:
    """A network with the way in which it is read, chosen at its first image and again for a much longer one."""

    def __init__(
        self, network: nn.Module, *, tiling: Tiling, classes: int, ask: str = AUTO, memory: Path | None = None
    ) -> None:
        """Take a network; nothing is tried yet.

        Args:
            network: In evaluation mode, on its device.
            tiling: The plan's.
            classes: Background counted.
            ask: A name of RUNTIMES, read with the plan's tiling; or "auto": see choose.
            memory: File in which the choice is remembered, for this machine; None remembers nothing.
        """
        self._network = network
        self._tiling = tiling
        self._classes = classes
        self._ask = ask
        self._memory = memory
        self._ready: tuple[Choice, Runtime] | None = None

    def of(self, image: Tensor) -> tuple[Choice, Runtime, Tiling]:
        """Return how an image is read: the choice, the network made ready, the tiling.

        Raises:
            NotFoundError: No such runtime.
            MissingExtraError: It needs a package that is not installed.
            PlanError: The network cannot be run that way, or answers in another shape than it is shown.
        """
        if self._ready is None or not self._ready[0].covers(image, tiling=self._tiling):
            self._ready = self._chosen(image)
        choice, ready = self._ready
        return choice, ready, choice.tiling(self._tiling)

    def _chosen(self, image: Tensor) -> tuple[Choice, Runtime]:
        shape = (int(image.shape[0]), *self._tiling.patch)
        if self._ask != AUTO:
            return at_once(self._ask, self._network, shape=shape, tiling=self._tiling)
        known = recall(self._memory, machine=self.machine)
        if known is not None and known.covers(image, tiling=self._tiling):
            return known, at_once(known.runtime, self._network, shape=shape, tiling=self._tiling)[1]
        choice, ready = choose(self._network, image, tiling=self._tiling, classes=self._classes)
        if choice.tried:  # else the reading is over before a trial would be, and says nothing of longer ones
            remember(self._memory, choice, machine=self.machine)
        return choice, ready

    @property
    def machine(self) -> dict[str, Any]:
        """What a choice holds for: processor, threads, versions, device, tiling."""
        return {
            "processor": str(torch.cpu.get_capabilities().get("cpu_name", platform.processor())),
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
            "openvino": _version("openvino"),
            "device": str(device_of(self._network)),
            "patch": list(self._tiling.patch),
            "overlap": self._tiling.overlap,
            "flips": list(self._tiling.flips),
        }


def recall(memory: Path | None, *, machine: dict[str, Any]) -> Choice | None:
    """Return what was chosen before on such a machine; None where nothing was, or it cannot be read."""
    if memory is None:
        return None
    try:
        document = json.loads(memory.read_bytes())
        return Choice.from_document(document["choice"]) if document["machine"] == machine else None
    except (OSError, KeyError, TypeError, ValueError):
        return None  # it is a memory, not a record: what cannot be read is tried anew


def remember(memory: Path | None, choice: Choice, *, machine: dict[str, Any]) -> None:
    """Keep a choice; the file appears whole or not at all, and where nothing may be written nothing is kept."""
    if memory is None:
        return
    aside = memory.with_name(f".{memory.name}.{os.getpid()}.part")
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(json.dumps({"machine": machine, "choice": choice.to_document()}, indent=1), encoding="utf-8")
        aside.replace(memory)
    except OSError:
        with suppress(OSError):
            aside.unlink()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


__all__ = ["AUTO", "REFERENCE", "Pace", "recall", "remember"]
