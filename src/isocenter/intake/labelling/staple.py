"""What was so, and how well each reader reads, found together from answers alone."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from isocenter.errors import LabelError
from isocenter.intake.labelling.patterns import NO_ANSWER, Array, Patterns
from isocenter.intake.labelling.rules import Staple, vote_shares

_LEAST = 1e-300  # stands for a rate of 0 under a logarithm
_NOTHING = 1e-6  # voxels or cases below which a rate rests on none


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Performance:
    """How well a reader reads, as far as the other readers can tell.

    Args:
        reader: Pseudonym.
        classes: Names of the rows and columns.
        confusion: (classes, classes): of what was a row's class, the share that the reader called a column's. nan in
            rows that rest on nothing.
        rests_on: (classes,) voxels or cases of each class that the reader judged, by the consensus. A rate of few is
            uncertain, and neighbouring voxels are not independent.
    """

    reader: str
    classes: tuple[str, ...]
    confusion: Array
    rests_on: Array

    def sensitivity(self, name: str) -> float:
        """Return the share of a class that the reader found; nan where there was none.

        Raises:
            LabelError: No such class.
        """
        place = self._place(name)
        return float(self.confusion[place, place])

    def specificity(self, name: str) -> float:
        """Return the share of everything else that the reader did not call so; nan where there was nothing else.

        Raises:
            LabelError: No such class.
        """
        place = self._place(name)
        called = np.delete(self.confusion[:, place], place)
        amounts = np.delete(self.rests_on, place)
        there = amounts > _NOTHING
        return float(1 - np.average(called[there], weights=amounts[there])) if there.any() else float("nan")

    def _place(self, name: str) -> int:
        if name not in self.classes:
            raise LabelError(f"No class {name!r} was judged; there are {', '.join(self.classes)}.")
        return self.classes.index(name)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Estimate:
    """What expectation-maximisation found.

    Args:
        performances: Of each reader.
        prior: (classes,) how common each class was taken to be, or was found.
        probabilities: (patterns, classes) of each class, given what readers said.
        rounds: Rounds that it took.
        change: Largest change of a rate in the last round.
        is_converged: Whether that was within the tolerance.
    """

    performances: tuple[Performance, ...]
    prior: Array
    probabilities: Array
    rounds: int
    change: float
    is_converged: bool


def estimate(patterns: Patterns, *, readers: tuple[str, ...], classes: tuple[str, ...], rule: Staple) -> Estimate:
    """Return the likeliest truth of each pattern and each reader's rates, starting from the votes.

    Args:
        patterns: Of the answers.
        readers: Names, in the order of the answers.
        classes: Names.
        rule: Prior, region ("disputed" leaves patterns out on which all agree), rounds and tolerance.

    Source: as of `Staple`.
    """
    is_counted = patterns.is_disputed if rule.region == "disputed" else patterns.is_judged
    counts = np.where(is_counted, patterns.counts, 0.0)
    voices = [_voices(answers, patterns.classes) for answers in patterns.answers.T]
    believed = vote_shares(patterns, [1.0] * len(readers))
    prior = _shares(np.asarray(sum(voice @ counts for voice in voices)))
    rates = np.full((len(readers), patterns.classes, patterns.classes), 1.0 / patterns.classes)
    rounds, change = 0, np.inf
    while rounds < rule.most_rounds and change > rule.tolerance:
        rounds += 1
        weighed = counts[:, None] * believed
        if rule.prior == "estimated":
            prior = _shares(weighed.sum(0))
        before, rates = (
            rates,
            np.stack([_rates(voice @ weighed, old) for voice, old in zip(voices, rates, strict=True)]),
        )
        change = float(np.abs(rates - before).max())
        believed = _believed(patterns, prior=prior, rates=rates)
    performances = tuple(
        _performance(voice @ (counts[:, None] * believed), rate, reader=reader, classes=classes)
        for voice, rate, reader in zip(voices, rates, readers, strict=True)
    )
    return Estimate(
        performances=performances,
        prior=prior,
        probabilities=believed,
        rounds=rounds,
        change=change,
        is_converged=change <= rule.tolerance,
    )


def _voices(answers: Array, classes: int) -> csr_matrix:
    """Return (classes, patterns), 1 where a reader gave that answer."""
    rows = np.flatnonzero(answers != NO_ANSWER)
    return csr_matrix((np.ones(len(rows)), (answers[rows], rows)), shape=(classes, len(answers)))


def _shares(amounts: Array) -> Array:
    total = amounts.sum()
    return amounts / total if total > 0 else np.full(len(amounts), 1.0 / len(amounts))


def _rates(said: Array, before: Array) -> Array:
    """Return the rates (truth, answer) from amounts (answer, truth); a truth without any keeps its rates."""
    amounts = said.sum(0)[:, None]
    return np.asarray(np.divide(said.T, amounts, out=before.copy(), where=amounts > 0))


def _believed(patterns: Patterns, *, prior: Array, rates: Array) -> Array:
    """Return the probability of each class in each pattern."""
    logs = np.tile(np.log(np.maximum(prior, _LEAST)), (len(patterns.answers), 1))
    of_rates = np.log(np.maximum(rates, _LEAST))
    for answers, rate in zip(patterns.answers.T, of_rates, strict=True):
        logs += np.where((answers == NO_ANSWER)[:, None], 0.0, rate.T[answers])
    logs -= logs.max(1, keepdims=True)
    likely = np.exp(logs)
    return np.asarray(likely / likely.sum(1, keepdims=True))


def _performance(said: Array, rates: Array, *, reader: str, classes: tuple[str, ...]) -> Performance:
    rests_on = said.sum(0)
    confusion = np.where((rests_on > _NOTHING)[:, None], rates, np.nan)
    return Performance(reader=reader, classes=classes, confusion=confusion, rests_on=rests_on)
