"""How far readers agree; what they agree on becomes annotations of the next version."""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from statistics import median
from typing import Any

import numpy as np

from isocenter.case import Dataset, Entry, Outline, Reading
from isocenter.errors import InputError
from isocenter.intake.issue import Issue
from isocenter.intake.labelling import Staple, Vote, consensus_of_masks
from isocenter.intake.labelling.agree import Agreement, Measuring, agreement_of_answers, agreement_of_outlines
from isocenter.intake.labelling.asked import doubts, own_readings, ratings_of
from isocenter.intake.labelling.consensus import Rule
from isocenter.intake.labelling.settle import (
    Performed,
    Settled,
    agreed_facts,
    agreed_reading,
    facts_of,
    performed_of,
    settle,
)
from isocenter.intake.labelling.version import Answer, with_answers
from isocenter.metrics import bootstrap
from isocenter.pipeline.ground import Place, Watch, opened, told
from isocenter.pipeline.labelled import Labelled, opener, own_readers, readers_in, saved
from isocenter.pipeline.public import known
from isocenter.plugins import did_you_mean
from isocenter.result import Check
from isocenter.store import Store

AGREE, CONSENSUS = "label_agree", "label_consensus"
RULES = ("majority", "weighted", "staple")


def measure_agreement(
    name: str, *, readers: tuple[str, ...] = (), tolerance_mm: float = 1.0, rounds: int = 2000, seed: int = 0,
    store: Place = None,
) -> Labelled:  # fmt: skip
    """Return how far the readers of a data set agree on everything that they were asked or outlined.

    Args:
        name: Name or id of a data set.
        readers: Whose answers count; all where none is named.
        tolerance_mm: Of NSD: by how much outlines may differ.
        rounds, seed: Resamples of patients.
        store: Where the data set is kept.

    Raises:
        NotFoundError: There is no such data set.
        InputError: Fewer than two readers, or one who said nothing.
        SealError: A mask in the store was changed.
    """
    begun = time.monotonic()
    how = Measuring(tolerance_mm=tolerance_mm, rounds=rounds, seed=seed)
    with opened(store) as house:
        dataset = house.datasets.get(name)
        wanted = readers_in(dataset, readers)
        _require_two(dataset, wanted)
        rows = [
            *agreement_of_answers(dataset.entries, dataset.schema, how, readers=wanted),
            *agreement_of_outlines(dataset.entries, opener(house, dataset, readers=wanted), how),
        ]
    return Labelled(
        step=AGREE, name=dataset.name, dataset=dataset.id, issues=tuple(doubts(dataset.entries, readers=wanted)),
        fields={
            "readers": _reader_rows(dataset, wanted),
            # all readers together first, then pair by pair
            "scores": [_row(one) for one in sorted(rows, key=lambda one: bool(one.readers))],
            "seconds": time.monotonic() - begun,
        },
    )  # fmt: skip


def make_consensus(
    name: str,
    *,
    by: str = "staple",
    readers: tuple[str, ...] = (),
    weights: Mapping[str, float] | None = None,
    store: Place = None,
    progress: Watch | None = None,
) -> Labelled:
    """Make one answer of several readers', as annotations and facts of the next version.

    Outlines become those of the reader "consensus:RULE"; classes, grades and numbers such a reading, and facts called
    "agreed-QUESTION" that can be learnt from. Numbers are settled by their median, with weights by their mean.

    Args:
        name: Name or id of a data set.
        by: "majority", "weighted" or "staple".
        readers: Whose answers count; all where none is named.
        weights: Reader to weight, for "weighted".
        store: Where the data set is kept.
        progress: Told how far it is.

    Raises:
        NotFoundError: There is no such data set.
        InputError: No such rule, fewer than two readers, readers without a weight, or nothing to settle.
        SealError: A mask in the store was changed.
        StoreError: The store cannot be used.
    """
    begun = time.monotonic()
    rule = _rule(by, weights)
    with opened(store) as house, house.hold(f"dataset:{house.datasets.find(name).name}"):
        dataset = house.datasets.get(name)
        wanted = readers_in(dataset, readers) or tuple((weights or {}) if by == "weighted" else ())
        wanted = readers_in(dataset, wanted)
        _require_two(dataset, wanted)
        made = _Made(house=house, dataset=dataset, reader=f"consensus:{by}", rule=rule, readers=wanted)
        try:
            made.settle_answers()
            made.settle_outlines(told(progress, "consensus"))
            new = with_answers(dataset, made.answers(), table=dataset.table, schema=dataset.schema, over=True)
            fields = made.fields()
            checks = (Check(name="readers", held=True, figure=str(len(made.used)), limit="2 or more"),)
            facts = {"by": by, "weights": dict(weights or {}), **fields}
            receipt = saved(house, dataset, new, step=CONSENSUS, checks=checks, facts=facts)
        except BaseException:
            house.datasets.discard([one.digest for one in made.outlines.values()])  # Ctrl-C too leaves nothing behind
            raise
    issues = (*doubts(dataset.entries, readers=wanted), *_gathered(made.issues))
    fields |= {"by": by, "receipt": receipt, "seconds": time.monotonic() - begun}
    return Labelled(step=CONSENSUS, name=new.name, dataset=new.id, issues=issues, fields=fields)


