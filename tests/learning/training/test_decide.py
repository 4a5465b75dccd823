"""Plans for data sets of many kinds, without a voxel of them."""

from dataclasses import replace
from math import prod

import pytest

from isocenter.errors import PlanError
from isocenter.image import LabelTable
from isocenter.learning.training import Fingerprint, Machine, decide
from isocenter.learning.training.fingerprint import Values
from isocenter.models.ladder import divisor, ladder
from isocenter.recipe import Plan, recipe_from

TABLE = LabelTable.of("anterior", "posterior")
LAPTOP = Machine(cores=2, memory=24 * 10**9, bf16=True)
MR = Values(
    modality="MR", unit="1", low=0, median=100, high=900, inside_low=50, inside_high=500, inside_mean=200,
    inside_spread=60,
)  # fmt: skip
CT = replace(MR, modality="CT", unit="HU", low=-1000, inside_low=-120, inside_high=240, inside_mean=60)
CROPS = Fingerprint(
    shapes=((35, 50, 36), (39, 52, 37), (33, 48, 34), (39, 51, 36)), spacings_mm=((1.0, 1.0, 1.0),) * 4,
    is_planar=False, values={"image": MR}, voxels={"anterior": (9, 9, 9, 9)}, labelled=4,
)  # fmt: skip
ABDOMEN = Fingerprint(
    shapes=((60, 512, 512), (90, 512, 512), (50, 512, 512)), spacings_mm=((5.0, 0.8, 0.8),) * 3, is_planar=False,
    values={"image": CT}, labelled=3,
)  # fmt: skip
PICTURES = Fingerprint(
    shapes=((1, 400, 300),) * 5, spacings_mm=((1.0, 0.2, 0.2),) * 5, is_planar=True, values={"image": MR}, labelled=5
)


def planned(fingerprint: Fingerprint, *, machine: Machine = LAPTOP, **sections: dict[str, object]) -> Plan:
    return decide(recipe_from(sections), fingerprint, dataset="d", table=TABLE, machine=machine)


@pytest.mark.parametrize("fingerprint", [CROPS, ABDOMEN, PICTURES])
def test_every_plan_can_be_obeyed(fingerprint: Fingerprint) -> None:
    plan = planned(fingerprint)
    levels = ladder(spacing_mm=plan.spacing_mm, patch=plan.patch, depth=plan.depth)
    assert len(levels) == plan.depth + 1
    assert all(edge % step == 0 for edge, step in zip(plan.patch, divisor(levels), strict=True))
    assert plan == Plan.from_document(plan.to_document())


def test_every_decision_has_its_reason() -> None:
    keys = {
        "tasks.volumes", "inference.intensity (image)", "inference.spacing_mm", "inference.orientation",
        "inference.overlap", "models.width", "models.depth", "training.patch", "training.batch", "training.minutes",
        "training.steps", "training.rate", "training.weight_decay", "training.average", "training.precision",
        "training.foreground", "transforms.strength", "transforms.flips", "memory",
    }  # fmt: skip
    reasons = planned(CROPS).reasons
    assert keys <= set(reasons)
    assert all(reasons.values())


def test_small_crops_are_shown_whole() -> None:
    plan = planned(CROPS)
    assert plan.patch == (40, 56, 40)
    assert plan.spacing_mm == (1.0, 1.0, 1.0)
    assert plan.channels[0].scaling.kind == "zscore"


def test_a_ct_of_thick_slices_keeps_them_and_is_clipped_in_hu() -> None:
    plan = planned(ABDOMEN)
    assert plan.spacing_mm == (5.0, 0.8, 0.8)
    scaling = plan.channels[0].scaling
    assert (scaling.kind, scaling.low, scaling.high, scaling.shift) == ("percentiles", -120, 240, 60)
    assert plan.variation.rotation_degrees[1:] == (0, 0)
    assert prod(plan.patch) < 2**18
    assert plan.patch[0] < plan.patch[1]


def test_a_picture_stays_one_slice() -> None:
    plan = planned(PICTURES)
    assert plan.patch[0] == 1
    assert plan.variation.rotation_degrees[1:] == (0, 0)


