"""A network handed to OpenVINO, which fuses its layers and computes in bfloat16.

The package brings a second one that reports usage to its makers. That one is kept out: its name is barred while
openvino is loaded, which then takes its own silent stand-in.
"""

import sys
import warnings
from copy import deepcopy
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from isocenter.errors import PlanError
from isocenter.learning.inference.runtime import Runtime, device_of
from isocenter.models.unet import LEAST_VARIANCE, InstanceNorm

_REPORTS = "openvino_telemetry"


def _silently() -> ModuleType:
    """Return openvino, loaded without what reports usage.

    Raises:
        PlanError: Another part of this process has loaded it before, reports included.
    """
    if _REPORTS not in sys.modules:
        sys.modules[_REPORTS] = None  # type: ignore[assignment]  # the language's own way to say: cannot be imported
        try:
            import openvino
        finally:
            del sys.modules[_REPORTS]
        if _REPORTS not in sys.modules:
            return openvino  # type: ignore[no-any-return]
    raise PlanError(
        "OpenVINO was loaded before in this process together with what reports its usage; it is not used then. "
        "Set inference.runtime = torch-bf16."
    )


def in_openvino(network: nn.Module, shape: tuple[int, ...]) -> Runtime:
    """Return a network converted for windows of a shape, to be shown one at a time.

    Raises:
        PlanError: It lies on another device than the CPU, or OpenVINO cannot convert it.
    """
    if device_of(network).type != "cpu":
        raise PlanError("The runtime openvino reads on the CPU only.")
    openvino = _silently()
    example = torch.zeros((1, *shape[1:]))
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # of torch to the authors of its converters
            exported = torch.export.export(_plainly_normed(deepcopy(network)), (example,))
            compiled = _compiled(openvino, openvino.convert_model(exported))
    except Exception as error:  # two strangers' compilers: what they cannot do, another runtime can
        raise PlanError(
            f"OpenVINO cannot convert this network ({type(error).__name__}: {str(error)[:200]})."
        ) from error
    request = compiled.create_infer_request()

    def run(windows: Tensor) -> Tensor:
        if len(windows) == 1:
            return _answer(request, windows)
        return torch.cat([_answer(request, window).clone() for window in windows.split(1)])

    return Runtime(name="openvino", device=torch.device("cpu"), run=run)


def _compiled(openvino: Any, graph: Any) -> Any:
    """Return a graph compiled for one window at a time on as many cores as torch was given."""
    asked = {
        "INFERENCE_PRECISION_HINT": "bf16",
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "ENABLE_CPU_PINNING": False,
    }
    return openvino.Core().compile_model(graph, "CPU", asked)


def _answer(request: Any, window: Tensor) -> Tensor:
    """Return the answer to one window; the next question overwrites it."""
    found = request.infer([window.contiguous().numpy()], share_inputs=True, share_outputs=True)
    return torch.from_numpy(found[0])


def _plainly_normed(network: nn.Module) -> nn.Module:
    """Return the network with our norms in torch's own words, which converters know as one operation."""
    for name, part in network.named_children():
        if isinstance(part, InstanceNorm):
            norm = nn.InstanceNorm3d(len(part.weight), eps=LEAST_VARIANCE, affine=True)
            norm.weight, norm.bias = part.weight, part.bias
            setattr(network, name, norm.eval())
        else:
            _plainly_normed(part)
    return network.eval()
