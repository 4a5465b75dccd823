"""Runs on small phantoms: they learn, go on where they were, and say what is wrong."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from isocenter.case import Annotation, Case
from isocenter.errors import InputError, TrainingError
from isocenter.image import Affine, Label, LabelTable, Mask, Region, Volume
from isocenter.learning.training import Cases, Progress, decide, fingerprint, fit
from isocenter.learning.training.watch import Watch, unfound_structures
from isocenter.recipe import Plan, recipe_from

TABLE = LabelTable.of("ball", "box")
ROOM = import_module("isocenter.learning.training.fit")  # the name `fit` is the function's
Loader = Callable[[], Case]


def phantom(number: int, *, table: LabelTable = TABLE, empty: bool = False) -> Case:
    """Return a case of 18 × 20 × 14 voxels with a bright ball and a dark box in noise."""
    rng = np.random.default_rng(number)
    s, r, c = np.indices((18, 20, 14))
    centre = rng.integers(5, 9, 3)
    labels = np.zeros((18, 20, 14), dtype=np.uint8)
    labels[(s - centre[0]) ** 2 + (r - centre[1]) ** 2 + (c - centre[2]) ** 2 < 14] = 1
    if len(table) > 1:
        labels[12:16, 12:17, 3:9] = 2
    voxels = (rng.normal(0, 10, labels.shape) + np.array([0, 60, -60])[labels]).astype(np.int16)
    affine = Affine.from_parts(origin=(0, 0, 0), directions=np.eye(3)[:, ::-1], spacing=(1, 1, 1))
    mask = Mask(labels=labels * (not empty), affine=affine, table=table)
    annotation = Annotation(reader="r", mask=mask)
    image = Volume(voxels=voxels, affine=affine)
    return Case(id=f"c{number}", patient=f"p{number}", volumes={"image": image}, annotations=(annotation,))


def loaders(count: int, *, first: int = 0, table: LabelTable = TABLE, empty: bool = False) -> list[Loader]:
    return [lambda n=n: phantom(n, table=table, empty=empty) for n in range(first, first + count)]  # type: ignore[misc]


def cases(count: int = 3) -> Cases:
    return Cases(train=loaders(count), validation=loaders(2, first=50), table=TABLE)


def test_three_cases_are_enough_to_learn_a_bright_ball_and_a_dark_box(
    tmp_path: Path, make_plan: Callable[..., Plan]
) -> None:
    seen: list[Progress] = []
    fitted = fit(make_plan(steps=60, rate=0.01), cases(), folder=tmp_path, report=seen.append)
    assert fitted.scores["mean"] > 0.8  # 60 dB of contrast apart: anything less has not learnt
    assert fitted.steps == 60
    assert {moment.stage for moment in seen} == {"prepare", "learn"}
    assert seen[-1].step == seen[-1].steps == 60
    assert seen[-1].seconds_left == 0
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["fitted.json", "weights.safetensors"]


def test_a_run_that_has_ended_is_handed_back(tmp_path: Path, make_plan: Callable[..., Plan]) -> None:
    first = fit(make_plan(steps=2), cases(), folder=tmp_path)
    began = time.monotonic()
    again = fit(make_plan(steps=2), cases(), folder=tmp_path)
    assert again == first
    assert time.monotonic() - began < 0.5  # nothing is prepared, nothing learnt


def test_the_same_plan_gives_the_same_weights(tmp_path: Path, make_plan: Callable[..., Plan]) -> None:
    runs = [fit(make_plan(steps=4), cases(), folder=tmp_path / name) for name in "ab"]
    one, two = (load_file(run.weights) for run in runs)
    assert all(torch.equal(one[name], two[name]) for name in one)
    other = load_file(fit(make_plan(steps=4, seed=1), cases(), folder=tmp_path / "c").weights)
    assert not all(torch.equal(one[name], other[name]) for name in one)


def test_a_run_stopped_by_hand_goes_on_as_if_nothing_had_been(tmp_path: Path, make_plan: Callable[..., Plan]) -> None:
    plan = make_plan(steps=12)
    whole = fit(plan, cases(), folder=tmp_path / "whole")

    def stop(moment: Progress) -> None:
        if moment.stage == "learn" and moment.step >= 1:
            raise KeyboardInterrupt

    stopped = tmp_path / "stopped"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ROOM, "_REPORT_SECONDS", 0.0)
        with pytest.raises(KeyboardInterrupt):
            fit(plan, cases(), folder=stopped, report=stop)
    assert (stopped / "checkpoint.safetensors").is_file()
    resumed = fit(plan, cases(), folder=stopped)
    one, two = load_file(whole.weights), load_file(resumed.weights)
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_run_stopped_in_the_midst_of_a_step_repeats_that_step(tmp_path: Path, make_plan: Callable[..., Plan]) -> None:
    plan = make_plan(steps=6, deterministic=True)
    whole = fit(plan, cases(), folder=tmp_path / "whole")
    taken = torch.optim.AdamW.step
    stops = iter([False, False, True])

    def stopped(self: torch.optim.AdamW) -> None:
        if next(stops):
            raise KeyboardInterrupt  # the step has its number already, the weights have not moved
        taken(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ROOM, "_SAVE_SECONDS", 0.0)
        patch.setattr(torch.optim.AdamW, "step", stopped)
        with pytest.raises(KeyboardInterrupt):
            fit(plan, cases(), folder=tmp_path / "stopped")
    resumed = fit(plan, cases(), folder=tmp_path / "stopped")
    one, two = load_file(whole.weights), load_file(resumed.weights)
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_what_a_run_killed_at_its_very_end_left_is_taken_away(tmp_path: Path, make_plan: Callable[..., Plan]) -> None:
    done = fit(make_plan(steps=2), cases(), folder=tmp_path)
    (tmp_path / "checkpoint.safetensors").write_bytes(b"of the last minute")
    (tmp_path / "prepared").mkdir()
    assert fit(make_plan(steps=2), cases(), folder=tmp_path) == done
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["fitted.json", "weights.safetensors"]
    (tmp_path / "fitted.json").write_text("{")
    with pytest.raises(TrainingError, match=r"fitted\.json.*damaged.*Delete it"):
        fit(make_plan(steps=2), cases(), folder=tmp_path)


def test_a_damaged_checkpoint_is_named(tmp_path: Path, make_plan: Callable[..., Plan]) -> None:
    (tmp_path / "checkpoint.safetensors").write_bytes(b"not tensors at all")
    with pytest.raises(TrainingError, match=r"checkpoint\.safetensors.*damaged.*Delete it"):
        fit(make_plan(), cases(), folder=tmp_path)


def test_another_plans_checkpoint_is_refused(tmp_path: Path, make_plan: Callable[..., Plan]) -> None:
    def stop(moment: Progress) -> None:
        if moment.stage == "learn":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(make_plan(steps=2), cases(), folder=tmp_path, report=stop)
    with pytest.raises(TrainingError, match="not of"):
        fit(make_plan(steps=3), cases(), folder=tmp_path)


def test_a_full_disk_is_said_in_plain_words(tmp_path: Path, make_plan: Callable[..., Plan]) -> None:
    (tmp_path / ".weights.safetensors.part").symlink_to("/dev/full")
    with pytest.raises(TrainingError, match=r"disk is full.*MB.*goes on"):
        fit(make_plan(steps=2), cases(), folder=tmp_path)
    fitted = fit(make_plan(steps=2), cases(), folder=tmp_path)  # the link is gone: there is room again
    assert fitted.weights.stat().st_size > 1000


def test_a_rate_that_explodes_is_said_in_plain_words(tmp_path: Path, make_plan: Callable[..., Plan]) -> None:
    with pytest.raises(TrainingError, match=r"At step \d+ the loss became nan.*training\.rate"):
        fit(make_plan(steps=50, rate=1e30), cases(), folder=tmp_path)


def test_labels_that_say_nothing_are_refused_before_an_hour_is_spent(
    tmp_path: Path, make_plan: Callable[..., Plan]
) -> None:
    nothing = Cases(train=loaders(2, empty=True), validation=[], table=TABLE)
    with pytest.raises(TrainingError, match="nothing to learn"):
        fit(make_plan(), nothing, folder=tmp_path)


def test_a_case_that_does_not_fit_the_plan_is_named(tmp_path: Path, make_plan: Callable[..., Plan]) -> None:
    other = LabelTable.of("ball")  # the cases hold a box as well
    with pytest.raises(InputError, match=r"Case c0: The mask holds \[2\]"):
        fit(make_plan(), Cases(train=loaders(1), validation=[], table=other), folder=tmp_path)


def test_a_structure_that_no_case_has_is_told(tmp_path: Path, make_plan: Callable[..., Plan]) -> None:
    three = LabelTable.of("ball", "box", "star")
    fitted = fit(make_plan(steps=2), Cases(train=loaders(2, table=three), validation=[], table=three), folder=tmp_path)
    assert any("'star'" in words and "never find it" in words for words in fitted.notices)
    # told before the first step: a run that goes on would be measured by a loss that is no number
    assert all(math.isfinite(moment.loss) for moment in fitted.history)


def test_one_structure_and_no_validation_will_do(tmp_path: Path, make_plan: Callable[..., Plan]) -> None:
    one = LabelTable.of("ball")
    fitted = fit(make_plan(steps=2), Cases(train=loaders(1, table=one), validation=[], table=one), folder=tmp_path)
    assert fitted.scores == {}
    assert fitted.notices == ()


def test_a_budget_in_minutes_ends_by_the_clock(tmp_path: Path, make_plan: Callable[..., Plan]) -> None:
    began = time.monotonic()
    fitted = fit(make_plan(minutes=0.05, steps=100), cases(), folder=tmp_path)  # the steps are an estimate
    # 3 s, and what one step, the last look and writing take on a busy machine
    assert 3 <= time.monotonic() - began < 8
    assert fitted.steps > 1


def test_preparing_longer_than_the_budget_is_told(tmp_path: Path, make_plan: Callable[..., Plan]) -> None:
    with pytest.raises(TrainingError, match=r"Preparing the cases took.*training\.minutes"):
        fit(make_plan(minutes=1e-6), cases(), folder=tmp_path)


def test_cases_that_do_not_fit_into_memory_are_mapped_from_files(
    tmp_path: Path, make_plan: Callable[..., Plan]
) -> None:
    held = fit(make_plan(steps=3), cases(), folder=tmp_path / "held")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ROOM, "SHELF_SHARE", 0.0)
        mapped = fit(make_plan(steps=3), cases(), folder=tmp_path / "mapped")
    one, two = load_file(held.weights), load_file(mapped.weights)
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not (tmp_path / "mapped" / "prepared").exists()


def test_a_run_that_wins_nothing_by_half_time_is_stopped(make_plan: Callable[..., Plan]) -> None:
    watch = Watch(make_plan())
    for step in range(1, 200):
        watch.see(step, 1.5, share=step / 400)
    with pytest.raises(TrainingError, match=r"not learning: after 200 steps.*isocenter check"):
        watch.see(200, 1.5, share=0.5)


def test_a_run_that_goes_on_is_measured_by_how_it_began(make_plan: Callable[..., Plan]) -> None:
    watch = Watch(make_plan(), first=2.0)
    for step in range(300, 400):
        watch.see(step, 0.3, share=step / 400)  # flat, and well below where it began


def test_one_odd_step_after_a_stop_does_not_end_a_run(make_plan: Callable[..., Plan]) -> None:
    watch = Watch(make_plan(), first=2.0)
    watch.see(300, 2.4, share=0.75)
    for step in range(301, 400):
        watch.see(step, 0.3, share=step / 400)


def test_what_was_never_found_is_told_by_name() -> None:
    assert "'box'" in unfound_structures({"ball": 0.8, "box": 0.0, "mean": 0.4})
    assert unfound_structures({"ball": 0.8, "mean": 0.8}) == ""


def test_two_channels_thick_slices_a_region_and_an_ignore_label_go_all_the_way(tmp_path: Path) -> None:
    table = LabelTable(
        labels=(Label(value=2, name="ball"), Label(value=5, name="box")),
        regions=(Region(name="both", values=(2, 5)),),
        ignore=9,
    )

    def load(number: int) -> Case:
        plain = phantom(number)
        thick = Affine.from_parts(origin=(0, 0, 0), directions=np.eye(3)[:, ::-1], spacing=(5, 0.8, 0.8))
        labels = np.array([0, 2, 5], dtype=np.uint8)[plain.annotations[0].mask.labels]
        labels[0] = 9
        first = replace(plain.volumes["image"], affine=thick, modality="MR")
        mask = Mask(labels=labels, affine=thick, table=table)
        volumes = {"t1": first, "flair": replace(first, voxels=first.voxels * 2)}
        return replace(plain, volumes=volumes, annotations=(Annotation(reader="r", mask=mask),))

    learnt: list[Loader] = [lambda: load(1), lambda: load(2), lambda: load(3)]
    seen = fingerprint((one() for one in learnt), table=table)
    recipe = recipe_from({"training": {"steps": 3}, "models": {"width": 8}})
    plan = decide(recipe, seen, dataset="d", table=table)
    assert plan.roles == ("t1", "flair")
    fitted = fit(plan, Cases(train=learnt, validation=learnt[:1], table=table), folder=tmp_path)
    assert set(fitted.scores) == {"ball", "box", "both", "mean"}


def test_a_stack_is_outlined_slice_by_slice_with_its_neighbours(tmp_path: Path) -> None:
    learnt = loaders(3)
    seen = fingerprint((one() for one in learnt), table=TABLE)
    recipe = recipe_from({"training": {"steps": 60}, "models": {"width": 8, "dimensions": "2.5-D", "neighbours": 1}})
    plan = decide(recipe, seen, dataset="d", table=TABLE)
    assert (plan.dimensions, plan.neighbours) == ("2.5-D", 1)
    fitted = fit(plan, Cases(train=learnt, validation=loaders(2, first=50), table=TABLE), folder=tmp_path)
    assert fitted.scores["mean"] > 0.6


def test_pictures_in_colour_are_outlined(tmp_path: Path) -> None:
    def load(number: int) -> Case:
        rng = np.random.default_rng(number)
        labels = np.zeros((1, 40, 44), dtype=np.uint8)
        r, c = rng.integers(4, 24, 2)
        labels[0, r : r + 12, c : c + 12] = 1
        other = np.roll(labels, 20, axis=2)
        voxels = rng.normal(90, 8, (3, *labels.shape))
        voxels[0] += 80 * labels
        voxels[2] += 80 * other
        affine = Affine.from_parts(origin=(0, 0, 0), directions=np.eye(3)[:, ::-1], spacing=(1, 1, 1))
        image = Volume(voxels=voxels.clip(0, 255).astype(np.uint8), affine=affine, is_planar=True, has_size=False)
        mask = Mask(labels=labels, affine=affine, table=one)
        return Case(
            id=f"c{number}", patient=f"p{number}", volumes={"image": image},
            annotations=(Annotation(reader="r", mask=mask),),
        )  # fmt: skip

    one = LabelTable.of("red")
    learnt: list[Loader] = [lambda n=n: load(n) for n in range(6)]  # type: ignore[misc]
    seen = fingerprint((each() for each in learnt), table=one)
    plan = decide(recipe_from({"training": {"steps": 60}, "models": {"width": 8}}), seen, dataset="d", table=one)
    assert (plan.inputs, plan.dimensions) == (3, "2-D")
    shown: list[Loader] = [lambda n=n: load(n) for n in range(60, 63)]  # type: ignore[misc]
    fitted = fit(plan, Cases(train=learnt, validation=shown, table=one), folder=tmp_path)
    assert fitted.scores["red"] > 0.8  # the blue square beside it is as bright: only its colour tells
