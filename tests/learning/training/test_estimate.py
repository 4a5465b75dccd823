"""What a run will take, measured on a few of its steps."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from isocenter.errors import PlanError
from isocenter.image import LabelTable
from isocenter.learning.training import Cases
from isocenter.learning.training.estimate import Costs, Spent, Ways, estimated, reading_memory, require_room, ways_of
from isocenter.learning.training.fingerprint import Fingerprint, Values
from isocenter.learning.training.plan.machine import Machine
from isocenter.learning.training.trial import Trial, attempt
from isocenter.recipe import Goal, Plan
from isocenter.recipe.plan import Estimate
from tests.learning.training import test_fit

TABLE = LabelTable.of("ball", "box")
WAYS = Ways(spent=Spent(looking=0.1), validation=1)


def fingerprint(shape: tuple[int, int, int] = (18, 20, 14), *, cases: int = 3) -> Fingerprint:
    values = Values(
        modality="MR", unit="1", low=0, median=1, high=2, inside_low=0, inside_high=2, inside_mean=1, inside_spread=1
    )
    return Fingerprint(
        shapes=(shape,) * cases, spacings_mm=((1.0, 1.0, 1.0),) * cases, is_planar=False, values={"image": values},
        voxels={"ball": (10,) * cases, "box": (10,) * cases}, labelled=cases,
    )  # fmt: skip


def test_a_wider_network_takes_more_memory(make_plan: Callable[..., Plan]) -> None:
    narrow, wide = (attempt(make_plan(width=width, patch=(32, 32, 32)), table=TABLE) for width in (4, 48))
    assert wide.memory_bytes > 1.5 * narrow.memory_bytes
    assert min(wide.step_seconds, wide.read_seconds) > 0  # how long depends on who else is at work here


def test_outlining_a_large_case_at_the_end_is_counted(make_plan: Callable[..., Plan]) -> None:
    small, large = (
        reading_memory(make_plan(), fingerprint(shape, cases=1), table=TABLE)
        for shape in ((18, 20, 14), (200, 400, 400))
    )
    # image, labels and what resampling takes: more than ten bytes for each of 32 million voxels, and no kilobytes
    assert 320_000_000 < large - small < 3_200_000_000
    graded = make_plan(goal=Goal(kind="grading", target=("grade",), answers=("0", "1")))
    assert reading_memory(graded, fingerprint(), table=None) == 0


def test_minutes_become_steps_before_a_deterministic_run_begins(make_plan: Callable[..., Plan]) -> None:
    plan = make_plan(minutes=0.5, deterministic=True)
    seen = estimated(plan, fingerprint(), table=TABLE, ways=WAYS)
    assert seen.minutes == 0
    assert seen.steps >= 10
    assert "must not depend on the clock" in seen.reasons["training.steps"]
    assert seen.estimate is not None
    assert seen.estimate.seconds > 25  # the steps fill the half minute; planning and reading come on top


def test_a_plan_that_does_not_fit_is_refused_with_the_number(
    make_plan: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    small = replace(Machine.here(), memory=400_000_000)
    monkeypatch.setattr(Machine, "here", classmethod(lambda _: small))
    with pytest.raises(PlanError, match=r"would take \d\.\d GB.*0\.2 of this machine's 0\.4 GB.*batch"):
        estimated(make_plan(), fingerprint(), table=TABLE, ways=WAYS)


def test_steps_that_cannot_be_taken_say_why(make_plan: Callable[..., Plan]) -> None:
    with pytest.raises(PlanError, match="failed"):
        attempt(make_plan(patch=(15, 16, 16), depth=2), table=TABLE)


def test_steps_are_tried_with_the_threads_that_will_take_them_and_none_of_the_users_files(
    make_plan: Callable[..., Plan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torch.py").write_text("raise SystemExit('not torch')")
    monkeypatch.chdir(tmp_path)
    assert attempt(make_plan(patch=(8, 8, 8), depth=1, deterministic=True), table=TABLE).step_seconds > 0


def test_what_a_loss_refuses_is_said_in_its_own_words(make_plan: Callable[..., Plan]) -> None:
    goal = Goal(kind="segmentation", loss="dice", smoothing=0.1)
    with pytest.raises(PlanError, match=r"failed: The loss 'dice' knows no label smoothing.*Leave it out"):
        attempt(make_plan(goal=goal, patch=(8, 8, 8), depth=1), table=TABLE)


def test_a_plan_kept_from_a_larger_machine_is_refused_with_the_number(make_plan: Callable[..., Plan]) -> None:
    there = Machine.here().memory
    require_room(make_plan())
    require_room(make_plan(estimate=Estimate(memory_bytes=there // 2, seconds=1)))
    with pytest.raises(PlanError, match=r"would take \d+\.\d GB, as measured where it was begun"):
        require_room(make_plan(estimate=Estimate(memory_bytes=there, seconds=1)))


def test_cases_are_timed_as_a_run_prepares_them(make_plan: Callable[..., Plan]) -> None:
    cases = Cases(train=test_fit.loaders(2), validation=test_fit.loaders(17), table=test_fit.TABLE)
    found = ways_of(make_plan(), cases, spent=Spent(looking=3.0))
    assert 0 < found.prepared_seconds < 2
    # of seventeen every third one is looked at, eight at most
    assert (found.shown, found.validation, found.spent.looking) == (6, 17, 3.0)
    trial = Trial(step_seconds=0.1, read_seconds=0.0, memory_bytes=0)
    quick, slow = (
        Costs.of(make_plan(), fingerprint(cases=2), trial=trial, ways=replace(found, prepared_seconds=taken))
        for taken in (0.0, 9.0)
    )
    # one to measure; two to learn from and six that are shown; seventeen that are read at the end
    taken = slow.seconds(make_plan()) - quick.seconds(make_plan())
    assert taken == pytest.approx(9 * (1 + 2 + 6 + 17))


RUN = """
import json, sys
sys.path.insert(0, sys.argv[1])
import test_fit
from pathlib import Path
from test_estimate import TABLE, WAYS, fingerprint
from isocenter.learning.training import fit
from isocenter.learning.training.estimate import estimated
from isocenter.learning.training.plan.machine import memory_peak
from isocenter.recipe import Plan
[load() for load in test_fit.loaders(3)]
plan = estimated(Plan.from_document(json.loads(sys.argv[3])), fingerprint(), table=TABLE, ways=WAYS)
fit(plan, test_fit.cases(), folder=Path(sys.argv[2]))
print(json.dumps([plan.estimate.memory_bytes, memory_peak()]))
"""


def test_memory_comes_to_what_was_expected(tmp_path: Path, make_plan: Callable[..., Plan]) -> None:
    plan = make_plan(width=24, patch=(32, 32, 32), steps=6)
    arguments = [str(Path(__file__).parent), str(tmp_path / "run"), json.dumps(plan.to_document())]
    done = subprocess.run([sys.executable, "-c", RUN, *arguments], check=True, capture_output=True, text=True)
    expected, taken = json.loads(done.stdout.splitlines()[-1])
    assert np.isclose(expected, taken, rtol=0.25)
