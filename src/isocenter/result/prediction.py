"""What a model said of one case, and whether it may leave."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from isocenter.image import LabelTable
from isocenter.result.score import Score

Decision = Literal["yes", "review", "no"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """May this leave? With the reason in words."""

    decision: Decision
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """One case read by one model; the mask itself lies beside it as a file.

    Args:
        case: Pseudonym of what was read.
        model, dataset: Ids of the model and of the version that it learnt from.
        table: What the mask's labels mean.
        volumes: Volume of each structure in ml, with the interval that the model's errors on its validation
            patients give; n counts those patients.
        verdict: May it leave, and why not.
        plan: The plan that was obeyed, as plain values.
        seconds: By stage: "read", "prepare", "network", "write", and "total".
        input: What was read: layout, modality, grid. No identity.
        files: Name to sha256 of each file that lies beside.
        receipts: Digests of the receipts of the chain, the newest first.
    """

    case: str
    model: str
    dataset: str
    table: LabelTable
    volumes: tuple[Score, ...]
    verdict: Verdict
    plan: Mapping[str, Any]
    seconds: Mapping[str, float]
    input: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    receipts: tuple[str, ...] = ()
