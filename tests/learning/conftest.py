"""A small plan for tests of learning."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from isocenter.recipe import Channel, Plan, Scaling, Variation

_SMALL = Plan(
    channels=(Channel(role="image", scaling=Scaling(kind="zscore", low=0.5, high=99.5)),),
    orientation="SPL", spacing_mm=(1.0, 1.0, 1.0), network="unet", width=8, depth=2, patch=(16, 16, 16), batch=2,
    steps=20, minutes=0.0, rate=0.003, weight_decay=0.01, average=0.9, precision="fp32", foreground=0.5,
    variation=Variation(), overlap=0.5, flips=(), fold=None, seed=0, recipe="r", dataset="d",
)  # fmt: skip


@pytest.fixture(scope="session")
def make_plan() -> Callable[..., Plan]:
    """Return a maker of plans for grids of 1 mm and a network of some thousand weights; keywords change them."""
    return lambda **changes: replace(_SMALL, **changes)
