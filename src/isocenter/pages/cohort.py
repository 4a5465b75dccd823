"""A cohort as a page: who is in it, beside whom it is to stand for, what was found wrong, and what it looks like."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from isocenter.pages.html import render, save, uri
from isocenter.pages.shares import histogram, share_bar
from isocenter.pages.words import say
from isocenter.result.score import Score


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRow:
    """One kind of a fact: its share of patients, its cases, and its patients by side and by class."""

    name: str
    share: Score
    patients: int
    cases: int
    by_side: Mapping[str, int]
    by_class: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class FactRows:
    """One fact.

    Args:
        name, unit: As the cases say it.
        is_label: It is what is to be learnt.
        known, missing: Patients.
        kinds: Empty for numbers.
        quantiles: Least, 5, 25, 50, 75, 95 %, greatest, of numbers; empty of kinds.
        edges, counts: Of their histogram.
        effective: How many kinds of one size would be as diverse.
    """

    name: str
    unit: str
    is_label: bool
    known: int
    missing: int
    kinds: tuple[KindRow, ...] = ()
    quantiles: tuple[float, ...] = ()
    edges: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    effective: Score | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GapRow:
    """One group of a population: fact, kind, share in the cohort, stated share, "less", "more" or "alike"."""

    fact: str
    kind: str
    share: Score
    stated: float
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueRow:
    """One finding: "stop" or "warn", what was looked at, where, what was found, what mends it."""

    severity: str
    check: str
    where: str
    figure: str
    limit: str
    mend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortPage:
    """What the page tells; it names nobody.

    Args:
        name, version: Of the data set.
        cases, patients: Counts.
        sides: Side to patients.
        facts: Labels first.
        population: Where the population's shares are from; empty without one.
        gaps: Its groups.
        issues: The grave ones first.
        more: How many issues are not listed.
        named: Case to a PNG, of cases that issues name.
        sample: Case to a PNG, drawn by chance.
    """

    name: str
    version: str
    cases: int
    patients: int
    sides: Mapping[str, int]
    facts: tuple[FactRows, ...]
    population: str = ""
    gaps: tuple[GapRow, ...] = ()
    issues: tuple[IssueRow, ...] = ()
    more: int = 0
    named: Mapping[str, bytes]
    sample: Mapping[str, bytes]


def write_cohort(page: CohortPage, path: Path, *, lang: str) -> None:
    """Write the page as one HTML file; it appears whole or not at all.

    Raises:
        NotFoundError: No such language.
        StoreError: The folder cannot be written to, or the disk is full.
    """
    values = {
        "page": page,
        "stops": sum(issue.severity == "stop" for issue in page.issues),
        "title": f"{say('cohort.title', lang=lang)} {page.name}",
        "share_bar": share_bar,
        "histogram": histogram,
        "uri": uri,
    }
    save(render(Path(__file__).with_name("cohort.html"), values, lang=lang), path)