def test_thick_slices_of_many_kinds_take_the_finer_tenth() -> None:
    mixed = replace(ABDOMEN, spacings_mm=((5.0, 0.8, 0.8), (5.0, 0.8, 0.8), (2.5, 0.8, 0.8)))
    assert 2.5 <= planned(mixed).spacing_mm[0] < 5


def test_a_window_is_shown_as_minus_one_to_one() -> None:
    scaling = planned(ABDOMEN, inference={"window_hu": [-150.0, 250.0]}).channels[0].scaling
    assert (scaling.kind, scaling.low, scaling.high, scaling.shift, scaling.scale) == ("window", -150, 250, 50, 200)


@pytest.mark.parametrize(("kind", "shift", "scale"), [("unit", 0, 900), ("symmetric", 450, 450)])
def test_values_can_be_laid_between_fixed_ends(kind: str, shift: float, scale: float) -> None:
    scaling = planned(CROPS, inference={"intensity": kind}).channels[0].scaling
    assert (scaling.shift, scaling.scale) == (shift, scale)


def test_several_channels_stand_in_the_order_asked() -> None:
    two = replace(CROPS, values={"t1": MR, "flair": MR})
    assert planned(two).roles == ("t1", "flair")
    assert planned(two, tasks={"volumes": ["flair", "t1"]}).roles == ("flair", "t1")


def test_a_role_that_not_every_case_has_is_refused() -> None:
    some = replace(CROPS, some_roles=("flair",))
    with pytest.raises(PlanError, match="only some"):
        planned(some, tasks={"volumes": ["flair"]})
    with pytest.raises(PlanError, match="Did you mean 'image'"):
        planned(some, tasks={"volumes": ["imag"]})


def test_the_last_budget_decides_the_steps() -> None:
    assert planned(CROPS, training={"steps": 7}).steps == 7
    assert planned(CROPS, training={"epochs": 10, "batch": 2}).steps == 20
    timed = planned(CROPS, training={"minutes": 3.0})
    assert (timed.minutes, timed.steps > 100) == (3.0, True)


def test_a_patch_that_cannot_be_halved_as_asked_names_one_that_can() -> None:
    with pytest.raises(PlanError, match=r"\[40, 56, 40\] can"):
        planned(CROPS, training={"patch": [39, 56, 40]}, models={"depth": 3})
    assert planned(CROPS, training={"patch": [36, 52, 36]}).depth == 2


def test_a_depth_that_cannot_be_reached_is_refused() -> None:
    with pytest.raises(PlanError, match=r"models\.depth = 6"):
        planned(CROPS, models={"depth": 6})


def test_unlabelled_cases_are_refused() -> None:
    with pytest.raises(PlanError, match="labelled"):
        planned(replace(CROPS, labelled=0))


def test_a_large_ct_fits_where_there_is_memory_and_is_refused_where_there_is_not() -> None:
    large = replace(ABDOMEN, shapes=((600, 512, 512),) * 3, spacings_mm=((1.0, 0.8, 0.8),) * 3)
    plan = planned(large)
    assert "GB" in plan.reasons["memory"]
    assert "coarser" in plan.reasons["inference.spacing_mm"]
    assert max(plan.spacing_mm) < 1.6  # no axis coarser than it must be
    with pytest.raises(PlanError, match=r"would take \d+\.\d GB; a plan may count on 1\.8"):
        planned(large, machine=replace(LAPTOP, memory=3 * 10**9), inference={"spacing_mm": [1.0, 0.8, 0.8]})


def test_a_patch_that_asks_for_the_impossible_is_refused_with_figures() -> None:
    with pytest.raises(PlanError, match=r"would take \d+\.\d GB.*training\.patch"):
        planned(ABDOMEN, training={"patch": [64, 512, 512], "batch": 32}, models={"width": 128})


def test_a_small_machine_gets_a_smaller_patch() -> None:
    small = planned(ABDOMEN, machine=replace(LAPTOP, memory=5 * 10**9))
    assert prod(small.patch) * small.batch <= prod(planned(ABDOMEN).patch) * planned(ABDOMEN).batch


def test_a_machine_without_bfloat16_computes_in_float32() -> None:
    assert planned(CROPS).precision == "bf16"
    assert planned(CROPS, machine=replace(LAPTOP, bf16=False)).precision == "fp32"
