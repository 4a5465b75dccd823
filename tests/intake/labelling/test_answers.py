"""Questions and answers: an interview, an amended answer, a grown schema, a settled question, a dispute; by hand."""

import math
from collections.abc import Iterable

import numpy as np
import pytest

from isocenter.case import WHOLE, Asked, Entry, Level, Observation, Reading, Schema
from isocenter.errors import InputError, LabelError
from isocenter.image import Affine, LabelTable, Mask
from isocenter.intake.labelling import Staple, Vote
from isocenter.intake.labelling.agree import Measuring, agreement_of_answers
from isocenter.intake.labelling.amend import amended
from isocenter.intake.labelling.asked import Opened, doubts, ratings_of
from isocenter.intake.labelling.dispute import disputes
from isocenter.intake.labelling.interview import Interview, Question, Stopped
from isocenter.intake.labelling.settle import facts_of, settle
from isocenter.intake.labelling.version import grown

KIND = Level(name="kind", form="classes", words=("solid", "part-solid", "ground glass"))
SIZE = Level(name="size", form="number", unit="mm", least=1, most=100)
GRADE = Level(name="grade", form="grades", words=("1", "2", "3"))
SCHEMA = Schema(
    name="lungs",
    findings=(
        Asked(name=WHOLE, levels=(GRADE,)), Asked(name="effusion"),
        Asked(name="nodule", levels=(KIND, SIZE), several=True),
    ),
)  # fmt: skip


def interview(answers: Iterable[str]) -> tuple[tuple[tuple[Observation, ...], float | None], list[Question]]:
    left, asked = iter(answers), []

    def ask(question: Question) -> str:
        asked.append(question)
        return next(left)

    return Interview(schema=SCHEMA, ask=ask, case=(1, 1), shown="here").hold(), asked


def test_findings_are_asked_until_there_is_no_other() -> None:
    said = ["2", "no", "y", "part", "7", "y", "ground glass", "", "n", "75"]
    (seen, sure), asked = interview(said)
    assert [(one.finding, dict(one.levels)) for one in seen] == [
        (WHOLE, {"grade": "2"}), ("nodule", {"kind": "part-solid", "size": 7.0}), ("nodule", {"kind": "ground glass"}),
    ]  # fmt: skip
    assert sure == 0.75
    assert [one.text for one in asked][2:6] == [
        "Is there a nodule?",
        "nodule 1: kind?",
        "nodule 1: size?",
        "Another nodule?",
    ]


def test_an_answer_that_cannot_be_is_asked_again_with_the_reason() -> None:
    (seen, _), asked = interview(["9", "2", "", "maybe", "no", "no", ""])
    assert seen[0].levels == {"grade": "2"}
    told = [one.wrong for one in asked]
    assert "grade is '9'" in told[1]
    assert "effusion is ''" in told[3]  # whether it is there cannot be left open
    assert "effusion is 'maybe'" in told[4]


def test_stop_ends_the_interview() -> None:
    with pytest.raises(Stopped):
        interview(["2", "stop"])


def reading(reader: str = "anna", *, kinds: Iterable[str] = (), size: float = 5.0, grade: str = "2") -> Reading:
    seen = [Observation(finding="nodule", levels={"kind": kind, "size": size}) for kind in kinds]
    whole = Observation(finding=WHOLE, levels={"grade": grade})
    return Reading(reader=reader, asked=(WHOLE, "effusion", "nodule"), observations=(whole, *seen))


def test_an_amended_answer_keeps_what_was_not_changed() -> None:
    found = amended(reading(kinds=["solid"]), ["nodule.kind=ground glass", "effusion=yes", "grade=3"], SCHEMA)
    assert found.seen("nodule")[0].levels == {"kind": "ground glass", "size": 5.0}
    assert found.seen("effusion")
    assert found.seen(WHOLE)[0].levels == {"grade": "3"}
    assert (found.reader, found.how) == ("adjudicated", "adjudicated")
    assert not amended(reading(kinds=["solid", "solid"]), ["nodule=no"], SCHEMA).seen("nodule")


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("nodule.kind", "is no answer"), ("nodul=yes", "Did you mean 'nodule'"), ("nodule=perhaps", "nodule=yes or"),
        ("nodule.kind=solid", "stands 2 times"), ("grade=7", "grade is '7'"),
    ],
)  # fmt: skip
def test_an_amendment_that_cannot_be_is_refused(word: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        amended(reading(kinds=["solid", "solid"]), [word], SCHEMA)


def test_facts_say_whether_and_what_where_there_can_be_one() -> None:
    facts = facts_of(reading(kinds=["solid"]), SCHEMA)
    assert {name: fact.value for name, fact in facts.items()} == {
        "agreed-grade": "2", "agreed-effusion": "no", "agreed-nodule": "yes",
    }  # fmt: skip


def test_what_answers_show_grows_and_what_is_stated_stands() -> None:
    first = Schema(name="a", findings=(Asked(name=WHOLE, levels=(KIND,)),), is_stated=False)
    other = Level(name="kind", form="classes", words=("cystic",))
    second = Schema(name="b", findings=(Asked(name=WHOLE, levels=(other,)),), is_stated=False)
    assert first.joined(second).finding(WHOLE).level("kind").words == (*KIND.words, "cystic")
    stated = Schema(name="c", findings=(Asked(name=WHOLE, levels=(KIND,)),))
    assert stated.joined(second).finding(WHOLE) == stated.finding(WHOLE)
    assert second.joined(stated).finding(WHOLE) == stated.finding(WHOLE)
    with pytest.raises(LabelError, match="asked otherwise"):
        stated.joined(Schema(name="d", findings=(Asked(name=WHOLE, levels=(other,)),)))
    number = Level(name="kind", form="number")
    third = Schema(name="e", findings=(Asked(name=WHOLE, levels=(number,)),), is_stated=False)
    with pytest.raises(LabelError, match="Write a schema"):
        first.joined(third)


def test_a_table_grows_without_renumbering() -> None:
    table = grown(LabelTable.of("liver", "heart"), LabelTable.of("heart", "spleen"))
    assert {label.name: label.value for label in table} == {"liver": 1, "heart": 2, "spleen": 3}


@pytest.mark.parametrize(
    "wrong",
    [
        {"certainty": 1.2}, {"seconds": -1.0}, {"observations": (Observation(finding="cyst"),)},
    ],
)  # fmt: skip
def test_a_reading_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError):
        Reading(reader="a", **wrong)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no extent"):
        Observation(finding="nodule", box=((0, 1, 1), (1, 1, 2)))


