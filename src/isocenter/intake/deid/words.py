"""Free text with nothing left in it but words that are known to name no one."""

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

_CJK = "\u3400-\u4dbf\u4e00-\u9fff"
_WORD = rf"(?:(?![{_CJK}])[^\W_])+"
_TOKEN = re.compile(rf"[{_CJK}]+|{_WORD}(?:[*-]{_WORD})*\*?|\s+|.", re.DOTALL)
_DATE = re.compile(r"\d{1,4}\s?[./年-]\s?\d{1,2}\s?[./月-]\s?\d{1,4}日?")
_TIME = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?")
_LONG_NUMBER = re.compile(r"\d(?:[().:/+-]*\d|[ ](?=\d{3})\d){5,}")  # also a telephone's, written in groups
_TITLED = re.compile(r"\b(?:dr|prof|mrs|miss)\.\s*\w+(?:-\w+)?", re.IGNORECASE)
_IS_CJK = re.compile(rf"[{_CJK}]+")
_PLAIN = re.compile(r"[\s^_.,:;/+\-*%#&()\[\]<>=|~\\'\"?!]|[，。、：；（）【】]")
# small numbers alone, with a unit, or in a technical term: 5, 1.5, 3d, 5mm, b1000, p2, 120kv, 4x4; never long ones
_TECHNICAL = re.compile(
    r"\d{1,3}|\d{1,4}(?:mm|cm|ml|ms|s|sec|min|hz|mhz|kv|kvp|ma|mas|t|d|x|ch|deg|hu|mgi)|[bptx]\d{1,4}|\d{1,3}x\d{1,3}|"
    r"(?:te|tr|ti)\d{1,5}|[tcls]\d{1,2}(?:-[tcls]?\d{1,2})?|[1-4]d",
    re.IGNORECASE,
)
_LONGEST = 8  # characters of the longest Chinese word of the list


@cache
def known_words() -> frozenset[str]:
    """Return the words that are shipped, in lower case."""
    lines = files(__package__).joinpath("words.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word.casefold() for line in lines if not line.startswith("#") for word in line.split())


def cleaned(text: str, *, identity: Iterable[str] = (), more: frozenset[str] = frozenset()) -> str:
    """Return a text with every word taken out that is not known to be harmless.

    Args:
        text: A description, comment or label.
        identity: Words of the patient and of others named in the file; these go even where they are ordinary words.
        more: Words that a site allows beside those that are shipped.
    """
    known = known_words() | {word.casefold() for word in more}
    known -= {part.casefold() for one in identity for part in _TOKEN.findall(one)}
    for pattern in (_TITLED, _DATE, _TIME, _LONG_NUMBER):
        text = pattern.sub(" ", text)
    kept = (_of(token, known) for token in _TOKEN.findall(text))
    left = re.sub(r"\s{2,}", " ", "".join(kept)).strip(" ^_-,;:/|\\.")
    return left if any(letter.isalnum() for letter in left) else ""


def _of(token: str, known: frozenset[str] | set[str]) -> str:
    if _IS_CJK.fullmatch(token):
        return "".join(_segments(token, known))
    if token.casefold() in known or token.isspace() or _PLAIN.fullmatch(token):
        return token
    if _TECHNICAL.fullmatch(token):
        return token
    parts = token.split("-")
    is_number = all(part.isdigit() for part in parts)
    return token if len(parts) > 1 and not is_number and all(_of(part, known) == part for part in parts) else ""


def _segments(run: str, known: frozenset[str] | set[str]) -> Iterable[str]:
    """Yield the known words of a run of Chinese characters, the longest first at every place."""
    at = 0
    while at < len(run):
        size = next((n for n in range(min(_LONGEST, len(run) - at), 0, -1) if run[at : at + n] in known), 0)
        if size:
            yield run[at : at + size]
        at += size or 1
