"""Sides and folds are as even as whole patients let them be: invariants, and two independent yardsticks."""

import warnings
from collections import Counter, defaultdict
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp
from sklearn.model_selection import StratifiedGroupKFold

from isocenter.case import SIDES, Split, draw_split
from isocenter.errors import SplitError

Words = tuple[str, ...]
SHARES = ((0.70, 0.15, 0.15), (0.80, 0.10, 0.10), (0.70, 0.20, 0.10))


def groups(strata: Mapping[str, Words]) -> dict[object, list[str]]:
    """Return everybody, each kind of each respect, and each combination, with who belongs to it."""
    found: dict[object, list[str]] = defaultdict(list)
    for patient, words in strata.items():
        for group in ("all", *enumerate(words), words):
            found[group].append(patient)
    return found


def misses(split: Split, strata: Mapping[str, Words], shares: tuple[float, ...]) -> dict[object, float]:
    """Return by how many patients each group's worst side misses its share."""

    def worst(of: list[str]) -> float:
        count = Counter(split.sides[one] for one in of)
        return max(abs(count[side] - share * len(of)) for side, share in zip(SIDES, shares, strict=True))

    return {group: worst(of) for group, of in groups(strata).items()}


def cohort(rng: np.random.Generator, count: int, *, kinds: tuple[int, ...] = (3, 3)) -> dict[str, Words]:
    shares = [rng.dirichlet(np.ones(kind)) for kind in kinds]
    return {
        f"p{number:03d}": tuple(str(rng.choice(kind, p=share)) for kind, share in zip(kinds, shares, strict=True))
        for number in range(count)
    }


words = st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"))
cohorts = st.lists(words, min_size=6, max_size=90).map(lambda all_: {f"p{n:03d}": one for n, one in enumerate(all_)})


@settings(max_examples=150, deadline=None)
@given(strata=cohorts, shares=st.sampled_from(SHARES), seed=st.integers(0, 99))
def test_nobody_stands_on_two_sides_and_no_group_misses_its_share_by_two(
    strata: dict[str, Words], shares: tuple[float, float, float], seed: int
) -> None:
    split = draw_split(strata, shares=shares, seed=seed)
    assert set(split.sides) == set(strata)
    assert all(split.patients(side) for side in SIDES)
    assert split.patients("train") | split.patients("validation") == set(split.folds)
    # one patient is what whole numbers cost; the rest is what dealing one after the other costs
    assert max(misses(split, strata, shares).values()) < 2.0
    whole = Counter(split.folds.values())
    assert max(whole.values()) - min(whole.values()) <= 3


@settings(max_examples=100, deadline=None)
@given(strata=cohorts, seed=st.integers(0, 99), few=st.floats(0.0, 1.0))
def test_who_must_be_tested_is_and_others_join_up_to_the_share(strata: dict[str, Words], seed: int, few: float) -> None:
    tested = sorted(strata)[: int(few * (len(strata) - 2))]
    split = draw_split(strata, seed=seed, tested=tested)
    assert set(tested) <= split.patients("test")
    assert split.patients("train")
    assert split.patients("validation")
    wanted = max(len(tested), 0.15 * len(strata))
    assert abs(len(split.patients("test")) - wanted) < 2.0


def test_who_must_be_tested_joins_those_whom_a_folder_names() -> None:
    strata = {f"p{number:02d}": "" for number in range(40)}
    split = draw_split(strata, fixed={"p01": "test", "p02": "validation"}, tested=["p03", "p02"])
    assert split.patients("test") == {"p01", "p02", "p03"}


def test_when_everybody_must_be_tested_there_is_nobody_to_learn_from() -> None:
    with pytest.raises(SplitError, match="nobody to learn from"):
        draw_split({"a": "", "b": "", "c": ""}, tested=["a", "b", "c"])


def test_one_word_and_a_tuple_of_one_word_are_the_same_stratum() -> None:
    strata = {f"p{number:02d}": "ab"[number % 2] for number in range(40)}
    assert draw_split(strata, seed=5) == draw_split({patient: (word,) for patient, word in strata.items()}, seed=5)


def best(strata: Mapping[str, Words], shares: tuple[float, ...]) -> float:
    """Return the least that the worst group can miss its share by, found by integer programming (HiGHS)."""
    cells = sorted(set(strata.values()))
    size = Counter(strata.values())
    members = {group: {strata[one] for one in of} for group, of in groups(strata).items()}
    columns = len(cells) * len(SIDES) + 1  # patients of each cell on each side, then the worst miss
    rows, low, high = [], [], []
    for place, cell in enumerate(cells):
        row = np.zeros(columns)
        row[place * 3 : place * 3 + 3] = 1
        rows, low, high = [*rows, row], [*low, size[cell]], [*high, size[cell]]
    for group, of in groups(strata).items():
        for side, share in enumerate(shares):
            for sign in (1, -1):
                row = np.zeros(columns)
                row[[cells.index(cell) * 3 + side for cell in members[group]]] = sign
                row[-1] = -1
                rows, low, high = [*rows, row], [*low, -np.inf], [*high, sign * share * len(of)]
    goal = np.zeros(columns)
    goal[-1] = 1
    found = milp(
        goal, constraints=LinearConstraint(np.array(rows), low, high), bounds=Bounds(0, np.inf),
        integrality=[*[1] * (columns - 1), 0],
    )  # fmt: skip
    assert found.success
    return float(found.fun)


@pytest.mark.parametrize("seed", range(8))
def test_dealing_comes_within_a_patient_of_the_best_that_can_be(seed: int) -> None:
    rng = np.random.default_rng(seed)
    strata = cohort(rng, int(rng.integers(20, 90)))
    ours = max(misses(draw_split(strata, seed=seed), strata, SHARES[0]).values())
    assert ours <= best(strata, SHARES[0]) + 1.0


def unevenness(folds: Mapping[str, int], strata: Mapping[str, Words]) -> float:
    """Return the mean distance of a kind's share in a fold from one fifth, over kinds and folds."""
    kinds = groups({patient: strata[patient] for patient in folds}).values()
    return float(
        np.mean([abs(sum(folds[one] == fold for one in of) / len(of) - 0.2) for of in kinds for fold in range(5)])
    )


def theirs(patients: list[str], strata: Mapping[str, Words], *, seed: int) -> dict[str, int]:
    """Return the folds of scikit-learn's StratifiedGroupKFold, one row a patient."""
    label = np.array(["".join(strata[patient]) for patient in patients])
    folds: dict[str, int] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of kinds with fewer patients than folds; those are the test's point
        parts = StratifiedGroupKFold(5, shuffle=True, random_state=seed).split(label, label, patients)
        for fold, (_, held) in enumerate(parts):
            folds |= {patients[place]: fold for place in held}
    return folds


def test_folds_are_as_even_over_patients_as_those_of_scikit_learn() -> None:
    ours, others = [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        strata = cohort(rng, int(rng.integers(40, 200)), kinds=(4, 2))
        folds = draw_split(strata, seed=seed).folds
        ours.append(unevenness(folds, strata))
        others.append(unevenness(theirs(sorted(folds), strata, seed=seed), strata))
    assert np.mean(ours) <= 1.05 * np.mean(others)  # twenty cohorts tell means apart to a few per cent
