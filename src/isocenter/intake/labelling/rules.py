"""By what rule several answers become one: by votes, or by how well each reader turns out to read."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from isocenter.errors import InputError
from isocenter.intake.labelling.patterns import NO_ANSWER, Array, Patterns, Places

Ties = Literal["lowest", "first", "open"]
Region = Literal["box", "whole", "disputed"]

OPEN = NO_ANSWER  # where nobody answered, nothing wins
_NEAR = 1e-9  # shares that differ by less are equal


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """The answer with the most votes, be they half or not.

    Args:
        weights: What each reader's vote counts, above 0; None for one each.
        ties: Which of several answers with the most votes is taken. "lowest": the lowest number, in masks background
            before any structure. "first": that of the reader who is named first. "open": none; such a voxel is marked
            to be ignored, such a case gets nan, and somebody decides.

    Raises:
        InputError: A weight that is not above 0.
    """

    weights: Mapping[str, float] | None = None
    ties: Ties = "lowest"

    def __post_init__(self) -> None:
        for reader, weight in (self.weights or {}).items():
            if not 0 < weight < math.inf:
                raise InputError(f"The vote of {reader} weighs {weight:g}; leave the reader out, or weigh it above 0.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Staple:
    """The likeliest answer, given how well each reader reads; both are found together, by expectation-maximisation.

    Readers are taken to err independently of each other, and everywhere alike. Of classes it is the estimator of
    Dawid and Skene.

    Args:
        prior: How common each class is taken to be. "estimated": found with the rest, as Dawid and Skene do;
            "constant": as common as among all answers, as Warfield proposes. Readers who often see what is not there
            make it too common then, and every sensitivity too low.
        region: Where readers' performance is measured, in masks. "box": the smallest box with all that anybody
            labelled; "whole": the whole grid, whose empty space makes every specificity high and structures rare, so
            that the consensus grows; "disputed": only where readers differ, so that the rates speak of dispute alone.
            Where all agree, their answer stands, whatever the region.
        ties: As of `Vote`; they are rare.
        most_rounds: Rounds after which it ends, converged or not.
        tolerance: Largest change of any rate in a round that counts as none.

    Raises:
        InputError: No round, or a tolerance that is not above 0.

    Source: Warfield et al. 2004, IEEE Trans Med Imaging 23:903; several labels: Rohlfing et al. 2004, IEEE Trans Med
        Imaging 23:983; Dawid and Skene 1979, Appl Stat 28:20.
    """

    prior: Literal["estimated", "constant"] = "estimated"
    region: Region = "box"
    ties: Ties = "lowest"
    most_rounds: int = 1000
    tolerance: float = 1e-7

    def __post_init__(self) -> None:
        if self.most_rounds < 1 or not self.tolerance > 0:
            raise InputError(
                f"{self.most_rounds} rounds to a tolerance of {self.tolerance:g} cannot be; both lie above 0."
            )


def vote_shares(patterns: Patterns, weights: Sequence[float]) -> Array:
    """Return each class's share of the votes in each pattern, (patterns, classes); 0 for all where nobody judged.

    Args:
        patterns: Of the answers.
        weights: Of the readers, in their order.
    """
    votes = np.zeros((len(patterns.answers), patterns.classes + 1))
    rows = np.arange(len(votes))
    for answers, weight in zip(patterns.answers.T, weights, strict=True):
        votes[rows, answers] += weight  # NO_ANSWER falls into the last column, which goes
    votes = votes[:, :-1]
    total = votes.sum(1, keepdims=True)
    return np.asarray(np.divide(votes, total, out=np.zeros_like(votes), where=total > 0))


def winners(patterns: Patterns, shares: Array, ties: Ties) -> tuple[Places, npt.NDArray[np.bool_]]:
    """Return the class that wins each pattern, OPEN where none does, and whether several had the most.

    Args:
        patterns: Of the answers. Where all who judged agree, their answer wins.
        shares: (patterns, classes); the largest wins.
        ties: Which of several largest wins.
    """
    is_top = shares >= shares.max(1, keepdims=True) - _NEAR
    won = is_top.argmax(1)
    is_tied = (is_top.sum(1) > 1) & patterns.is_disputed
    if ties == "first":
        for answers in patterns.answers.T[::-1]:
            is_answer = is_tied & (answers != NO_ANSWER) & is_top[np.arange(len(won)), answers]
            won = np.where(is_answer, answers, won)
    elif ties == "open":
        won = np.where(is_tied, OPEN, won)
    won = np.where(patterns.is_disputed, won, patterns.answers.max(1))
    return won.astype(np.int64), is_tied
