"""PDF is set without the machine's fonts, and says which extra it needs."""

import subprocess
import sys
from pathlib import Path

import pytest

from isocenter.pages.curves import Curve, draw_curve
from isocenter.pages.pdf import standalone, typeset
from isocenter.pages.words import WORDS

FONTS = Path(__file__).resolve().parents[2] / "src" / "isocenter" / "pages" / "fonts"


def test_the_fonts_have_every_sign_that_our_phrases_need() -> None:
    ranges = [line.split("-") for line in (FONTS / "covered.txt").read_text(encoding="ascii").split()]
    covered = {point for low, high in ranges for point in range(int(low, 16), int(high, 16) + 1)}
    needed = {ord(sign) for phrases in WORDS.values() for phrase in phrases for sign in phrase}
    assert {chr(point) for point in needed - covered} == set()
    assert len(covered) > 6763, "all of GB 2312's Chinese signs, and Latin"


def test_the_fonts_come_with_their_terms() -> None:
    terms = (FONTS / "OFL.txt").read_text(encoding="utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1" in terms
    assert "Adobe" in terms


def test_a_drawing_stands_alone_with_its_styles() -> None:
    drawing = standalone(draw_curve(Curve(name="loss", lines={"train": [(1, 1.0), (2, 0.5)]}), lang="en")).decode()
    assert drawing.startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    assert drawing.count("<style>") == 1
    assert "var(" not in drawing


def test_a_drawing_keeps_its_escapes() -> None:
    curve = Curve(name="dice", lines={"a <b> & c": [(1, 1.0), (2, 0.5)], "d": [(1, 1.0), (2, 0.5)]})
    assert "a &lt;b&gt; &amp; c" in standalone(draw_curve(curve, lang="en")).decode()


def test_without_the_extra_the_error_names_it() -> None:
    script = (
        "import sys; sys.modules['typst'] = None\n"
        "from pathlib import Path\nfrom isocenter.pages.pdf import typeset\n"
        "from isocenter.errors import MissingExtraError\n"
        "try:\n    typeset(Path('x.typ'), {}, files={}, at='2026-01-01T00:00:00Z', lang='en')\n"
        "except MissingExtraError as error:\n    print(error)"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "'isocenter[report]'" in told


def test_the_clock_in_a_pdf_is_the_one_that_was_given(tmp_path: Path) -> None:
    pytest.importorskip("typst", reason="the extra 'report' is not installed")
    template = tmp_path / "one.typ"
    template.write_text('#import "page.typ": *\n#show: page-of\n= #told.title\n', encoding="utf-8")
    values = {"title": "A title", "foot": "A foot"}
    made = [typeset(template, values, files={}, at=f"2026-0{month}-01T00:00:00Z", lang="en") for month in (1, 1, 2)]
    assert made[0] == made[1] != made[2]
    assert made[0].startswith(b"%PDF-1.7")
