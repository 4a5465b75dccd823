"""Facts by which a label can be guessed without looking at the image: a network would learn those instead."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from isocenter.case import Dataset, Entry, Fact
from isocenter.intake.issue import Issue
from isocenter.intake.strata import kinds_of, label_names, strata_of
from isocenter.metrics.classification import balanced_accuracy
from isocenter.metrics.interval import bootstrap_of

_LEAST_PATIENTS = 20
_MOST_KINDS = 20  # of a label, or of a fact: above, it is a number or a name
_BETTER = 0.05  # than chance, that the lower end of the interval must be
_DRAWS = 500

Facts = Mapping[str, Fact]


def check_shortcuts(dataset: Dataset, traits: Mapping[str, Mapping[str, str]]) -> Iterator[Issue]:
    """Yield facts and traits that tell a label better than chance, with how well and how sure that is.

    The label of a case is guessed as the class that is commonest, by its share of all cases of that class, among the
    other patients of the same fact. That is the most that the fact alone can tell.

    Args:
        dataset: The version.
        traits: Case to how its image was made, such as {"image size": "512 × 512"}; beside the facts.
    """
    facts = [_together(entry, traits.get(entry.id, {})) for entry in dataset.entries]
    labels = label_names([entry.facts for entry in dataset.entries], has_outlines=dataset.table is not None)
    patients = [entry.patient for entry in dataset.entries]
    if len(set(patients)) < _LEAST_PATIENTS:
        return
    for label in labels:
        if not 2 <= len(kinds_of(facts, label)) <= _MOST_KINDS:
            continue
        for name in sorted({name for one in facts for name in one} - set(labels)):
            yield from _shortcut(facts, patients, label=label, name=name, where=dataset.name)


def _together(entry: Entry, traits: Mapping[str, str]) -> Facts:
    return {**{name: Fact(value=value) for name, value in traits.items()}, **entry.facts}


def _shortcut(facts: Sequence[Facts], patients: Sequence[str], *, label: str, name: str, where: str) -> Iterator[Issue]:
    strata = strata_of(facts, (name,))
    known = [
        (patient, kind, str(one[label].value))
        for patient, kind, one in zip(patients, strata, facts, strict=True)
        if kind.strip() and label in one and one[label].value is not None
    ]
    classes = sorted({truth for _, _, truth in known})
    if len({kind for _, kind, _ in known}) < 2 or len(classes) < 2:
        return
    guessed = np.array([classes.index(one) for one in _guesses(known)], float)
    truth = np.array([classes.index(one) for _, _, one in known], float)
    owners = [patient for patient, _, _ in known]
    found = bootstrap_of(balanced_accuracy, (guessed, truth), patients=owners, rounds=_DRAWS)
    chance = 1 / len(classes)
    if found.low > chance + _BETTER:
        yield Issue(
            check="shortcut", where=where, severity="warn",
            figure=f"{name!r} alone tells {label!r} with a balanced accuracy of {found.value:.2f} "
            f"[{found.low:.2f}, {found.high:.2f}]",
            limit=f"{chance:.2f}, which is chance",
            mend=f"Unless {name!r} is a cause: balance the classes over it, and report figures within each kind of it.",
        )  # fmt: skip


def _guesses(known: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    """Yield the class that each case would be guessed to be, by the cases of other patients."""
    sizes = Counter(truth for _, _, truth in known)
    whole: dict[str, Counter[str]] = defaultdict(Counter)
    own: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for patient, kind, truth in known:
        whole[kind][truth] += 1
        own[patient, kind][truth] += 1
    for patient, kind, _ in known:
        shares = {one: (whole[kind][one] - own[patient, kind][one]) / size for one, size in sizes.items()}
        yield max(sorted(shares), key=lambda one: shares[one])
