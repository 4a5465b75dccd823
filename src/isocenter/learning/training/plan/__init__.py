"""From a recipe, a fingerprint and a machine to a plan: every choice with its reason."""

from isocenter.learning.training.plan.decide import decide
from isocenter.learning.training.plan.machine import Machine

__all__ = ["Machine", "decide"]
