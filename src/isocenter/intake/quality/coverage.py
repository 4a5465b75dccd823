"""Who is in a cohort: of every fact its kinds by patient, by side and by class, and how diverse they are."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from isocenter.case import Dataset, Entry
from isocenter.case.split import SIDES
from isocenter.intake.strata import LISTED, label_names
from isocenter.result import Score

_MOST_KINDS = 20  # above, numbers are shown by their spread, and texts are names
_BINS = 12
_DRAWS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of a fact.

    Args:
        name: As the cases say it.
        share: Of the patients of whom the fact is known; exact interval.
        cases: How many.
        by_side: Side of the split to patients.
        by_class: Class of each label to patients; empty of a label itself.
    """

    name: str
    share: Score
    cases: int
    by_side: Mapping[str, int]
    by_class: Mapping[str, int]

    @property
    def patients(self) -> int:
        """How many patients there are of it."""
        return round(self.share.value * self.share.n)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How the numbers of a fact lie, one a patient (the first case's).

    Args:
        quantiles: Least, 5th, 25th, 50th, 75th, 95th percentile, greatest.
        edges, counts: Of a histogram of patients.
    """

    quantiles: tuple[float, ...]
    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What a cohort covers of one fact.

    Args:
        name: Of the fact.
        unit: Of its numbers.
        is_label: It is what is to be learnt.
        known, missing: Patients of whom it is known, and others.
        kinds: The largest first; empty for numbers, and for texts of more kinds than can be shown.
        spread: Of numbers, else None.
        effective: How many kinds of one size would be as diverse (exponential of Shannon's entropy), by patient.
    """

    name: str
    unit: str
    is_label: bool
    known: int
    missing: int
    kinds: tuple[Kind, ...] = ()
    spread: Spread | None = None
    effective: Score | None = None


def coverage_of(dataset: Dataset, *, seed: int = 0) -> tuple[Coverage, ...]:
    """Return what a cohort covers, fact by fact, labels first.

    Args:
        dataset: A version; no image is opened.
        seed: Of the bootstrap over patients.

    Source: Hill 1973 (effective number of kinds, order 1); Clopper and Pearson 1934 (shares).
    """
    facts = [entry.facts for entry in dataset.entries]
    labels = label_names(facts, has_outlines=dataset.table is not None)
    names = dict.fromkeys((*labels, *(name for one in facts for name in one)))
    classes = _classes(dataset.entries, labels)
    return tuple(_coverage(dataset, name, classes=classes, is_label=name in labels, seed=seed) for name in names)


def kinds_in(entry: Entry, name: str) -> tuple[str, ...]:
    """Return the kinds of a fact that a case is of: none where it is not known, several where it lists findings."""
    value = entry.facts[name].value if name in entry.facts else None
    if value is None:
        return ()
    return tuple(part.strip() for part in value.split(LISTED)) if isinstance(value, str) else (f"{value:g}",)


def share_of(count: int, patients: int, *, name: str, label: str) -> Score:
    """Return a share of patients with its exact 95 % interval."""
    if not patients:
        return Score(name=name, label=label, value=float("nan"), low=float("nan"), high=float("nan"), n=0)
    ends = binomtest(count, patients).proportion_ci(method="exact")
    return Score(name=name, label=label, value=count / patients, low=ends.low, high=ends.high, n=patients)


def _classes(entries: Iterable[Entry], labels: Sequence[str]) -> Mapping[str, frozenset[str]]:
    """Return each class of each label to its patients."""
    found: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        for label in labels:
            for kind in kinds_in(entry, label):
                found[kind if len(labels) == 1 else f"{label}: {kind}"].add(entry.patient)
    if len(found) > _MOST_KINDS:
        return {}
    return {kind: frozenset(patients) for kind, patients in sorted(found.items())}


def _coverage(
    dataset: Dataset, name: str, *, classes: Mapping[str, frozenset[str]], is_label: bool, seed: int
) -> Coverage:
    patients, cases = defaultdict[str, set[str]](set), defaultdict[str, int](int)
    for entry in dataset.entries:
        for kind in kinds_in(entry, name):
            patients[kind].add(entry.patient)
            cases[kind] += 1
    known = {patient for of in patients.values() for patient in of}
    numbers = _numbers(dataset.entries, name)
    told = Coverage(
        name=name, unit=next((entry.facts[name].unit for entry in dataset.entries if name in entry.facts), ""),
        is_label=is_label, known=len(known), missing=len({entry.patient for entry in dataset.entries} - known),
    )  # fmt: skip
    if len(numbers) and len(patients) > _MOST_KINDS:
        return replace(told, spread=_spread(numbers))
    if len(patients) > _MOST_KINDS:
        return told
    kinds = [
        Kind(
            name=kind, share=share_of(len(of), len(known), name=name, label=kind), cases=cases[kind],
            by_side=_by_side(dataset, of),
            by_class={} if is_label else {one: len(of & there) for one, there in classes.items()},
        )
        for kind, of in sorted(patients.items(), key=lambda item: (-len(item[1]), item[0]))
    ]  # fmt: skip
    return replace(told, kinds=tuple(kinds), effective=_effective(patients, name=name, seed=seed))


def _by_side(dataset: Dataset, patients: set[str]) -> dict[str, int]:
    if dataset.split is None:
        return {}
    return {side: sum(dataset.split.sides[one] == side for one in patients) for side in SIDES}


def _numbers(entries: Iterable[Entry], name: str) -> npt.NDArray[np.float64]:
    """Return the number of each patient's first case that has one."""
    first: dict[str, float] = {}
    for entry in entries:
        value = entry.facts[name].value if name in entry.facts else None
        if isinstance(value, float | int):
            first.setdefault(entry.patient, float(value))
    return np.array(list(first.values()), np.float64)


def _spread(numbers: npt.NDArray[np.float64]) -> Spread:
    counts, edges = np.histogram(numbers, bins=_BINS)
    quantiles = np.quantile(numbers, (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1))
    return Spread(
        quantiles=tuple(map(float, quantiles)), edges=tuple(map(float, edges)), counts=tuple(map(int, counts))
    )


def _effective(patients: Mapping[str, set[str]], *, name: str, seed: int) -> Score | None:
    """Return the effective number of kinds, with a bootstrap over patients (each counted once a kind)."""
    everybody = sorted({patient for of in patients.values() for patient in of})
    if len(everybody) < 2:
        return None
    place = {patient: number for number, patient in enumerate(everybody)}
    held = np.zeros((len(everybody), len(patients)))
    for column, of in enumerate(patients.values()):
        held[[place[patient] for patient in of], column] = 1
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(len(everybody), np.full(len(everybody), 1 / len(everybody)), size=_DRAWS)
    value, drawn = _hill(held.sum(axis=0)), _hill(weights @ held)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Score(
        name="effective_kinds", label=name, value=float(value), low=min(float(low), float(value)),
        high=max(float(high), float(value)), n=len(everybody), unit="kinds",
    )  # fmt: skip


def _hill(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the exponential of Shannon's entropy of counts along the last axis."""
    shares = counts / counts.sum(axis=-1, keepdims=True)
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    return np.asarray(np.exp(-(shares * logs).sum(axis=-1)))
