"""Who is in a cohort, by patient; and beside the population that it is to stand for."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import beta

from isocenter.case import Dataset, Entry, Fact, Split
from isocenter.errors import FileError, InputError
from isocenter.intake.quality.coverage import coverage_of
from isocenter.intake.quality.population import gaps_of, read_population


def cohort(*facts: dict[str, float | str | None], patients: list[str] | None = None) -> Dataset:
    """Return a data set with a case for each line of facts, each of a patient of its own unless said otherwise."""
    whose = patients or [f"p{place}" for place in range(len(facts))]
    sides = {patient: ("train", "validation", "test")[place % 3] for place, patient in enumerate(dict.fromkeys(whose))}
    folds = {patient: 0 for patient, side in sides.items() if side != "test"}
    entries = tuple(
        Entry(
            id=f"c{place}", patient=patient, volumes={"image": "0" * 64}, outlines=(),
            facts={name: Fact(value=value) for name, value in one.items()}, day=None,
        )
        for place, (one, patient) in enumerate(zip(facts, whose, strict=True))
    )  # fmt: skip
    return Dataset(name="d", entries=entries, table=None, split=Split(sides=sides, folds=folds))  # type: ignore[arg-type]


def test_shares_are_of_patients_not_of_cases() -> None:
    made = cohort(*({"sex": "F"},) * 3, {"sex": "M"}, patients=["a", "a", "a", "b"])
    (sex,) = coverage_of(made)
    assert {kind.name: (kind.patients, kind.cases, kind.share.value) for kind in sex.kinds} == {
        "F": (1, 3, 0.5), "M": (1, 1, 0.5),
    }  # fmt: skip


def test_a_share_has_the_exact_interval_of_clopper_and_pearson() -> None:
    (sex,) = coverage_of(cohort(*({"sex": "F"},) * 3, *({"sex": "M"},) * 7))
    fewer = sex.kinds[1].share
    assert (fewer.low, fewer.high) == pytest.approx((beta.ppf(0.025, 3, 8), beta.ppf(0.975, 4, 7)))


def test_patients_of_whom_nothing_is_known_are_counted_as_such() -> None:
    (sex,) = coverage_of(cohort({"sex": "F"}, {"sex": None}, {}))
    assert (sex.known, sex.missing) == (1, 2)


def test_every_kind_is_counted_on_every_side_and_in_every_class() -> None:
    made = cohort(*({"label": "benign", "site": "a"},) * 3, *({"label": "malignant", "site": "b"},) * 3)
    label, site = coverage_of(made)
    assert label.is_label
    assert not site.is_label
    assert dict(site.kinds[0].by_side) == {"train": 1, "validation": 1, "test": 1}
    assert dict(site.kinds[0].by_class) == {"benign": 3, "malignant": 0}


@pytest.mark.parametrize(("counts", "expected"), [((5, 5), 2.0), ((10, 0), 1.0), ((4, 4, 4, 4), 4.0), ((9, 1), 1.384)])
def test_kinds_of_one_size_count_whole_and_rare_ones_hardly(counts: tuple[int, ...], expected: float) -> None:
    made = cohort(*({"site": str(kind)} for kind, count in enumerate(counts) for _ in range(count)))
    (site,) = coverage_of(made)
    assert site.effective is not None
    assert site.effective.value == pytest.approx(expected, abs=1e-3)
    assert site.effective.low <= site.effective.value <= site.effective.high


def test_many_numbers_are_shown_by_their_spread() -> None:
    (age,) = coverage_of(cohort(*({"age": float(number)} for number in range(101))))
    assert age.kinds == ()
    assert age.spread is not None
    assert age.spread.quantiles == pytest.approx((0, 5, 25, 50, 75, 95, 100))
    assert sum(age.spread.counts) == 101


def test_findings_that_one_fact_lists_are_counted_one_by_one() -> None:
    (label,) = coverage_of(cohort({"label": "mass|effusion"}, {"label": "mass"}))
    assert {kind.name: kind.patients for kind in label.kinds} == {"mass": 2, "effusion": 1}


def stated(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "population.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_groups_that_the_cohort_holds_too_few_of_are_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    ages = rng.uniform(0, 60, 80)
    made = cohort(*({"sex": "F" if place % 2 else "M", "age": float(age)} for place, age in enumerate(ages)))
    population = read_population(
        stated(
            tmp_path, 'source = "a census"\n[sex]\nF = 0.5\nM = 0.5\n[age]\n"<30" = 0.2\n"30-60" = 0.5\n">=60" = 0.3\n'
        )
    )
    verdicts = {(gap.fact, gap.kind): gap.verdict for gap in gaps_of(made, population)}
    assert verdicts == {
        ("sex", "F"): "alike", ("sex", "M"): "alike", ("age", "<30"): "more", ("age", "30-60"): "alike",
        ("age", ">=60"): "less",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[sex]\nF = 0.5\n", "where its figures are from"),
        ('source = "x"\n', "states no shares"),
        ('source = "x"\n[sex]\nF = 2\n', "from 0 to 1"),
        ('source = "x"\n[sex]\nF = 0.7\nM = 0.7\n', "more than all"),
        ('source = "x"\nsex = 1\n', "must be a table"),
        ("source = ", "is no TOML"),
    ],
)
def test_a_population_that_says_nothing_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_population(stated(tmp_path, text))


def test_a_population_of_unknown_facts_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    population = read_population(stated(tmp_path, 'source = "x"\n[sexe]\nF = 0.5\n'))
    with pytest.raises(InputError, match="sex"):
        gaps_of(cohort({"sex": "F"}), population)
    with pytest.raises(FileError):
        read_population(tmp_path / "nowhere.toml")