class _Made:
    """A consensus in the making: what was settled of each case."""

    def __init__(self, *, house: Store, dataset: Dataset, reader: str, rule: Rule, readers: tuple[str, ...]) -> None:
        self._house, self._dataset, self._reader, self._rule = house, dataset, reader, rule
        self._readers = readers
        self.settled: list[Settled] = []
        self.used: set[str] = set()
        self.outlines: dict[str, Outline] = {}
        self.issues: list[Issue] = []
        self._performed: dict[tuple[str, str], list[tuple[str, Performed]]] = defaultdict(list)

    def settle_answers(self) -> None:
        """Settle every question that two readers answered."""
        schema = self._dataset.schema
        for ratings in ratings_of(self._dataset.entries, schema, readers=self._readers):
            several = np.count_nonzero((~np.isnan(ratings.table)).sum(1) > 1)
            if several:
                answered = [not np.isnan(column).all() for column in ratings.table.T]
                self.used |= {name for name, there in zip(ratings.readers, answered, strict=True) if there}
                found = settle(ratings, self._rule)
                self.settled.append(found)
                self.issues += found.issues
        for asked in () if schema is None else schema.findings:
            if asked.several:
                self.issues.append(_unsettled(asked.name))

    def settle_outlines(self, progress: Any) -> None:
        """Settle the outlines of every case that two readers outlined."""
        entries = [entry for entry in self._dataset.entries if len(entry.outlines) > 1]
        open_masks = opener(self._house, self._dataset, readers=self._readers)
        for place, entry in enumerate(entries, 1):
            masks = open_masks(entry).masks
            if len(masks) > 1:
                self._outline(entry, masks)
            if progress is not None:
                progress(place, len(entries))

    def _outline(self, entry: Entry, masks: Mapping[str, Any]) -> None:
        self.used |= set(masks)
        rule = self._rule
        if isinstance(rule, Vote) and rule.weights is not None:
            rule = Vote(weights={name: weight for name, weight in rule.weights.items() if name in masks})
        found = consensus_of_masks(masks, rule, where=entry.id)
        self.issues += found.account.issues
        estimate = found.account.estimate
        for performance in () if estimate is None else estimate.performances:
            for one in performed_of(performance):
                self._performed[one.reader, one.label].append((entry.patient, one))
        digest = self._house.put_mask(found.mask)
        self.outlines[entry.id] = Outline(
            reader=self._reader, how="consensus", digest=digest, present=found.mask.present
        )

    def answers(self) -> Iterable[Answer]:
        """Return what is added to each case.

        Raises:
            InputError: Nothing is.
        """
        schema, found = self._dataset.schema, []
        for entry in self._dataset.entries:
            reading = None if schema is None else agreed_reading(entry.id, self.settled, schema, reader=self._reader)
            outline = self.outlines.get(entry.id)
            if reading is None and outline is not None:
                reading = Reading(reader=self._reader, how="consensus")
            if reading is not None:
                facts = agreed_facts(entry.id, self.settled)
                for one in entry.readings:  # what somebody has decided stands
                    if one.how == "adjudicated" and schema is not None:
                        facts |= facts_of(one, schema)
                found.append(Answer(case=entry.id, reading=reading, outline=outline, facts=facts))
        if not found:
            raise InputError("No two of the readers answered the same question, or outlined the same case.")
        return found

    def fields(self) -> dict[str, Any]:
        """Return what the document and the receipt say."""
        return {
            "readers": sorted(self.used),
            "outlines": len(self.outlines),
            "questions": [{"label": s.label, "cases": len(s.answers), "disputed": s.disputed} for s in self.settled],
            "performance": [*self._of_outlines(), *self._of_answers()],
        }

    def _of_outlines(self) -> Iterable[dict[str, Any]]:
        """Yield the mean over patients of a reader's rates, with its interval."""
        for (reader, label), rows in sorted(self._performed.items()):
            found: dict[str, Any] = {"reader": reader, "label": label}
            for name in ("sensitivity", "specificity"):
                values: dict[str, list[float]] = defaultdict(list)
                for patient, one in rows:
                    values[patient].append(getattr(one, name))
                score = bootstrap(values, name=name, label=label)
                found[name] = {key: known(getattr(score, key)) for key in ("value", "low", "high")}
            yield found | {"rests_on": round(sum(one.rests_on for _, one in rows), 1), "of": "voxels"}

    def _of_answers(self) -> Iterable[dict[str, Any]]:
        for one in (each for settled in self.settled for each in settled.performed):
            rates = {
                name: {"value": known(getattr(one, name)), "low": None, "high": None}
                for name in ("sensitivity", "specificity")
            }
            yield {"reader": one.reader, "label": one.label, **rates, "rests_on": round(one.rests_on, 1), "of": "cases"}