def entries(*cases: Iterable[Reading]) -> list[Entry]:
    return [
        Entry(id=f"c{place}", patient=f"p{place}", volumes={"image": "0" * 64}, readings=tuple(said))
        for place, said in enumerate(cases)
    ]


def nothing(_: Entry) -> Opened:
    return Opened(masks={}, has_size=True)


def test_numbers_are_settled_by_their_median_and_with_weights_by_the_mean() -> None:
    schema = Schema(name="s", findings=(Asked(name="nodule", levels=(SIZE,)),))
    said = [
        Reading(reader=r, asked=("nodule",), observations=(Observation(finding="nodule", levels={"size": mm}),))
        for r, mm in (("a", 4.0), ("b", 5.0), ("c", 12.0))
    ]
    (_, size) = ratings_of(entries(said), schema)
    assert settle(size, Vote()).answers == settle(size, Staple()).answers == {"c0": 5.0}
    assert settle(size, Vote(weights={"a": 2, "b": 1, "c": 1, "d": 9})).answers == {"c0": pytest.approx(25 / 4)}


def test_a_level_of_a_finding_that_was_not_seen_is_no_answer() -> None:
    schema = Schema(name="s", findings=(Asked(name="nodule", levels=(KIND,)),))
    saw = Reading(
        reader="a", asked=("nodule",), observations=(Observation(finding="nodule", levels={"kind": "solid"}),)
    )
    saw_not, not_asked = Reading(reader="b", asked=("nodule",)), Reading(reader="c")
    there, kind = ratings_of(entries([saw, saw_not, not_asked]), schema)
    assert there.table[0] == pytest.approx([1, 0, math.nan], nan_ok=True)
    assert kind.table[0] == pytest.approx([0, math.nan, math.nan], nan_ok=True)


def test_findings_that_stand_several_times_are_matched_before_their_levels_are_compared() -> None:
    def marks(reader: str, *told: tuple[int, str]) -> Reading:
        seen = tuple(
            Observation(finding="nodule", levels={"kind": kind}, box=((0, at, 0), (1, at + 10, 10)))
            for at, kind in told
        )
        return Reading(reader=reader, asked=("nodule",), observations=seen)

    cases = [
        [marks("a", (0, "solid"), (50, "part-solid")), marks("b", (50, "part-solid"), (1, "solid"))],
        [marks("a", (0, "solid")), marks("b", (0, "solid"), (80, "solid"))],
        [marks("a"), marks("b")],
    ]
    found = {
        (one.score.name, one.score.label): one.score
        for one in agreement_of_answers(entries(*cases), SCHEMA, Measuring(rounds=50))
        if one.readers
    }
    assert found["kappa_cohen", "nodule.kind"].value == 1  # in another order, and still the same
    assert found["box_f1", "nodule"].value == pytest.approx((1 + 2 / 3) / 2)
    assert found["box_f1", "nodule"].n == 2  # where neither saw one there is nothing to match


def test_disputes_are_scaled_from_none_to_even() -> None:
    said = [reading("a", grade="1"), reading("b", grade="1"), reading("c", grade="2"), reading("d", grade="2")]
    one_off = [reading("a", grade="1"), reading("b", grade="2"), reading("c", grade="2"), reading("d", grade="2")]
    alike = [reading("a"), reading("b")]
    found = disputes(entries(one_off, said, alike), SCHEMA, nothing)
    assert [(one.case, one.share) for one in found] == [("c1", 1.0), ("c0", 0.5)]
    assert found[0].about == ("grade: a 1, b 1, c 2, d 2",)


def test_a_reading_of_another_image_is_left_out_and_told() -> None:
    other = Reading(reader="b", image="1" * 64, asked=(WHOLE,))
    (entry,) = entries([reading("a"), other])
    assert [one.check for one in doubts([entry])] == ["readings", "readings", "version of the image"]
    assert next(ratings_of([entry], SCHEMA)).readers == ("a",)


def test_a_mask_in_another_table_keeps_its_structures() -> None:
    affine = Affine.from_parts(origin=(0, 0, 0), directions=np.eye(3), spacing=(1, 1, 1))
    mask = Mask(labels=np.array([[[0, 1, 2]]]), affine=affine, table=LabelTable.of("heart", "liver"))
    assert mask.in_table(LabelTable.of("liver", "spleen", "heart")).labels.tolist() == [[[0, 3, 1]]]
    with pytest.raises(LabelError, match="'heart' is outlined"):
        mask.in_table(LabelTable.of("liver"))
