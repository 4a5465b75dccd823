"""From a recipe, a fingerprint and a machine to a plan: every choice with its reason."""

from isocenter.learning.training.plan.decide import decide
from isocenter.learning.training.plan.goals import target_of
from isocenter.learning.training.plan.machine import Machine
from isocenter.learning.training.plan.others import unlearnt_classes, unlearnt_findings

__all__ = ["Machine", "decide", "target_of", "unlearnt_classes", "unlearnt_findings"]
