"""Both languages say everything, with the same blanks to fill."""

import re
from string import Formatter

import pytest

from isocenter.errors import NotFoundError
from isocenter.pages.words import LANGUAGES, WORDS, reword, say


def blanks(phrase: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(phrase) if name}


@pytest.mark.parametrize("key", WORDS)
def test_a_phrase_stands_in_both_languages_with_the_same_blanks(key: str) -> None:
    english, chinese = WORDS[key]
    assert english.strip()
    assert chinese.strip()
    assert blanks(english) == blanks(chinese)
    assert not re.search(r"[\u4e00-\u9fff]", english), "the first phrase is the English one"


def test_chinese_phrases_are_chinese() -> None:
    # figures, units and "n" alone are the same in every language
    neutral = {"found.patients", "change.comma"}
    foreign = [key for key, (_, zh) in WORDS.items() if not re.search(r"[\u4e00-\u9fff]", zh)]
    assert set(foreign) <= neutral


def test_no_english_phrase_stands_for_two_chinese_ones() -> None:
    """`reword` looks phrases up by what they say; whole sentences must be told apart."""
    seen: dict[str, str] = {}
    for english, chinese in WORDS.values():
        if english.endswith("."):
            assert seen.setdefault(english, chinese) == chinese


def test_a_reason_kept_in_english_is_shown_in_chinese() -> None:
    reason = say("reason.unchecked", lang="en")
    assert reword(reason, lang="zh") == say("reason.unchecked", lang="zh")
    assert reword(reason, lang="en") == reason
    assert reword("Something the table does not know.", lang="zh") == "Something the table does not know."


def test_a_note_with_blanks_is_shown_in_chinese_with_what_fills_them() -> None:
    note = say("note.strange_grade", lang="en", count=3, name="'IV'")
    assert reword(note, lang="zh") == say("note.strange_grade", lang="zh", count=3, name="'IV'")
    assert reword(note, lang="en") == note
    assert reword("No SEG was written. The slices overlap.", lang="zh") == "未写出 SEG 文件。The slices overlap."


@pytest.mark.parametrize(
    ("key", "lang", "told"),
    [("no.such", "en", "no.such"), ("found.title", "fr", "fr"), ("limit.few", "en", "'n'")],
)
def test_what_cannot_be_said_is_an_error_that_names_it(key: str, lang: str, told: str) -> None:
    with pytest.raises(NotFoundError, match=told):
        say(key, lang=lang)


def test_there_are_two_languages() -> None:
    assert LANGUAGES == ("en", "zh")
