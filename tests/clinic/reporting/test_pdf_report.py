"""The printed report says what the page says: text that can be searched, pictures, fonts of its own, the same bytes."""

import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from isocenter.clinic.reporting import write_pdf
from isocenter.clinic.reporting.wording import tell
from isocenter.errors import NotFoundError
from isocenter.result import Prediction, Verdict
from isocenter.result.report import Report

pytest.importorskip("typst", reason="the extra 'report' is not installed")
Compose = Callable[..., Report]


@pytest.fixture
def poppler() -> None:
    """Skip where the programs that read the PDF again are not installed."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (Debian's poppler-utils) is not installed")


def written(report: Report, folder: Path, lang: str = "en") -> Path:
    path = folder / f"report.{lang}.pdf"
    write_pdf(report, path, lang=lang)
    return path


def said(*words: object) -> str:
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, check=True).stdout


def text_of(path: Path) -> str:
    """Return the text of a PDF in the order of its reading, single spaces, breaks within words of Chinese undone."""
    text = " ".join(said("pdftotext", path, "-").split())
    return re.sub(r"(?<=[\u3000-\u9fff\uff00-\uffef]) (?=[\u3000-\u9fff\uff00-\uffef])", "", text)


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


@pytest.mark.usefixtures("poppler")
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_word_of_the_report_can_be_searched(report: Compose, tmp_path: Path, lang: str) -> None:
    composed = report()
    told, seen = tell(composed, lang=lang), squeezed(text_of(written(composed, tmp_path, lang)))
    rows = [cell for row in told.rows for cell in (row.name, *row.cells)]
    sentences: Sequence[str] = (told.question, told.tested, told.found_note, *told.reasons, *told.limits, *rows)
    for sentence in (*sentences, *(panel.heading for panel in told.panels)):
        assert squeezed(sentence) in seen
    for origin in composed.origins:
        assert origin.receipt in seen
    assert "0.870[0.830,0.900]n=8" in seen, "figures within plots are text too"


@pytest.mark.usefixtures("poppler")
def test_it_is_tagged_a4_for_archives_and_bears_its_fonts(report: Compose, tmp_path: Path) -> None:
    path = written(report(), tmp_path)
    told = dict(line.split(":", 1) for line in said("pdfinfo", path).splitlines() if ":" in line)
    assert told["Tagged"].strip() == "yes"
    assert "A4" in told["Page size"]
    assert told["Title"].strip() == "Imaging report case-17"
    assert "2026" in told["CreationDate"]
    assert "Author" not in told
    raw = path.read_bytes()
    assert b"<pdfaid:part>2</pdfaid:part>" in raw
    assert b"<pdfaid:conformance>A</pdfaid:conformance>" in raw
    fonts = said("pdffonts", path).splitlines()[2:]
    assert all(re.search(r"\byes +yes +yes\b", line) for line in fonts), "embedded, subset, with Unicode"
    assert {re.split(r"[+ -]", line)[1] for line in fonts} <= {"NotoSansCJKsc", "DejaVuSansMono", "LibertinusSerif"}


@pytest.mark.usefixtures("poppler")
def test_pictures_and_their_outlines_are_drawn(report: Compose, tmp_path: Path) -> None:
    path = written(report(), tmp_path)
    said("pdftoppm", "-r", "40", "-png", path, tmp_path / "page")
    pages = [Image.open(one).convert("RGB") for one in sorted(tmp_path.glob("page-*.png"))]
    colours = {colour for page in pages for _, colour in page.getcolors(1_000_000) or ()}
    liver = report().findings[0].colour
    near = min(sum(abs(a - b) for a, b in zip(liver, colour, strict=True)) for colour in colours)
    assert near < 60, "the liver's colour, thinned by a resolution of 40 dots an inch"
    assert said("pdftotext", path, "-").count("Axial") == 5  # one in the overview, four from end to end


def test_the_same_report_gives_the_same_bytes(report: Compose, tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    assert written(report(), tmp_path).read_bytes() == written(report(), tmp_path / "again").read_bytes()


@pytest.mark.usefixtures("poppler")
def test_names_are_text_and_never_commands(report: Compose, prediction: Prediction, tmp_path: Path) -> None:
    evil = '#read("/etc/passwd") *bold* $x$ <label> \\u{41} 𠮷'
    verdict = Verdict(decision="no", reasons=(evil,))
    seen = text_of(written(report(prediction=replace(prediction, case=evil, verdict=verdict)), tmp_path))
    shown = evil.replace("𠮷", "□")  # a character beyond the fonts is a box, not a failure
    assert squeezed(shown) in squeezed(seen)
    assert "root:" not in seen


def test_a_language_that_is_not_there_is_refused_in_print_too(report: Compose, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="'de'"):
        written(report(), tmp_path, "de")
    assert not list(tmp_path.iterdir())