def _rule(by: str, weights: Mapping[str, float] | None) -> Rule:
    if by not in RULES:
        raise InputError(f"There is no rule {by!r}. {did_you_mean(by, list(RULES))}")
    if (by == "weighted") != bool(weights):
        raise InputError("Weights go with --by weighted, which wants them: --weights reader-1=2,reader-2=1.")
    return Staple() if by == "staple" else Vote(weights=dict(weights) if weights else None)


def _require_two(dataset: Dataset, readers: tuple[str, ...]) -> None:
    there = readers or own_readers(dataset)
    if len(there) < 2:
        raise InputError(
            f"Two readers or more are wanted; data set {dataset.name!r} has {', '.join(there) or 'none'}. Add what "
            "others said with `isocenter label import`, or have them read with `isocenter label read`."
        )


def _gathered(issues: Iterable[Issue]) -> Iterable[Issue]:
    """Yield each issue once, with the number of cases that it stands for."""
    groups: dict[Issue, list[str]] = defaultdict(list)
    for issue in issues:
        groups[replace(issue, where="")].append(issue.where)
    for issue, places in groups.items():
        more = f" and {len(places) - 1} more" if len(places) > 1 else ""
        yield replace(issue, where=f"{places[0]}{more}")


def _unsettled(finding: str) -> Issue:
    return Issue(
        check="consensus", where=finding, figure="a case may show it several times", limit="one answer a case",
        mend="Whether it is there was settled; where, and of what kind, decide with `isocenter label adjudicate`.",
        severity="warn",
    )  # fmt: skip


def _reader_rows(dataset: Dataset, readers: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return what is known of each reader's work: cases, time, certainty, and whether it was blinded."""
    found = []
    for reader in readers or own_readers(dataset):
        mine = [own[reader] for entry in dataset.entries if reader in (own := own_readings(entry))]
        seconds = [one.seconds for one in mine if one.seconds is not None]
        sure = [one.certainty for one in mine if one.certainty is not None]
        outlined = sum(any(one.reader == reader for one in entry.outlines) for entry in dataset.entries)
        blinded = {one.blinded for one in mine}
        found.append({
            "reader": reader, "cases": len(mine), "outlined": outlined,
            "median_seconds": median(seconds) if seconds else None,
            "mean_certainty": sum(sure) / len(sure) if sure else None,
            "blinded": next(iter(blinded)) if len(blinded) == 1 else None,
        })  # fmt: skip
    return found


def _row(one: Agreement) -> dict[str, Any]:
    return {**one.score.to_json(), "readers": list(one.readers)}
