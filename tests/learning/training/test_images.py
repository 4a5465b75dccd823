"""Runs on small phantoms of whole images: each task learns what can be seen, in pictures, colour and stacks."""

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from isocenter.case import Case, Fact
from isocenter.errors import InputError
from isocenter.image import Affine, Volume
from isocenter.learning.tasks import find_task
from isocenter.learning.training import Cases, Fitted, Machine, Progress, decide, fingerprint, fit
from isocenter.learning.training.figures import never_answered
from isocenter.learning.training.images import Images
from isocenter.learning.training.watch import rare_answers, unlearnt_answers
from isocenter.models.slices import slices_shown
from isocenter.recipe import Goal, Plan, recipe_from

CPU = torch.device("cpu")
LAPTOP = Machine(cores=2, memory=24 * 10**9, bf16=False)
Make = Callable[[int], Case]
ROOM = import_module("isocenter.learning.training.fit")  # the name `fit` is the function's


def case(number: int, voxels: np.ndarray, *, planar: bool = True, **facts: float | str | None) -> Case:
    affine = Affine.from_parts(origin=(0, 0, 0), directions=np.eye(3)[:, ::-1], spacing=(1, 1, 1))
    volume = Volume(voxels=voxels, affine=affine, is_planar=planar)
    known = {name: Fact(value=value) for name, value in facts.items()}
    return Case(id=f"c{number}", patient=f"p{number}", volumes={"image": volume}, facts=known)


