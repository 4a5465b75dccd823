"""What a cohort is made of, as figures and as a page."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from isocenter.case import Case, Dataset, Entry
from isocenter.case.split import SIDES
from isocenter.errors import InputError
from isocenter.intake.issue import Issue
from isocenter.intake.quality.check import check_dataset
from isocenter.intake.quality.coverage import Coverage, Kind, coverage_of
from isocenter.intake.quality.population import Gap, Population, gaps_of, read_population
from isocenter.pages.cohort import CohortPage, FactRows, GapRow, IssueRow, KindRow, write_cohort
from isocenter.pages.thumbnail import thumbnail
from isocenter.pipeline.ground import Place, Watch, opened, told
from isocenter.pipeline.outcome import issue_document
from isocenter.pipeline.public import document

_NAMED, _SAMPLE = 12, 24  # pictures of cases that issues name, and of others
_LISTED = 100  # issues on a page; `check` lists all


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What a cohort is made of, what was found wrong with it, and the page where one was asked for."""

    dataset: Dataset
    facts: tuple[Coverage, ...]
    gaps: tuple[Gap, ...]
    issues: tuple[Issue, ...]
    page: Path | None

    def to_json(self) -> dict[str, Any]:
        """Return the public document of `cohort`."""
        return document(
            "cohort", name=self.dataset.name, dataset=self.dataset.id, cases=len(self.dataset.entries),
            patients=len({entry.patient for entry in self.dataset.entries}), sides=_sides(self.dataset),
            facts=[_fact_document(fact) for fact in self.facts],
            gaps=[
                {"fact": gap.fact, "kind": gap.kind, "share": gap.share.to_json(), "stated": gap.stated,
                 "verdict": gap.verdict}
                for gap in self.gaps
            ],
            issues=[issue_document(issue) for issue in self.issues],
            page=None if self.page is None else str(self.page),
        )  # fmt: skip


def cohort(
    name: str,
    *,
    out: Path | None = None,
    population: Path | None = None,
    lang: str = "en",
    store: Place = None,
    progress: Watch | None = None,
) -> Gathered:
    """Return who is in a data set, beside whom it is to stand for, and what is wrong with it.

    Args:
        name: Name or id of a data set; a name means its newest version.
        out: An HTML file to write, with pictures.
        population: A TOML file of what the patients are to stand for: a source, and shares of each fact.
        lang: Of the page, "en" or "zh".
        store: Where the data set is kept.
        progress: Told how far it is.

    Raises:
        NotFoundError: There is no such data set, or no such language.
        FileError, InputError: The population cannot be read, or speaks of a fact that the cohort does not know.
        StoreError: The page cannot be written.
    """
    stated = None if population is None else read_population(population)
    with opened(store) as house:
        version = house.datasets.get(name)
        gaps = () if stated is None else gaps_of(version, stated)

        def load(entry: Entry) -> Case:
            return house.case(version, entry)

        issues = check_dataset(version, load, progress=told(progress, "check"))
        found = Gathered(
            dataset=version, facts=coverage_of(version), gaps=gaps, issues=issues,
            page=None if out is None else Path(out),
        )  # fmt: skip
        if found.page is not None:
            write_cohort(_page(found, stated, load=load, progress=progress), found.page, lang=lang)
    return found


def _page(
    found: Gathered, stated: Population | None, *, load: Callable[[Entry], Case], progress: Watch | None
) -> CohortPage:
    grave_first = sorted(found.issues, key=lambda issue: issue.severity != "stop")
    words = {word for issue in grave_first for word in issue.where.replace(",", " ").split()}
    named = [entry for entry in found.dataset.entries if entry.id in words][:_NAMED]
    others = [entry for entry in found.dataset.entries if entry not in named]
    rng = random.Random(found.dataset.id)  # noqa: S311 (no secret)
    drawn = sorted(rng.sample(others, min(_SAMPLE, len(others))), key=lambda entry: entry.id)
    pictures = _drawn([*named, *drawn], load=load, progress=told(progress, "pictures"))
    return CohortPage(
        name=found.dataset.name, version=found.dataset.id, cases=len(found.dataset.entries),
        patients=len({entry.patient for entry in found.dataset.entries}), sides=_sides(found.dataset),
        facts=tuple(_rows(fact) for fact in found.facts), population="" if stated is None else stated.source,
        gaps=tuple(
            GapRow(fact=gap.fact, kind=gap.kind, share=gap.share, stated=gap.stated, verdict=gap.verdict)
            for gap in found.gaps
        ),
        issues=tuple(IssueRow(**asdict(issue)) for issue in grave_first[:_LISTED]),
        more=max(0, len(grave_first) - _LISTED),
        named={entry.id: pictures[entry.id] for entry in named if entry.id in pictures},
        sample={entry.id: pictures[entry.id] for entry in drawn if entry.id in pictures},
    )  # fmt: skip


def _drawn(
    entries: Sequence[Entry], *, load: Callable[[Entry], Case], progress: Callable[[int, int], None] | None
) -> Mapping[str, bytes]:
    """Return a picture of each case that can be opened."""
    pictures = {}
    for place, entry in enumerate(entries, 1):
        try:
            case = load(entry)
            first = next(iter(case.volumes.values()))
            mask = case.annotations[0].mask if case.annotations else None
            pictures[entry.id] = thumbnail(first, mask)
        except InputError:  # among the issues, with its reason
            continue
        if progress is not None:
            progress(place, len(entries))
    return pictures


def _sides(dataset: Dataset) -> dict[str, int]:
    return {} if dataset.split is None else {side: len(dataset.split.patients(side)) for side in SIDES}


def _rows(fact: Coverage) -> FactRows:
    spread = fact.spread
    return FactRows(
        name=fact.name, unit=fact.unit, is_label=fact.is_label, known=fact.known, missing=fact.missing,
        kinds=tuple(_kind(kind) for kind in fact.kinds), quantiles=() if spread is None else spread.quantiles,
        edges=() if spread is None else spread.edges, counts=() if spread is None else spread.counts,
        effective=fact.effective,
    )  # fmt: skip


def _kind(kind: Kind) -> KindRow:
    return KindRow(
        name=kind.name, share=kind.share, patients=kind.patients, cases=kind.cases, by_side=kind.by_side,
        by_class=kind.by_class,
    )  # fmt: skip


def _fact_document(fact: Coverage) -> dict[str, Any]:
    return {
        "name": fact.name, "unit": fact.unit, "label": fact.is_label, "known": fact.known, "missing": fact.missing,
        "kinds": [
            {"name": kind.name, "patients": kind.patients, "cases": kind.cases, "share": kind.share.to_json(),
             "sides": dict(kind.by_side), "classes": dict(kind.by_class)}
            for kind in fact.kinds
        ],
        "quantiles": None if fact.spread is None else list(fact.spread.quantiles),
        "effective_kinds": None if fact.effective is None else fact.effective.to_json(),
    }  # fmt: skip
