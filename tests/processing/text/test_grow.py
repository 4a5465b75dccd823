"""A line whose last letters a reader missed grows to them, and no further."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from isocenter.processing.text.grow import grown
from isocenter.processing.text.line import Line


def written(text: str, *, level: int, size: int = 24) -> np.ndarray:
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.normal(90, 8, (80, 400)).clip(0, 255).astype(np.uint8))
    ImageDraw.Draw(image).text((40, 20), text, fill=level, font=ImageFont.truetype("DejaVuSans.ttf", size))
    return np.asarray(image)


@pytest.mark.parametrize("level", [200, 20])
def test_a_line_grows_to_its_last_letters(level: int) -> None:
    picture = written("STARLING JAY", level=level)
    end = int(np.nonzero((np.abs(picture.astype(int) - level) < 5).any(axis=0))[0].max())
    line = grown(Line(top=20, left=40, bottom=50, right=end - 25, text="STARLING J", score=0.9), picture)
    assert line.right > end
    assert line.right <= end + 30
    assert (line.top, line.bottom, line.text) == (20, 50, "STARLING J")


def test_a_line_that_is_turned_grows_along_itself() -> None:
    picture = np.rot90(written("STARLING JAY", level=200))
    first = int(np.nonzero((picture > 190).any(axis=1))[0].min())
    line = grown(Line(top=first + 25, left=20, bottom=360, right=50), picture)
    assert line.top < first
    assert (line.left, line.right) == (20, 50)


def test_a_whole_line_stays_as_it_is() -> None:
    picture = written("STARLING JAY", level=200)
    columns = np.nonzero((picture > 190).any(axis=0))[0]
    line = Line(top=20, left=int(columns.min()) - 2, bottom=50, right=int(columns.max()) + 3)
    assert grown(line, picture) == line


def test_a_line_at_the_edge_and_a_blank_one_stay_inside() -> None:
    picture = np.zeros((30, 40), np.uint8)
    line = Line(top=0, left=0, bottom=30, right=40)
    assert grown(line, picture) == line
    assert grown(Line(top=5, left=5, bottom=9, right=20), np.repeat(picture[..., None], 3, axis=2)).right == 20
