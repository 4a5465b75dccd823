"""Changes in sentences, in both languages."""

import pytest

from isocenter.case import Change
from isocenter.errors import NotFoundError
from isocenter.pages.changes import tell_changes
from isocenter.pages.words import WORDS

CHANGES = (
    Change(kind="added", where="c1"),
    Change(kind="added", where="c2"),
    Change(kind="outline changed", where="c3", what="anna", before="0" * 64, after="1" * 64),
    Change(kind="fact", where="c4", what="label", before="well", after="sick"),
    Change(kind="fact", where="c4", what="age", before="61 a"),
    Change(kind="moved", where="p5", before="train", after="test"),
)


def test_like_changes_are_told_together_with_who_and_from_where() -> None:
    assert tell_changes(CHANGES, lang="en", labels=("label",)) == (
        "Cases added: 2 (c1, c2).",
        "Outlined otherwise by anna: 1 (c3).",
        "Labelled otherwise (label; nobody is named for it): 1 (c4: well → sick).",
        "Fact age changed: 1 (c4: 61 a → –).",
        "Patients moved from train to test: 1 (p5).",
    )


def test_the_same_in_chinese() -> None:
    told = tell_changes(CHANGES, lang="zh", labels=("label",))
    assert told[0] == "新增病例 2 例（c1、c2）。"
    assert told[-1] == "由训练移至测试的患者 1 名（p5）。"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_of_many_the_first_are_named_and_the_rest_counted(lang: str) -> None:
    (told,) = tell_changes([Change(kind="removed", where=f"c{n}") for n in range(50)], lang=lang)
    assert "50" in told
    assert "42" in told
    assert "c8" not in told


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nothing_is_said_to_be_nothing(lang: str) -> None:
    assert len(tell_changes([], lang=lang)) == 1


def test_every_kind_of_change_has_its_sentence() -> None:
    kinds = Change.__annotations__["kind"]
    assert {f"change.{kind.replace(' ', '_')}" for kind in kinds.__args__} <= set(WORDS)


def test_another_language_is_refused() -> None:
    with pytest.raises(NotFoundError, match="fr"):
        tell_changes(CHANGES, lang="fr")
