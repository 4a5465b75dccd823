"""Tables of pictures from which nothing can be learnt as asked: refused before the first step, in words."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import isocenter
from isocenter.errors import InputError, LabelError, PlanError, SplitError


def table(folder: Path, facts: Callable[[int], Mapping[str, object]], *, count: int = 20) -> Path:
    """Write so many small pictures with what a table says of them, and take them in; the store is returned."""
    pictures = folder / "pictures"
    pictures.mkdir()
    rng = np.random.default_rng(0)
    rows = []
    for number in range(count):
        Image.fromarray(rng.integers(0, 255, (24, 32), dtype=np.uint8)).save(pictures / f"{number}.png")
        stated = {"path": f"{number}.png", "patient": f"p{number}", "split": side(number)}
        rows.append(stated | dict(facts(number)))
    lines = [",".join(rows[0]), *(",".join(str(value) for value in row.values()) for row in rows)]
    (pictures / "table.csv").write_text("\n".join(lines) + "\n")
    store = folder / "store"
    isocenter.ingest(pictures, dataset="pictures", store=store)
    return store


def side(number: int) -> str:
    """Return the side that a table gives a picture: every fifth is for testing, the others are dealt out."""
    return "test" if number % 5 == 4 else ""


@pytest.fixture
def two_classes(tmp_path: Path) -> Path:
    return table(tmp_path, lambda number: {"label": ("benign", "malignant")[number % 2], "size": number})


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        (["tasks.kind=classification", "tasks.target=lable"], LabelError, r"'lable'.*Did you mean 'label'"),
        ([], LabelError, r'outlined anything.*label.*tasks\.kind = "classification"'),
        (["tasks.kind=regression"], LabelError, r"is '(benign|malignant)', which is no number"),
        (["tasks.kind=grading"], PlanError, r"benign, malignant.*tasks\.grades"),
        (["tasks.kind=classification", "models.network=gru"], PlanError, r"pictures \(2-D\).*resnet"),
        (["tasks.kind=classification", 'models.dimensions="3-D"'], PlanError, r'"2-D" fits'),
    ],
)
def test_what_is_asked_wrongly_is_said(
    two_classes: Path, changes: list[str], error: type[InputError], words: str
) -> None:
    with pytest.raises(error, match=words):
        isocenter.plan(data="pictures", set_=tuple(changes), store=two_classes)


def test_a_class_that_only_the_test_side_has_is_told_and_the_rest_is_learnt(tmp_path: Path) -> None:
    store = table(tmp_path, lambda number: {"label": "odd" if number == 4 else ("a", "b")[number % 2]})
    planned = isocenter.plan(data="pictures", set_=("tasks.kind=classification", "training.steps=2"), store=store)
    assert planned.plan.goal.answers == ("a", "b")
    assert "1 case(s) of the other sides are 'odd'" in planned.plan.reasons["tasks.target"]


def test_a_grade_that_only_the_test_side_has_is_refused_with_its_case(tmp_path: Path) -> None:
    store = table(tmp_path, lambda number: {"stage": 9 if number == 4 else number % 2})
    with pytest.raises(LabelError, match=r"Case .*: its 'stage' is '9', none of 0, 1.*tasks\.grades"):
        isocenter.plan(data="pictures", set_=("tasks.kind=grading", "tasks.target=stage"), store=store)


def test_a_side_that_knows_nothing_of_the_fact_is_said(tmp_path: Path) -> None:
    store = table(tmp_path, lambda number: {"label": ("a", "b")[number % 2] if side(number) == "test" else ""})
    with pytest.raises(SplitError, match=r"0 cases with the fact 'label' to learn from and 0 to validate on"):
        isocenter.plan(data="pictures", set_=("tasks.kind=classification",), store=store)
