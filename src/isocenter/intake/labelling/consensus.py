"""One answer from several readers: of outlines voxel by voxel, of classes case by case."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from isocenter.errors import GridError, InputError, LabelError
from isocenter.image import Mask
from isocenter.intake.issue import Issue
from isocenter.intake.labelling.patterns import Array, Box, Patterns, Places, Stack, bounds, patterns_of_classes
from isocenter.intake.labelling.rules import OPEN, Staple, Vote, vote_shares, winners
from isocenter.intake.labelling.staple import Estimate, Performance, estimate

Rule = Vote | Staple

_FEW = 10  # answers: below, a rate is known to a third at best
_BY_CHANCE = 1 + 1e-6  # sensitivity + specificity of somebody who does not look


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """How a consensus came about.

    Args:
        readers: In their order.
        rule: By which it was made.
        judged: Voxels (of the region), or cases, that anybody judged.
        disputed: Those of them to which readers gave two answers or more.
        tied: Those of them in which several answers had the most; the rule's `ties` took one.
        estimate: What STAPLE found; None for votes.
        issues: What is doubtful in it.
    """

    readers: tuple[str, ...]
    rule: Rule
    judged: int
    disputed: int
    tied: int
    estimate: Estimate | None
    issues: tuple[Issue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskConsensus:
    """The outlines that several readers' outlines make together.

    Args:
        mask: On their grid, with their table. Voxels that nobody judged, and ties left open, are marked to be ignored.
        account: How it came about.
    """

    mask: Mask
    account: Account


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassConsensus:
    """The classes that several readers' classes make together.

    Args:
        classes: (cases,) numbers; nan where nobody judged, and for ties left open.
        support: (cases,) the share of votes, or STAPLE's probability, of the class that won; nan where none did.
        account: How it came about.
    """

    classes: Array
    support: Array
    account: Account


def consensus_of_masks(masks: Mapping[str, Mask], rule: Rule, *, where: str = "consensus") -> MaskConsensus:
    """Return one mask from several readers' masks.

    Voxels that a reader marks to be ignored are no answer of theirs. Memory: the result and one slice of each reader;
    nothing is held for each voxel and reader.

    Args:
        masks: Reader to mask, in the order that ties may ask for; on one grid, with one table.
        rule: `Vote()` for the majority, `Vote(weights=…)`, or `Staple()`.
        where: The case, for what is doubtful.

    Raises:
        InputError: Fewer than two readers, weights that do not fit them, or too many combinations of labels.
        GridError: Masks on different grids.
        LabelError: Tables that name other labels, or ties left open without a value that marks voxels to be ignored.
    """
    readers = _named(list(masks), rule)
    stacked = tuple(masks.values())
    _require_one_form(masks)
    table = stacked[0].table
    if rule.ties == "open" and table.ignore is None:
        raise LabelError("Ties left open are marked to be ignored, and the label table names no value for that.")
    values = (0, *sorted({value for mask in stacked for value in mask.present} - {table.ignore}))
    stack = Stack(masks=stacked, values=values, box=_region(stacked, rule))
    patterns, codes = stack.patterns()
    names = {label.value: label.name for label in table} | {0: "background"}
    decided = _decide(patterns, rule, readers=readers, classes=tuple(names[value] for value in values), where=where)
    unknown = 0 if table.ignore is None else table.ignore
    labels = _outside(stacked, dtype=np.min_scalar_type(max(*values, unknown)))
    if len(codes):
        stack.fill(labels, codes, np.where(decided.won == OPEN, unknown, np.asarray(values)[decided.won]))
    return MaskConsensus(mask=Mask(labels=labels, affine=stacked[0].affine, table=table), account=decided.account)


def consensus_of_classes(
    ratings: npt.ArrayLike, rule: Rule, *, readers: Sequence[str], where: str = "consensus"
) -> ClassConsensus:
    """Return one class for each case from several readers' classes.

    Args:
        ratings: (cases, readers) numbers of classes; nan: not read.
        rule: `Vote()` for the majority, `Vote(weights=…)`, or `Staple()`, whose region does not matter unless it is
            "disputed".
        readers: Names of the columns, in the order that ties may ask for.
        where: The data set, for what is doubtful.

    Raises:
        InputError: Fewer than two readers, names or weights that do not fit, or a rating that is no whole number.
    """
    names = _named(list(readers), rule)
    table = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != len(names):
        raise InputError(f"Ratings of the shape {table.shape} do not fit {len(names)} readers: a column for each.")
    known = table[~np.isnan(table)]
    if not np.isfinite(known).all() or not np.array_equal(known, np.rint(known)):
        raise InputError("A rating is no whole number; classes are wanted, nan where a reader did not read a case.")
    values = np.unique(known)
    if not len(values):
        raise InputError("No reader read any of the cases; there is nothing to agree on.")
    patterns, places = patterns_of_classes(table, values)
    decided = _decide(patterns, rule, readers=names, classes=tuple(f"{value:g}" for value in values), where=where)
    is_open = decided.won == OPEN
    support = decided.shares[np.arange(len(decided.won)), decided.won]
    return ClassConsensus(
        classes=np.where(is_open, np.nan, values[decided.won])[places],
        support=np.where(is_open, np.nan, support)[places],
        account=decided.account,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Decided:
    won: Places
    shares: Array
    account: Account


def _named(readers: list[str], rule: Rule) -> tuple[str, ...]:
    if len(readers) < 2 or len(set(readers)) < len(readers):
        raise InputError(
            f"A consensus takes two readers or more, each once; there are: {', '.join(readers) or 'none'}."
        )
    if isinstance(rule, Vote) and rule.weights is not None and set(rule.weights) != set(readers):
        strange = ", ".join(sorted(set(rule.weights) ^ set(readers)))
        raise InputError(f"Weights and readers do not fit; only one of both names {strange}.")
    return tuple(readers)


def _require_one_form(masks: Mapping[str, Mask]) -> None:
    (first, wanted), *others = masks.items()
    for reader, mask in others:
        try:
            mask.require_grid_of(wanted)
        except GridError as error:
            raise GridError(f"{reader} and {first} outlined on different grids. {error}") from error
        if _meaning(mask) != _meaning(wanted):
            raise LabelError(f"{reader} and {first} use different label tables; bring their masks to one table first.")


def _meaning(mask: Mask) -> tuple[dict[int, str], int | None]:
    return {label.value: label.name for label in mask.table}, mask.table.ignore


def _region(masks: tuple[Mask, ...], rule: Rule) -> Box:
    if isinstance(rule, Staple) and rule.region == "whole":
        s, r, c = masks[0].shape
        return slice(0, s), slice(0, r), slice(0, c)
    return bounds(masks)


def _outside(masks: tuple[Mask, ...], *, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return background for every voxel, the mark to ignore it where nobody judged."""
    labels = np.zeros(masks[0].shape, dtype=dtype)
    ignore = masks[0].table.ignore
    if ignore is not None:
        for plane, said in zip(labels, zip(*(mask.labels for mask in masks), strict=True), strict=True):
            plane[np.logical_and.reduce([one == ignore for one in said])] = ignore
    return labels


