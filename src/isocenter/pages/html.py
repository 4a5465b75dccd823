"""One HTML file from a template: nothing outside it, no script, words in the language asked for."""

import base64
import math
import os
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from isocenter.errors import StoreError
from isocenter.pages.words import knows, reword, say, unit
from isocenter.result.report import Picture, Plane
from isocenter.result.score import Score

_HERE = Path(__file__).parent
_STYLES = ("page.css", "plots.css")
_BARS_MM = (1, 2, 5, 10, 20, 50, 100, 200)
_SIDES: Mapping[Plane, str] = {"sagittal": "LR", "coronal": "PA", "axial": "HF"}


def render(template: Path, values: Mapping[str, object], *, lang: str) -> str:
    """Return a page. Every value is escaped unless it is Markup.

    Args:
        template: A Jinja template that extends "page.html"; `say`, `word` and the filters below know the language.
        values: What the template shows.
        lang: "en" or "zh".

    Raises:
        NotFoundError: No such language, or a phrase that the table of words does not have.
    """
    environment = Environment(
        loader=FileSystemLoader([template.parent, _HERE]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "say": partial(say, lang=lang),
        "reword": partial(reword, lang=lang),
        "knows": knows,
        "lang": lang,
        "style": Markup("".join((_HERE / name).read_text(encoding="utf-8") for name in _STYLES)),  # noqa: S704 - ours
    }
    environment.filters |= {
        "figure": figure, "interval": interval, "digest": digest, "colour": colour, "uri": uri, "moment": moment,
        "bar_mm": bar_mm, "place": place,
    }  # fmt: skip
    return environment.get_template(template.name).render(**values)


def save(page: str | bytes, path: Path) -> None:
    """Write a page; it appears whole or not at all.

    Raises:
        StoreError: The folder cannot be written to, or the disk is full.
    """
    aside = ""
    try:
        number_, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(number_, "wb") as stream:
            stream.write(page.encode("utf-8") if isinstance(page, str) else page)
        Path(aside).chmod(0o644)
        Path(aside).replace(path)
    except OSError as error:
        if aside:
            Path(aside).unlink(missing_ok=True)
        raise StoreError(f"{path} cannot be written: {error.strerror}. Nothing was left behind.") from error


def figure(score: Score) -> str:
    """Return a score's value without its unit; "–" where nothing was measured."""
    return _written(score.value, score)


def measured(score: Score, *, lang: str) -> str:
    """Return a score's value with its unit, in the page's language; "–" where nothing was measured."""
    return figure(score) if math.isnan(score.value) else f"{figure(score)} {unit(score.unit, lang=lang)}".rstrip()


def plain(value: float) -> str:
    """Return a number as a sentence writes it: three digits that count, whole from a hundred on, no power of ten."""
    return (f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}").replace("-", "\u2212")


def counted(patients: float) -> str:
    """Return how many patients; of those whose images differ a part, with one digit after the point."""
    return f"{patients:.1f}".removesuffix(".0")


def interval(score: Score) -> str:
    """Return a score's interval as "[low, high]", with as many digits as its value; "–" where there is none.

    One without width says only that nothing varied, so it counts as none.
    """
    if math.isnan(score.low) or math.isnan(score.high) or score.low == score.high:
        return "–"
    return f"[{_written(score.low, score)}, {_written(score.high, score)}]"


def _written(value: float, score: Score) -> str:
    """Return one of a score's three numbers: shares with three digits after the point, others with three that count."""
    if math.isnan(value):
        return "–"
    largest = max(abs(part) for part in (score.value, score.low, score.high) if not math.isnan(part))
    digits = 3 if score.unit == "1" else 2 if largest < 10 else 1 if largest < 1000 else 0
    return f"{value:.{digits}f}".replace("-", "\u2212")


def digest(text: str) -> Markup:
    """Return a digest that can be copied whole and breaks anywhere."""
    return Markup('<code class="digest">{}</code>').format(text)


def colour(rgb: tuple[int, int, int]) -> str:
    """Return a colour as CSS writes it."""
    return "#{:02x}{:02x}{:02x}".format(*rgb)


def uri(png: bytes) -> str:
    """Return a picture as a data URI."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def moment(at: str) -> str:
    """Return an ISO 8601 time in UTC as people read it."""
    day, _, time = at.partition("T")
    return f"{day} {time[:5]} UTC" if time else at


def bar_mm(picture: Picture) -> int:
    """Return the length of a picture's scale bar: the longest round one up to a quarter of its width."""
    return max(length for length in _BARS_MM if length == _BARS_MM[0] or length <= picture.size_mm[1] / 4)


def place(picture: Picture) -> str:
    """Return where a picture's plane lies, such as " · F 12.5 mm": towards the feet from the patient's origin."""
    if picture.plane not in _SIDES:
        return ""
    return f" · {_SIDES[picture.plane][int(picture.place_mm < 0)]} {abs(picture.place_mm):.1f} mm"
