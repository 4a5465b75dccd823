"""Does a network keep what the house promises of every network? Ours are held to it, and a stranger's can be."""

import math
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import replace

import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from isocenter.errors import ProofError
from isocenter.models import Network, build_network, network_of
from isocenter.models.ladder import divisor, ladder
from isocenter.recipe import Channel, Goal, Plan, Scaling, Variation
from isocenter.recipe.goal import Dimensions

_CLASSES, _BATCH = 3, 2
_WIDTH, _DEPTH = 8, 3  # of networks that leave both to the planner
# float32 sums in another order for one image than for several; far above it, one image has changed another's answer
_RELATIVE, _ABSOLUTE = 1e-3, 1e-4


def check_network(
    name: str, *, width: int | None = None, depth: int | None = None, dimensions: Sequence[Dimensions] | None = None
) -> None:
    """Do nothing where a network, ours or a plug-in's, keeps its promises (see Network); each of them is tried.

    It answers in the shape that it should, with finite numbers, for grey and colour, for every size that it claims,
    for stacks slice by slice where it reads pictures; the same seed gives the same network; learning reaches every
    weight; images of one batch do not know of each other; its weights pass through safetensors, so that nothing is
    pickled; and it can be copied.

    Args:
        name: Of the table of networks, or of an entry point of the group "isocenter.networks".
        width, depth: In place of the usual ones, such as a small width for a quick test.
        dimensions: In place of all that it reads.

    Raises:
        ProofError: It breaks a promise; the message says which, and what it did instead.
        NotFoundError: Nobody offers a network of that name.
        MissingExtraError: It needs a package that is not installed.
    """
    row = network_of(name)
    _check_row(name, row)
    with torch.random.fork_rng():
        for kind in dimensions or row.dimensions:
            _check_plan(_plan(name, row, dimensions=kind, width=width, depth=depth), row)


def _check_row(name: str, row: Network) -> None:
    strange = set(row.dimensions) - {"2-D", "3-D"}
    if strange or not row.dimensions:
        raise ProofError(f'{name!r} reads {row.dimensions}; a network says "2-D", "3-D" or both.')
    if row.answers not in {"voxels", "image"} or row.multiple < 0:
        raise ProofError(f"{name!r} answers for {row.answers!r}, multiple {row.multiple}: see Network.")


def _check_plan(plan: Plan, row: Network) -> None:
    """Hold a network to its promises on images of one kind."""
    images = _images(plan, plan.patch)
    network = _built(plan, seed=0)
    _check_state(plan, network)
    _check_seed(plan, network)
    _check_learning(plan, network, images)
    network.eval()
    scores = _answer(network, images)
    _check_answers(plan, network, images, scores=scores)
    _check_saving(plan, network, images, scores=scores)
    for shape in () if row.fixed else _sizes(plan, row):
        _check_shape(plan, _answer(network, _images(plan, shape)), shape)
    coloured = replace(plan, channels=(replace(plan.channels[0], colours=3),))
    _check_shape(coloured, _answer(_built(coloured, seed=0), _images(coloured, plan.patch)), plan.patch)
    if plan.dimensions == "2-D":
        stack = (3, *plan.patch[1:])
        sliced = replace(plan, dimensions="2.5-D", neighbours=1, patch=stack)
        _check_shape(sliced, _answer(_built(sliced, seed=0), _images(sliced, stack)), stack)


def _check_state(plan: Plan, network: nn.Module) -> None:
    state = network.state_dict()
    strange = [name for name, value in state.items() if not isinstance(value, Tensor)]
    if strange:
        raise _broken(plan, f"its state holds {strange[0]}, which is no tensor and would have to be pickled")
    places: dict[int, str] = {}
    for name, tensor in state.items():
        place = tensor.untyped_storage().data_ptr()
        if tensor.numel() and place in places:
            raise _broken(
                plan, f"{places[place]} and {name} share memory, which safetensors cannot say; keep one of them"
            )
        places[place] = name


def _check_seed(plan: Plan, network: nn.Module) -> None:
    again, other = _built(plan, seed=0).state_dict(), _built(plan, seed=1).state_dict()
    state = network.state_dict()
    if any(not torch.equal(state[name], again[name]) for name in state):
        raise _broken(plan, "the same seed gave other weights; draw them from torch's global generator alone")
    if all(torch.equal(state[name], other[name]) for name in state):
        raise _broken(plan, "another seed gave the same weights; draw them from torch's global generator")


def _check_learning(plan: Plan, network: nn.Module, images: Tensor) -> None:
    scores = network.train()(images)
    (scores * torch.randn_like(scores)).sum().backward()
    idle = [name for name, weight in network.named_parameters() if weight.grad is None or not weight.grad.any()]
    if idle:
        raise _broken(
            plan, f"learning does not reach {', '.join(idle[:3])} ({len(idle)} in all); leave out what is idle"
        )
    strange = [name for name, weight in network.named_parameters() if not _finite(weight.grad)]
    if strange:
        raise _broken(plan, f"slopes of {', '.join(strange[:3])} are not finite")


