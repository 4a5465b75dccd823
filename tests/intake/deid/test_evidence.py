"""Evidence names nobody, counts what leaves, and says it in both languages."""

from pathlib import Path

import pytest

from isocenter.intake.deid import cohort, risk, treat
from isocenter.intake.deid.evidence import Evidence
from isocenter.intake.deid.page import set_aside, write_all
from isocenter.intake.deid.profile.options import OPTIONS
from isocenter.intake.deid.profile.profile import Profile, Site
from isocenter.intake.deid.treated import Treated
from isocenter.pages.words import WORDS, reword


def evidence(*files: Treated, proved: bool = True, site: Site | None = None) -> Evidence:
    return Evidence(
        run="ab12", project="birds", at="2026-11-21T10:00:00Z", profile=Profile.of((), site=site), is_proved=proved,
        files=files,
    )  # fmt: skip


def released(number: int, patient: str = "P1", **more: object) -> Treated:
    told = {"kind": "dicom", "decision": "release", "name": f"dicom/{number}.dcm", "is_proved": True, **more}
    return Treated(number=number, patient=patient, **told)  # type: ignore[arg-type]


def test_bounds_count_files_patients_and_frames() -> None:
    found = evidence(released(1, frames=3), released(2, frames=1), released(3, "P2"), Treated(
        number=4, kind="other", decision="review", reason="strange"))  # fmt: skip
    assert [(one.what, one.found, one.of) for one in found.bounds] == [
        ("files", 0, 3), ("patients", 0, 2), ("frames", 0, 4),
    ]  # fmt: skip
    assert found.bounds[0].most == pytest.approx(1 - 0.05 ** (1 / 3))


def test_without_a_second_look_nothing_is_claimed() -> None:
    assert evidence(released(1), proved=False).bounds == ()


def test_the_pages_say_what_a_site_keeps_and_why(tmp_path: Path) -> None:
    site = Site(keep={0x00101010: "ages are what the study asks"}, remove=frozenset({0x00181030}))
    write_all(evidence(released(1), site=site), tmp_path)
    for lang in ("en", "zh"):
        page = (tmp_path / "evidence" / f"report.{lang}.html").read_text(encoding="utf-8")
        assert "(0010,1010)" in page
        assert "ages are what the study asks" in page


def test_nothing_to_look_at_makes_no_folder(tmp_path: Path) -> None:
    assert set_aside(evidence(released(1)), tmp_path / "review", tmp_path / "out") is None


def test_an_earlier_review_is_not_written_over(tmp_path: Path) -> None:
    doubtful = evidence(Treated(number=1, kind="other", decision="review", reason="strange"))
    places = [set_aside(doubtful, tmp_path / "review", tmp_path / "out") for _ in range(2)]
    assert [place and place.name for place in places] == ["out-review", "out-review-2"]


@pytest.mark.parametrize("word", OPTIONS)
def test_every_option_has_its_words_and_those_of_the_standard(word: str) -> None:
    assert WORDS[f"deid.option.{word}"][0] == OPTIONS[word].meaning


@pytest.mark.parametrize(
    "reason",
    [
        cohort.TWO_NUMBERS, cohort.TWO_PERSONS, treat._TWICE, treat._STRANGE, treat._DIRECTORY,
        f"A picture may be written on. {treat._LOOK}", f"Devices of modality US write into their pixels. {treat._LOOK}",
        f"It is a secondary capture: a picture of a screen. {treat._LOOK}",
        "pixels: a second reader still reads 3 line(s) of text",
    ],
)  # fmt: skip
def test_every_reason_has_its_chinese(reason: str) -> None:
    assert reword(reason, lang="zh") != reason


def test_risks_are_said_in_words_that_the_table_has() -> None:
    source = Path(risk.__file__).read_text(encoding="utf-8")
    for key in ("burned", "capture", "image_type"):
        sentence = WORDS[f"reason.deid.{key}"][0].removesuffix(f" {treat._LOOK}")
        assert sentence in source
