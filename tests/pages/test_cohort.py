"""The page of a cohort holds its figures, findings and pictures, in both languages, and nothing from outside."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from isocenter.image import Affine, Label, LabelTable, Mask, Volume
from isocenter.pages.cohort import CohortPage, FactRows, GapRow, IssueRow, KindRow, write_cohort
from isocenter.pages.thumbnail import thumbnail
from isocenter.result import Score


def share(value: float) -> Score:
    return Score(name="sex", label="F", value=value, low=value - 0.1, high=value + 0.1, n=40)


def page(**more: object) -> CohortPage:
    kinds = tuple(
        KindRow(
            name=name, share=share(value), patients=20, cases=22, by_side={"train": 20, "test": 0}, by_class={"a": 0}
        )
        for name, value in (("F", 0.6), ("M", 0.4))
    )
    told: dict[str, object] = {
        "name": "chests", "version": "ab12", "cases": 44, "patients": 40, "sides": {"train": 40},
        "facts": (
            FactRows(name="sex", unit="", is_label=False, known=40, missing=2, kinds=kinds, effective=share(1.9)),
            FactRows(name="age", unit="years", is_label=False, known=40, missing=0, quantiles=(1, 2, 3, 4, 5, 6, 7),
                     edges=(1, 4, 7), counts=(3, 9)),
        ),
        "population": "a census", "gaps": (GapRow(fact="sex", kind="F", share=share(0.3), stated=0.5, verdict="less"),),
        "issues": (
            IssueRow(severity="stop", check="blur", where="case-7", figure="blurred", limit="sharp", mend="Look."),
        ),
        "named": {"case-7": b"png"}, "sample": {},
    }  # fmt: skip
    return CohortPage(**(told | more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("lang", "words"), [("en", ("fewer than there", "It cannot be used")), ("zh", ("偏少", "目前不能使用"))]
)
def test_the_page_says_what_was_found(tmp_path: Path, lang: str, words: tuple[str, ...]) -> None:
    write_cohort(page(), tmp_path / "c.html", lang=lang)
    text = (tmp_path / "c.html").read_text(encoding="utf-8")
    for word in (*words, "chests", "a census", "case-7", "0.600", "[0.500, 0.700]"):
        assert word in text, word
    assert "http" not in text.replace("http-equiv", "")


def test_a_word_of_the_data_is_never_markup(tmp_path: Path) -> None:
    write_cohort(page(name="<script>alert(1)</script>"), tmp_path / "c.html", lang="en")
    assert "<script>" not in (tmp_path / "c.html").read_text(encoding="utf-8")


def volume(shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> Volume:
    matrix = np.array([[0, 0, spacing[2], 0], [0, spacing[1], 0, 0], [spacing[0], 0, 0, 0], [0, 0, 0, 1]], float)
    return Volume(voxels=np.arange(np.prod(shape), dtype=np.int16).reshape(shape), affine=Affine(matrix=matrix))


def opened(png: bytes, tmp_path: Path) -> Image.Image:
    (tmp_path / "p.png").write_bytes(png)
    return Image.open(tmp_path / "p.png")


def test_a_picture_keeps_the_proportions_of_the_body(tmp_path: Path) -> None:
    assert opened(thumbnail(volume((5, 40, 20), (5.0, 1.0, 1.0))), tmp_path).size == (80, 160)
    assert opened(thumbnail(volume((5, 20, 20), (5.0, 1.0, 2.0))), tmp_path).size == (160, 80)


def test_a_picture_shows_the_slice_with_most_of_what_was_outlined(tmp_path: Path) -> None:
    image = volume((5, 40, 40), (5.0, 1.0, 1.0))
    labels = np.zeros((5, 40, 40), np.uint8)
    labels[3, 10:30, 10:30] = 1
    table = LabelTable(labels=(Label(value=1, name="mass", colour=(255, 0, 0)),))
    shown = np.asarray(opened(thumbnail(image, Mask(labels=labels, affine=image.affine, table=table)), tmp_path))
    red = (shown == (255, 0, 0)).all(axis=-1)
    assert red.any()
    assert red.sum() < 0.2 * red.size