def _check_answers(plan: Plan, network: nn.Module, images: Tensor, *, scores: Tensor) -> None:
    _check_shape(plan, scores, plan.patch)
    if scores.dtype != torch.float32:
        raise _broken(plan, f"it answers in {scores.dtype}, not in float32")
    if not torch.equal(scores, _answer(network, images)):
        raise _broken(plan, "asked twice, it answers differently; nothing may be drawn in eval()")
    if not torch.equal(scores, _answer(deepcopy(network), images)):
        raise _broken(plan, "a copy of it answers differently; averages of weights are kept in copies")
    if not _alike(scores[:1], _answer(network, images[:1])):
        raise _broken(plan, "in eval() the answer of an image depends on the others of its batch")
    empty = _answer(network, torch.zeros_like(images))
    if not _finite(empty):
        raise _broken(plan, "an image of zeros is answered with numbers that are not finite")


def _check_shape(plan: Plan, scores: Tensor, shape: tuple[int, ...]) -> None:
    row = network_of(plan.network)
    wanted = (_BATCH, _CLASSES, *shape) if row.answers == "voxels" else (_BATCH, _CLASSES)
    if tuple(scores.shape) != wanted:
        raise _broken(plan, f"images of {shape} voxels are answered in the shape {tuple(scores.shape)}, not {wanted}")
    if not _finite(scores):
        raise _broken(plan, f"images of {shape} voxels are answered with numbers that are not finite")


def _check_saving(plan: Plan, network: nn.Module, images: Tensor, *, scores: Tensor) -> None:
    state = network.state_dict()
    bytes_ = save({name: tensor.contiguous() for name, tensor in state.items()})
    other = _built(plan, seed=1).eval()
    other.load_state_dict(load(bytes_))
    if not torch.equal(scores, _answer(other, images)):
        raise _broken(plan, "read back from safetensors it answers differently; keep what it needs in its state")


def _plan(name: str, row: Network, *, dimensions: Dimensions, width: int | None, depth: int | None) -> Plan:
    """Return a plan of small patches for a network."""
    grey = Channel(role="image", scaling=Scaling(kind="unit", low=0.0, high=1.0))
    plan = Plan(
        goal=Goal(kind="segmentation" if row.answers == "voxels" else "classification"), dimensions=dimensions,
        channels=(grey,), orientation="SPL", spacing_mm=(1.0, 1.0, 1.0), network=name,
        width=width or row.width or _WIDTH, depth=depth or row.depth or _DEPTH,
        patch=(1, 64, 64) if dimensions == "2-D" else (16, 32, 48), batch=_BATCH, steps=1, minutes=0.0, rate=1e-3,
        weight_decay=0.0, average=0.0, precision="fp32", foreground=0.0, variation=Variation(), overlap=0.0, flips=(),
        fold=None, seed=0, recipe="", dataset="",
    )  # fmt: skip
    return replace(plan, patch=_rounded(plan, row, plan.patch))


def _sizes(plan: Plan, row: Network) -> Iterator[tuple[int, int, int]]:
    """Yield further sizes that a network claims to read: longer, and not square."""
    slices, rows, columns = plan.patch
    flat = plan.dimensions == "2-D"
    yield _rounded(plan, row, (1 if flat else slices, rows, columns + 1))
    yield _rounded(plan, row, (1 if flat else slices + 1, rows + 33, columns))


def _rounded(plan: Plan, row: Network, edges: tuple[int, ...]) -> tuple[int, int, int]:
    """Return edges rounded up to what a network claims to read."""
    step = max(1, row.multiple)
    steps = (1 if plan.dimensions == "2-D" else step, step, step)
    if row.multiple == 0:
        steps = divisor(ladder(spacing_mm=plan.spacing_mm, patch=plan.patch, depth=plan.depth))
    slices, rows, columns = (math.ceil(edge / step) * step for edge, step in zip(edges, steps, strict=True))
    return slices, rows, columns


def _built(plan: Plan, *, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return build_network(plan, classes=_CLASSES)


def _images(plan: Plan, shape: tuple[int, ...]) -> Tensor:
    return torch.randn(_BATCH, plan.inputs, *shape, generator=torch.Generator().manual_seed(7))


def _answer(network: nn.Module, images: Tensor) -> Tensor:
    with torch.no_grad():
        scores: Tensor = network.eval()(images)
    return scores


def _finite(tensor: Tensor | None) -> bool:
    return tensor is not None and bool(torch.isfinite(tensor).all())


def _alike(one: Tensor, other: Tensor) -> bool:
    size = max(1.0, float(one.abs().max()))
    return bool(torch.allclose(one / size, other / size, rtol=_RELATIVE, atol=_ABSOLUTE))


def _broken(plan: Plan, what: str) -> ProofError:
    return ProofError(f"Network {plan.network!r} on {plan.dimensions} images: {what}.")