def _decide(
    patterns: Patterns, rule: Rule, *, readers: tuple[str, ...], classes: tuple[str, ...], where: str
) -> _Decided:  # fmt: skip
    if isinstance(rule, Staple):
        found = estimate(patterns, readers=readers, classes=classes, rule=rule)
        shares = found.probabilities
    else:
        found = None
        shares = vote_shares(patterns, [1.0 if rule.weights is None else rule.weights[reader] for reader in readers])
    won, is_tied = winners(patterns, shares, rule.ties)
    account = Account(
        readers=readers,
        rule=rule,
        judged=int(patterns.counts[patterns.is_judged].sum()),
        disputed=int(patterns.counts[patterns.is_disputed].sum()),
        tied=int(patterns.counts[is_tied].sum()),
        estimate=found,
        issues=(),
    )
    return _Decided(won=won, shares=shares, account=replace(account, issues=tuple(_issues(account, where))))


def _issues(account: Account, where: str) -> Iterator[Issue]:
    """Yield what is doubtful in a consensus."""
    if len(account.readers) == 2 and account.disputed:
        is_vote = account.estimate is None
        yield Issue(
            check="readers", where=where, figure="two readers", limit="three or more", severity="warn",
            mend="Have a third reader, or adjudicate. Of two, "
            + ("every dispute is a tie." if is_vote else "who is right cannot be told from answers alone."),
        )  # fmt: skip
    if account.estimate is None:
        return
    if not account.estimate.is_converged:
        yield Issue(
            check="convergence", where=where, severity="warn",
            figure=f"rates still change by {account.estimate.change:.2g} after {account.estimate.rounds} rounds",
            limit="no change above the tolerance",
            mend="Allow more rounds.",
        )  # fmt: skip
    for performance in account.estimate.performances:
        yield from _of_reader(performance, where)


def _of_reader(performance: Performance, where: str) -> Iterator[Issue]:
    answers = round(performance.rests_on.sum())
    if 0 < answers < _FEW:
        yield Issue(
            check="reader performance", where=where, severity="warn", limit=f"{_FEW} or more",
            figure=f"{performance.reader} judged {answers} only",
            mend="Have the reader read more, or take a vote.",
        )  # fmt: skip
        return
    # of two classes the one says what the other says
    for name in performance.classes[1:] if len(performance.classes) == 2 else performance.classes:
        both = performance.sensitivity(name) + performance.specificity(name)
        if both <= _BY_CHANCE:
            yield Issue(
                check="reader performance", where=where, severity="warn", limit="above 1",
                figure=f"{performance.reader} reads {name} no better than chance: sensitivity + specificity {both:.3f}",
                mend="Look whether the reader saw the whole case, took another label, or filled the image.",
            )  # fmt: skip
