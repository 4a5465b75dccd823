"""Scores of a reader: worked out by hand, by patient, by subgroup; readers here answer what they are told to."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pytest

from isocenter.case import Annotation, Case, Fact
from isocenter.errors import InputError, LabelError
from isocenter.image import Affine, LabelTable, Mask, Region, Volume
from isocenter.learning.inference.evaluate import evaluate, reference_mask
from isocenter.learning.inference.predict import Reader
from isocenter.learning.inference.scoring.outlines import Evaluation, Row, summary
from isocenter.metrics import dice
from isocenter.models.model import Model
from isocenter.result import Score

Body = Callable[..., tuple[Volume, Mask]]


@dataclass(frozen=True)
class Answer:
    mask: Mask


@dataclass(frozen=True)
class Shifted:
    """A reader of our own making: it finds the threshold outlines, moved by some voxels along the slices."""

    model: Model
    truth: Mask
    voxels: int

    def read(self, volumes: Mapping[str, Volume]) -> Answer:
        return Answer(replace_labels(self.truth, np.roll(self.truth.labels, self.voxels, axis=0)))


def replace_labels(mask: Mask, labels: np.ndarray) -> Mask:
    return Mask(labels=labels, affine=mask.affine, table=mask.table)


def case(
    body: Body, name: str, *, patient: str = "", sex: str = "F", mask: Mask | None = None, how: str = "manual"
) -> Case:
    volume, truth = body()
    return Case(
        id=name,
        patient=patient or name,
        volumes={"ct": volume},
        facts={"sex": Fact(value=sex), "age": Fact(value=50.0, unit="year")},
        annotations=(Annotation(reader="r1", mask=mask or truth, how=how),),  # type: ignore[arg-type]
    )


def found(evaluation: Evaluation, name: str, label: str) -> Score:
    return next(score for score in evaluation.scores if (score.name, score.label) == (name, label))


def test_a_perfect_reader_has_perfect_scores(trained: Model, body: Body) -> None:
    _, truth = body()
    reader = Shifted(model=trained, truth=truth, voxels=0)
    evaluation = evaluate(reader, [case(body, "a"), case(body, "b")], table=truth.table)
    for name in ("dice", "nsd"):  # a share: two perfect patients leave room for one in six (Clopper-Pearson)
        score = found(evaluation, name, "mean")
        assert (score.value, score.low, score.high, score.n) == (1.0, pytest.approx(0.025**0.5), 1.0, 2)
    for name in ("hd95", "volume_error", "volume_bias"):
        score = found(evaluation, name, "mean")
        assert (score.value, score.low, score.high, score.n) == (0.0, 0.0, 0.0, 2)


def test_a_reader_that_is_two_slices_off_is_at_most_2_mm_off(trained: Model, body: Body) -> None:
    _, truth = body()
    reader = Shifted(model=trained, truth=truth, voxels=2)
    evaluation = evaluate(reader, [case(body, "a")], table=truth.table, tolerance_mm=2.0)
    moved = np.roll(truth.labels, 2, axis=0)
    for name in truth.table.structures:
        value = truth.table.structures[name][0]
        assert found(evaluation, "dice", name).value == pytest.approx(dice(moved == value, truth.binary(name)))
        # along the slices it is 2 mm; where the outline slants the nearest point lies nearer
        assert 1.0 < found(evaluation, "hd95", name).value <= 2.0
        assert found(evaluation, "nsd", name).value == 1.0
        assert found(evaluation, "volume_error", name).value == 0.0
    assert found(evaluation, "dice", "mean").value == pytest.approx(
        np.mean([found(evaluation, "dice", name).value for name in truth.table.structures])
    )


def test_a_structure_that_was_missed_is_as_far_off_as_the_grid_is_large(trained: Model, body: Body) -> None:
    _, truth = body()
    blind = replace_labels(truth, np.where(truth.labels == 3, 0, truth.labels))
    evaluation = evaluate(Shifted(model=trained, truth=blind, voxels=0), [case(body, "a")], table=truth.table)
    assert found(evaluation, "dice", "liver").value == 0.0
    assert found(evaluation, "nsd", "liver").value == 0.0
    assert found(evaluation, "hd95", "liver").value == pytest.approx(float(np.linalg.norm(truth.shape)))
    assert found(evaluation, "volume_bias", "liver").value == -100.0


def test_a_tighter_tolerance_sees_it(trained: Model, body: Body) -> None:
    _, truth = body()
    reader = Shifted(model=trained, truth=truth, voxels=2)
    evaluation = evaluate(reader, [case(body, "a")], table=truth.table)
    assert evaluation.tolerance_mm == 1.0  # the longest step of the plan's grid
    assert found(evaluation, "nsd", "liver").value < 0.8


def test_subgroups_are_those_that_tell_cases_apart(trained: Model, body: Body) -> None:
    _, truth = body()
    reader = Shifted(model=trained, truth=truth, voxels=1)
    cases = [case(body, "a", sex="F"), case(body, "b", sex="F"), case(body, "c", sex="M")]
    groups = evaluate(reader, cases, table=truth.table).groups
    assert list(groups) == ["sex = F", "sex = M"]
    assert next(score.n for score in groups["sex = F"] if score.label == "mean") == 2
    one_sex = evaluate(reader, cases[:2], table=truth.table).groups
    assert one_sex == {}


def test_two_cases_of_a_patient_are_one_witness(trained: Model, body: Body) -> None:
    _, truth = body()
    reader = Shifted(model=trained, truth=truth, voxels=1)
    evaluation = evaluate(reader, [case(body, "a", patient="p"), case(body, "b", patient="p")], table=truth.table)
    assert found(evaluation, "dice", "mean").n == 1
    assert len(evaluation.rows) == 2 * 3


def test_voxels_that_nobody_judged_are_not_scored(trained: Model, body: Body) -> None:
    _, truth = body()
    table = replace(truth.table, ignore=255)
    labels = truth.labels.copy()
    labels[20:] = 255
    reader = Shifted(model=trained, truth=replace_labels(truth, np.where(labels == 255, 3, labels)), voxels=0)
    reference = Mask(labels=labels, affine=truth.affine, table=table)
    evaluation = evaluate(reader, [case(body, "a", mask=reference)], table=table)
    assert found(evaluation, "dice", "liver").value == 1.0


def test_structures_meet_by_name_not_by_number(trained: Model, body: Body) -> None:
    _, truth = body()
    table = LabelTable.of("liver", "spleen")
    reference = Mask(labels=(truth.labels == 3).astype(np.uint8), affine=truth.affine, table=table)
    reader = Shifted(model=trained, truth=truth, voxels=0)
    evaluation = evaluate(reader, [case(body, "a", mask=reference)], table=table)
    assert {row.structure for row in evaluation.rows} == {"liver"}
    assert found(evaluation, "dice", "liver").value == 1.0


def test_regions_are_scored_but_not_counted_in_the_mean(trained: Model, body: Body) -> None:
    _, truth = body()
    table = replace(truth.table, regions=(Region(name="lungs", values=(1, 2)),))
    model = replace(trained, description=replace(trained.description, table=table))
    reader = Shifted(model=model, truth=Mask(labels=truth.labels, affine=truth.affine, table=table), voxels=2)
    reference = Mask(labels=truth.labels, affine=truth.affine, table=table)
    evaluation = evaluate(reader, [case(body, "a", mask=reference)], table=table)
    organs = [found(evaluation, "dice", name).value for name in ("left lung", "right lung", "liver")]
    assert found(evaluation, "dice", "lungs").n == 1
    assert found(evaluation, "dice", "mean").value == pytest.approx(np.mean(organs))


def test_no_common_structure_is_refused(trained: Model, body: Body) -> None:
    reader = Shifted(model=trained, truth=body()[1], voxels=0)
    with pytest.raises(LabelError, match="share no name"):
        evaluate(reader, [case(body, "a")], table=LabelTable.of("brain"))


def test_a_case_without_outlines_is_named(trained: Model, body: Body) -> None:
    bare = replace(case(body, "case7"), annotations=())
    with pytest.raises(InputError, match="case7"):
        evaluate(Shifted(model=trained, truth=body()[1], voxels=0), [bare], table=body()[1].table)


def test_a_case_that_the_model_cannot_read_is_named(trained: Model, body: Body) -> None:
    wrong = case(body, "case9")
    wrong = replace(wrong, volumes={"ct": replace(wrong.volumes["ct"], modality="MR", unit="1")})
    with pytest.raises(InputError, match=r"case9.*is MR"):
        evaluate(Reader(trained), [wrong], table=body()[1].table)


def test_no_case_is_refused(trained: Model, body: Body) -> None:
    with pytest.raises(InputError, match="no case"):
        evaluate(Shifted(model=trained, truth=body()[1], voxels=0), [], table=body()[1].table)


def test_a_consensus_goes_before_a_reader(body: Body) -> None:
    volume, truth = body()
    empty = replace_labels(truth, np.zeros_like(truth.labels))
    annotations = (Annotation(reader="a", mask=empty), Annotation(reader="staple", mask=truth, how="consensus"))
    assert reference_mask(Case(id="c", patient="p", volumes={"ct": volume}, annotations=annotations)) is truth


def test_one_case_is_held_at_a_time(trained: Model, body: Body) -> None:
    told: list[int] = []

    def cases() -> Iterator[Case]:
        for place in range(3):
            assert told == list(range(1, place + 1))
            yield case(body, f"c{place}")

    evaluate(Shifted(model=trained, truth=body()[1], voxels=0), cases(), table=body()[1].table, progress=told.append)
    assert told == [1, 2, 3]


def test_an_evaluation_survives_its_document(trained: Model, body: Body) -> None:
    _, truth = body()
    empty = replace_labels(truth, np.where(truth.labels == 3, 0, truth.labels))
    reader = Shifted(model=trained, truth=empty, voxels=0)
    evaluation = evaluate(
        reader, [case(body, "a", mask=empty), case(body, "b", sex="M", mask=empty)], table=truth.table
    )
    document = evaluation.to_document()
    again = Evaluation.from_document(json.loads(json.dumps(document, allow_nan=False)))
    assert again.to_document() == document
    assert math.isnan(next(row for row in again.rows if row.structure == "liver").figures["dice"])


def test_volume_ratios_are_reference_over_found() -> None:
    figures = {"dice": 0.9, "nsd": 0.9, "hd95": 1.0, "volume_error": 25.0, "volume_bias": -20.0}
    rows = [
        Row(case=name, patient=name, structure="liver", figures=figures, found=ours, reference=theirs)
        for name, ours, theirs in (("a", 8.0, 10.0), ("b", 0.0, 10.0), ("c", 10.0, 0.0), ("d", 10.0, 5.0))
    ]
    evaluation = Evaluation(rows=tuple(rows), scores=summary(rows, labels=["liver"]), tolerance_mm=1.0)
    # nothing found says nothing of a finding (b); found where nothing is (c) says that a finding may be nothing
    assert evaluation.volume_ratios == {"liver": (1.25, 0.0, 0.5)}


def test_a_patient_with_many_cases_counts_once_among_the_ratios() -> None:
    figures = {"dice": 0.9, "nsd": 0.9, "hd95": 1.0, "volume_error": 25.0, "volume_bias": -20.0}
    rows = [
        Row(
            case=f"{patient}{number}",
            patient=patient,
            structure="liver",
            figures=figures,
            found=10.0,
            reference=ml,
        )
        for patient, mls in (("a", (5.0, 20.0)), ("b", (12.0,)))
        for number, ml in enumerate(mls)
    ]
    evaluation = Evaluation(rows=tuple(rows), scores=summary(rows, labels=["liver"]), tolerance_mm=1.0)
    assert evaluation.volume_ratios["liver"] == pytest.approx((0.5, 1.2))


def test_pictures_are_measured_in_mm2_and_those_of_unknown_size_in_pixels(trained: Model) -> None:
    table = LabelTable.of("liver")
    labels = np.zeros((1, 20, 20), np.uint8)
    labels[0, 5:15, 5:15] = 1
    affine = Affine.from_parts(origin=(0, 0, 0), directions=np.eye(3)[:, ::-1], spacing=(1.0, 0.5, 0.5))
    truth = Mask(labels=labels, affine=affine, table=table)

    def evaluated(*, has_size: bool) -> Evaluation:
        picture = Volume(voxels=labels, affine=affine, is_planar=True, has_size=has_size)
        one = Case(id="a", patient="a", volumes={"ct": picture}, annotations=(Annotation(reader="r", mask=truth),))
        channel = replace(trained.plan.channels[0], has_size=has_size)
        plan = replace(trained.plan, dimensions="2-D", channels=(channel,), spacing_mm=(1.0, 0.5, 0.5))
        model = replace(trained, description=replace(trained.description, plan=plan))
        moved = replace_labels(truth, np.roll(labels, 2, axis=1))
        return evaluate(Shifted(model=model, truth=moved, voxels=0), [one], table=table)

    sized, bare = evaluated(has_size=True), evaluated(has_size=False)
    assert (sized.rows[0].found, sized.rows[0].unit) == (pytest.approx(25.0), "mm²")
    assert (bare.rows[0].found, bare.rows[0].unit) == (100.0, "pixels")
    assert (found(sized, "hd95", "liver").value, found(sized, "hd95", "liver").unit) == (1.0, "mm")
    assert (found(bare, "hd95", "liver").value, found(bare, "hd95", "liver").unit) == (2.0, "pixels")
    assert (sized.tolerance_mm, sized.length_unit, bare.length_unit) == (0.5, "mm", "pixels")
