"""What several readers said of the same cases, made one answer."""

from isocenter.intake.labelling.consensus import (
    Account,
    ClassConsensus,
    MaskConsensus,
    consensus_of_classes,
    consensus_of_masks,
)
from isocenter.intake.labelling.rules import Staple, Vote
from isocenter.intake.labelling.staple import Estimate, Performance

__all__ = [
    "Account",
    "ClassConsensus",
    "Estimate",
    "MaskConsensus",
    "Performance",
    "Staple",
    "Vote",
    "consensus_of_classes",
    "consensus_of_masks",
]
