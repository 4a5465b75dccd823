"""What this machine's arithmetic can do, and how a network is run on it."""

from contextlib import AbstractContextManager, nullcontext

import torch

from isocenter.recipe.recipe import Precision


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
