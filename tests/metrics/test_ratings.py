"""Agreement of many readers on ratings: published tables, the plain definition as oracle, and properties."""

import math
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isocenter import metrics
from isocenter.errors import InputError
from isocenter.metrics.ratings import _KERNELS, Measure, _counts, _kernel, _paired

X = math.nan

# Fleiss 1971, table 1: six of the psychiatrists for each of 30 patients; depression, personality disorder,
# schizophrenia, neurosis, other.
FLEISS = [
    (0, 0, 0, 6, 0), (0, 3, 0, 0, 3), (0, 1, 4, 0, 1), (0, 0, 0, 0, 6), (0, 3, 0, 3, 0), (2, 0, 4, 0, 0),
    (0, 0, 4, 0, 2), (2, 0, 3, 1, 0), (2, 0, 0, 4, 0), (0, 0, 0, 0, 6), (1, 0, 0, 5, 0), (1, 1, 0, 4, 0),
    (0, 3, 3, 0, 0), (1, 0, 0, 5, 0), (0, 2, 0, 3, 1), (0, 0, 5, 0, 1), (3, 0, 0, 1, 2), (5, 1, 0, 0, 0),
    (0, 2, 0, 4, 0), (1, 0, 2, 0, 3), (0, 0, 0, 0, 6), (0, 1, 0, 5, 0), (0, 2, 0, 1, 3), (2, 0, 0, 4, 0),
    (1, 0, 0, 4, 1), (0, 5, 0, 1, 0), (4, 0, 0, 0, 2), (0, 2, 0, 4, 0), (1, 0, 5, 0, 0), (0, 0, 0, 0, 6),
]  # fmt: skip

# Krippendorff 2011, section C: four observers, twelve units, missing values.
KRIPPENDORFF = np.array([
    (1, 1, X, 1), (2, 2, 3, 2), (3, 3, 3, 3), (3, 3, 3, 3), (2, 2, 2, 2), (1, 2, 3, 4),
    (4, 4, 4, 4), (1, 1, 2, 1), (2, 2, 2, 2), (X, 5, 5, 5), (X, X, 1, 1), (X, X, 3, X),
])  # fmt: skip
PATIENTS = [f"p{place}" for place in range(12)]
ALPHAS = {
    metrics.nominal_alpha: 0.743,
    metrics.ordinal_alpha: 0.815,
    metrics.interval_alpha: 0.849,
    metrics.ratio_alpha: 0.797,
}

ratings = st.lists(
    st.lists(st.sampled_from([X, 0.0, 1.0, 2.0, 4.0]), min_size=3, max_size=3), min_size=1, max_size=12
).map(np.array)


def test_fleiss_kappa_is_that_of_the_paper() -> None:
    rows = [np.repeat(np.arange(5.0), row) for row in FLEISS]
    assert metrics.fleiss_kappa(np.array(rows)) == pytest.approx(0.430, abs=5e-4)


def test_the_table_of_the_paper_has_its_marginals_and_kappa_by_hand() -> None:
    table = np.array(FLEISS)
    assert (table.sum(1) == 6).all()
    shares = table.sum(0) / table.sum()
    # the paper's p_j, and its kappa by the plain formula: mean agreement of pairs, less what chance gives
    assert shares == pytest.approx([0.144, 0.144, 0.167, 0.306, 0.239], abs=5e-4)
    agreed = np.mean([sum(n * (n - 1) for n in row) / 30 for row in table])
    by_hand = (agreed - (shares**2).sum()) / (1 - (shares**2).sum())
    assert by_hand == pytest.approx(0.430, abs=5e-4)
    rows = np.array([np.repeat(np.arange(5.0), row) for row in FLEISS])
    assert metrics.fleiss_kappa(rows) == pytest.approx(by_hand)


