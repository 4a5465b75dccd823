"""The loop, in the open: what happens between a fresh network and a trained one."""

import math
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from isocenter.learning.inference.runtime import autocast
from isocenter.learning.tasks import Task
from isocenter.models import build_network
from isocenter.recipe import Plan

_WARM_UP = 0.03  # of the run's steps, in which the rate rises
_LONGEST_STRIDE = 12.0  # norm beyond which a slope is shortened: one odd batch must not undo a hundred


@dataclass(slots=True, kw_only=True)
class Learner:
    """Everything that changes while a run learns: the network, the running average of its weights, the optimiser."""

    network: nn.Module
    average: nn.Module
    optimiser: torch.optim.Optimizer
    step: int = 0


def fresh(plan: Plan, *, outputs: int, device: torch.device) -> Learner:
    """Return what a run begins with: weights drawn by the plan's seed, and an optimiser that has seen nothing."""
    torch.manual_seed(plan.seed)
    network = build_network(plan, classes=outputs).to(device)
    optimiser = torch.optim.AdamW(network.parameters(), lr=plan.rate, weight_decay=plan.weight_decay)
    return Learner(network=network, average=deepcopy(network).requires_grad_(False), optimiser=optimiser)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """One step done: its number counted from 1, its loss, and the rate at which it was taken."""

    step: int
    loss: float
    rate: float


def learn(
    learner: Learner,
    draw: Callable[[int], tuple[Tensor, Tensor]],
    *,
    plan: Plan,
    task: Task,
    elapsed: Callable[[int], float],
) -> Iterator[Beat]:
    """Yield after every step, until the run is over. Whoever iterates may save, look or stop in between.

    Args:
        learner: Goes on from its step; changed in place.
        draw: Step to images (b, channel, s, r, c) and targets, on the network's device.
        plan: Rate, precision, decay of the average, weight of L1.
        task: Whose loss is lowered.
        elapsed: Step to the share of the run that is over, by steps or by the clock; the run ends at 1.
    """
    device = next(learner.network.parameters()).device
    learner.network.train()
    while (share := elapsed(learner.step)) < 1:
        rate = plan.rate * curve(share, step=learner.step, steps=plan.steps)
        for group in learner.optimiser.param_groups:
            group["lr"] = rate
        images, targets = draw(learner.step)
        # what a network draws, as dropout does, depends on seed and step alone, so that a run that goes on repeats it
        torch.manual_seed(plan.seed * 1_000_033 + learner.step)
        share, others = pairs(plan.mix, count=len(images)) if plan.mix else (1.0, [])
        if others:
            images = share * images + (1 - share) * images[others]
        with autocast(plan.precision, device=device):
            scores = learner.network(images.to(memory_format=torch.channels_last_3d))
        loss = task.loss(scores, targets)
        if others:
            loss = share * loss + (1 - share) * task.loss(scores, targets[others])
        if plan.l1:
            loss = loss + plan.l1 * sizes(learner.network)
        learner.optimiser.zero_grad()
        loss.backward()
        stride = nn.utils.clip_grad_norm_(learner.network.parameters(), _LONGEST_STRIDE)
        learner.step += 1
        if not torch.isfinite(stride):  # a slope without end would leave weights that are no numbers
            yield Beat(step=learner.step, loss=math.nan, rate=rate)
        learner.optimiser.step()
        follow(learner, decay=plan.average)
        yield Beat(step=learner.step, loss=loss.item(), rate=rate)


def curve(share: float, *, step: int, steps: int) -> float:
    """Return the rate's share of its highest: half a cosine down to 0 at the end of the run, after a short rise.

    The rise is counted in steps even where the clock decides the rest, since preparing takes time and no steps.
    """
    rise = min(1.0, (step + 1) / max(1.0, _WARM_UP * steps))
    return rise * 0.5 * (1 + math.cos(math.pi * share))


def pairs(mix: float, *, count: int) -> tuple[float, list[int]]:
    """Return the share, at least one half, that each image of a batch keeps, and whose image fills the rest.

    Source: mixup, Zhang et al. 2018 (ICLR, arXiv 1710.09412): shares of Beta(mix, mix), losses blended as images are.
    """
    share = float(torch.distributions.Beta(mix, mix).sample())
    return max(share, 1 - share), torch.randperm(count).tolist()


def sizes(network: nn.Module) -> Tensor:
    """Return the sum of the sizes of a network's weights (L1); scales and shifts, which are vectors, left out."""
    weights = [weight.abs().sum() for weight in network.parameters() if weight.ndim > 1]
    return torch.stack(weights).sum()


@torch.no_grad()
def follow(learner: Learner, *, decay: float) -> None:
    """Move the average a little towards the network; quickly at first, when the past is not worth keeping."""
    keep = min(decay, (1 + learner.step) / (10 + learner.step))
    for mean, now in zip(learner.average.parameters(), learner.network.parameters(), strict=True):
        mean.lerp_(now, 1 - keep)
    for kept, fresh in zip(learner.average.buffers(), learner.network.buffers(), strict=True):
        kept.copy_(fresh)
