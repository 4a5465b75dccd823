"""A fact that tells the label is named with how well it does; one that does not is left alone."""

import numpy as np
import pytest

from isocenter.case import Dataset, Entry, Fact
from isocenter.intake.quality.shortcuts import check_shortcuts


def dataset(told: float, *, patients: int = 120, per_patient: int = 1) -> Dataset:
    """Return a data set in which the view is that of the label in so many of 100 cases."""
    rng = np.random.default_rng(0)
    entries = []
    for number in range(patients):
        ill = bool(rng.random() < 0.4)
        is_told = rng.random() < told
        view = ("PA", "AP")[ill if is_told else int(rng.random() < 0.5)]
        facts = {"label": Fact(value="ill" if ill else "well"), "view": Fact(value=view),
                 "age": Fact(value=float(rng.integers(20, 90)), unit="a")}  # fmt: skip
        entries += [
            Entry(id=f"c{number}-{place}", patient=f"p{number}", volumes={"image": f"{number}-{place}"}, facts=facts)
            for place in range(per_patient)
        ]
    return Dataset(name="chests", entries=tuple(entries), table=None, split=None)


def test_a_view_that_tells_the_label_is_named_with_its_interval() -> None:
    (issue,) = check_shortcuts(dataset(0.8), {})
    assert issue.check == "shortcut"
    assert "'view' alone tells 'label' with a balanced accuracy of 0." in issue.figure
    assert "[0." in issue.figure
    assert issue.limit.startswith("0.50")


def test_facts_that_tell_nothing_are_left_alone() -> None:
    assert list(check_shortcuts(dataset(0.0), {})) == []


def test_how_an_image_was_made_can_tell_the_label_too() -> None:
    cases = dataset(0.0)
    traits = {one.id: {"image size": "1 × 64 × 64" if one.facts["label"].value == "ill" else "1 × 80 × 80"}
              for one in cases.entries}  # fmt: skip
    (issue,) = check_shortcuts(cases, traits)
    assert "'image size'" in issue.figure


@pytest.mark.parametrize("patients", [1, 15])
def test_few_patients_say_nothing(patients: int) -> None:
    assert list(check_shortcuts(dataset(1.0, patients=patients, per_patient=8), {})) == []


def test_a_fact_of_each_patient_tells_nothing_of_the_others() -> None:
    plain = dataset(0.0, patients=60, per_patient=4)
    entries = tuple(
        Entry(id=one.id, patient=one.patient, volumes=one.volumes, facts={**one.facts, "ward": Fact(value=one.patient)})
        for one in plain.entries
    )
    assert list(check_shortcuts(Dataset(name="x", entries=entries, table=None, split=None), {})) == []
