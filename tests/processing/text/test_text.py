"""Text in pictures is found by both readers, in either script, upright and turned; what is no text is not."""

import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter

from isocenter.errors import MissingExtraError
from isocenter.plugins import find
from isocenter.processing.text import READERS
from isocenter.processing.text.find import enlarged, find_text, merged
from isocenter.processing.text.line import Line, Reader
from isocenter.processing.text.tesseract import TesseractReader

FONT = Path(__file__).resolve().parents[3] / "src" / "isocenter" / "pages" / "fonts" / "NotoSansSC-Regular.otf"


@pytest.fixture(scope="module")
def reader() -> Reader:
    """Return the reader of the first look."""
    pytest.importorskip("rapidocr")
    made: Reader = find("rapidocr", table=READERS, group="isocenter.readers")()  # type: ignore[operator]
    return made


@pytest.fixture(scope="module")
def second() -> Reader:
    """Return the reader of the second look."""
    if shutil.which("tesseract") is None:
        pytest.skip("tesseract (Debian's tesseract-ocr) is not installed")
    made: Reader = find("tesseract", table=READERS, group="isocenter.readers")()  # type: ignore[operator]
    return made


def written(text: str, *, size: int = 24, level: int = 255, turned: bool = False) -> npt.NDArray[np.uint8]:
    """Return noise like that of a scan, with a text from (60, 40) on."""
    noise = np.random.default_rng(11).integers(0, 40, (320, 480), dtype=np.uint8)  # the same in every test
    made = Image.fromarray(noise)
    ImageDraw.Draw(made).text((40, 60), text, fill=level, font=ImageFont.truetype(str(FONT), size))
    return np.asarray(made.rotate(90, expand=True) if turned else made)


TEXTS = [("Canary Yellow", "anary"), ("ID 4711001", "4711001"), ("姓名 王伟", "王伟")]


@pytest.mark.parametrize(("text", "part"), TEXTS)
def test_a_text_is_read_where_it_stands(text: str, part: str, reader: Reader) -> None:
    lines = [line for line in find_text(written(text), reader=reader) if part in line.text.replace(" ", "")]
    assert lines
    assert lines[0].top == pytest.approx(64, abs=12)
    assert lines[0].left == pytest.approx(40, abs=14)


@pytest.mark.parametrize(("text", "part"), TEXTS)
def test_the_second_reader_reads_print(text: str, part: str, second: Reader) -> None:
    lines = second.read(enlarged(255 - written(text), 2))
    assert any(part in line.text.replace(" ", "") and line.score > 0.5 for line in lines)


def test_values_of_any_kind_are_looked_at(reader: Reader) -> None:
    deep = written("Canary Yellow").astype(np.int16) * 16 - 1024
    assert any("anary" in line.text for line in find_text(deep, reader=reader))
    colour = np.repeat(written("Canary Yellow")[..., None], 3, axis=2)
    assert any("anary" in line.text for line in find_text(colour, reader=reader))


def test_a_turned_text_is_seen(reader: Reader) -> None:
    lines = find_text(written("Canary Yellow", turned=True), reader=reader)
    assert any(line.bottom - line.top > line.right - line.left for line in lines)


def test_an_empty_picture_has_no_text(reader: Reader, second: Reader) -> None:
    for one in (reader, second):
        assert find_text(np.zeros((64, 64), np.uint8), reader=one) == ()


def test_lines_seen_twice_are_one() -> None:
    first = Line(top=10, left=10, bottom=20, right=60, text="Canary", score=0.9)
    second = Line(top=11, left=8, bottom=22, right=58, text="Cannery", score=0.5)
    other = Line(top=50, left=10, bottom=60, right=60, text="Finch", score=0.7)
    assert merged([second, first, other]) == (
        Line(top=10, left=8, bottom=22, right=60, text="Canary", score=0.9), other,
    )  # fmt: skip


def test_a_program_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(MissingExtraError, match="apt install tesseract-ocr"):
        TesseractReader()


def test_a_line_that_stands_alone_in_a_large_picture_is_read(reader: Reader) -> None:
    soft = gaussian_filter(np.random.default_rng(0).normal(size=(2048, 2048)), 20)
    made = Image.fromarray(((soft - soft.min()) / np.ptp(soft) * 150).astype(np.uint8))
    ImageDraw.Draw(made).text((1412, 318), "Canary, Teal", fill=255, font=ImageFont.truetype(str(FONT), 28))
    found = [line for line in reader.read(np.asarray(made)) if "Canary" in line.text]
    assert found
    assert all(abs(line.top - 325) < 20 and abs(line.left - 1412) < 20 for line in found)


def test_what_a_tile_cuts_off_is_not_taken_for_the_whole(reader: Reader) -> None:
    made = Image.fromarray(np.zeros((200, 1100), np.uint8))
    ImageDraw.Draw(made).text((20, 80), "0123456789 " * 6, fill=255, font=ImageFont.truetype(str(FONT), 24))
    found = reader.read(np.asarray(made))
    assert len(found) == 2
    assert all(line.is_cut for line in found)
    (joined,) = merged([*found, Line(top=85, left=16, bottom=112, right=848, text="all of it", score=0.4)])
    assert (joined.text, joined.is_cut, joined.score) == ("all of it", False, max(line.score for line in found))