def squares(number: int, *, count: int) -> np.ndarray:
    """Return a noisy picture (1, 32, 32) with so many bright squares on a coarse grid."""
    rng = np.random.default_rng(number)
    voxels = rng.normal(50, 5, (1, 32, 32))
    for place in rng.permutation(16)[:count]:
        r, c = 8 * (place // 4) + 2, 8 * (place % 4) + 2
        voxels[0, r : r + 4, c : c + 4] += 60
    return voxels.astype(np.float32)


def sided(number: int) -> Case:
    """Return a picture with a bright square in its left or right half, of 40 × 56 pixels or turned."""
    rng = np.random.default_rng(number)
    side = number % 2
    rows, columns = (40, 56) if number % 3 else (56, 40)
    voxels = rng.normal(50, 5, (1, rows, columns))
    r, c = int(rng.integers(8, rows - 16)), int(rng.integers(2, columns // 2 - 10)) + side * columns // 2
    voxels[0, r : r + 8, c : c + 8] += 50
    return case(number, voxels.astype(np.float32), label=("left", "right")[side])


def lesioned(number: int) -> Case:
    """Return a stack of 5 to 8 slices; in every second one a slice has a bright square."""
    rng = np.random.default_rng(number)
    slices = 5 + number % 4
    voxels = rng.normal(50, 5, (slices, 32, 32))
    if number % 2:
        voxels[int(rng.integers(slices)), 10:22, 10:22] += 60
    return case(number, voxels.astype(np.float32), planar=False, label=("absent", "lesion")[number % 2])


def learnt(make: Make, folder: Path, *, count: int = 24, **sections: dict[str, object]) -> tuple[Plan, Fitted]:
    cases = [lambda n=n: make(n) for n in range(count)]  # type: ignore[misc]
    shown = [lambda n=n: make(n) for n in range(1000, 1000 + count)]  # type: ignore[misc]
    recipe = recipe_from({"models": {"width": 8}, "transforms": {"strength": 0.3}} | sections)
    plan = decide(recipe, fingerprint((load() for load in cases), table=None), dataset="d", table=None, machine=LAPTOP)
    return plan, fit(plan, Cases(train=cases, validation=shown), folder=folder)


def test_the_side_of_a_bright_square_is_learnt_from_pictures_of_two_sizes(tmp_path: Path) -> None:
    plan, fitted = learnt(sided, tmp_path, tasks={"kind": "classification"}, training={"steps": 60})
    assert (plan.dimensions, plan.network, plan.goal.answers, plan.goal.counts) == (
        "2-D", "resnet", ("left", "right"), (12, 12),
    )  # fmt: skip
    assert plan.patch == (1, 64, 64)
    assert fitted.scores["auc"] > 0.95
    assert fitted.scores["loss"] < 0.4
    assert fitted.notices == ()


def test_a_colour_is_learnt_where_grey_pictures_lie_among_the_coloured(tmp_path: Path) -> None:
    def make(number: int) -> Case:
        rng = np.random.default_rng(number)
        kind = number % 3
        voxels = np.repeat(rng.normal(100, 10, (1, 1, 32, 32)), 3, axis=0)
        if kind == 2:
            return case(number, voxels[0].astype(np.uint8), label="grey")
        voxels[2 * kind, 0, 8:24, 8:24] += 80
        return case(number, voxels.astype(np.uint8), label=("red", "blue")[kind])

    plan, fitted = learnt(make, tmp_path, tasks={"kind": "classification"}, training={"steps": 40})
    assert plan.inputs == 3
    assert plan.goal.answers == ("blue", "grey", "red")
    assert fitted.scores["auc"] > 0.95


def test_the_number_of_squares_is_learnt(tmp_path: Path) -> None:
    plan, fitted = learnt(
        lambda n: case(n, squares(n, count=n % 9), blobs=float(n % 9)), tmp_path, count=45,
        tasks={"kind": "regression", "target": ["blobs"]}, training={"steps": 150},
    )  # fmt: skip
    assert plan.goal.number is not None
    assert (plan.goal.number.low, plan.goal.number.high, plan.goal.number.shift) == (0, 8, 4)
    assert fitted.scores["mae"] < 1.5  # 2.2 where always the mean is answered


def test_a_severity_is_learnt_by_its_size(tmp_path: Path) -> None:
    names = ("none", "mild", "severe")

    def make(number: int) -> Case:
        voxels = np.random.default_rng(number).normal(50, 5, (1, 32, 32))
        half = 5 * (number % 3)
        voxels[0, 16 - half : 16 + half, 16 - half : 16 + half] += 40
        return case(number, voxels.astype(np.float32), severity=names[number % 3])

    plan, fitted = learnt(
        make, tmp_path, tasks={"kind": "grading", "target": ["severity"], "grades": list(names)},
        training={"steps": 60},
    )  # fmt: skip
    assert plan.goal.answers == names
    assert fitted.scores["kappa"] > 0.8


def test_findings_are_learnt_side_by_side_where_some_were_not_judged(tmp_path: Path) -> None:
    def make(number: int) -> Case:
        voxels = np.random.default_rng(number).normal(50, 5, (1, 32, 32))
        top, low = number % 2, number // 2 % 2
        voxels[0, 4:12, 8:24] += 40 * top
        voxels[0, 20:28, 8:24] += 40 * low
        judged = None if number % 5 == 0 else float(low)
        return case(number, voxels.astype(np.float32), top=float(top), low=judged)

    plan, fitted = learnt(
        make, tmp_path, tasks={"kind": "multilabel", "target": ["top", "low"]}, training={"steps": 60}
    )
    assert plan.goal.answers == ("top", "low")
    assert fitted.scores["auc"] > 0.95


def test_a_stack_of_any_length_is_read_by_a_recurrent_network(tmp_path: Path) -> None:
    plan, fitted = learnt(lesioned, tmp_path, count=16, tasks={"kind": "classification"}, training={"steps": 40})
    assert (plan.dimensions, plan.network) == ("3-D", "gru")
    assert fitted.scores["auc"] > 0.9


def test_padding_of_two_channels_stays_padding_however_a_stack_is_varied(tmp_path: Path) -> None:
    def make(number: int) -> Case:
        rng = np.random.default_rng(number)
        one = case(number, rng.normal(50, 5, (12, 32, 32)).astype(np.float32), planar=False, label="ab"[number % 2])
        other = replace(one.volumes["image"], voxels=rng.normal(9, 30, (12, 32, 32)).astype(np.float32))
        return replace(one, volumes={"t1": one.volumes["image"], "t2": other})

    tasks, training = {"kind": "classification"}, {"steps": 1, "patch": [16, 32, 32], "batch": 1}
    recipe = recipe_from({"tasks": tasks, "training": training, "inference": {"spacing_mm": [1.0, 1.0, 1.0]}})
    plan = decide(recipe, fingerprint(map(make, range(4)), table=None), dataset="d", table=None, machine=LAPTOP)
    cases = Cases(train=[lambda: make(0)], validation=[])
    task = find_task(plan.goal, table=None)
    drawn = Images(cases, plan=plan, task=task, folder=tmp_path, room=10**9, device=CPU).draw(0)[0]  # type: ignore[arg-type]
    assert slices_shown(drawn).tolist() == [[False] * 2 + [True] * 12 + [False] * 2]


def test_the_same_plan_gives_the_same_weights_also_from_mapped_files(tmp_path: Path) -> None:
    plan, one = learnt(sided, tmp_path / "one", count=8, tasks={"kind": "classification"}, training={"steps": 4})
    _, two = learnt(sided, tmp_path / "two", count=8, tasks={"kind": "classification"}, training={"steps": 4})
    first, second = load_file(one.weights), load_file(two.weights)
    assert all(torch.equal(first[name], second[name]) for name in first)
    cases = Cases(train=[lambda n=n: sided(n) for n in range(8)], validation=[])  # type: ignore[misc]
    task = find_task(plan.goal, table=None)
    drawn = [
        Images(cases, plan=plan, task=task, folder=tmp_path / str(room), room=room, device=CPU).draw(3)[0]  # type: ignore[arg-type]
        for room in (0, 10**9)
    ]
    assert torch.equal(*drawn)
    assert len(list((tmp_path / "0").iterdir())) > 0


@pytest.mark.parametrize("make", [sided, lesioned])
def test_a_stopped_run_of_whole_images_goes_on_to_the_same_bits(make: Make, tmp_path: Path) -> None:
    training = {"steps": 6, "deterministic": True}
    plan, whole = learnt(make, tmp_path / "whole", count=6, tasks={"kind": "classification"}, training=training)
    cases = Cases(train=[lambda n=n: make(n) for n in range(6)], validation=[])  # type: ignore[misc]

    def stop(moment: Progress) -> None:
        if moment.stage == "learn" and moment.step == 4:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ROOM, "_REPORT_SECONDS", 0.0)
        patch.setattr(ROOM, "_SAVE_SECONDS", 0.0)
        with pytest.raises(KeyboardInterrupt):
            fit(plan, cases, folder=tmp_path / "stopped", report=stop)
    resumed = fit(plan, cases, folder=tmp_path / "stopped")
    one, two = load_file(whole.weights), load_file(resumed.weights)
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_case_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    plan, _ = learnt(sided, tmp_path / "run", count=8, tasks={"kind": "classification"}, training={"steps": 1})
    coloured = case(7, np.zeros((3, 1, 8, 8)), label="left")
    unknown = replace(sided(3), facts={"label": Fact(value="above")})
    for wrong, words in ((coloured, "Case c7.*in colour"), (unknown, "Case c3: its 'label' is 'above'")):
        cases = Cases(train=[lambda one=wrong: one], validation=[])  # type: ignore[misc]
        with pytest.raises(InputError, match=words):
            fit(plan, cases, folder=tmp_path / wrong.id)


def test_what_was_not_learnt_is_said_by_name() -> None:
    assert "hardly better than by chance (auc 0.52)" in unlearnt_answers({"auc": 0.52}, never=())
    assert "'mild' was answered for none" in unlearnt_answers({"auc": 0.9}, never=("mild",))
    assert unlearnt_answers({"auc": 0.9, "loss": 0.1}, never=()) == ""
    rare = Goal(kind="classification", target=("label",), answers=("a", "b", "c"), counts=(5, 1, 0))
    assert "'c': the model will hardly ever" in rare_answers(rare)
    assert "A single case to learn from is 'b'" in rare_answers(rare)
    scores = torch.tensor([[2.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    never = never_answered(
        find_task(rare, table=None), rare, scores=scores, targets=torch.tensor([[0.0], [2.0], [1.0]])
    )  # type: ignore[arg-type]
    assert never == ("c",)
