"""What this machine's arithmetic can do, and the ways in which a network can be run on it."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from dataclasses import dataclass
from importlib.util import find_spec
from typing import cast

import torch
from torch import Tensor, nn

from isocenter.errors import PlanError
from isocenter.plugins import find
from isocenter.recipe.recipe import Precision

# The first is the reference that the others must agree with.
RUNTIMES = {
    "torch": "isocenter.learning.inference.runtime:in_fp32",
    "torch-bf16": "isocenter.learning.inference.runtime:in_bf16",
    "openvino": "isocenter.learning.inference.converted:in_openvino",
}


def devices() -> tuple[str, ...]:
    """Return the names of the devices that torch can compute on here, the CPU first."""
    if not torch.accelerator.is_available():
        return ("cpu",)
    kind = torch.accelerator.current_accelerator()
    return ("cpu", *(f"{kind.type}:{n}" for n in range(torch.accelerator.device_count()))) if kind else ("cpu",)


def device_here(name: str) -> torch.device:
    """Return a device by its name, such as "cpu", "cuda" or "cuda:1".

    Raises:
        PlanError: There is none of that name here; the message says which there are.
    """
    there = devices()
    if name in there or f"{name}:0" in there:
        return torch.device(name)
    raise PlanError(f"There is no device {name!r} here; torch {torch.__version__} sees {', '.join(there)}.")


def has_bf16(device: torch.device | str = "cpu") -> bool:
    """Return whether a device multiplies in bfloat16 itself; elsewhere bf16 is emulated and slower than float32."""
    kind = torch.device(device).type
    if kind == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    able = torch.cpu.get_capabilities() if kind == "cpu" else {}
    return bool(able.get("avx512_bf16") or able.get("amx_bf16") or able.get("amx"))


def autocast(precision: Precision, *, device: torch.device | str) -> AbstractContextManager[object]:
    """Return a context in which a network runs in a plan's precision where the device has it, in float32 elsewhere."""
    if precision == "bf16" and has_bf16(device):
        return torch.autocast(torch.device(device).type, dtype=torch.bfloat16)
    return nullcontext()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Runtime:
    """A network ready to be run in one way.

    Args:
        name: Of the table, or "autocast" for a network as it stands.
        device: Where windows are shown to it and answers lie.
        run: (b, channel, s, r, c) float32 on the device → scores (b, classes, s, r, c) of any float type.
    """

    name: str
    device: torch.device
    run: Callable[[Tensor], Tensor]

    @torch.inference_mode()
    def scores(self, windows: Tensor) -> Tensor:
        """Return what the network says of windows."""
        return self.run(windows.to(self.device))


Make = Callable[[nn.Module, tuple[int, ...]], Runtime]


def make_runtime(name: str, network: nn.Module, *, shape: tuple[int, ...]) -> Runtime:
    """Return a network ready to be run in a way of RUNTIMES.

    Args:
        name: Of the table.
        network: In evaluation mode, on its device; it is not changed.
        shape: (b, channel, s, r, c) of what it will be shown; b may differ later, the rest not.

    Raises:
        NotFoundError: No such way.
        MissingExtraError: It needs a package that is not installed.
        PlanError: The network cannot be run that way; the message says why.
    """
    make = cast("Make", find(name, table=RUNTIMES, group="isocenter.runtimes"))
    return make(network, shape)


def available(device: torch.device | str) -> tuple[str, ...]:
    """Return the names of RUNTIMES that a device can be expected to gain by, the reference first."""
    names = ["torch"]
    if has_bf16(device):
        names.append("torch-bf16")
        # without bfloat16 of its own a processor gains nothing by it there either
        if torch.device(device).type == "cpu" and find_spec("openvino") is not None:
            names.append("openvino")
    return tuple(names)


def as_it_stands(network: nn.Module, *, precision: Precision) -> Runtime:
    """Return a network to be run as it stands, in a plan's precision where its device has it: for a look in between."""
    device = device_of(network)

    def run(windows: Tensor) -> Tensor:
        with autocast(precision, device=device):
            scores: Tensor = network(_laid(windows))
        return scores

    return Runtime(name="autocast", device=device, run=run)


def in_fp32(network: nn.Module, shape: tuple[int, ...]) -> Runtime:
    """Return the reference: torch, every number in float32."""
    del shape
    ready = channels_last(network)
    return Runtime(name="torch", device=device_of(network), run=lambda windows: cast("Tensor", ready(_laid(windows))))


def in_bf16(network: nn.Module, shape: tuple[int, ...]) -> Runtime:
    """Return torch with weights and features in bfloat16, converted once.

    Raises:
        PlanError: The device has no bfloat16 of its own.
    """
    del shape
    device = device_of(network)
    if not has_bf16(device):
        raise PlanError(f"The {device.type} here has no bfloat16 arithmetic of its own; runtime torch is quicker.")
    ready = channels_last(deepcopy(network).to(torch.bfloat16))
    return Runtime(
        name="torch-bf16", device=device,
        run=lambda windows: cast("Tensor", ready(_laid(windows.to(torch.bfloat16)))),
    )  # fmt: skip


def channels_last(network: nn.Module) -> nn.Module:
    """Return the network with its kernels laid in memory as channels-last arithmetic wants them; changed in place."""
    for weights in network.parameters():
        if weights.dim() == 5:
            weights.data = weights.data.contiguous(memory_format=torch.channels_last_3d)
        elif weights.dim() == 4:
            weights.data = weights.data.contiguous(memory_format=torch.channels_last)
    return network


def device_of(network: nn.Module) -> torch.device:
    """Return where a network's weights lie; the CPU for one without."""
    return next((weights.device for weights in network.parameters()), torch.device("cpu"))


def _laid(windows: Tensor) -> Tensor:
    return windows.contiguous(memory_format=torch.channels_last_3d)
