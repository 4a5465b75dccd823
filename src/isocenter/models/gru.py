"""A recurrent reader of stacks of any length: a small ResNet looks at each slice, a GRU reads what it found in order.

The states of the GRU, read in both directions, are weighed by attention and summed, so that the slices that decide
can be told. Slices that show nothing are left out: a padded stack is answered as without its padding.

Source: GRU, Cho et al. 2014 (EMNLP); both directions, Schuster and Paliwal 1997 (IEEE Trans. Signal Processing);
attention over states, Yang et al. 2016 (NAACL), as pooling of instances Ilse et al. 2018 (ICML).
"""

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_sequence

from isocenter.models import resnet
from isocenter.models.network import Network
from isocenter.models.parts import ImageNetwork, small_head
from isocenter.models.slices import in_chunks, slices_shown
from isocenter.recipe import Plan

_STATES = 4  # features of a state in each direction, in units of the width


def build(plan: Plan, *, classes: int) -> "SliceReader":
    """Return a fresh reader: `plan.width` channels in the first stage of the ResNet-18 that looks at slices (32)."""
    of_one = replace(plan, dimensions="2-D", patch=(1, *plan.patch[1:]))
    return SliceReader(resnet.build(of_one, classes=1), states=_STATES * plan.width, outputs=classes, plan=plan)


class SliceReader(nn.Module):
    """Slices to features, features to states, states to one answer.

    Args:
        eye: What looks at slices; its head is taken off.
        states: Features of a state, in each direction.
        outputs: Scores of a stack.
        plan: Its dropout.
    """

    def __init__(self, eye: ImageNetwork, *, states: int, outputs: int, plan: Plan) -> None:
        super().__init__()
        found = eye.head.in_features
        del eye.head
        self.eye = eye
        self.read = nn.GRU(found, states, batch_first=True, bidirectional=True)
        self.weigh = nn.Sequential(nn.Linear(2 * states, states), nn.Tanh(), nn.Linear(states, 1, bias=False))
        self.drop = nn.Dropout(plan.dropout)
        self.head = small_head(2 * states, outputs)

    def features(self, images: Tensor) -> Tensor:
        """Return what the head sees, (b, 2 · states), of stacks (b, channel, s, r, c)."""
        shown = slices_shown(images)
        found = in_chunks(self.eye.features, images, shown=shown)
        packed = pack_sequence(list(found.split(shown.sum(dim=1).tolist())), enforce_sorted=False)
        states, lengths = nn.utils.rnn.pad_packed_sequence(self.read(packed)[0], batch_first=True)
        beyond = torch.arange(states.shape[1])[None] >= lengths[:, None]
        weights = self.weigh(states).squeeze(2).masked_fill(beyond.to(states.device), -torch.inf).softmax(dim=1)
        summed: Tensor = (weights[:, :, None] * states).sum(dim=1)
        return summed

    def forward(self, images: Tensor) -> Tensor:
        """Return scores (b, outputs) of stacks (b, channel, s, r, c) of any length."""
        scores: Tensor = self.head(self.drop(self.features(images)))
        return scores


NETWORK = Network(build=build, answers="image", dimensions=("3-D",), width=32, depth=5, any_length=True)
