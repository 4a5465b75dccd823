"""Which facts are what is to be learnt, and that every side of a split shows all of it."""

from collections import Counter

import pytest

from isocenter.case import Fact, draw_split
from isocenter.intake.strata import is_labelled, kinds_of, label_names, strata_of

Value = float | str | None


def facts(**columns: list[Value]) -> list[dict[str, Fact]]:
    count = len(next(iter(columns.values())))
    return [{name: Fact(value=values[place]) for name, values in columns.items()} for place in range(count)]


@pytest.mark.parametrize("name", ["label", "Label_2", "diagnosis", "class"])
def test_a_fact_called_so_is_the_label(name: str) -> None:
    assert label_names(facts(**{name: ["a", "b"], "other": ["x", "y"]})) == (name,)


def test_without_such_a_name_the_facts_of_few_kinds_are_labels_but_not_who_and_where() -> None:
    told = facts(
        pneumonia=[0.0, 1.0] * 20, sex=["F", "M"] * 20, age_band=["a", "b"] * 20, crp=[float(n) for n in range(40)],
        stage=["i", "ii"] * 20, same=["x"] * 40,
    )  # fmt: skip
    assert label_names(told) == ("pneumonia", "stage")
    assert label_names(told, has_outlines=True) == ()


def test_a_case_is_labelled_where_something_is_known() -> None:
    told = facts(label=["a", None])
    assert [is_labelled(one, ("label",)) for one in told] == [True, False]


def test_findings_listed_together_are_counted_apart() -> None:
    assert kinds_of(facts(label=["a|b", "a", None]), "label") == {"a": 2, "b": 1}


def test_the_stratum_is_the_rarest_finding() -> None:
    told = facts(label=["common"] * 90 + ["common|rare"] * 10)
    assert Counter(strata_of(told, ["label"])) == {" common": 90, " rare": 10}


def test_numbers_are_parted_into_quarters() -> None:
    counts = Counter(strata_of(facts(label=[float(n) for n in range(100)]), ["label"]))
    assert len(counts) == 4
    assert max(counts.values()) - min(counts.values()) <= 2


def test_facts_that_would_part_too_finely_are_passed_over() -> None:
    told = facts(label=["a", "b"] * 50, second=[str(n % 33) for n in range(100)])
    assert set(strata_of(told, ["label", "second"])) == {" a", " b"}


def test_a_rare_class_stands_on_every_side() -> None:
    told = facts(label=["often"] * 280 + ["rare"] * 20)
    strata = {str(place): stratum for place, stratum in enumerate(strata_of(told, ["label"]))}
    split = draw_split(strata, seed=3)
    rare = Counter(side for patient, side in split.sides.items() if strata[patient] == " rare")
    assert rare == {"train": 14, "validation": 3, "test": 3}