@pytest.mark.parametrize(("measure", "published"), ALPHAS.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_alpha_is_that_of_the_paper(measure: Measure, published: float) -> None:
    assert measure(KRIPPENDORFF) == pytest.approx(published, abs=5e-4)


def by_definition(table: np.ndarray, distance: str) -> float:
    """Return alpha pair by pair, as the paper's words say."""
    units = [row[~np.isnan(row)] for row in table if np.count_nonzero(~np.isnan(row)) > 1]
    pooled = np.sort(np.concatenate(units)) if units else np.array([])

    def apart(a: float, b: float) -> float:
        low, high = min(a, b), max(a, b)
        if distance == "nominal":
            return float(a != b)
        if distance == "interval":
            return (a - b) ** 2
        if distance == "ratio":
            return ((a - b) / (a + b)) ** 2 if a + b else 0.0
        between = np.count_nonzero((pooled >= low) & (pooled <= high))
        return (between - (np.count_nonzero(pooled == a) + np.count_nonzero(pooled == b)) / 2) ** 2 if a != b else 0.0

    n = len(pooled)
    found = sum(apart(a, b) / (len(unit) - 1) for unit in units for a, b in permutations(unit, 2))
    expected = sum(apart(a, b) for a, b in permutations(pooled, 2)) / (n - 1) if n else 0.0
    return 1 - found / expected if expected else X


@settings(deadline=None)
@given(ratings)
@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval", "ratio"])
def test_alpha_equals_its_definition(level: str, table: np.ndarray) -> None:
    measure = getattr(metrics, f"{level}_alpha")
    assert measure(table) == pytest.approx(by_definition(table, level), abs=1e-9, nan_ok=True)


@settings(deadline=None)
@given(ratings, st.randoms(use_true_random=False))
@pytest.mark.parametrize("measure", _KERNELS, ids=lambda one: one.__name__)
def test_who_gave_a_rating_does_not_matter(measure: Measure, table: np.ndarray, random: object) -> None:
    mixed = np.array([random.sample(list(row), len(row)) for row in random.sample(list(table), len(table))])
    assert measure(mixed) == pytest.approx(measure(table), abs=1e-12, nan_ok=True)


@settings(deadline=None)
@given(ratings)
def test_alpha_of_grades_depends_on_their_order_alone(table: np.ndarray) -> None:
    assert metrics.ordinal_alpha(table**3 - 9) == pytest.approx(metrics.ordinal_alpha(table), nan_ok=True)


@pytest.mark.parametrize("measure", _KERNELS, ids=lambda one: one.__name__)
def test_a_measure_under_weights_is_that_of_repeated_cases(measure: Measure) -> None:
    rng = np.random.default_rng(0)
    table = rng.integers(0, 4, (20, 4)).astype(float)
    table[rng.random((20, 4)) < 0.3] = X
    known = _paired(table)[0]
    values = np.unique(known[~np.isnan(known)])
    weights = rng.integers(0, 3, (30, len(known))).astype(float)
    weights[0] = 0
    repeated = [measure(np.repeat(known, row.astype(int), axis=0)) for row in weights]
    fast = _kernel(measure, values)(weights, _counts(known, values))
    assert fast == pytest.approx(np.array(repeated), nan_ok=True)


def test_fleiss_kappa_of_two_readers_is_scotts_pi() -> None:
    a, b = np.random.default_rng(1).integers(0, 3, (2, 50))
    shares = np.bincount(np.concatenate([a, b])) / 100
    chance = (shares**2).sum()
    pi = ((a == b).mean() - chance) / (1 - chance)
    assert metrics.fleiss_kappa(np.stack([a, b], axis=1)) == pytest.approx(pi)


def test_unequal_numbers_of_ratings_count_by_case() -> None:
    # worked by hand: agreed 1, 1/3, 0; shares of the first class 1, 2/3, 1/2
    table = np.array([(0, 0, X), (0, 0, 1), (0, 1, X), (1, X, X)])
    first = (1 + 2 / 3 + 1 / 2) / 3
    chance = first**2 + (1 - first) ** 2
    assert metrics.fleiss_kappa(table) == pytest.approx((4 / 9 - chance) / (1 - chance))


@pytest.mark.parametrize("measure", _KERNELS, ids=lambda one: one.__name__)
def test_readers_who_read_nothing_in_common_or_one_class_only_give_no_figure(measure: Measure) -> None:
    apart = np.array([(1, X), (X, 2), (3, X)])
    assert math.isnan(measure(apart))
    assert math.isnan(measure(np.ones((5, 3))))
    found = metrics.bootstrap_ratings(measure, apart, patients=["a", "b", "c"])
    assert math.isnan(found.value)
    assert found.n == 0


@pytest.mark.parametrize("measure", _KERNELS, ids=lambda one: one.__name__)
def test_full_agreement_is_one_and_its_interval_says_how_few_patients_say_so(measure: Measure) -> None:
    found = metrics.bootstrap_ratings(measure, np.repeat([[1.0], [2.0], [3.0]], 2, axis=1), patients=["a", "b", "c"])
    assert found.value == found.high == pytest.approx(1.0)
    assert found.low == pytest.approx(1 - 2 * (1 - 0.025 ** (1 / 3)))


def test_the_interval_counts_patients_whom_two_readers_read() -> None:
    found = metrics.bootstrap_ratings(metrics.nominal_alpha, KRIPPENDORFF, patients=PATIENTS)
    assert found.n == 11
    assert found.low < found.value < found.high
    again = metrics.bootstrap_ratings(metrics.nominal_alpha, KRIPPENDORFF[::-1], patients=PATIENTS[::-1])
    assert (again.low, again.high) == (found.low, found.high)
    one = metrics.bootstrap_ratings(metrics.nominal_alpha, KRIPPENDORFF, patients=["a"] * 12)
    assert one.n == 1
    assert math.isnan(one.low)


def test_the_interval_of_alpha_holds_the_truth_about_95_times_in_100() -> None:
    rng = np.random.default_rng(5)

    def drawn(cases: int) -> np.ndarray:
        truth = rng.integers(0, 3, (cases, 1))
        return np.where(rng.random((cases, 3)) < 0.8, truth, rng.integers(0, 3, (cases, 3)))

    truth = metrics.nominal_alpha(drawn(200_000))
    found = [
        metrics.bootstrap_ratings(metrics.nominal_alpha, drawn(60), patients=list(map(str, range(60))), rounds=500)
        for _ in range(200)
    ]
    held = sum(one.low <= truth <= one.high for one in found) / len(found)
    assert 0.90 <= held <= 0.99  # 0.95 ∓ 3 standard errors of 200 draws


@pytest.mark.parametrize(
    ("table", "words"), [(np.zeros(3), "shape"), (np.array([(1, math.inf), (1, 2)]), "infinite")]
)  # fmt: skip
def test_what_are_no_ratings_is_refused(table: np.ndarray, words: str) -> None:
    with pytest.raises(InputError, match=words):
        metrics.fleiss_kappa(table)


def test_other_misuse_is_refused() -> None:
    with pytest.raises(InputError, match="interval_alpha"):
        metrics.ratio_alpha(np.array([(-1, 2), (1, 2)]))
    with pytest.raises(InputError, match="12 cases have 1 patients"):
        metrics.bootstrap_ratings(metrics.nominal_alpha, KRIPPENDORFF, patients=["a"])
    with pytest.raises(InputError, match="Only Fleiss"):
        metrics.bootstrap_ratings(metrics.auc, KRIPPENDORFF, patients=PATIENTS)


def test_alpha_and_fleiss_kappa_meet_with_many_ratings() -> None:
    table = np.random.default_rng(2).integers(0, 2, (4000, 3))
    # they differ by (1 - kappa) / ratings: 1 / 12,000 here
    assert metrics.nominal_alpha(table) == pytest.approx(metrics.fleiss_kappa(table), abs=1e-4)


def test_alpha_of_two_readers_lies_near_the_mean_of_cohens_kappas() -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 3, (2000, 1))
    table = np.where(rng.random((2000, 3)) < 0.7, truth, rng.integers(0, 3, (2000, 3)))
    pairs = [metrics.cohen_kappa(table[:, a], table[:, b]) for a, b in combinations(range(3), 2)]
    # readers err alike here, so chance is the same for both; 0.01: what 2,000 cases leave of their margins
    assert metrics.nominal_alpha(table) == pytest.approx(np.mean(pairs), abs=0.01)
