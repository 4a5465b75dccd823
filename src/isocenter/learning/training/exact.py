"""The same steps, the same bits: what a deterministic run asks of torch."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from isocenter.recipe import Plan


@contextmanager
def computed(plan: Plan) -> Iterator[None]:
    """Compute inside as a plan asks: where it is deterministic, each step gives the same bits on the same machine.

    An operation that cannot be computed so raises RuntimeError instead of drifting. How torch was set before comes
    back at the end; the number of threads is the run's own (see run.Notes).
    """
    if not plan.deterministic:
        yield
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # CUDA's matrix products; read at its first use
    before = torch.are_deterministic_algorithms_enabled()
    trying = torch.backends.cudnn.benchmark
    torch.use_deterministic_algorithms(mode=True)
    torch.backends.cudnn.benchmark = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(mode=before)
        torch.backends.cudnn.benchmark = trying
