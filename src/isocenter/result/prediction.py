"""What a model said of one case, and whether it may leave."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from isocenter.image import LabelTable
from isocenter.result.answer import Answer
from isocenter.result.score import Score

Decision = Literal["yes", "review", "no"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """May this leave? With the reason in words."""

    decision: Decision
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """One case read by one model; a mask lies beside it as a file.

    Args:
        case: Pseudonym of what was read.
        model, dataset: Ids of the model and of the version that it learnt from.
        table: What the mask's labels mean; None where the model answers for the whole image.
        answers: What it says of the whole image, one for each target; empty for a segmentation.
        volumes: Volume of each structure in ml, with the interval that the model's errors on its validation
            patients give; n counts those patients.
        verdict: May it leave, and why not.
        plan: The plan that was obeyed, as plain values.
        seconds: By stage: "read", "prepare", "network", "write", and "total".
        runtime: How a mask was read: "name" of the runtime, "overlap" of its windows, "batch", and "agreement" and
            "least", mean and least Dice of the structures with the reference on a trial, None where none was made.
        input: What was read: layout, modality, grid. No identity.
        files: Name to sha256 of each file that lies beside.
        receipts: Digests of the receipts of the chain, the newest first.
    """

    case: str
    model: str
    dataset: str
    table: LabelTable | None
    volumes: tuple[Score, ...]
    verdict: Verdict
    plan: Mapping[str, Any]
    seconds: Mapping[str, float]
    answers: tuple[Answer, ...] = ()
    runtime: Mapping[str, Any] = field(default_factory=dict)
    input: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    receipts: tuple[str, ...] = ()
