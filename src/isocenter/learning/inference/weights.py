"""A model's weights become a network that answers."""

from safetensors.torch import load_file
from torch import nn

from isocenter.errors import PlanError
from isocenter.learning.inference.runtime import device_here
from isocenter.models import build_network
from isocenter.models.model import Model


def load_network(model: Model, *, outputs: int, device: str = "cpu") -> nn.Module:
    """Return a model's network with its weights, on a device, ready to answer.

    Args:
        model: As read_model checked it.
        outputs: Of its task.
        device: As torch names it.

    Raises:
        PlanError: The weights do not fit the network of the plan, or there is no such device.
        NotFoundError: The network comes from a plug-in that is not installed here.
        MissingExtraError: The network needs a package that is not installed.
    """
    place = device_here(device)
    network = build_network(model.plan, classes=outputs)
    try:
        network.load_state_dict(load_file(model.weights))
        network = network.to(place)
    except RuntimeError as error:
        raise PlanError(
            f"The weights of model {model.id[:12]} cannot be put to use on {device!r}: {str(error)[:200]}"
        ) from error
    return network.eval().requires_grad_(requires_grad=False)
