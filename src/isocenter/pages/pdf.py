"""One PDF from a template, set in the fonts that lie here: no network, no fonts of the machine, the same bytes.

PDF/A-2a for archives and PDF/UA-1 for readers who listen: text can be searched, pictures say what they show.
"""

import json
import re
import tempfile
from bisect import bisect_right
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from isocenter.errors import MissingExtraError
from isocenter.pages.words import WORDS, say

if TYPE_CHECKING:
    from typst import Fonts

_HERE = Path(__file__).parent
_FONTS = _HERE / "fonts"
_STANDARDS: list[Literal["a-2a", "ua-1"]] = ["a-2a", "ua-1"]
_FALLBACK = "□"  # for a character that the fonts do not have: a gap that is seen
_PROLOGUE = "page.typ"


def typeset(template: Path, values: Mapping[str, object], *, files: Mapping[str, bytes], at: str, lang: str) -> bytes:
    """Return a PDF.

    Args:
        template: A typst file that imports "page.typ"; it reads its values and all words from "values.json".
        values: What the template shows, as plain JSON values; typst takes them as text, never as markup.
        files: Pictures by the names under which the template asks for them; SVG as `standalone` gives it.
        at: When it was made: UTC, ISO 8601.
        lang: "en" or "zh".

    Raises:
        MissingExtraError: typst is not installed.
        NotFoundError: No such language.
    """
    try:
        import typst
    except ImportError as error:
        raise MissingExtraError(
            "PDF needs the extra 'report', which is not installed: pip install 'isocenter[report]'. "
            "HTML does without: --formats html."
        ) from error
    say("report.title", lang=lang)  # refuses a language that is not there
    words = {key: phrases[lang == "zh"] for key, phrases in WORDS.items()}
    told = _legible({**values, "words": words, "lang": lang})
    with tempfile.TemporaryDirectory(prefix="isocenter-pdf-") as name:
        folder = Path(name)
        main = folder / "main.typ"
        main.write_bytes(template.read_bytes())
        (folder / _PROLOGUE).write_bytes((_HERE / _PROLOGUE).read_bytes())
        (folder / "values.json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
        for part, content in files.items():
            (folder / part).write_bytes(content)
        # an empty folder for packages: nothing is ever fetched
        compiler = typst.Compiler(
            main, root=folder, font_paths=_fonts(), package_path=folder, package_cache_path=folder
        )  # fmt: skip
        moment = datetime.fromisoformat(at.replace("Z", "+00:00")).astimezone(UTC)
        made = compiler.compile(format="pdf", pdf_standards=list(_STANDARDS), timestamp=moment)
    return made if isinstance(made, bytes) else b"".join(made or ())


def standalone(drawing: str) -> bytes:
    """Return an inline SVG of a page as a file of its own, with the page's styles in it."""
    styles = re.sub(r"var\((--\w[\w-]*)\)", lambda found: _colours()[found.group(1)], _plots())
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" font-size="13" font-family="{_family()}" fill="#18222d"'
    # a Markup would escape what is put into it
    return str(drawing).replace("<svg", opening, 1).replace(">", f"><style>{styles}</style>", 1).encode()


@cache
def _fonts() -> "Fonts":
    import typst

    # typst's own fonts are there for digests, which want digits of one width; the machine's fonts are left alone
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[_FONTS])


def _family() -> str:
    return "Noto Sans CJK SC"


@cache
def _plots() -> str:
    return (_HERE / "plots.css").read_text(encoding="utf-8")


@cache
def _colours() -> Mapping[str, str]:
    """Return the variables of the page's style sheet."""
    page = (_HERE / "page.css").read_text(encoding="utf-8")
    named = dict(re.findall(r"(--[\w-]+):\s*([^;]+);", page))
    return {**named, "--sans": _family()}


@cache
def _covered() -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return first and last code point of each range that the fonts have, rising."""
    lines = (_FONTS / "covered.txt").read_text(encoding="ascii").split()
    pairs = [line.split("-") for line in lines]
    return tuple(int(low, 16) for low, _ in pairs), tuple(int(high, 16) for _, high in pairs)


def _legible(value: Any) -> Any:
    """Return plain values with each character that the fonts do not have replaced by a box; new lines by spaces."""
    if isinstance(value, str):
        return "".join(sign if _has(sign) else " " if sign.isspace() else _FALLBACK for sign in value)
    if isinstance(value, Mapping):
        return {_legible(key): _legible(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_legible(inner) for inner in value]
    return value


def _has(sign: str) -> bool:
    starts, ends = _covered()
    place = bisect_right(starts, ord(sign)) - 1
    return place >= 0 and ord(sign) <= ends[place]
