"""From few patients and from many: the same people are scored, fewer patients lie within more, and runs are kept."""

from pathlib import Path

import pytest

from isocenter import pipeline
from isocenter.errors import SplitError
from isocenter.models.model import read_model
from isocenter.pipeline.sides import learning_side
from isocenter.store import open_store
from tests.flows.world import write_cohort

SMALL = ("training.steps=3", "models.width=8", "training.patch=[8,16,16]", "training.batch=1")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("amounts")
    cohort = write_cohort(root / "bodies", count=14)
    pipeline.ingest(cohort, dataset="bodies", store=root / "store")
    return root / "store"


def test_fewer_patients_lie_within_more(store: Path) -> None:
    with open_store(store) as house:
        version = house.datasets.get("bodies")
    goal = pipeline.plan(data="bodies", set_=SMALL, store=store).plan.goal
    sides = [
        {entry.patient for entry in learning_side(version, goal=goal, fold=0, patients=count)} for count in (2, 4, 6)
    ]
    assert [len(side) for side in sides] == [2, 4, 6]
    assert sides[0] < sides[1] < sides[2] <= {entry.patient for entry in learning_side(version, goal=goal, fold=0)}


def test_a_curve_is_drawn_through_runs_that_are_kept(store: Path) -> None:
    found = pipeline.amount("bodies", patients=(2, 4, 6), more=(10,), set_=SMALL, store=store)
    told = found.to_json()
    assert [point["patients"] for point in told["points"]] == [2, 4, 6]
    assert told["gains"][0]["change"]["low"] <= told["gains"][0]["change"]["value"]
    with open_store(store) as house:
        version = house.datasets.get("bodies")
        models = [read_model(house.models.folder(one)) for ids in found.models.values() for one in ids]
        rows = house.models.rows()
    assert [model.plan.patients for model in models] == [2, 4, 6]
    assert {point["score"]["n"] for point in told["points"]} == {len(version.on_side("validation", fold=0))}
    pipeline.amount("bodies", patients=(2, 4, 6), set_=SMALL, store=store)
    with open_store(store) as house:
        assert len(house.models.rows()) == len(rows)


def test_a_model_of_few_patients_has_not_learnt_from_the_others(store: Path) -> None:
    model = pipeline.train(data="bodies", set_=(*SMALL, "training.patients=2", "training.fold=0"), store=store).model
    found = pipeline.evaluate(model, data="bodies", side="all", store=store)
    with open_store(store) as house:
        version = house.datasets.get("bodies")
    assert found.learnt_from == 2 + len(version.on_side("validation", fold=0))


def test_more_patients_than_there_are_is_refused_with_how_many_there_are(store: Path) -> None:
    with pytest.raises(SplitError, match=r"training\.patients = 99.*patients to learn from"):
        pipeline.plan(data="bodies", set_=("training.patients=99",), store=store)
